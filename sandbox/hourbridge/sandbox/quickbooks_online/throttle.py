"""Request limits per realm over sliding windows."""

from __future__ import annotations

from collections import defaultdict, deque

from hourbridge.sandbox.quickbooks_online.clock import MovableClock
from hourbridge.sandbox.quickbooks_online.settings import SandboxSettings

_MINUTE_SECONDS = 60


class Throttle:
    """Counts requests; a refused request does not count."""

    def __init__(self, settings: SandboxSettings, clock: MovableClock) -> None:
        self._settings = settings
        self._clock = clock
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def admits(self, realm: str) -> bool:
        """Return whether one more request of the realm is within its limits, and count it."""
        now = self._clock.monotonic_seconds()
        seen = self._seen[realm]
        while seen and seen[0] <= now - _MINUTE_SECONDS:
            seen.popleft()
        per_minute = self._settings.requests_per_minute_max
        per_second = self._settings.requests_per_second_max
        if per_minute is not None and len(seen) >= per_minute:
            return False
        if per_second is not None and len(seen) >= per_second and seen[-per_second] > now - 1:
            return False
        seen.append(now)
        return True
