"""A full reading of a window: what it doesn't hold any more has been deleted at the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from hourbridge.common.messages.records import RECORD_MODELS, Deletion, RecordType
from hourbridge.common.store.rows import statement
from hourbridge.ingestor import aliases, records
from hourbridge.ingestor.acceptor import Statement
from hourbridge.ingestor.identity import OrderKey, OrderKind, microseconds_of

_MISSING = statement(
    """
    SELECT record_id::text AS record_id, state, raw_ref FROM record
    WHERE book = :book AND source = :source AND record_type = :record_type
      AND NOT deleted AND merged_into IS NULL AND stated_as_of < :as_of
      AND (CAST(:first AS date) IS NULL OR on_date BETWEEN :first AND :last)
      AND record_id > CAST(:after AS uuid)
    ORDER BY record_id LIMIT :limit
    """
)
_KIND = statement(
    "SELECT kind FROM order_kind "
    "WHERE book = :book AND source = :source AND record_type = :record_type"
)
_NO_RECORD = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Snapshot:
    """What a full reading speaks about."""

    book: str
    source: str
    record_type: RecordType
    as_of: datetime
    first: date | None
    last: date | None
    raw_ref: str


def missing(
    connection: Connection, snapshot: Snapshot, *, after: str | None, limit: int
) -> list[tuple[str, Statement]]:
    """Return up to ``limit`` records that the snapshot should hold but doesn't, as deletions.

    Those stated by a newer reading are not among them.
    """
    rows = connection.execute(
        _MISSING,
        {
            "book": snapshot.book,
            "source": snapshot.source,
            "record_type": snapshot.record_type,
            "as_of": microseconds_of(snapshot.as_of),
            "first": snapshot.first,
            "last": snapshot.last,
            "after": after or _NO_RECORD,
            "limit": limit,
        },
    ).mappings()
    model = RECORD_MODELS[snapshot.record_type]
    found = []
    for row in rows:
        state = model.model_validate(row["state"]).model_copy(
            update={"deleted": Deletion(at=snapshot.as_of, how="snapshot")}
        )
        key = OrderKey(OrderKind.TIME, microseconds_of(snapshot.as_of))
        deletion = Statement(
            book=snapshot.book,
            source=snapshot.source,
            record=state,
            raw_ref=snapshot.raw_ref,
            as_of=snapshot.as_of,
            order_key=key,
        )
        found.append((row["record_id"], deletion))
    return found


def why_withheld(connection: Connection, snapshot: Snapshot, unidentified: int) -> str | None:
    """Return why nothing may be deleted on the word of this file, if so."""
    if unidentified:
        return f"{unidentified} rejected rows have no readable id: they may be what seems missing"
    where = {
        "book": snapshot.book,
        "source": snapshot.source,
        "record_type": snapshot.record_type,
    }
    if connection.execute(_KIND, where).scalar() == OrderKind.VERSION:
        return "this source orders by versions; an as-of time can't be compared with them"
    return None


def mention(connection: Connection, snapshot: Snapshot, external_ids: Sequence[str]) -> None:
    """Note that rows which were rejected are still there: they must not count as missing."""
    if not external_ids:
        return
    named = [
        aliases.Named((snapshot.book, snapshot.source, snapshot.record_type, external_id))
        for external_id in external_ids
    ]
    found = aliases.resolve(connection, named).record_ids
    as_of = microseconds_of(snapshot.as_of)
    rows = [
        {"record_id": record_id, "seen_revision": 0, "stated_as_of": as_of}
        for record_id in sorted(set(found))
    ]
    records.touch(connection, rows)
