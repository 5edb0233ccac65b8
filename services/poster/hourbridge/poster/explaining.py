"""Where charges went, and how a document came about and reached its ledger: for who asks why."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement

EXCHANGES_MAX = 50

# The charge as it was billed is a copy only once it has changed since; as it was first billed only
# once a correction brought the line up to the change. A charge that was withdrawn after it was
# billed is gone: the copy on its line tells of it.
_CHARGES = statement(
    """
    WITH wanted AS (
        SELECT w.charge_id, coalesce(c.state, 'withdrawn') AS state,
            coalesce(c.record_id, gone.record_id) AS record_id,
            coalesce(c.record_revision, gone.record_revision) AS record_revision,
            c.mapping_version, c.changed_at, c.leakage,
            CAST(coalesce(c.payload, gone.billed) AS jsonb) AS charge
        FROM unnest(CAST(:charges AS text[])) AS w (charge_id)
        LEFT JOIN charge c ON c.charge_id = w.charge_id AND c.book = :book
        LEFT JOIN LATERAL (
            SELECT g.record_id, g.record_revision, g.billed FROM line_charge g
            JOIN document_line m ON m.line_id = g.line_id AND m.book = :book
            WHERE g.charge_id = w.charge_id AND g.record_id IS NOT NULL
            ORDER BY g.record_revision DESC LIMIT 1
        ) gone ON c.charge_id IS NULL
    )
    SELECT w.charge_id, w.state, w.record_id, w.record_revision, w.mapping_version, w.changed_at,
        w.leakage, w.charge, w.charge ->> 'client' AS client, w.charge ->> 'project' AS project,
        w.charge ->> 'work_date' AS work_date,
        coalesce(jsonb_agg(jsonb_build_object(
            'line_id', l.line_id, 'position', l.position, 'document_id', d.document_id,
            'number', d.number, 'kind', d.kind, 'status', d.status, 'is_live', b.is_live,
            'record_revision', b.record_revision,
            'billed', coalesce(CAST(coalesce(b.first_billed, b.billed) AS jsonb), w.charge))
            ORDER BY d.created_at, d.number, l.position)
            FILTER (WHERE b.line_id IS NOT NULL), '[]') AS lines
    FROM wanted w
    LEFT JOIN line_charge b ON b.charge_id = w.charge_id
    LEFT JOIN document_line l ON l.line_id = b.line_id
    LEFT JOIN document d ON d.document_id = l.document_id
    WHERE w.charge IS NOT NULL
    GROUP BY w.charge_id, w.state, w.record_id, w.record_revision, w.mapping_version,
        w.changed_at, w.leakage, w.charge
    ORDER BY work_date, w.charge_id
    """
)
_OF_RECORD = statement(
    """
    SELECT charge_id FROM charge WHERE book = :book AND record_id = :record_id
    UNION
    SELECT b.charge_id FROM line_charge b JOIN document_line l ON l.line_id = b.line_id
    WHERE l.book = :book AND b.record_id = :record_id
    ORDER BY charge_id
    """
)
_ON_DOCUMENT = statement(
    """
    SELECT DISTINCT b.charge_id FROM document_line l
    JOIN line_charge b ON b.line_id IN (l.line_id, l.credits_line_id, l.supplements_line_id)
    WHERE l.book = :book AND l.document_id = :document_id ORDER BY b.charge_id
    """
)
"""Of lines that correct others: the charges of those."""
_DOCUMENT = statement("SELECT payload FROM document WHERE document_id = :document_id")
_OPERATIONS = statement(
    """
    SELECT operation_key, kind, state, generation, payload_version, attempts, created_at,
        first_sent_at, done_at, error_code, error_text
    FROM ledger_operation WHERE document_id = :document_id ORDER BY id
    """
)
_AUDIT = statement(
    """
    SELECT at, actor, action, detail FROM audit
    WHERE subject = :document_id
        OR (subject IN (SELECT operation_key FROM ledger_operation
                        WHERE document_id = :document_id) AND action = 'ledger.exchange')
    ORDER BY id LIMIT :exchanges_max
    """
)
_CORRECTIONS = statement(
    """
    SELECT coalesce(a.credits_line_id, a.supplements_line_id) AS line_id, d.document_id, d.number,
        d.kind, d.status, a.position, a.amount, a.billed_seconds,
        CASE WHEN a.credits_line_id IS NULL THEN 'supplement' ELSE 'credit' END AS direction
    FROM document_line l
    JOIN document_line a ON a.is_live AND l.line_id IN (a.credits_line_id, a.supplements_line_id)
    JOIN document d ON d.document_id = a.document_id
    WHERE l.document_id = :document_id ORDER BY d.created_at, d.number, a.position
    """
)
_WAITING = statement(
    """
    SELECT s.line_id, s.payload #>> '{line,amount}' AS amount,
        s.payload #>> '{line,billed_seconds}' AS billed_seconds
    FROM supplement s JOIN document_line l ON l.line_id = s.line_id
    WHERE l.document_id = :document_id ORDER BY l.position
    """
)
_RUN = statement(
    """
    SELECT d.run_id, r.requested_by, r.requested_at, r.through
    FROM document d LEFT JOIN billing_run r ON r.run_id = d.run_id
    WHERE d.document_id = :document_id
    """
)


class Explainer:
    """Reads what is stored; changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def charges(
        self,
        book: str,
        *,
        record_id: str | None = None,
        charge_id: str | None = None,
        document_id: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return charges with every line that bills or billed them: of a record, one, a document's.

        Charges that were withdrawn before they were billed are gone and are not among them.
        """
        with self._store.transaction() as connection:
            wanted = [charge_id] if charge_id else []
            if record_id is not None:
                wanted += _ids(connection, _OF_RECORD, book=book, record_id=record_id)
            if document_id is not None:
                wanted += _ids(connection, _ON_DOCUMENT, book=book, document_id=document_id)
            return _rows(connection, _CHARGES, book=book, charges=wanted)

    def document(self, document_id: str) -> dict[str, Any]:
        """Return a document with operations, audit and corrections, or raise NotFound."""
        with self._store.transaction() as connection:
            payload = connection.execute(_DOCUMENT, {"document_id": document_id}).scalar()
            if payload is None:
                raise NotFound("there is no such document", document=document_id)
            (run,) = _rows(connection, _RUN, document_id=document_id)
            return {
                "document": payload,
                "run": run if run["run_id"] else None,
                "operations": _rows(connection, _OPERATIONS, document_id=document_id),
                "corrections": _rows(connection, _CORRECTIONS, document_id=document_id),
                "supplements_waiting": _rows(connection, _WAITING, document_id=document_id),
                "audit": _rows(
                    connection, _AUDIT, document_id=document_id, exchanges_max=EXCHANGES_MAX
                ),
            }


def _ids(connection: Connection, sql: Any, **parameters: Any) -> list[str]:
    return list(connection.execute(sql, parameters).scalars())


def _rows(connection: Connection, sql: Any, **parameters: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sql, parameters).mappings()]
