"""Storing an outcome: operation, document, announcement and audit in one fenced transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import DocumentStatus, LedgerPosition, Reason
from hourbridge.common.store import audit
from hourbridge.common.store.leases import Lease, LeaseLost, ensure_held
from hourbridge.connectors.ledger import LedgerDocument
from hourbridge.poster import in_place_changes
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.lanes import lane_store, settling
from hourbridge.poster.lanes.lane_store import Taken
from hourbridge.poster.lanes.outcomes import Declined, Outcome, Parked, Posted, Unknown, Waiting
from hourbridge.poster.lists import write_backs
from hourbridge.poster.mirrored import recording as mirrored
from hourbridge.poster.operations import add_intents
from hourbridge.poster.recognition import store as recognition
from hourbridge.poster.retainers import store as retainers

ACTOR = "service:poster"
NOT_LINKED = "not_linked_in_ledger"
"""A posted document whose link or receipt the ledger refused: a person adds it there."""


@dataclass(frozen=True)
class Pauses:
    """How long things wait."""

    settle_seconds: float
    probe_seconds: float
    probe_seconds_max: float
    attempts_max: int

    def backoff_seconds(self, failures: int) -> float:
        """Return the pause after so many failures in a row."""
        return min(self.probe_seconds * (1 << min(failures, 20)), self.probe_seconds_max)


class Recorder:
    """Writes outcomes; raises LeaseLost when the lane was taken over meanwhile."""

    def __init__(self, documents: DocumentStore, clock: Clock, pauses: Pauses) -> None:
        self._documents = documents
        self._clock = clock
        self._pauses = pauses

    def record(
        self,
        connection: Connection,
        lease: Lease,
        taken: Taken,
        outcome: Outcome,
        *,
        is_lane_told: bool = False,
    ) -> None:
        """Store ``outcome`` in the caller's transaction, if the lane is still ours.

        ``is_lane_told``: the lane knows already that it has to wait, by another one of a batch.
        """
        ensure_held(connection, lease)
        held = self._documents.lock(connection, taken.document.document_id)
        now = self._clock.now()
        if isinstance(outcome, Unknown) and taken.attempts >= self._pauses.attempts_max:
            outcome = Parked(outcome.code, outcome.detail, may_be_in_ledger=True)
        if taken.kind == "apply":
            outcome = self._linked(connection, held, outcome)
        elif isinstance(outcome, Posted):
            self._posted(connection, taken, held, outcome.ledger_document)
        elif isinstance(outcome, Parked):
            self._parked(connection, held, outcome)
        elif isinstance(outcome, Declined):
            in_place_changes.decline(connection, self._documents, held, now)
        if not lane_store.finish(connection, taken, now=now, **self._row(taken, outcome, now)):
            raise LeaseLost("the operation was taken over", document=held.document.document_id)
        if isinstance(outcome, Posted) and taken.kind not in ("apply", "delete"):
            self._follow_up(connection, taken, outcome, now)
        if not is_lane_told:
            self._lane(connection, taken, outcome)
        _audit(connection, taken, outcome)

    def _row(self, taken: Taken, outcome: Outcome, now: datetime) -> Mapping[str, Any]:
        if isinstance(outcome, Posted):
            return {"state": "done"}
        told = {"code": outcome.code, "detail": outcome.detail[:2000]}
        if isinstance(outcome, Unknown):
            settle = self._pauses.settle_seconds * taken.attempts
            available_at = now + timedelta(seconds=settle)
            return {"state": "unknown", "uncertain": True, "available_at": available_at, **told}
        if isinstance(outcome, Waiting):
            return {
                "state": "pending",
                "uncertain": taken.was_uncertain,
                "attempts_back": 1,
                **told,
            }
        if isinstance(outcome, Declined):
            return {"state": "cancelled", **told}
        uncertain = taken.was_uncertain or outcome.may_be_in_ledger
        return {"state": "parked", "uncertain": uncertain, **told}

    def _posted(
        self, connection: Connection, taken: Taken, held: HeldDocument, found: LedgerDocument
    ) -> None:
        now = self._clock.now()
        if taken.kind == "delete":
            gone = mirrored.deleted(connection, held, taken, now)
            self._documents.save(connection, held, **gone)
            return
        position = LedgerPosition(
            ledger_id=found.ledger_id,
            edit_token=found.edit_token,
            total=found.total,
            currency=found.currency,
            posted_at=now,
            generation=taken.document.generation,
        )
        changes: dict[str, Any] = {"status": DocumentStatus.POSTED, "posted": position}
        if taken.kind == "update" and mirrored.is_mirrored(taken.document):
            changes |= mirrored.updated(connection, held, taken, now)
        elif taken.kind == "update":
            changes |= in_place_changes.apply(connection, held, taken, now)
        total = changes.get("total", held.document.total)
        changes["reason"] = _difference(total, found) or _warned(found)
        document = self._documents.save(connection, held, **changes)
        retainers.note_posted(connection, held.book, document)
        recognition.note_posted(connection, held.book, document)
        write_backs.note_posted(connection, held.book, document, now)

    def _linked(self, connection: Connection, held: HeldDocument, outcome: Outcome) -> Outcome:
        """Keep what linking a posted document came to; whatever it was, the document stands."""
        if isinstance(outcome, Parked) and outcome.code != settling.UNPOSTED:
            outcome = Declined(outcome.code, outcome.detail)
        position = held.document.posted
        if isinstance(outcome, Posted) and position is not None:
            token = outcome.ledger_document.edit_token
            if token != position.edit_token:
                moved = position.model_copy(update={"edit_token": token})
                self._documents.save(connection, held, posted=moved)
        elif isinstance(outcome, Declined):
            reason = Reason(code=NOT_LINKED, detail=f"{outcome.code}: {outcome.detail}"[:2000])
            self._documents.save(connection, held, reason=reason)
        return outcome

    def _follow_up(
        self, connection: Connection, taken: Taken, outcome: Posted, now: datetime
    ) -> None:
        """Complete a document that was just posted, and let go on what waited for it."""
        intent = settling.completion_intent(taken.book, taken.document, taken.payload_version)
        if intent is not None and outcome.can_link:
            add_intents(connection, [intent], now)
        settling.go_on(
            connection,
            self._documents,
            ledger_key=taken.ledger_key,
            document_id=taken.document.document_id,
            now=now,
        )

    def _parked(self, connection: Connection, held: HeldDocument, outcome: Parked) -> None:
        proposal = outcome.proposed_date
        reason = Reason(
            code=outcome.code,
            detail=outcome.detail[:2000],
            waits_for=f"approval:{proposal}" if proposal else f"release:{held.document.number}",
        )
        self._documents.save(
            connection,
            held,
            status=DocumentStatus.PARKED,
            reason=reason,
            proposed_date=proposal,
        )

    def _lane(self, connection: Connection, taken: Taken, outcome: Outcome) -> None:
        known = lane_store.lane_state(connection, taken.ledger_key)
        if not isinstance(outcome, Waiting):
            if known is not None:
                lane_store.open_lane(connection, taken.ledger_key)
            return
        self.stop(connection, taken.ledger_key, outcome)

    def stop(self, connection: Connection, ledger_key: str, outcome: Waiting) -> None:
        """Let a lane wait, as long as the ledger asked or twice as long as the last time."""
        now = self._clock.now()
        known = lane_store.lane_state(connection, ledger_key)
        failures = (known.failures if known else 0) + 1
        seconds = outcome.seconds
        if seconds is None:
            seconds = self._pauses.backoff_seconds(failures - 1)
        lane_store.stop_lane(
            connection,
            ledger_key,
            state="parked" if outcome.lane == "parked" else "paused",
            failures=0 if outcome.lane == "throttled" else failures,
            available_at=now + timedelta(seconds=seconds),
            code=outcome.code,
            detail=outcome.detail,
            now=now,
        )


def _difference(total: object, found: LedgerDocument) -> Reason | None:
    if found.total == total:
        return None
    return Reason(
        code="ledger_total_differs",
        detail=f"ours {total}, the ledger's {found.total}; reconciliation names the cause",
    )


def _warned(found: LedgerDocument) -> Reason | None:
    """Return what posting did not achieve although the document stands."""
    if not found.warnings:
        return None
    return Reason(code="posted_with_warnings", detail="; ".join(found.warnings)[:2000])


def _audit(connection: Connection, taken: Taken, outcome: Outcome) -> None:
    detail: dict[str, Any] = {
        "operation_key": taken.operation_key,
        "operation": taken.kind,
        "attempt": taken.attempts,
        "outcome": type(outcome).__name__.lower(),
    }
    if isinstance(outcome, Posted):
        detail |= {
            "ledger_id": outcome.ledger_document.ledger_id,
            "adopted": outcome.is_adopted,
            "total": str(outcome.ledger_document.total),
        }
    else:
        detail |= {"code": outcome.code, "detail": outcome.detail[:2000]}
    audit.write(
        connection,
        actor=ACTOR,
        action=f"ledger.{taken.kind}",
        subject=taken.document.document_id,
        book=taken.book,
        detail=detail,
    )
