"""A stand-in's clock: the machine's, moved by an offset that tests set."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, tzinfo

from hourbridge.common.clock import Clock, SystemClock


class MovableClock:
    """A wall clock that can be set ahead or back while the server runs.

    ``zone`` is the one in which the imitated service writes its stamps.
    """

    def __init__(self, base: Clock | None = None, zone: tzinfo = UTC) -> None:
        self._base = base or SystemClock()
        self._zone = zone
        self.offset_seconds = 0

    def now(self) -> datetime:
        """Return the stand-in's current instant, in UTC."""
        return self._base.now() + timedelta(seconds=self.offset_seconds)

    def monotonic_seconds(self) -> float:
        """Return the base's interval clock; the offset does not touch it."""
        return self._base.monotonic_seconds()

    def today(self) -> date:
        """Return the service's date."""
        return self.now().astimezone(self._zone).date()

    def stamp(self, timespec: str = "seconds") -> str:
        """Return now as the service writes it: with the offset of its zone."""
        return self.now().astimezone(self._zone).isoformat(timespec=timespec)

    def set_to(self, instant: datetime) -> None:
        """Move the clock so that it shows ``instant``, or up to a second later, now."""
        self.offset_seconds = math.ceil((instant - self._base.now()).total_seconds())
