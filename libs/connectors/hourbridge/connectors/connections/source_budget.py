"""The call budget of a source: the shared token buckets, speaking a source's errors."""

from __future__ import annotations

from collections.abc import Callable

from hourbridge.common.clock import Clock
from hourbridge.common.errors import LedgerThrottled, SourceThrottled
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections.budget import SharedCallBudget

OnWait = Callable[[str], None]
"""Told the connection's name whenever a call had no turn."""


def ignore_waits(_connection: str) -> None:
    """Count nothing."""


def budget_key(connection: str) -> str:
    """Return under which name a source's budget is kept, apart from those of ledgers."""
    return f"source:{connection}"


class SourceCallBudget:
    """A ``CallBudget`` of a source connection, shared by all replicas and the writers to it."""

    def __init__(
        self, store: Store, connection: str, clock: Clock, on_wait: OnWait = ignore_waits
    ) -> None:
        self._shared = SharedCallBudget(store, budget_key(connection), clock)
        self._connection = connection
        self._on_wait = on_wait

    def take(self) -> None:
        """Wait for this call's turn; raises SourceThrottled during a pause or a long queue."""
        try:
            self._shared.take()
        except LedgerThrottled as error:
            self._on_wait(self._connection)
            raise SourceThrottled(
                "the connection's shared call budget is used up",
                retry_after_seconds=error.retry_after_seconds,
                connection=self._connection,
            ) from None

    def pause(self, seconds: int) -> None:
        """Let no replica call for ``seconds``; a longer pause already set stays."""
        self._shared.pause(seconds)
