"""What people ask of charges: which wait with a warning, and which records are billed already."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.store.rows import statement

# The payload is text that is read back whole; few charges carry a warning at all.
_WARNED = statement(
    """
    SELECT charge_id, record_id, client, project, work_date, warning,
        c.data ->> 'kind' AS kind, c.data ->> 'staff' AS staff, c.data ->> 'task' AS task,
        c.data ->> 'description' AS description, c.data ->> 'amount' AS amount,
        c.data ->> 'currency' AS currency,
        CAST(c.data ->> 'worked_seconds' AS bigint) AS worked_seconds
    FROM (
        SELECT charge_id, record_id, client, project, work_date, CAST(payload AS jsonb) AS data
        FROM charge
        WHERE book = :book AND state = 'unbilled' AND position('"warnings":[' IN payload) > 0
            AND (CAST(:through AS date) IS NULL OR work_date <= :through)
            AND (CAST(:client AS text) IS NULL OR client = :client)
            AND (CAST(:project AS text) IS NULL OR project = :project)
    ) AS c, jsonb_array_elements_text(c.data -> 'warnings') AS warning
    ORDER BY warning, client, project, work_date, charge_id LIMIT :limit
    """
)
_BILLED = statement(
    """
    SELECT DISTINCT c.record_id, d.document_id, d.number, d.status
    FROM charge c
    JOIN line_charge b ON b.charge_id = c.charge_id AND b.is_live
    JOIN document_line l ON l.line_id = b.line_id
    JOIN document d ON d.document_id = l.document_id
    WHERE c.book = :book AND c.record_id = ANY(CAST(:records AS text[]))
    ORDER BY c.record_id, d.number
    """
)


WARNINGS_MAX = 10_000


def warned(
    connection: Connection,
    book: str,
    *,
    through: date | None = None,
    client: str | None = None,
    project: str | None = None,
) -> list[dict[str, Any]]:
    """Return the unbilled charges that a person should look at, a row for each warning."""
    parameters = {"book": book, "through": through, "client": client, "project": project}
    rows = connection.execute(_WARNED, {**parameters, "limit": WARNINGS_MAX}).mappings()
    return [dict(row) for row in rows]


def billed(connection: Connection, book: str, records: Collection[str]) -> list[dict[str, Any]]:
    """Return the live documents that bill any of the records named."""
    parameters = {"book": book, "records": sorted(records)}
    return [dict(row) for row in connection.execute(_BILLED, parameters).mappings()]
