"""Switches of the stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class TogglSandboxSettings:
    """What can be changed while it runs."""

    calls_per_hour_max: int | None = 30
    """Per token; beyond it 402. None: no quota."""
    calls_per_second_max: int | None = None
    """Per token; beyond it 429."""
    rows_max: int = 1000
    """What a list of entries is cut off at, without a word."""
    since_days_max: int = 90
    delivers_at_once: bool = False
    """Send webhooks as soon as something changes; otherwise they wait for ``deliver``."""
    retired: str = ""
    """A path that answers 410, as a call that was given up does."""

    def change(self, values: Mapping[str, Any]) -> None:
        """Set some; raises ValueError for an unknown one."""
        unknown = values.keys() - asdict(self).keys()
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        for name, value in values.items():
            setattr(self, name, value)

    def limits(self) -> list[tuple[int, int]]:
        """Return the burst limit as (calls, seconds)."""
        return [] if self.calls_per_second_max is None else [(self.calls_per_second_max, 1)]

    def quota(self) -> list[tuple[int, int]]:
        """Return the hourly quota as (calls, seconds)."""
        return [] if self.calls_per_hour_max is None else [(self.calls_per_hour_max, 3600)]
