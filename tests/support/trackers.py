"""Connections to trackers without a database, and a real TimeTagger server."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from hourbridge.common.clock import Clock, SystemClock
from hourbridge.connectors.access import Exchange
from hourbridge.connectors.connections.source_store import SourceConnection
from hourbridge.connectors.source import Page, Source, Span
from hourbridge.connectors.source_access import SourceOpening
from hourbridge.connectors.source_opening import RECEIVERS, SOURCES
from hourbridge.connectors.webhooks import WebhookReceiver
from tests.support.processes import Guardian, free_ports

TIMETAGGER_START_SECONDS = 20


@dataclass
class FreeBudget:
    """A call budget without limits, which remembers the pauses that were asked for."""

    taken: int = 0
    pauses: list[int] = field(default_factory=list)

    def take(self) -> None:
        """Let everybody through."""
        self.taken += 1

    def pause(self, seconds: int) -> None:
        """Remember it."""
        self.pauses.append(seconds)


@dataclass
class Opened:
    """A source that was opened over its registry, and what it was given."""

    source: Source
    budget: FreeBudget
    exchanges: list[Exchange]

    def pages(self, feed: str, cursor: str | None = None, span: Span | None = None) -> list[Page]:
        """Return every page of one reading."""
        found = [self.source.read(feed, cursor, span)]
        while not found[-1].is_last:
            found.append(self.source.read(feed, found[-1].cursor, span))
        return found


def connection_to(
    system: str,
    base_url: str,
    account: str,
    secrets: Mapping[str, str],
    settings: Mapping[str, Any],
) -> SourceConnection:
    """Return a connection as the store would give it."""
    return SourceConnection(
        name=f"test-{system}",
        system=system,
        account=account,
        api_base_url=base_url,
        settings=settings,
        secrets={name: SecretStr(value) for name, value in secrets.items()},
        changed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def open_over_registry(connection: SourceConnection, clock: Clock | None = None) -> Opened:
    """Return the source of a connection."""
    budget, exchanges = FreeBudget(), list[Exchange]()
    opening = SourceOpening(
        clock=clock or SystemClock(),
        timeout_seconds=5,
        budget=budget,
        sources=None,  # type: ignore[arg-type]  # these sources have no use for the store
        ledgers=None,
        observer=exchanges.append,
    )
    return Opened(SOURCES[connection.system](connection, opening), budget, exchanges)


def receiver_over_registry(connection: SourceConnection) -> WebhookReceiver:
    """Return what understands a connection's deliveries."""
    return RECEIVERS[connection.system](connection, SystemClock())


@dataclass
class TimeTagger:
    """A running TimeTagger, and somebody who tracks time with it."""

    base_url: str
    token: str
    directory: Path

    def lose(self, key: str) -> None:
        """Lose a record without a trace, as a restored server does."""
        for path in (self.directory / "data" / "users").glob("*.db"):
            with contextlib.closing(sqlite3.connect(path, timeout=10)) as database, database:
                database.execute("DELETE FROM records WHERE key = ?", (key,))

    def put(self, *records: Mapping[str, Any]) -> dict[str, Any]:
        """Store records as a client does."""
        answer = httpx.put(
            f"{self.base_url}api/v2/records",
            json=list(records),
            headers={"authtoken": self.token},
            timeout=10,
        )
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        assert content["failed"] == [], content
        return content

    def reset(self) -> None:
        """Make every client read everything anew."""
        httpx.put(
            f"{self.base_url}api/v2/forcereset", headers={"authtoken": self.token}, timeout=10
        ).raise_for_status()


def require_timetagger() -> None:
    """Skip, loudly, where the package is missing; in continuous integration that is a failure."""
    if importlib.util.find_spec("timetagger") is not None:
        return
    if os.environ.get("CI"):
        pytest.fail("the package timetagger is missing; see requirements/dev.in")
    pytest.skip("NOT TESTED against a real TimeTagger: pip install timetagger")


@contextlib.contextmanager
def timetagger_server() -> Iterator[TimeTagger]:
    """Run a real TimeTagger on a free port with data of its own; end it by its id."""
    require_timetagger()
    directory = Path(tempfile.mkdtemp(prefix="hourbridge-timetagger-"))
    guardian = Guardian(directory)
    port = free_ports(1)[0]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "timetagger",
                f"--bind=127.0.0.1:{port}",
                f"--datadir={directory / 'data'}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    guardian.watch((signal.SIGTERM, process.pid))
    try:
        base_url = f"http://127.0.0.1:{port}/timetagger/"
        _await(lambda: _answers(base_url), process, directory / "log")
        yield TimeTagger(base_url, _api_token(base_url), directory)
    finally:
        process.terminate()
        process.wait(20)
        guardian.close()


def _await(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + TIMETAGGER_START_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"TimeTagger did not start: {log.read_text()[-2000:]}")
        time.sleep(0.1)


def _answers(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}status", timeout=2).status_code == 200
    except httpx.RequestError:
        return False


def _api_token(base_url: str) -> str:
    """Log in as a browser on the same machine does, and make a token for programs."""
    body = base64.b64encode(b'{"method": "localhost"}')
    web = httpx.post(f"{base_url}api/v2/bootstrap_authentication", content=body, timeout=10)
    web.raise_for_status()
    answer = httpx.get(
        f"{base_url}api/v2/apitoken", headers={"authtoken": web.json()["token"]}, timeout=10
    )
    answer.raise_for_status()
    token: str = answer.json()["token"]
    return token
