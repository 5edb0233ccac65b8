"""Time activities as the mapper wants them, and the document that stands for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.messages.events import Activity, ChargeSetChanged
from hourbridge.common.store.rows import bulk, statement

# A new mapping of an unchanged record never touches what is in the ledger: neither here nor below.
_SETTLED = """
    a.record_revision >= r.record_revision AND EXISTS (
        SELECT 1 FROM document d WHERE d.document_id = a.document_id AND d.payload ? 'posted'
            AND d.status <> 'withdrawn')
"""
_WANT = statement(
    """
    INSERT INTO activity (activity_id, record_id, book, record_revision, mapping_version, charge_id,
        wanted, due_at)
    SELECT activity_id, record_id, book, record_revision, mapping_version, charge_id, wanted, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        activity_id text, record_id text, book text, record_revision bigint,
        mapping_version integer, charge_id text, wanted text)
    ON CONFLICT (activity_id) DO NOTHING
    """
)
_WANT_AGAIN = statement(
    f"""
    UPDATE activity a SET record_revision = r.record_revision,
        mapping_version = r.mapping_version, charge_id = r.charge_id, wanted = r.wanted,
        due_at = :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        activity_id text, record_revision bigint, mapping_version integer, charge_id text,
        wanted text)
    WHERE a.activity_id = r.activity_id AND a.wanted IS DISTINCT FROM r.wanted
        AND NOT ({_SETTLED})
    """
)
_LOCK = statement(
    "SELECT activity_id FROM activity WHERE record_id = ANY(:records) "
    "ORDER BY activity_id FOR UPDATE"
)
_GONE = statement(
    f"""
    UPDATE activity a SET wanted = NULL, record_revision = r.record_revision,
        mapping_version = r.mapping_version, due_at = :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        record_id text, record_revision bigint, mapping_version integer)
    WHERE a.record_id = r.record_id AND a.wanted IS NOT NULL AND NOT a.activity_id = ANY(:wanted)
        AND NOT ({_SETTLED})
    """
)
_DUE = statement(
    "SELECT activity_id FROM activity WHERE due_at <= :now "
    "ORDER BY due_at, activity_id LIMIT :rows_max"
)
_TAKE = statement(
    "SELECT * FROM activity WHERE activity_id = ANY(:activities) AND due_at IS NOT NULL "
    "ORDER BY activity_id FOR UPDATE SKIP LOCKED"
)
_STORE = statement(
    """
    UPDATE activity a SET document_id = r.document_id, due_at = r.due_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        activity_id text, document_id text, due_at timestamptz)
    WHERE a.activity_id = r.activity_id
    """
)
_FORGET = statement(
    "DELETE FROM activity WHERE wanted IS NULL AND document_id IS NULL "
    "AND activity_id = ANY(:activities)"
)
_WAITING = statement(
    "SELECT count(*) FROM activity WHERE due_at IS NOT NULL "
    "AND (CAST(:book AS text) IS NULL OR book = :book)"
)
_LOOK_AGAIN = statement(
    "UPDATE activity SET due_at = :now WHERE document_id = :document_id AND due_at IS NULL"
)


@dataclass(frozen=True)
class WantedActivity:
    """A piece of work whose document has to be looked at."""

    activity_id: str
    book: str
    mapping_version: int
    wanted: Activity | None
    document_id: str | None


def keep(
    connection: Connection, newer: Sequence[tuple[str, ChargeSetChanged]], now: datetime
) -> None:
    """Store the time activities of newer charge sets; what a set names no more is to be gone."""
    rows = [
        {
            "activity_id": activity.activity_id,
            "record_id": changed.record_id,
            "book": book,
            "record_revision": changed.record_revision,
            "mapping_version": changed.mapping_version,
            "charge_id": activity.charge_id,
            "wanted": activity.model_dump_json(exclude_none=True),
        }
        for book, changed in newer
        for activity in changed.activities
    ]
    records = [
        {
            "record_id": changed.record_id,
            "record_revision": changed.record_revision,
            "mapping_version": changed.mapping_version,
        }
        for _, changed in newer
    ]
    known = connection.execute(_LOCK, {"records": [row["record_id"] for row in records]}).all()
    if known:
        wanted = [row["activity_id"] for row in rows]
        bulk(connection, _GONE, records, now=now, wanted=wanted)
        if rows:
            bulk(connection, _WANT_AGAIN, rows, now=now)
    if len(rows) > len(known) or {row["activity_id"] for row in rows} - set(_ids(known)):
        bulk(connection, _WANT, rows, now=now)


def due(connection: Connection, now: datetime, *, rows_max: int) -> list[str]:
    """Return what has to be looked at, the longest waiting first."""
    return list(connection.execute(_DUE, {"now": now, "rows_max": rows_max}).scalars())


def take(connection: Connection, activities: Sequence[str]) -> list[WantedActivity]:
    """Lock and return what is still to be looked at and nobody else has."""
    rows = connection.execute(_TAKE, {"activities": list(activities)}).mappings()
    return [
        WantedActivity(
            row["activity_id"],
            row["book"],
            row["mapping_version"],
            None if row["wanted"] is None else Activity.model_validate_json(row["wanted"]),
            row["document_id"],
        )
        for row in rows
    ]


def store(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store which document stands for a piece of work, and when to look again (None: done)."""
    if rows:
        bulk(connection, _STORE, rows)
        gone = [row["activity_id"] for row in rows if row["document_id"] is None]
        connection.execute(_FORGET, {"activities": gone})


def look_again(connection: Connection, document_id: str, now: datetime) -> None:
    """Let the work of a document be looked at once more."""
    connection.execute(_LOOK_AGAIN, {"document_id": document_id, "now": now})


def waiting(connection: Connection, book: str | None = None) -> int:
    """Return how many pieces of work, of a book or of all, wait for a look."""
    return int(connection.execute(_WAITING, {"book": book}).scalar_one())


def _ids(rows: Sequence[Any]) -> list[str]:
    return [row.activity_id for row in rows]
