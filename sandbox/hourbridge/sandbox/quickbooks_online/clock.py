"""The stand-in's clock: the machine's, moved by an offset that tests set."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hourbridge.common.clock import Clock, SystemClock

SERVER_ZONE = ZoneInfo("America/Los_Angeles")
"""The real service stamps its answers in Pacific time."""


class MovableClock:
    """A wall clock that can be set ahead or back while the server runs."""

    def __init__(self, base: Clock | None = None) -> None:
        self._base = base or SystemClock()
        self.offset_seconds = 0

    def now(self) -> datetime:
        """Return the stand-in's current instant, in UTC."""
        return self._base.now() + timedelta(seconds=self.offset_seconds)

    def monotonic_seconds(self) -> float:
        """Return the base's interval clock; the offset does not touch it."""
        return self._base.monotonic_seconds()

    def today(self) -> date:
        """Return the server's date, which the service takes as the default transaction date."""
        return self.now().astimezone(SERVER_ZONE).date()

    def stamp(self) -> str:
        """Return now as the service writes it in MetaData: seconds and the Pacific offset."""
        return self.now().astimezone(SERVER_ZONE).isoformat(timespec="seconds")

    def envelope_time(self) -> str:
        """Return now as the service writes it in answers: with milliseconds."""
        return self.now().astimezone(SERVER_ZONE).isoformat(timespec="milliseconds")
