"""What waits for rates goes on when they arrive: documents, charges, payments, revaluations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.exchange_rates import RateMissing
from hourbridge.common.messages.events import DocumentStatus
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster import group_store
from hourbridge.poster.currencies.stamping import NO_RATE, rated, waits_for_rate
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.operations import Intent, add_intents
from hourbridge.poster.payments import stated

log = structlog.get_logger(__name__)

_ARRIVED = statement("SELECT id FROM rates_arrived ORDER BY id FOR UPDATE SKIP LOCKED")
_SEEN = statement("DELETE FROM rates_arrived WHERE id = ANY(:ids)")
_NOTE = statement("INSERT INTO rates_arrived (source, at) VALUES (:source, :now)")
_DOCUMENTS = statement(
    """
    SELECT document_id FROM document
    WHERE status IN ('parked', 'draft') AND payload #>> '{reason,code}' = :code
    ORDER BY created_at, number
    """
)
_CHARGES = statement(
    "UPDATE charge SET leakage = NULL WHERE state = 'unbilled' AND leakage ->> 'cause' = :code"
)
_REVALUATIONS = statement(
    "UPDATE revaluation_run SET state = 'waiting', reason = NULL "
    "WHERE state = 'parked' AND reason ->> 'code' = :code"
)
_LOOK_AT_RUN = statement(
    "UPDATE revaluation_run SET state = 'waiting' WHERE run_id = :id AND state = 'parked'"
)
_LOOK_AT_COST = statement(
    "UPDATE charge SET leakage = NULL WHERE charge_id = :id AND leakage ->> 'cause' = :code"
)
_DUE = statement(
    """
    SELECT (SELECT count(*) FROM stated_payment WHERE book = :book AND state = 'due')
        + (SELECT count(*) FROM revaluation_run WHERE book = :book AND state = 'waiting')
        + (SELECT count(*) FROM rates_arrived)
    """
)
_UNRATED = statement(
    """
    SELECT charge_id AS id, book, 'charge' AS kind, record_id AS subject,
        leakage ->> 'cause' AS code,
        'no rate for ' || (leakage ->> 'amount') || ' ' || (leakage ->> 'currency') AS detail,
        'rate:' || (leakage ->> 'currency') AS waits_for, changed_at AS since
    FROM charge WHERE state = 'unbilled' AND leakage ->> 'cause' = :code
        AND (CAST(:book AS text) IS NULL OR book = :book)
    ORDER BY changed_at, charge_id LIMIT :limit
    """
)


class RateWaiters:
    """Lets go on what waited for a rate."""

    def __init__(
        self, store: Store, documents: DocumentStore, clock: Clock, announced: Callable[[], None]
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._announced = announced

    def run_due(self) -> int:
        """Look at everything that waits, if rates arrived; return how many documents go on.

        The note of an arrival goes last: whoever dies on the way leaves it to the next one.
        """
        with self._store.transaction() as connection:
            ids = list(connection.execute(_ARRIVED).scalars())
        if not ids:
            return 0
        with self._store.transaction() as connection:
            connection.execute(_CHARGES, {"code": NO_RATE})
            connection.execute(_REVALUATIONS, {"code": NO_RATE})
            stated.wake_all(connection, NO_RATE)
            documents = list(connection.execute(_DOCUMENTS, {"code": NO_RATE}).scalars())
        released = sum(self._release(document_id) for document_id in documents)
        with self._store.transaction() as connection:
            connection.execute(_SEEN, {"ids": ids})
        self._announced()
        return released

    def _release(self, document_id: str) -> bool:
        try:
            with self._store.transaction() as connection:
                return self._go_on(connection, document_id)
        except RateMissing:
            return False  # another one arrived
        except HourbridgeError as error:
            log.warning("rate_release_failed", document=document_id, error=str(error))
            return False

    def _go_on(self, connection: Connection, document_id: str) -> bool:
        seen = self._documents.read(connection, document_id)
        group_store.lock_engagement(connection, seen.book, seen.engagement_key)
        held = self._documents.lock(connection, document_id)
        if not waits_for_rate(held.document):
            return False
        changes = rated(connection, held.book, held.document)
        is_draft = held.document.status is DocumentStatus.DRAFT
        status = DocumentStatus.DRAFT if is_draft else DocumentStatus.POSTING
        document = self._documents.save(connection, held, status=status, reason=None, **changes)
        if not is_draft:
            intent = Intent(held.book, document, "create", held.payload_version)
            add_intents(connection, [intent], self._clock.now())
        return True


def note_arrival(connection: Connection, source: str, now: object) -> None:
    """Ask for a look at what waits: rates of a source were added."""
    connection.execute(_NOTE, {"source": source, "now": now})


def look_again(connection: Connection, waiting: str, *, actor: str, note: str) -> bool:
    """Let a parked payment, revaluation or cost go on by its id; return whether there was one."""
    found = stated.wake_one(connection, waiting)
    for sql in (_LOOK_AT_RUN, _LOOK_AT_COST):
        found = found or connection.execute(sql, {"id": waiting, "code": NO_RATE}).rowcount == 1
    if found:
        detail = {"note": note}
        audit.write(
            connection, actor=actor, action="parked.released", subject=waiting, detail=detail
        )
    return found


def currencies_due(connection: Connection, book: str) -> int:
    """Return how much is about to happen: payments, revaluations, and rates just arrived."""
    return int(connection.execute(_DUE, {"book": book}).scalar_one())


def unrated_costs(connection: Connection, book: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the costs that can't be billed yet: there is no rate for their currency."""
    parameters = {"book": book, "code": NO_RATE, "limit": max(limit, 0)}
    return [dict(row) for row in connection.execute(_UNRATED, parameters).mappings()]
