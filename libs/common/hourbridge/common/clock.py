"""Wall-clock time, injected everywhere so that tests and replays decide what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; the only source of "now" outside this module."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...

    def monotonic_seconds(self) -> float:
        """Return a clock for intervals that never goes backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_seconds(self) -> float:
        """Return ``time.monotonic()``."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread for ``seconds``."""
        time.sleep(seconds)


def to_text(instant: datetime) -> str:
    """Return RFC 3339 in UTC with a trailing ``Z`` and microseconds only when present."""
    if instant.tzinfo is None:
        raise ValueError("naive datetime: an instant needs a zone")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
