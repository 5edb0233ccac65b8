"""Control totals of a file: what it holds by its raw text, and what became of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import ControlTotal, SourceTotalsRecorded
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import BULK_EXCHANGE, SOURCE_TOTALS_RECORDED
from hourbridge.ingestor.announcements import EVENT_SOURCE


@dataclass(frozen=True)
class FileTotals:
    """One finished import."""

    reading_id: str
    book: str
    source: str
    as_of: datetime
    file_sha256: str
    is_snapshot: bool
    first: date | None
    last: date | None
    rows: dict[RecordType, int]
    seconds: int | None
    outcomes: dict[str, dict[str, int]]


def totals_messages(totals: FileTotals, now: datetime) -> list[Outgoing]:
    """Return one message per record type; they follow the records through the bulk lane."""
    return [_message(totals, record_type, now) for record_type in totals.rows]


def _message(totals: FileTotals, record_type: RecordType, now: datetime) -> Outgoing:
    is_only = len(totals.rows) == 1
    reading_id = totals.reading_id if is_only else f"{totals.reading_id}.{record_type.value}"
    has_seconds = record_type is RecordType.TIME_ENTRY
    total = ControlTotal(
        group=totals.file_sha256,
        rows=totals.rows[record_type],
        seconds=totals.seconds if has_seconds else None,
    )
    data = SourceTotalsRecorded(
        source=totals.source,
        record_type=record_type,
        reading_id=reading_id,
        as_of=totals.as_of,
        window_first=totals.first,
        window_last=totals.last,
        is_snapshot=totals.is_snapshot,
        raw_ref=f"sha256:{totals.file_sha256}",
        totals=(total,),
        outcomes=totals.outcomes.get(record_type.value, {}),
    )
    event = new_event(
        SOURCE_TOTALS_RECORDED,
        data,
        book=totals.book,
        source=EVENT_SOURCE,
        id=derive_id(SOURCE_TOTALS_RECORDED, reading_id),
        subject=reading_id,
        time=now,
        correlationid=totals.reading_id,
    )
    return replace(outgoing(event), exchange=BULK_EXCHANGE)
