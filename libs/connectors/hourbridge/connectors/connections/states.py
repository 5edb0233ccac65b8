"""How a connection fares, and when its tokens end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

WARN_DAYS = (60, 30, 7)
"""So many days before its tokens end a connection is told of, each time louder."""


@dataclass(frozen=True)
class ConnectionState:
    """How a connection fares, for operators."""

    name: str
    kind: str
    company_id: str
    state: str
    """connected, expiring (connected, but not for long), broken or disconnected."""
    state_reason: str | None
    refresh_expires_at: datetime | None
    """The rolling term: begins anew with each refresh."""
    refreshes: int
    changed_at: datetime
    refresh_hard_expires_at: datetime | None = None
    """The end of the grant, however often it is refreshed; only a new consent begins another."""
    authorized_at: datetime | None = None
    refreshed_at: datetime | None = None
    refresh_issued_at: datetime | None = None
    """Since when the refresh token has its present value."""
    app_id: str | None = None
    days_left: int | None = None
    """Whole days until the earlier of both ends."""
    warned_days: int | None = None
    """The nearest of 60, 30 and 7 days that has been passed."""

    @property
    def expires_at(self) -> datetime | None:
        """The earlier of both ends."""
        ends = [self.refresh_expires_at, self.refresh_hard_expires_at]
        return min((end for end in ends if end is not None), default=None)


def state_of(row: Mapping[str, Any], now: datetime) -> ConnectionState:
    """Return the state in a row of the connections, as of ``now``."""
    stored = ConnectionState(**row)
    end = stored.expires_at
    if end is None or stored.state != "connected":
        return stored
    left = max(0, (end - now) // timedelta(days=1))
    warned = min((days for days in WARN_DAYS if end - now <= timedelta(days=days)), default=None)
    changes: dict[str, Any] = {"days_left": left, "warned_days": warned}
    if warned is not None:
        rolls = end == stored.refresh_expires_at
        reason = "unused for long" if rolls else "the grant ends for good: connect anew"
        changes |= {"state": "expiring", "state_reason": f"{left} days left, {reason}"}
    return ConnectionState(**{**row, **changes})
