"""Drafts and who selected them for release; a draft that changed has to be selected anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.store.rows import statement

_SELECTED = "s.document_id IS NOT NULL AND s.version = d.version"
_WANTED = f"""
    FROM document d LEFT JOIN review_selection s ON s.document_id = d.document_id
    WHERE d.book = :book AND d.status = 'draft'
        AND (CAST(:numbers AS text[]) IS NULL OR d.number = ANY(:numbers)
            OR d.document_id = ANY(:numbers))
        AND (CAST(:run_id AS text) IS NULL OR d.run_id = :run_id)
        AND (CAST(:client AS text) IS NULL OR d.payload ->> 'client' = :client)
        AND (CAST(:kind AS text) IS NULL OR d.kind = :kind)
        AND (NOT :selected OR {_SELECTED})
    ORDER BY d.created_at, d.kind, d.number, d.document_id
"""
_IDS = statement(f"SELECT d.document_id, d.number {_WANTED}")
_LIST = statement(
    f"""
    SELECT d.document_id, d.number, d.kind, d.version, d.run_id, d.created_at,
        d.payload ->> 'client' AS client, d.payload ->> 'purpose' AS purpose,
        d.payload ->> 'document_date' AS document_date,
        d.payload ->> 'total' AS total, d.payload ->> 'currency' AS currency,
        jsonb_array_length(d.payload -> 'lines') AS lines,
        CASE WHEN {_SELECTED} THEN s.selected_by END AS selected_by,
        CASE WHEN {_SELECTED} THEN s.selected_at END AS selected_at,
        CASE WHEN {_SELECTED} THEN s.note END AS note,
        coalesce((
            SELECT jsonb_object_agg(found.warning, found.charges) FROM (
                SELECT w.warning, count(*) AS charges
                FROM document_line l
                JOIN line_charge b ON b.line_id = l.line_id AND b.is_live
                JOIN charge c ON c.charge_id = b.charge_id,
                jsonb_array_elements_text(CAST(c.payload AS jsonb) -> 'warnings') AS w(warning)
                WHERE l.document_id = d.document_id GROUP BY w.warning) AS found), '{{}}')
            AS warnings
    {_WANTED} LIMIT :limit
    """
)
_SELECT = statement(
    """
    INSERT INTO review_selection (document_id, version, selected_by, selected_at, note)
    SELECT document_id, version, :actor, :now, :note FROM document
    WHERE document_id = ANY(:documents) AND status = 'draft'
    ON CONFLICT (document_id) DO UPDATE SET version = excluded.version,
        selected_by = excluded.selected_by, selected_at = excluded.selected_at,
        note = excluded.note
    WHERE review_selection.version <> excluded.version
    """
)
_CLEAR = statement("DELETE FROM review_selection WHERE document_id = ANY(:documents)")


@dataclass(frozen=True)
class Wanted:
    """Which drafts of a book are meant; absent parts mean any."""

    book: str
    numbers: tuple[str, ...] | None = None
    """Numbers or ids."""
    run_id: str | None = None
    client: str | None = None
    kind: str | None = None
    selected: bool = False
    """Only those that were selected and have not changed since."""

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the statements."""
        numbers = None if self.numbers is None else list(self.numbers)
        return {
            "book": self.book,
            "numbers": numbers,
            "run_id": self.run_id,
            "client": self.client,
            "kind": self.kind,
            "selected": self.selected,
        }


def drafts(connection: Connection, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
    """Return drafts with who selected them and what to look at, the oldest first."""
    rows = connection.execute(_LIST, {**wanted.parameters(), "limit": limit})
    return [dict(row) for row in rows.mappings()]


def named(connection: Connection, wanted: Wanted) -> dict[str, str]:
    """Return the numbers of the drafts that are meant, by document id, the oldest first."""
    rows = connection.execute(_IDS, wanted.parameters())
    return {row.document_id: row.number for row in rows}


def select(
    connection: Connection, documents: Sequence[str], *, actor: str, note: str, now: datetime
) -> int:
    """Select drafts as they are now; return how many were not selected like this before."""
    parameters = {"documents": list(documents), "actor": actor, "note": note, "now": now}
    return connection.execute(_SELECT, parameters).rowcount


def clear(connection: Connection, documents: Sequence[str]) -> int:
    """Forget selections; return how many there were."""
    return connection.execute(_CLEAR, {"documents": list(documents)}).rowcount
