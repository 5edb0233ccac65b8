"""The stand-in's clock in the zone of the real service."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hourbridge.common.clock import Clock
from hourbridge.sandbox.common import clock

SERVER_ZONE = ZoneInfo("America/Los_Angeles")
"""The real service stamps its answers in Pacific time."""


class MovableClock(clock.MovableClock):
    """A wall clock in Pacific time that can be set ahead or back while the server runs."""

    def __init__(self, base: Clock | None = None) -> None:
        super().__init__(base, SERVER_ZONE)

    def envelope_time(self) -> str:
        """Return now as the service writes it in answers: with milliseconds."""
        return self.stamp("milliseconds")
