"""The processes of a contender: started, watched for memory, and ended by their own pid."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil
import structlog

from tests.support.processes import Guardian

ROOT = Path(__file__).resolve().parent.parent
_STOP_SECONDS = 30


class ChildFailed(Exception):
    """A process of a contender ended or did not come up."""


@dataclass(frozen=True)
class Child:
    """One running process of a contender."""

    name: str
    process: subprocess.Popen[str]
    log_path: Path

    @property
    def output(self) -> IO[str]:
        """What the process writes to its standard output."""
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def input(self) -> IO[str]:
        """What the process reads from its standard input."""
        assert self.process.stdin is not None
        return self.process.stdin

    def await_line(self, wanted: str) -> None:
        """Return when the process has written the line ``wanted``; raise ChildFailed if it ends."""
        for line in self.output:
            if line.strip() == wanted:
                return
        raise ChildFailed(f"{self.name} ended before it was ready:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """Return the end of what the process wrote to its standard error."""
        return self.log_path.read_text(errors="replace")[-3000:]

    def ensure_running(self) -> None:
        """Raise ChildFailed when the process has ended."""
        if self.process.poll() is not None:
            raise ChildFailed(f"{self.name} ended:\n{self.log_tail()}")

    def resident_bytes(self) -> int:
        """Return the resident set size of the process."""
        return int(psutil.Process(self.process.pid).memory_info().rss)


class Children:
    """A group of processes that never outlives the benchmark, however that ends."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="hb-bench-"))
        self._guardian = Guardian(self._directory)
        self.running: list[Child] = []

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        output_to_log: bool = False,
    ) -> Child:
        """Start ``python <arguments>``; its standard error goes to a file of its own."""
        log_path = self._directory / f"{name}.log"
        with log_path.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=log if output_to_log else subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        child = Child(name, process, log_path)
        self.running.append(child)
        self._guardian.watch(*((signal.SIGKILL, each.process.pid) for each in self.running))
        return child

    def stop(self) -> None:
        """Ask every process to end, kill what does not, and remove the logs."""
        for child in self.running:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self.running:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            for stream in (child.process.stdout, child.process.stdin):
                if stream is not None:
                    stream.close()
        self._guardian.watch()
        self._guardian.close()


def until_terminated() -> None:
    """Block the main thread of a contender's process until SIGTERM."""
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


def log_to_standard_error() -> None:
    """Keep standard output for what the parent reads."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
