"""What was read is kept as it came, each form once; what can't be used, with its reasons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.ids import content_hash, derive_id
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.store.rows import bulk, statement
from hourbridge.ingestor import payloads
from hourbridge.ingestor.payloads import Payload, storable
from hourbridge.ingestor.polling.turns import Turn

_KNOWN = statement(
    "SELECT payload_id::text FROM received_payload WHERE payload_id = ANY(CAST(:ids AS uuid[]))"
)
_REJECT = statement(
    """
    INSERT INTO poll_rejected
        (book, source, feed, raw_ref, record_type, external_id, location, reasons, reading_id,
         first_seen_at, last_seen_at)
    SELECT :book, :source, :feed, raw_ref, record_type, external_id, location, reasons,
           :reading_id, CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        raw_ref text, record_type text, external_id text, location text, reasons jsonb)
    ON CONFLICT (book, source, feed, raw_ref) DO UPDATE SET
        location = excluded.location, reasons = excluded.reasons,
        reading_id = excluded.reading_id, last_seen_at = excluded.last_seen_at,
        times = poll_rejected.times + 1
    """
)
_REJECTED = statement(
    """
    SELECT * FROM poll_rejected WHERE book = :book AND source = :source
      AND (CAST(:feed AS text) IS NULL OR feed = :feed)
    ORDER BY last_seen_at DESC, location LIMIT :limit
    """
)
_FORGET = statement("DELETE FROM poll_rejected WHERE last_seen_at < :before")
CONTENT_TYPE = "application/json"


@dataclass(frozen=True)
class Rejected:
    """A statement that was refused, as it was."""

    raw_ref: str
    record_type: str
    external_id: str | None
    location: str
    reasons: tuple[FieldReason, ...]


def payload_of(turn: Turn, raw: bytes, now: datetime) -> Payload:
    """Return a payload to keep. Its id is derived: what is restated as it was is kept once."""
    return Payload(
        payload_id=derive_id("polled", turn.book, turn.source, content_hash(raw)),
        received_at=now,
        channel="poll",
        body=raw,
        content_type=CONTENT_TYPE,
        book=turn.book,
        source=turn.source,
        correlation_id=turn.reading_id,
    )


def keep(connection: Connection, received: Collection[Payload]) -> int:
    """Write the payloads that are not kept yet; return how many."""
    fresh = {payload.payload_id: payload for payload in received}
    known = connection.execute(_KNOWN, {"ids": sorted(fresh)}).scalars()
    for payload_id in known:
        fresh.pop(payload_id, None)
    payloads.keep(connection, [fresh[payload_id] for payload_id in sorted(fresh)])
    return len(fresh)


def reject(
    connection: Connection, turn: Turn, reading_id: str, rejected: Sequence[Rejected], now: datetime
) -> None:
    """Keep refused statements; one that is restated is one row, counted."""
    rows: dict[str, dict[str, Any]] = {
        each.raw_ref: {
            "raw_ref": each.raw_ref,
            "record_type": each.record_type,
            "external_id": storable(each.external_id),
            "location": storable(each.location),
            "reasons": [
                {name: storable(text) for name, text in reason.model_dump().items()}
                for reason in each.reasons
            ],
        }
        for each in rejected
    }
    if rows:
        bulk(
            connection,
            _REJECT,
            [rows[raw_ref] for raw_ref in sorted(rows)],
            **turn.names,
            reading_id=reading_id,
            now=now,
        )


def rejected(
    connection: Connection, book: str, source: str, feed: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return refused statements, those seen last first."""
    parameters = {"book": book, "source": source, "feed": feed, "limit": limit}
    return [dict(row) for row in connection.execute(_REJECTED, parameters).mappings()]


def forget(connection: Connection, before: datetime) -> None:
    """Drop refused statements that were last stated before the retention."""
    connection.execute(_FORGET, {"before": before})
