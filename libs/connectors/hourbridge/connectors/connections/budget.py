"""The call budget of a company: token buckets in one row, shared by all replicas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from hourbridge.common.clock import Clock
from hourbridge.common.errors import ConfigurationInvalid, LedgerThrottled
from hourbridge.common.store.engine import Store

WAIT_SECONDS_MAX = 5
"""Longer than this nobody waits inside a call; the lane takes its work up later."""

_MINUTE_SECONDS = 60
_BURST_SHARE = 10
"""A tenth of the limit may come at once; in no window do calls exceed it by more than that."""

_LOCK_ROW = text(
    # A turn lost in a crash costs nothing, so nobody waits for the disk: no synchronous commit.
    "SELECT calls_per_minute, calls_per_second, minute_tokens, second_tokens, drawn_at, "
    "paused_until, clock_timestamp() AS now, set_config('synchronous_commit', 'off', true) "
    "FROM call_budget WHERE connection = :connection FOR UPDATE"
)
_STORE_ROW = text(
    "UPDATE call_budget SET minute_tokens = :minute_tokens, second_tokens = :second_tokens, "
    "drawn_at = :drawn_at WHERE connection = :connection"
)
_PAUSE = text(
    "UPDATE call_budget SET paused_until = greatest(paused_until, "
    "clock_timestamp() + make_interval(secs => :seconds)) WHERE connection = :connection"
)


@dataclass(frozen=True)
class Bucket:
    """Calls that may be made at once; negative while callers wait for their turn."""

    tokens: float
    limit: int
    window_seconds: int

    def draw(self, elapsed_seconds: float) -> Bucket:
        """Return the bucket after one more call."""
        capacity = max(1, self.limit // _BURST_SHARE)
        refilled = self.tokens + elapsed_seconds * self.limit / self.window_seconds
        return Bucket(min(capacity, refilled) - 1, self.limit, self.window_seconds)

    @property
    def wait_seconds(self) -> float:
        """How long the last caller to draw waits."""
        return max(0.0, -self.tokens * self.window_seconds / self.limit)


@dataclass(frozen=True)
class Buckets:
    """Both limits of a company, as of one moment."""

    minute: Bucket
    second: Bucket
    drawn_at: datetime

    def draw(self, now: datetime) -> Buckets:
        """Return the state after one more call at ``now``."""
        elapsed = max(0.0, (now - self.drawn_at) / timedelta(seconds=1))
        latest = max(now, self.drawn_at)
        return Buckets(self.minute.draw(elapsed), self.second.draw(elapsed), latest)

    @property
    def wait_seconds(self) -> float:
        """How long the last caller to draw waits for both."""
        return max(self.minute.wait_seconds, self.second.wait_seconds)


class SharedCallBudget:
    """A ``CallBudget`` over the connection's row; the database's clock is the only one asked."""

    def __init__(self, store: Store, connection: str, clock: Clock) -> None:
        self._store = store
        self._connection = connection
        self._clock = clock

    def take(self) -> None:
        """Wait for this call's turn; raises LedgerThrottled during a pause or a long queue."""
        wait_seconds = self._reserve()
        if wait_seconds > 0:
            self._clock.sleep(wait_seconds)

    def pause(self, seconds: int) -> None:
        """Let no replica call for ``seconds``; a longer pause already set stays."""
        with self._store.transaction() as connection:
            connection.execute(_PAUSE, {"connection": self._connection, "seconds": seconds})

    def _reserve(self) -> float:
        with self._store.transaction() as connection:
            row = connection.execute(_LOCK_ROW, {"connection": self._connection}).first()
            if row is None:
                raise ConfigurationInvalid("the connection was removed", name=self._connection)
            if row.paused_until is not None and row.paused_until > row.now:
                raise self._throttled((row.paused_until - row.now).total_seconds())
            drawn = Buckets(
                Bucket(row.minute_tokens, row.calls_per_minute, _MINUTE_SECONDS),
                Bucket(row.second_tokens, row.calls_per_second, 1),
                row.drawn_at,
            ).draw(row.now)
            if drawn.wait_seconds > WAIT_SECONDS_MAX:
                raise self._throttled(drawn.wait_seconds)
            connection.execute(
                _STORE_ROW,
                {
                    "connection": self._connection,
                    "minute_tokens": drawn.minute.tokens,
                    "second_tokens": drawn.second.tokens,
                    "drawn_at": drawn.drawn_at,
                },
            )
        return drawn.wait_seconds

    def _throttled(self, seconds: float) -> LedgerThrottled:
        what = "the company's shared call budget is used up"
        return LedgerThrottled(
            what, retry_after_seconds=math.ceil(seconds), connection=self._connection
        )
