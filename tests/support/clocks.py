"""Clocks for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SteppingClock:
    """A clock that stands still until told to go on; nothing may wait for it."""

    def __init__(self, now: datetime = datetime(2026, 4, 1, 12, tzinfo=UTC)) -> None:
        self.instant = now

    def now(self) -> datetime:
        """Return the instant it stands at."""
        return self.instant

    def monotonic_seconds(self) -> float:
        """Return seconds that move with the clock."""
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        """Fail: waiting for a clock that stands still would take for ever."""
        raise AssertionError(f"nothing here should wait {seconds} s")

    def step(self, **duration: float) -> None:
        """Go on, as in ``step(hours=1)``."""
        self.instant += timedelta(**duration)


class WaitingClock(SteppingClock):
    """A clock that waiting moves."""

    def sleep(self, seconds: float) -> None:
        """Go on by as much."""
        self.step(seconds=seconds)
