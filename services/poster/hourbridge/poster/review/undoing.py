"""Undoing a billing run as a whole: what was never sent is withdrawn, what was is credited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import structlog
from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import DocumentStatus, Reason
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster import group_store, operations
from hourbridge.poster.correcting import Corrector
from hourbridge.poster.decisions import Decision, NotPossible
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.fault_points import RUN_UNDONE
from hourbridge.poster.review.aside import charges_on, set_aside

log = structlog.get_logger(__name__)
Outcome = Literal["withdrawn", "credited", "nothing_left"]

_LOCK_RUN = statement("SELECT book, state FROM billing_run WHERE run_id = :run_id FOR UPDATE")
_BEGIN = statement(
    """
    UPDATE billing_run SET state = 'undoing',
        result = result || jsonb_build_object('undo', jsonb_build_object(
            'asked_by', CAST(:actor AS text), 'note', CAST(:note AS text),
            'asked_at', CAST(:now AS timestamptz)))
    WHERE run_id = :run_id
    """
)
_OPEN = statement(
    "SELECT run_id, book, result #>> '{undo,asked_by}' AS actor, result #>> '{undo,note}' AS note "
    "FROM billing_run WHERE state = 'undoing' ORDER BY requested_at"
)
# The newest first: a document may supplement an earlier one of the same run.
_LEFT = statement(
    """
    SELECT d.document_id FROM document d
    WHERE d.run_id = :run_id
        AND NOT EXISTS (SELECT 1 FROM undone_document u WHERE u.document_id = d.document_id)
    ORDER BY d.created_at DESC, d.number DESC, d.document_id
    """
)
_DONE = statement(
    """
    INSERT INTO undone_document
        (document_id, run_id, outcome, credit_document_id, undone_by, undone_at)
    VALUES (:document_id, :run_id, :outcome, :credit, :actor, :now)
    """
)
_FINISH = statement(
    """
    UPDATE billing_run r SET state = 'undone'
    WHERE r.run_id = :run_id AND r.state = 'undoing' AND NOT EXISTS (
        SELECT 1 FROM document d WHERE d.run_id = r.run_id AND NOT EXISTS (
            SELECT 1 FROM undone_document u WHERE u.document_id = d.document_id))
    """
)
_SHOWN = statement(
    """
    SELECT d.document_id, d.number, d.kind, d.status, d.payload ->> 'client' AS client,
        d.payload ->> 'total' AS total, d.payload ->> 'currency' AS currency,
        coalesce(u.outcome, 'waiting') AS outcome, c.number AS credited_by
    FROM document d
    LEFT JOIN undone_document u ON u.document_id = d.document_id
    LEFT JOIN document c ON c.document_id = u.credit_document_id
    WHERE d.run_id = :run_id ORDER BY d.created_at, d.number
    """
)


class RunUndo:
    """Takes billing runs back. Safe to ask twice and to be cut off: each document is done once."""

    def __init__(
        self,
        store: Store,
        documents: DocumentStore,
        corrector: Corrector,
        clock: Clock,
        announced: Callable[[], None],
    ) -> None:
        self._store = store
        self._documents = documents
        self._corrector = corrector
        self._clock = clock
        self._announced = announced

    def undo(self, run_id: str, decision: Decision) -> dict[str, Any]:
        """Undo a run, as far as its documents are not on their way just now; a task does the rest.

        Raises NotFound, or NotPossible for a run that has not been performed yet.
        """
        self._begin(run_id, decision)
        self._work(run_id, decision)
        return self.show(run_id)

    def perform_open(self) -> int:
        """Go on with runs that could not be undone at once; return how many there were."""
        with self._store.transaction() as connection:
            runs = list(connection.execute(_OPEN))
        for run in runs:
            self._work(run.run_id, Decision(run.actor, run.note))
        return len(runs)

    def show(self, run_id: str) -> dict[str, Any]:
        """Return what became of each document of a run, or raise NotFound."""
        with self._store.transaction() as connection:
            row = connection.execute(_LOCK_RUN, {"run_id": run_id}).first()
            if row is None:
                raise NotFound("there is no such billing run", run=run_id)
            documents = connection.execute(_SHOWN, {"run_id": run_id}).mappings()
            return {
                "run_id": run_id,
                "book": row.book,
                "state": row.state,
                "documents": [dict(each) for each in documents],
            }

    def _begin(self, run_id: str, decision: Decision) -> None:
        with self._store.transaction() as connection:
            row = connection.execute(_LOCK_RUN, {"run_id": run_id}).first()
            if row is None:
                raise NotFound("there is no such billing run", run=run_id)
            if row.state in ("undoing", "undone"):
                return
            if row.state == "waiting":
                raise NotPossible("the run has not been performed yet", run=run_id)
            connection.execute(
                _BEGIN,
                {
                    "run_id": run_id,
                    "actor": decision.actor,
                    "note": decision.note,
                    "now": self._clock.now(),
                },
            )
            audit.write(
                connection,
                actor=decision.actor,
                action="billing.undone",
                subject=run_id,
                book=row.book,
                detail={"note": decision.note},
            )

    def _work(self, run_id: str, decision: Decision) -> None:
        with self._store.transaction() as connection:
            left = list(connection.execute(_LEFT, {"run_id": run_id}).scalars())
        for document_id in left:
            try:
                with self._store.transaction() as connection:
                    self._undo(connection, run_id, document_id, decision)
                    fault_point(RUN_UNDONE)
            except HourbridgeError as error:
                log.warning("undo_failed", document=document_id, error=str(error))
        with self._store.transaction() as connection:
            connection.execute(_FINISH, {"run_id": run_id})
        self._announced()

    def _undo(
        self, connection: Connection, run_id: str, document_id: str, decision: Decision
    ) -> None:
        seen = self._documents.read(connection, document_id)
        group_store.lock_engagement(connection, seen.book, seen.engagement_key)
        held = self._documents.lock(connection, document_id)
        if document_id not in connection.execute(_LEFT, {"run_id": run_id}).scalars().all():
            return  # another process was faster
        operation = operations.lock_open(connection, document_id)
        freed = charges_on(connection, document_id)
        outcome: Outcome
        credit = None
        if held.document.status is DocumentStatus.WITHDRAWN:
            outcome = "nothing_left"
        elif held.document.posted is None and not (operation and operation.may_be_in_ledger):
            self._corrector.withdraw(connection, held, operation, _reason(decision))
            outcome = "withdrawn"
        elif operation is not None:
            return  # on its way: looked at again when the ledger has answered
        else:
            credit = self._corrector.credit_in_full(connection, held)
            outcome = "credited" if credit else "nothing_left"
        set_aside(connection, freed)
        self._note(connection, run_id, held, outcome, credit, decision)

    def _note(
        self,
        connection: Connection,
        run_id: str,
        held: HeldDocument,
        outcome: Outcome,
        credit: str | None,
        decision: Decision,
    ) -> None:
        document_id = held.document.document_id
        done = {"document_id": document_id, "run_id": run_id, "outcome": outcome, "credit": credit}
        connection.execute(_DONE, {**done, "actor": decision.actor, "now": self._clock.now()})
        audit.write(
            connection,
            actor=decision.actor,
            action="document.undone",
            subject=document_id,
            book=held.book,
            detail={"run": run_id, "outcome": outcome, "note": decision.note},
        )


def _reason(decision: Decision) -> Reason:
    return Reason(code="withdrawn", detail=decision.note or f"run undone by {decision.actor}")
