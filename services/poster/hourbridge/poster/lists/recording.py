"""Storing an outcome: operation, announcement, lane and audit in one fenced transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.store import audit
from hourbridge.common.store.leases import Lease, LeaseLost, ensure_held
from hourbridge.common.store.outbox import Outbox
from hourbridge.poster.lanes import lane_store
from hourbridge.poster.lanes.recording import ACTOR, Pauses
from hourbridge.poster.lists import operation_store
from hourbridge.poster.lists.announcing import announcement, told_of
from hourbridge.poster.lists.operation_store import TakenChange
from hourbridge.poster.lists.outcomes import Done, ListOutcome, Refused, Unsure, Waits

ATTEMPTS_USED_UP = "outcome_unknown"
"""No attempt was ever answered: a person looks whether the system has the entry."""


class ListRecorder:
    """Writes outcomes; raises LeaseLost when the lane was taken over meanwhile."""

    def __init__(self, outbox: Outbox, clock: Clock, pauses: Pauses) -> None:
        self._outbox = outbox
        self._clock = clock
        self._pauses = pauses

    def record(
        self, connection: Connection, lease: Lease, taken: TakenChange, outcome: ListOutcome
    ) -> None:
        """Store ``outcome`` in the caller's transaction, if the lane is still ours."""
        ensure_held(connection, lease)
        now = self._clock.now()
        if isinstance(outcome, Unsure) and taken.attempts >= self._pauses.attempts_max:
            outcome = Refused(ATTEMPTS_USED_UP, f"{outcome.code}: {outcome.detail}")
        told = told_of(outcome)
        row = self._row(taken, outcome, now)
        if not operation_store.finish(connection, taken, now=now, told=told, **row):
            raise LeaseLost("the change was taken over", change=taken.change_id)
        if taken.kind != "mark" and told != taken.told:
            self._outbox.add(connection, [announcement(taken, outcome, now)])
        self._lane(connection, taken.lane_key, outcome, now)
        _audit(connection, taken, outcome)

    def stop(self, connection: Connection, lane_key: str, outcome: Waits) -> None:
        """Let a lane wait, as long as the system asked or twice as long as the last time.

        A ledger's documents wait with its lists: it is the ledger that can't be used.
        """
        self._stop(connection, lane_key, outcome, self._clock.now())

    def _row(self, taken: TakenChange, outcome: ListOutcome, now: datetime) -> Mapping[str, Any]:
        if isinstance(outcome, Done):
            return {"state": "done", "entry": outcome.entry}
        why = {"code": outcome.code, "detail": outcome.detail[:2000]}
        if isinstance(outcome, Refused):
            return {"state": "refused", **why}
        if isinstance(outcome, Unsure):
            settle = self._pauses.settle_seconds * taken.attempts
            available_at = now + timedelta(seconds=settle)
            return {"state": "unknown", "uncertain": True, "available_at": available_at, **why}
        uncertain = taken.was_uncertain or outcome.may_have_happened
        return {"state": "pending", "uncertain": uncertain, "attempts_back": 1, **why}

    def _lane(
        self, connection: Connection, lane_key: str, outcome: ListOutcome, now: datetime
    ) -> None:
        if isinstance(outcome, Waits):
            self._stop(connection, lane_key, outcome, now)
        elif lane_store.lane_state(connection, lane_key) is not None:
            lane_store.open_lane(connection, lane_key)

    def _stop(self, connection: Connection, lane_key: str, outcome: Waits, now: datetime) -> None:
        known = lane_store.lane_state(connection, lane_key)
        failures = (known.failures if known else 0) + 1
        seconds = outcome.seconds
        if seconds is None:
            seconds = self._pauses.backoff_seconds(failures - 1)
        lane_store.stop_lane(
            connection,
            lane_key,
            state="parked" if outcome.lane == "parked" else "paused",
            failures=0 if outcome.lane == "throttled" else failures,
            available_at=now + timedelta(seconds=seconds),
            code=outcome.code,
            detail=outcome.detail,
            now=now,
        )


def _audit(connection: Connection, taken: TakenChange, outcome: ListOutcome) -> None:
    detail: dict[str, Any] = {
        "operation_key": taken.operation_key,
        "operation": taken.kind,
        "list": taken.list_name,
        "lane": taken.lane_key,
        "attempt": taken.attempts,
        "outcome": told_of(outcome),
    }
    if isinstance(outcome, Done):
        detail["entry_id"] = outcome.entry.entry_id if outcome.entry else None
    else:
        detail |= {"code": outcome.code, "detail": outcome.detail[:2000]}
    audit.write(
        connection,
        actor=ACTOR,
        action=f"list.{taken.kind}",
        subject=taken.change_id,
        book=taken.book,
        detail=detail,
    )
