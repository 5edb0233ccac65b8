"""What is known of one record, and how it came to be so: for people who ask why."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from hourbridge.common.messages.records import RecordType
from hourbridge.common.store.rows import statement
from hourbridge.ingestor import aliases
from hourbridge.ingestor.aliases import Name, Named

_RECORD = statement(
    """
    SELECT record_id::text, book, source, record_type, external_id, revision, seen_revision,
           content_hash, sequence, deleted, on_date, state, raw_ref, accepted_at, correlation_id,
           merged_into::text
    FROM record WHERE record_id = CAST(:id AS uuid)
    """
)
_FORMER = statement(
    """
    SELECT revision, sequence, state, raw_ref, accepted_at, superseded_at, correlation_id
    FROM superseded_revision WHERE record_id = CAST(:id AS uuid) ORDER BY revision DESC LIMIT 100
    """
)
_ALIASES = statement(
    "SELECT alias FROM record_alias WHERE record_id = CAST(:id AS uuid) ORDER BY alias"
)
_SOURCES = statement("SELECT DISTINCT source FROM order_kind WHERE book = :book ORDER BY source")
_HEADS = statement(
    """
    SELECT record_id::text, book, source, record_type, external_id, revision, sequence, deleted,
           accepted_at
    FROM record WHERE record_id = ANY(CAST(:ids AS uuid[])) ORDER BY source, record_type
    """
)


def find(connection: Connection, name: Name) -> str:
    """Return the record id that a source's name leads to, whether or not there is a record."""
    return aliases.resolve(connection, [Named(name)]).record_ids[0]


def named(
    connection: Connection, book: str, external_id: str, source: str | None = None
) -> list[dict[str, Any]]:
    """Return the records that any source of a book, or only ``source``, calls ``external_id``.

    Ids are a source's own, per record type: several things may have the same one.
    """
    sources = [source] if source else connection.execute(_SOURCES, {"book": book}).scalars().all()
    names = [
        Named((book, each, record_type, external_id))
        for each in sources
        for record_type in RecordType
    ]
    ids = aliases.resolve(connection, names).record_ids if names else []
    rows = connection.execute(_HEADS, {"ids": sorted(set(ids))})
    return [dict(row) for row in rows.mappings()]


def of_record(connection: Connection, record_id: str) -> dict[str, Any] | None:
    """Return a record with its former revisions and names, None when there is none such."""
    row = connection.execute(_RECORD, {"id": record_id}).mappings().first()
    if row is None:
        return None
    former = connection.execute(_FORMER, {"id": record_id}).mappings()
    return {
        **row,
        "aliases": list(connection.execute(_ALIASES, {"id": record_id}).scalars()),
        "former_revisions": [dict(each) for each in former],
    }
