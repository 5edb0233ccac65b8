"""Request limits per realm over sliding windows."""

from __future__ import annotations

from hourbridge.sandbox.common import throttle
from hourbridge.sandbox.quickbooks_online.clock import MovableClock
from hourbridge.sandbox.quickbooks_online.settings import SandboxSettings

_MINUTE_SECONDS = 60


class Throttle(throttle.Throttle):
    """The limits of the settings, which may change while the server runs."""

    def __init__(self, settings: SandboxSettings, clock: MovableClock) -> None:
        def limits() -> list[tuple[int, int]]:
            per_minute = settings.requests_per_minute_max
            per_second = settings.requests_per_second_max
            found = [] if per_minute is None else [(per_minute, _MINUTE_SECONDS)]
            return found if per_second is None else [*found, (per_second, 1)]

        super().__init__(limits, clock.monotonic_seconds)
