"""The call budget of a company: token buckets in one row, shared by all replicas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.clock import Clock
from hourbridge.common.errors import ConfigurationInvalid, LedgerThrottled
from hourbridge.common.store.engine import Store
from hourbridge.connectors.access import Caller
from hourbridge.connectors.connections.buckets import (
    MINUTE_SECONDS,
    SPARE_SHARE,
    Bucket,
    Buckets,
)
from hourbridge.connectors.connections.metrics import BUDGET_REFUSALS, BUDGET_WAITS, THROTTLED

WAIT_SECONDS_MAX = 5
"""Longer than this nobody waits inside a call; the lane takes its work up later."""

_LOCK_ROW = text(
    # A turn lost in a crash costs nothing, so nobody waits for the disk: no synchronous commit.
    "SELECT calls_per_minute, calls_per_second, batches_per_minute, minute_tokens, second_tokens, "
    "batch_tokens, spare_tokens, drawn_at, paused_until, clock_timestamp() AS now, "
    "set_config('synchronous_commit', 'off', true) "
    "FROM call_budget WHERE connection = :connection FOR UPDATE"
)
_STORE_ROW = text(
    "UPDATE call_budget SET minute_tokens = :minute_tokens, second_tokens = :second_tokens, "
    "batch_tokens = :batch_tokens, spare_tokens = :spare_tokens, drawn_at = :drawn_at "
    "WHERE connection = :connection"
)
_PAUSE = text(
    "UPDATE call_budget SET paused_until = greatest(paused_until, "
    "clock_timestamp() + make_interval(secs => :seconds)) WHERE connection = :connection"
)


@dataclass(frozen=True)
class _Turn:
    """What one look at the budget gave."""

    wait_seconds: float
    is_granted: bool
    """After the wait the call can be made; else it is asked again."""


class SharedCallBudget:
    """A ``BatchingCallBudget`` over the connection's row; only the database's clock is asked."""

    def __init__(
        self, store: Store, connection: str, clock: Clock, caller: Caller = "posting"
    ) -> None:
        self._store = store
        self._connection = connection
        self._clock = clock
        self._caller = caller

    def take(self) -> None:
        """Wait for this call's turn; raises LedgerThrottled during a pause or a long queue."""
        self._take(is_batch=False)

    def take_batch(self) -> None:
        """Wait for the turn of a call that carries many operations; raises as ``take``."""
        self._take(is_batch=True)

    def pause(self, seconds: int) -> None:
        """Let no replica call for ``seconds``; a longer pause already set stays."""
        THROTTLED.inc()
        with self._store.transaction() as connection:
            connection.execute(_PAUSE, {"connection": self._connection, "seconds": seconds})

    def _take(self, *, is_batch: bool) -> None:
        waited_seconds = 0.0
        while True:
            turn = self._turn(is_batch=is_batch)
            if turn.wait_seconds > 0:
                BUDGET_WAITS.labels(self._caller).inc(turn.wait_seconds)
                self._clock.sleep(turn.wait_seconds)
            if turn.is_granted:
                return
            waited_seconds += turn.wait_seconds
            if waited_seconds > WAIT_SECONDS_MAX:
                raise self._throttled(WAIT_SECONDS_MAX, "queue")

    def _turn(self, *, is_batch: bool) -> _Turn:
        with self._store.transaction() as connection:
            row = connection.execute(_LOCK_ROW, {"connection": self._connection}).first()
            if row is None:
                raise ConfigurationInvalid("the connection was removed", name=self._connection)
            if row.paused_until is not None and row.paused_until > row.now:
                raise self._throttled((row.paused_until - row.now).total_seconds(), "pause")
            held = _buckets(row).at(row.now)
            admitted = held.admit(self._caller)
            if admitted is None:
                return _Turn(min(held.yields(self._caller), 1.0), is_granted=False)
            drawn = admitted.less_one(is_batch=is_batch)
            wait_seconds = drawn.wait_of(is_batch=is_batch)
            if wait_seconds > WAIT_SECONDS_MAX:
                raise self._throttled(wait_seconds, "queue")
            self._keep(connection, drawn)
        return _Turn(wait_seconds, is_granted=True)

    def _keep(self, connection: Connection, drawn: Buckets) -> None:
        connection.execute(
            _STORE_ROW,
            {
                "connection": self._connection,
                "minute_tokens": drawn.minute.tokens,
                "second_tokens": drawn.second.tokens,
                "batch_tokens": drawn.batch.tokens if drawn.batch else 0,
                "spare_tokens": drawn.spare.tokens if drawn.spare else 0,
                "drawn_at": drawn.drawn_at,
            },
        )

    def _throttled(self, seconds: float, reason: str) -> LedgerThrottled:
        BUDGET_REFUSALS.labels(self._caller, reason).inc()
        what = "the company's shared call budget is used up"
        return LedgerThrottled(
            what, retry_after_seconds=math.ceil(seconds), connection=self._connection
        )


def _buckets(row: Any) -> Buckets:
    spare_limit = max(1, row.calls_per_minute // SPARE_SHARE)
    return Buckets(
        Bucket(row.minute_tokens, row.calls_per_minute, MINUTE_SECONDS),
        Bucket(row.second_tokens, row.calls_per_second, 1),
        row.drawn_at,
        Bucket(row.batch_tokens, row.batches_per_minute, MINUTE_SECONDS),
        Bucket(row.spare_tokens, spare_limit, MINUTE_SECONDS),
    )
