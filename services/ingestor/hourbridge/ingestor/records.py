"""Rows of records: reading what stands, writing what was accepted. SQL only, no decisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, RowMapping

from hourbridge.common.messages.records import RECORD_MODELS, Record, RecordType
from hourbridge.common.store.rows import Write, bulk, statement, with_json
from hourbridge.ingestor.acceptance import Standing

_LOCK_BOOKS = statement(
    "SELECT book, last FROM book_sequence WHERE book = ANY(:books) ORDER BY book FOR UPDATE"
)
_ADD_BOOKS = statement(
    "INSERT INTO book_sequence (book, last) SELECT unnest(CAST(:books AS text[])), 0 "
    "ON CONFLICT (book) DO NOTHING"
)
_ADVANCE = statement(
    """
    UPDATE book_sequence b SET last = b.last + r.count
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(book text, count bigint)
    WHERE b.book = r.book RETURNING b.book, b.last
    """
)
SET_LAST = statement(
    """
    UPDATE book_sequence b SET last = r.last
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(book text, last bigint)
    WHERE b.book = r.book
    """
)
"""For who holds the books' locks."""
_POSITION = statement("SELECT last FROM book_sequence WHERE book = :book")
_STANDINGS = statement(
    "SELECT record_id::text, revision, seen_revision, content_hash FROM record "
    "WHERE record_id = ANY(CAST(:ids AS uuid[]))"
)
_COLUMNS = (
    "record_id, book, source, record_type, external_id, revision, order_key, seen_revision, "
    "stated_as_of, content_hash, sequence, deleted, on_date, state, raw_ref, accepted_at, "
    "correlation_id, merged_into"
)
WRITE = statement(
    f"""
    INSERT INTO record ({_COLUMNS})
    SELECT record_id, book, source, record_type, external_id, revision, order_key, seen_revision,
           stated_as_of, content_hash, sequence, deleted, on_date, state, raw_ref,
           accepted_at, correlation_id, merged_into
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        record_id uuid, book text, source text, record_type text, external_id text,
        revision bigint, order_key bigint, seen_revision bigint, stated_as_of bigint,
        content_hash text, sequence bigint, deleted boolean, on_date date, state jsonb,
        raw_ref text, accepted_at timestamptz, correlation_id text, merged_into uuid)
    ON CONFLICT (record_id) DO UPDATE SET
        revision = excluded.revision, order_key = excluded.order_key,
        seen_revision = excluded.seen_revision,
        stated_as_of = greatest(record.stated_as_of, excluded.stated_as_of),
        content_hash = excluded.content_hash, sequence = excluded.sequence,
        deleted = excluded.deleted, on_date = excluded.on_date, state = excluded.state,
        raw_ref = excluded.raw_ref, accepted_at = excluded.accepted_at,
        correlation_id = excluded.correlation_id, merged_into = excluded.merged_into
    """
)
_KEEP_FORMER = statement(
    """
    INSERT INTO superseded_revision
        (record_id, order_key, revision, sequence, content_hash, state, raw_ref, accepted_at,
         correlation_id)
    SELECT record_id, order_key, revision, sequence, content_hash, state, raw_ref, accepted_at,
           correlation_id
    FROM record WHERE record_id = ANY(CAST(:ids AS uuid[]))
    """
)
_TOUCH = statement(
    """
    UPDATE record SET seen_revision = greatest(record.seen_revision, r.seen_revision),
                      stated_as_of = greatest(record.stated_as_of, r.stated_as_of)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(record_id uuid, seen_revision bigint, stated_as_of bigint)
    WHERE record.record_id = r.record_id
      AND (record.seen_revision < r.seen_revision OR record.stated_as_of < r.stated_as_of)
    """
)
_REVISION = (
    "book, source, record_type, record_id::text AS record_id, revision, order_key, sequence, "
    "content_hash, state, raw_ref, accepted_at, correlation_id"
)
_PRESENT = statement(
    f"SELECT {_REVISION}, seen_revision, stated_as_of, external_id FROM record "
    "WHERE record_id = ANY(CAST(:ids AS uuid[]))"
)
_FORMER = statement(
    """
    SELECT c.book, c.source, c.record_type, s.record_id::text AS record_id, s.revision,
           s.order_key, s.sequence, s.content_hash, s.state, s.raw_ref, s.accepted_at,
           s.correlation_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(record_id uuid, order_key bigint)
    JOIN superseded_revision s USING (record_id, order_key)
    JOIN record c USING (record_id)
    ORDER BY s.revision DESC
    """
)


@dataclass(frozen=True)
class Revision:
    """An accepted revision of a record, as stored."""

    record_id: str
    book: str
    source: str
    record_type: RecordType
    revision: int
    order_key: int
    sequence: int
    content_hash: str
    state: Record
    raw_ref: str
    accepted_at: datetime
    correlation_id: str | None = None

    @cached_property
    def state_json(self) -> str:
        """Return the state as it is stored and announced: what has its default is left out."""
        return self.state.model_dump_json(exclude_defaults=True)


def row_of(
    revision: Revision, *, stated_as_of: int, day: date | None, merged_into: str | None = None
) -> dict[str, Any]:
    """Return a revision as a row to write, its state aside."""
    deleted = revision.state.deleted
    return {
        "record_id": revision.record_id,
        "book": revision.book,
        "source": revision.source,
        "record_type": revision.record_type,
        "external_id": revision.state.external_id,
        "revision": revision.revision,
        "order_key": revision.order_key,
        "seen_revision": revision.order_key,
        "stated_as_of": stated_as_of,
        "content_hash": revision.content_hash,
        "sequence": revision.sequence,
        "deleted": deleted is not None and deleted.confirmed,
        "on_date": day,
        "raw_ref": revision.raw_ref,
        "accepted_at": revision.accepted_at,
        "correlation_id": revision.correlation_id,
        "merged_into": merged_into,
    }


def lock_books(connection: Connection, books: Collection[str]) -> dict[str, int]:
    """Let one acceptor at a time work on each book, until the transaction ends.

    Returns the last sequence number given in each.

    The gapless sequence serializes acceptance per book anyway; taking the lock first, in order,
    makes everything after it free of races and of deadlocks.
    """
    wanted = sorted(set(books))
    found = connection.execute(_LOCK_BOOKS, {"books": wanted}).all()
    if len(found) < len(wanted):
        connection.execute(_ADD_BOOKS, {"books": wanted})
        found = connection.execute(_LOCK_BOOKS, {"books": wanted}).all()
    return {row[0]: row[1] for row in found}


def position(connection: Connection, book: str) -> int:
    """Return the last sequence number given in ``book``; 0 when there is none."""
    return int(connection.execute(_POSITION, {"book": book}).scalar() or 0)


def advance(connection: Connection, counts: Mapping[str, int]) -> dict[str, int]:
    """Take ``counts`` numbers per book; return the first number taken of each."""
    rows = [{"book": book, "count": count} for book, count in sorted(counts.items())]
    found = bulk(connection, _ADVANCE, rows)
    return {row.book: row.last - counts[row.book] + 1 for row in found}


def standings(connection: Connection, record_ids: Iterable[str]) -> dict[str, Standing]:
    """Return where known records stand."""
    rows = connection.execute(_STANDINGS, {"ids": sorted(set(record_ids))})
    return {row[0]: Standing(row[1], row[2], row[3]) for row in rows}


def writing(revisions: Iterable[tuple[Revision, Mapping[str, Any]]]) -> Write:
    """Return what inserts or replaces records, given their rows."""
    rows = ((row, revision.state_json) for revision, row in revisions)
    return WRITE, with_json(rows, "state")


def keep_former(connection: Connection, record_ids: Collection[str]) -> None:
    """Copy what stands to the history before it is replaced."""
    if record_ids:
        connection.execute(_KEEP_FORMER, {"ids": sorted(record_ids)})


def touch(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note that known content was stated again."""
    if rows:
        bulk(connection, _TOUCH, rows)


def present(connection: Connection, record_ids: Collection[str]) -> dict[str, Revision]:
    """Return the present revisions of records."""
    if not record_ids:
        return {}
    rows = connection.execute(_PRESENT, {"ids": sorted(record_ids)}).mappings()
    return {row["record_id"]: _revision(row) for row in rows}


def former(
    connection: Connection, keys: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Revision]:
    """Return former revisions by (record id, order key), as far as there are any."""
    if not keys:
        return {}
    rows = [{"record_id": record_id, "order_key": key} for record_id, key in sorted(keys)]
    found = bulk(connection, _FORMER, rows).mappings()
    return {(row["record_id"], row["order_key"]): _revision(row) for row in found}


def _revision(row: RowMapping) -> Revision:
    record_type = RecordType(row["record_type"])
    return Revision(
        record_id=row["record_id"],
        book=row["book"],
        source=row["source"],
        record_type=record_type,
        revision=row["revision"],
        order_key=row["order_key"],
        sequence=row["sequence"],
        content_hash=row["content_hash"],
        state=RECORD_MODELS[record_type].model_validate(row["state"]),
        raw_ref=row["raw_ref"],
        accepted_at=row["accepted_at"],
        correlation_id=row["correlation_id"],
    )
