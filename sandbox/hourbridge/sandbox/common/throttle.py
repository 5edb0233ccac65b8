"""Request limits per caller over sliding windows."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence

Limits = Callable[[], Sequence[tuple[int, int]]]
"""Tells the limits of the moment: pairs of (requests, seconds)."""


class Throttle:
    """Counts requests; a refused request does not count.

    ``seconds`` is the clock: a monotonic one, or one that tests move.
    """

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        self._limits = limits
        self._seconds = seconds
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def admits(self, caller: str) -> bool:
        """Return whether one more request of the caller is within its limits, and count it."""
        now, limits = self._seconds(), self._limits()
        seen = self._seen[caller]
        while seen and seen[-1] > now:
            seen.pop()  # the clock was set back
        longest = max((seconds for _, seconds in limits), default=0)
        while seen and seen[0] <= now - longest:
            seen.popleft()
        for count, seconds in limits:
            if len(seen) >= count and seen[-count] > now - seconds:
                return False
        seen.append(now)
        return True

    def forget(self) -> None:
        """Forget every request so far."""
        self._seen.clear()
