"""Entries of lists from records: as they are accepted, and from those stored before."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from hourbridge.common.messages.records import RecordType
from hourbridge.mapper import records
from hourbridge.mapper.lists.entries import LIST_RECORDS, StatedEntry, learn

PAGE_RECORDS = 1000
_PAGE = text(
    "SELECT record_id, source, record_type, revision, state FROM mapped_record "
    "WHERE book = :book AND record_id > :cursor AND outcome = 'noted' "
    "AND record_type = ANY(CAST(:types AS text[])) ORDER BY record_id LIMIT :limit"
)


def learn_stored(connection: Connection, book: str, now: datetime) -> None:
    """Learn what was accepted before lists were kept; once per book."""
    types = sorted(RecordType(kind).value for kind in LIST_RECORDS)
    cursor = ""
    while True:
        parameters = {"book": book, "cursor": cursor, "types": types, "limit": PAGE_RECORDS}
        rows = connection.execute(_PAGE, parameters).all()
        if not rows:
            return
        cursor = rows[-1].record_id
        stated = [
            StatedEntry(
                book,
                row.source,
                row.record_id,
                row.revision,
                records.read_state(row.record_type, row.state),
            )
            for row in rows
        ]
        learn(connection, stated, now)
