"""Amending a record at the version it stands at: what we learn about it beside the source's word.

A receipt that could be fetched only later, and a deletion where the source orders by versions:
neither has a version of its own, and neither contradicts what the source stated.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.messages.records import Record
from hourbridge.common.store.rows import write_all
from hourbridge.ingestor import records
from hourbridge.ingestor.acceptance import Proposal, follow
from hourbridge.ingestor.identity import content_hash_of, date_of
from hourbridge.ingestor.records import Revision


def amend(
    connection: Connection, record_id: str, state: Record, now: datetime, correlation_id: str | None
) -> Revision | None:
    """Give a known record another state as a new revision of the version it has.

    Needs the book's lock. Returns what is to be announced, None when the state says nothing new.
    """
    present = records.present(connection, [record_id])[record_id]
    content_hash = content_hash_of(state)
    if content_hash == present.content_hash:
        return None
    standing = records.standings(connection, [record_id])[record_id]
    new = follow(standing, Proposal(standing.seen_revision, content_hash))
    revision = Revision(
        record_id=record_id,
        book=present.book,
        source=present.source,
        record_type=present.record_type,
        revision=new.revision,
        order_key=standing.seen_revision,
        sequence=records.advance(connection, {present.book: 1})[present.book],
        content_hash=content_hash,
        state=state,
        raw_ref=present.raw_ref,
        accepted_at=now,
        correlation_id=correlation_id,
    )
    records.keep_former(connection, [record_id])
    row = records.row_of(revision, stated_as_of=0, day=date_of(state))
    write_all(connection, [records.writing([(revision, row)])])
    return revision
