"""Hourbridge as it is deployed: each service a process of its own, and the ledger's stand-in."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hourbridge.cli.client import SERVICES, AdminClient
from hourbridge.cli.settings import ClientSettings
from tests.support.processes import free_ports

TOKEN = "installation-administrator"
FERNET_KEY = base64.urlsafe_b64encode(b"hourbridge-tests-fernet-key-0001").decode()


@dataclass
class Installation:
    """The processes of one installation; ``directory`` receives their logs."""

    broker_url: str
    database_url: str
    directory: Path
    environment: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))

    def setup(self) -> None:
        """Provision the database and apply the topology, as an installer would."""
        for command in (["database", "setup"], ["topology", "apply"]):
            done = subprocess.run(
                [sys.executable, "-m", "hourbridge.cli", *command],
                env=self._environment("ingestor"),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr

    def start(
        self, service: str, *, faults: str = "", command: Sequence[str] | None = None
    ) -> None:
        """Start one service's process, or ``command`` in its place."""
        log = (self.directory / f"{service}.log").open("ab")
        environment = self._environment(service)
        if faults:
            environment["HOURBRIDGE_FAULTS"] = faults
        self.processes[service] = subprocess.Popen(
            command or [sys.executable, "-m", "hourbridge.cli", "run", service],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def start_all(self) -> None:
        """Start every service and wait until all are ready."""
        for service in SERVICES:
            self.start(service)
        for service in SERVICES:
            self.wait_ready(service)

    def kill(self, service: str) -> None:
        """End a service with SIGKILL."""
        process = self.processes.pop(service)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self, service: str) -> int:
        """End a service with SIGTERM; return its exit code."""
        process = self.processes.pop(service)
        process.terminate()
        return process.wait(40)

    def close(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)

    def revive(self) -> list[str]:
        """Start again whatever died (a supervisor's work); return their names."""
        dead = [name for name, process in self.processes.items() if process.poll() is not None]
        for service in dead:
            self.start(service)
        return dead

    def wait_ready(self, service: str, timeout_seconds: float = 60) -> None:
        """Wait until a service says that it is ready."""

        def ready() -> bool:
            try:
                answer = httpx.get(f"http://127.0.0.1:{self.ports[service]}/readyz", timeout=5)
            except httpx.TransportError:
                return False
            return answer.status_code == 200

        wait_until(ready, f"{service} ready", timeout_seconds, self.log_tail(service))

    def log_tail(self, service: str) -> Callable[[], str]:
        """Return a function that reads the end of a service's log."""
        path = self.directory / f"{service}.log"
        return lambda: path.read_text(errors="replace")[-3000:] if path.exists() else ""

    @contextmanager
    def client(self) -> Iterator[AdminClient]:
        """Open a client of all services, as administrator."""
        urls = {f"{name}_url": f"http://127.0.0.1:{port}" for name, port in self.ports.items()}
        client = AdminClient(ClientSettings(**urls, admin_token=TOKEN))  # type: ignore[arg-type]
        try:
            yield client
        finally:
            client.close()

    def _environment(self, service: str) -> dict[str, str]:
        return {
            **os.environ,
            "HOURBRIDGE_BROKER_URL": self.broker_url,
            "HOURBRIDGE_DATABASE_URL": self.database_url,
            "HOURBRIDGE_HTTP_PORT": str(self.ports[service]),
            "HOURBRIDGE_ADMIN_TOKENS": json.dumps({TOKEN: "tests:administrator"}),
            "HOURBRIDGE_ENCRYPTION_KEYS": json.dumps([FERNET_KEY]),
            "HOURBRIDGE_RETRY_DELAYS_SECONDS": "[1, 2]",
            **self.environment,
        }


def wait_until(
    condition: Callable[[], Any],
    what: str,
    timeout_seconds: float = 60,
    context: Callable[[], Any] = lambda: "",
) -> Any:
    """Return the first true value of ``condition``; fail with ``context`` past the time-out."""
    deadline = time.monotonic() + timeout_seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds} s: {what}\n{context()}")
        time.sleep(0.1)
    return value
