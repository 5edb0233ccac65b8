"""Conflicts: one version of a record stated with two contents. Parked until somebody decides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.ids import derive_id
from hourbridge.common.messages.records import Record
from hourbridge.common.store.rows import bulk, statement

_PARK = statement(
    """
    INSERT INTO conflict
        (conflict_id, book, source, record_type, record_id, order_key, stored_hash, stored_state,
         stated_hash, stated_state, raw_ref, opened_at)
    SELECT r.conflict_id, r.book, r.source, r.record_type, r.record_id, r.order_key,
           s.content_hash, s.state, r.stated_hash, CAST(r.stated_state AS jsonb), r.raw_ref,
           CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        conflict_id uuid, book text, source text, record_type text, record_id uuid,
        order_key bigint, stated_hash text, stated_state text, raw_ref text)
    JOIN record s ON s.record_id = r.record_id
    ON CONFLICT (conflict_id) DO NOTHING
    """
)
_SUPERSEDE = statement(
    """
    UPDATE conflict c SET decision = 'superseded', decided_at = CAST(:now AS timestamptz)
    FROM record s
    WHERE c.record_id = ANY(CAST(:ids AS uuid[])) AND c.decision = 'open'
      AND s.record_id = c.record_id
      AND (s.seen_revision > c.order_key OR s.merged_into IS NOT NULL)
    """
)
_FIELDS = (
    "conflict_id::text, book, source, record_type, record_id::text, order_key, stored_hash, "
    "stored_state, stated_hash, stated_state, raw_ref, opened_at, decision"
)
_OPEN = statement(
    f"SELECT {_FIELDS} FROM conflict WHERE decision = 'open' "
    "AND (CAST(:book AS text) IS NULL OR book = :book) ORDER BY opened_at LIMIT :limit"
)
_TAKE = statement(f"SELECT {_FIELDS} FROM conflict WHERE conflict_id = :id FOR UPDATE")
_DECIDE = statement(
    "UPDATE conflict SET decision = :decision, decided_at = :now, decided_by = :actor, "
    "note = :note WHERE conflict_id = :id"
)
_COUNT = statement("SELECT count(*) FROM conflict WHERE decision = 'open'")


@dataclass(frozen=True)
class Conflict:
    """What was stated under a version that is known with other content."""

    record_id: str
    book: str
    source: str
    record: Record
    order_key: int
    content_hash: str
    raw_ref: str

    @property
    def conflict_id(self) -> str:
        """Return the id: stating the same thing again is the same conflict."""
        return derive_id("conflict", self.record_id, str(self.order_key), self.content_hash)


def park(connection: Connection, found: Sequence[Conflict], now: datetime) -> None:
    """Keep conflicts with both contents; those known already, decided or not, stay as they are."""
    if not found:
        return
    rows = [
        {
            "conflict_id": conflict.conflict_id,
            "book": conflict.book,
            "source": conflict.source,
            "record_type": conflict.record.record_type,
            "record_id": conflict.record_id,
            "order_key": conflict.order_key,
            "stated_hash": conflict.content_hash,
            "stated_state": conflict.record.model_dump_json(exclude_defaults=True),
            "raw_ref": conflict.raw_ref,
        }
        for conflict in sorted(found, key=lambda conflict: conflict.conflict_id)
    ]
    bulk(connection, _PARK, rows, now=now)


def supersede(connection: Connection, record_ids: Collection[str], now: datetime) -> None:
    """Close conflicts about versions that a newer one has made irrelevant."""
    if record_ids:
        connection.execute(_SUPERSEDE, {"ids": sorted(record_ids), "now": now})


def list_open(connection: Connection, book: str | None, limit: int) -> list[dict[str, Any]]:
    """Return open conflicts, oldest first."""
    rows = connection.execute(_OPEN, {"book": book, "limit": limit}).mappings()
    return [dict(row) for row in rows]


def take(connection: Connection, conflict_id: str) -> dict[str, Any] | None:
    """Return one conflict, locked until the transaction ends."""
    row = connection.execute(_TAKE, {"id": conflict_id}).mappings().first()
    return dict(row) if row else None


def decide(
    connection: Connection,
    conflict_id: str,
    *,
    decision: str,
    actor: str,
    note: str | None,
    now: datetime,
) -> None:
    """Note what was decided, and by whom."""
    connection.execute(
        _DECIDE,
        {"id": conflict_id, "decision": decision, "actor": actor, "note": note, "now": now},
    )


def count_open(connection: Connection) -> int:
    """Return how many conflicts wait for a decision."""
    return int(connection.execute(_COUNT).scalar_one())
