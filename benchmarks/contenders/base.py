"""What a contender promises to the measurements."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from benchmarks.children import Child


class Contender(Protocol):
    """A running system of four processes that takes entries from its intake exchange."""

    name: str
    dialect: str
    broker_url: str
    services: list[Child]

    def stored(self) -> Progress:
        """Return how many messages each last consumer has stored."""
        ...

    def finished_at(self, run: str, /) -> Finish:
        """Return when the last message of ``run`` was committed, by the database's own clock."""
        ...

    def stop(self) -> None:
        """End the processes."""
        ...


@dataclass(frozen=True)
class Progress:
    """Messages stored so far at the two ends of the flow."""

    poster: int
    reconciler: int


@dataclass(frozen=True)
class Finish:
    """Commit times (Unix seconds) of the last message at each end of the flow."""

    poster: float
    reconciler: float


class TookTooLong(Exception):
    """A contender did not finish in time."""


def await_stored(contender: Contender, wanted: Progress, timeout_seconds: float) -> None:
    """Return when ``wanted`` is stored; raise TookTooLong or ChildFailed otherwise."""

    def is_stored() -> bool:
        for child in contender.services:
            child.ensure_running()
        now = contender.stored()
        return now.poster >= wanted.poster and now.reconciler >= wanted.reconciler

    try:
        await_true(is_stored, timeout_seconds)
    except TookTooLong:
        raise TookTooLong(f"{contender.name}: {contender.stored()} of {wanted}") from None


def await_true(
    condition: Callable[[], bool], timeout_seconds: float, *, every_seconds: float = 0.5
) -> None:
    """Return when ``condition`` holds; raise TookTooLong past the time-out."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TookTooLong("not in time")
        time.sleep(every_seconds)
