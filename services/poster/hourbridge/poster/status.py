"""What is where: positions, charges, documents, operations and lanes, for people and gauges."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster import correction_requests, positions
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.currencies import revaluation_store
from hourbridge.poster.currencies.waiting import currencies_due, unrated_costs
from hourbridge.poster.metrics import (
    CORRECTIONS_WAITING,
    LANES_DUE,
    LANES_STOPPED,
    OLDEST_PENDING,
    WAITING_OPERATIONS,
)
from hourbridge.poster.mirrored import activity_store
from hourbridge.poster.payables import holds
from hourbridge.poster.payments import stated as stated_payments
from hourbridge.poster.recognition import store as recognition
from hourbridge.poster.retainers import store as retainers

_CHARGES = statement(
    "SELECT CASE WHEN leakage IS NULL THEN state ELSE 'leaked' END "
    "|| CASE WHEN grouping = 'payable' THEN '_payable' ELSE '' END AS state, count(*) AS count "
    "FROM charge WHERE book = :book GROUP BY 1"
)
_DOCUMENTS = statement(
    "SELECT status AS state, count(*) AS count FROM document WHERE book = :book GROUP BY 1"
)
_OPERATIONS = statement(
    "SELECT state, count(*) AS count FROM ledger_operation "
    "WHERE state IN ('pending', 'sending', 'unknown', 'parked') "
    "AND (CAST(:book AS text) IS NULL OR book = :book) GROUP BY 1"
)
_OLDEST = statement(
    "SELECT coalesce(extract(epoch FROM :now - min(created_at)), 0) FROM ledger_operation "
    "WHERE state IN ('pending', 'sending', 'unknown')"
)
_LANES_DUE = statement(
    "SELECT count(DISTINCT ledger_key) FROM ledger_operation "
    "WHERE state IN ('pending', 'sending', 'unknown') AND available_at <= :now"
)
_LANES = statement(
    "SELECT ledger_key AS ledger, state, code, detail, available_at, since FROM lane ORDER BY 1"
)
_QUEUE = statement(
    """
    SELECT o.id, o.book, o.ledger_key AS ledger, o.document_id, d.number, o.kind, o.state,
        o.attempts, o.available_at, o.error_code, o.error_text, o.created_at
    FROM ledger_operation o JOIN document d ON d.document_id = o.document_id
    WHERE (CAST(:book AS text) IS NULL OR o.book = :book)
        AND (CAST(:state AS text) IS NULL OR o.state = :state)
        AND (:state IS NOT NULL OR o.state IN ('pending', 'sending', 'unknown', 'parked'))
    ORDER BY o.id LIMIT :limit
    """
)
_PARKED = statement(
    """
    SELECT document_id AS id, book, 'document' AS kind, number AS subject,
        payload #>> '{reason,code}' AS code, payload #>> '{reason,detail}' AS detail,
        payload #>> '{reason,waits_for}' AS waits_for, changed_at AS since
    FROM document WHERE status = 'parked' AND (CAST(:book AS text) IS NULL OR book = :book)
    ORDER BY changed_at, document_id LIMIT :limit
    """
)


class Status:
    """Answers questions about the state of the poster."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def of_book(self, book: str) -> dict[str, Any]:
        """Return the state of one book."""
        with self._store.transaction() as connection:
            configured = configuration_of(connection, book)
            return {
                "book": book,
                "watermark": positions.watermark(connection, book),
                "has_gap": positions.has_gap(connection, book),
                "configuration_version": configured.version if configured else 0,
                "charges": _counts(connection, _CHARGES, book),
                "documents": _counts(connection, _DOCUMENTS, book),
                "corrections_due": correction_requests.waiting(connection, book),
                "activities_due": activity_store.waiting(connection, book),
                "retainers_due": retainers.waiting(connection, book),
                "recognition_due": recognition.waiting(connection, book),
                "currencies_due": currencies_due(connection, book),
                # After what is due: whatever was due and no longer is has made its operations.
                "operations": _counts(connection, _OPERATIONS, book),
                "lanes": _rows(connection, _LANES),
            }

    def lanes(self) -> list[dict[str, Any]]:
        """Return the ledgers that can't be posted to now, and why."""
        with self._store.transaction() as connection:
            return _rows(connection, _LANES)

    def queue(self, book: str | None, state: str | None, limit: int) -> list[dict[str, Any]]:
        """Return ledger operations, oldest first; by default the unfinished ones."""
        with self._store.transaction() as connection:
            return _rows(connection, _QUEUE, book=book, state=state, limit=limit)

    def parked(self, book: str | None, limit: int) -> list[dict[str, Any]]:
        """Return parked documents, the longest waiting first, then what else waits.

        Payments, revaluations, costs without a rate, and debts to vendors.
        """
        with self._store.transaction() as connection:
            parked = _rows(connection, _PARKED, book=book, limit=limit)
            parked += stated_payments.parked(connection, book, limit - len(parked))
            parked += revaluation_store.parked(connection, book, limit - len(parked))
            parked += unrated_costs(connection, book, limit - len(parked))
            return [*parked, *holds.open_holds(connection, book, limit - len(parked))]

    def refresh_metrics(self) -> None:
        """Set the gauges."""
        with self._store.transaction() as connection:
            operations = _counts(connection, _OPERATIONS, None)
            lanes = [row["state"] for row in _rows(connection, _LANES)]
            now = {"now": self._clock.now()}
            oldest = connection.execute(_OLDEST, now).scalar_one()
            lanes_due = connection.execute(_LANES_DUE, now).scalar_one()
            corrections = correction_requests.waiting(connection)
        for state in ("pending", "sending", "unknown", "parked"):
            WAITING_OPERATIONS.labels(state).set(operations.get(state, 0))
        for state in ("paused", "parked"):
            LANES_STOPPED.labels(state).set(lanes.count(state))
        LANES_DUE.set(lanes_due)
        OLDEST_PENDING.set(oldest)
        CORRECTIONS_WAITING.set(corrections)


def _counts(connection: Connection, sql: Any, book: str | None) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(sql, {"book": book})}


def _rows(connection: Connection, sql: Any, **parameters: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sql, parameters).mappings()]
