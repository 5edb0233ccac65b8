"""The lane of one ledger: takes operations in order, sends each, stores each outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import structlog

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.store.engine import Store
from hourbridge.common.store.heartbeat import kept_alive
from hourbridge.common.store.leases import Lease, Leases, ensure_held
from hourbridge.poster.fault_points import OPERATION_TAKEN, OUTCOME_COMMITTED, OUTCOME_STORED
from hourbridge.poster.lanes import lane_store
from hourbridge.poster.lanes.lane_store import Taken
from hourbridge.poster.lanes.outcomes import Outcome, Waiting
from hourbridge.poster.lanes.recording import Recorder
from hourbridge.poster.lanes.sending import Sender

log = structlog.get_logger(__name__)
TURN_SECONDS = 30
"""After so long another ledger has its turn, where there are more of them than threads."""


@dataclass(frozen=True)
class LaneTools:
    """What every lane works with."""

    store: Store
    leases: Leases
    recorder: Recorder
    clock: Clock
    announced: Callable[[], None]
    stopping: threading.Event
    lease_seconds: float
    settle_seconds: float


class Lane:
    """Works the operations of one ledger while it holds the ledger's lease."""

    def __init__(
        self, ledger_key: str, open_sender: Callable[[], Sender], tools: LaneTools
    ) -> None:
        self._ledger_key = ledger_key
        self._open_sender = open_sender
        self._tools = tools

    def run(self) -> int:
        """Send what is due; return how many attempts were made (0 if another holds the lane)."""
        name = f"lane:{self._ledger_key}"
        lease = self._tools.leases.acquire(name, ttl_seconds=self._tools.lease_seconds)
        if lease is None:
            return 0
        with kept_alive(self._tools.leases, lease, ttl_seconds=self._tools.lease_seconds):
            try:
                return self._work(lease)
            finally:
                self._tools.leases.release(lease)

    def _work(self, lease: Lease) -> int:
        try:
            sender = self._open_sender()
        except HourbridgeError as error:
            self._stop(Waiting(error.code, str(error), "parked"))
            return 0
        if not self._is_usable(sender):
            return 0
        attempts = 0
        ends_at = self._tools.clock.monotonic_seconds() + TURN_SECONDS
        while not self._tools.stopping.is_set():
            if self._tools.clock.monotonic_seconds() >= ends_at:
                break
            outcomes = self._some(lease, sender)
            attempts += len(outcomes)
            if not outcomes or any(isinstance(outcome, Waiting) for outcome in outcomes):
                break
        return attempts

    def _some(self, lease: Lease, sender: Sender) -> list[Outcome]:
        """Send the next operation, together with others that can go in the same call."""
        taken = self._take(lease, sender)
        if not taken:
            return []
        fault_point(OPERATION_TAKEN)
        outcomes = sender.send_many(taken)
        self._record(lease, list(zip(taken, outcomes, strict=True)))
        self._tools.announced()
        return outcomes

    def _take(self, lease: Lease, sender: Sender) -> list[Taken]:
        tools = self._tools
        now = tools.clock.now()
        with tools.store.transaction() as connection:
            ensure_held(connection, lease)
            taken = lane_store.take(
                connection,
                self._ledger_key,
                fencing=lease.fencing,
                now=now,
                settled_before=now - timedelta(seconds=tools.settle_seconds),
            )
            if taken is None:
                return []
            if not lane_store.is_alike(taken, sender.batched_kinds):
                return [taken]
            alike = lane_store.take_alike(
                connection,
                self._ledger_key,
                sender.batched_kinds,
                fencing=lease.fencing,
                now=now,
                operations_max=sender.batch_writes_max - 1,
            )
            return [taken, *alike]

    def _record(self, lease: Lease, sent: Sequence[tuple[Taken, Outcome]]) -> None:
        """Store each outcome in a transaction of its own; a ledger that waits waits once."""
        waiting = [pair for pair in sent if isinstance(pair[1], Waiting)]
        others = [pair for pair in sent if not isinstance(pair[1], Waiting)]
        for at, (taken, outcome) in enumerate([*others, *waiting]):
            with self._tools.store.transaction() as connection:
                is_told = at > len(others)
                self._tools.recorder.record(connection, lease, taken, outcome, is_lane_told=is_told)
                fault_point(OUTCOME_STORED)
            fault_point(OUTCOME_COMMITTED)

    def _is_usable(self, sender: Sender) -> bool:
        """Probe a stopped ledger once; it goes on by itself when it answers."""
        tools = self._tools
        with tools.store.transaction() as connection:
            known = lane_store.lane_state(connection, self._ledger_key)
        if known is None or known.failures == 0:
            return True
        problems = sender.problems()
        if problems:
            lane: Literal["parked", "paused"] = "parked" if known.state == "parked" else "paused"
            self._stop(Waiting("probe_failed", "; ".join(problems), lane))
            return False
        with tools.store.transaction() as connection:
            lane_store.open_lane(connection, self._ledger_key)
        return True

    def _stop(self, outcome: Waiting) -> None:
        log.warning("ledger_unusable", ledger=self._ledger_key, problem=outcome.detail)
        with self._tools.store.transaction() as connection:
            self._tools.recorder.stop(connection, self._ledger_key, outcome)
