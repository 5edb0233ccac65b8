"""The lane of one system's lists: takes changes in order, sends each, stores each outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.store.engine import Store
from hourbridge.common.store.heartbeat import kept_alive
from hourbridge.common.store.leases import Lease, Leases, ensure_held
from hourbridge.poster.fault_points import (
    LIST_CHANGE_TAKEN,
    LIST_OUTCOME_COMMITTED,
    LIST_OUTCOME_STORED,
)
from hourbridge.poster.lists import operation_store
from hourbridge.poster.lists.outcomes import ListOutcome, Waits
from hourbridge.poster.lists.recording import ListRecorder
from hourbridge.poster.lists.sending import ListSender

TURN_CHANGES_MAX = 100
"""After so many changes another system's lists have their turn."""


@dataclass(frozen=True)
class ListLaneTools:
    """What every list lane works with."""

    store: Store
    leases: Leases
    recorder: ListRecorder
    clock: Clock
    announced: Callable[[], None]
    stopping: threading.Event
    lease_seconds: float
    settle_seconds: float


class ListLane:
    """Works the list changes of one system while it holds their lease.

    The lease is not that of the documents: documents don't wait for a flood of list changes, nor
    a customer that documents need for a flood of documents. Both share the ledger's call budget,
    where documents come first, and its pauses.
    """

    def __init__(
        self, lane_key: str, sender: Callable[[], ListSender], tools: ListLaneTools
    ) -> None:
        self._lane_key = lane_key
        self._sender = sender
        self._tools = tools

    def run(self) -> int:
        """Send what is due; return how many attempts were made (0 if another holds the lane)."""
        tools = self._tools
        name = f"lists:{self._lane_key}"
        lease = tools.leases.acquire(name, ttl_seconds=tools.lease_seconds)
        if lease is None:
            return 0
        with kept_alive(tools.leases, lease, ttl_seconds=tools.lease_seconds):
            try:
                return self._work(lease)
            finally:
                tools.leases.release(lease)

    def _work(self, lease: Lease) -> int:
        try:
            sender = self._sender()
        except HourbridgeError as error:
            with self._tools.store.transaction() as connection:
                waits = Waits(error.code, str(error), "parked")
                self._tools.recorder.stop(connection, self._lane_key, waits)
            return 0
        attempts = 0
        while attempts < TURN_CHANGES_MAX and not self._tools.stopping.is_set():
            outcome = self._one(lease, sender)
            if outcome is None:
                break
            attempts += 1
            if isinstance(outcome, Waits):
                break  # the next attempt, after the pause, is the probe
        return attempts

    def _one(self, lease: Lease, sender: ListSender) -> ListOutcome | None:
        tools = self._tools
        now = tools.clock.now()
        with tools.store.transaction() as connection:
            ensure_held(connection, lease)
            taken = operation_store.take(
                connection,
                self._lane_key,
                fencing=lease.fencing,
                now=now,
                settled_before=now - timedelta(seconds=tools.settle_seconds),
            )
        if taken is None:
            return None
        fault_point(LIST_CHANGE_TAKEN)
        outcome = sender.send(taken)
        with tools.store.transaction() as connection:
            tools.recorder.record(connection, lease, taken, outcome)
            fault_point(LIST_OUTCOME_STORED)
        fault_point(LIST_OUTCOME_COMMITTED)
        tools.announced()
        return outcome
