"""Control totals of a reading: what the source says it holds, and what became of its rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.ids import derive_id, derive_key
from hourbridge.common.messages.events import ControlTotal, SourceTotalsRecorded
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import BULK_EXCHANGE, SOURCE_TOTALS_RECORDED
from hourbridge.ingestor.announcements import EVENT_SOURCE
from hourbridge.ingestor.polling.readings import Progress


def totals_messages(progress: Progress, now: datetime) -> list[Outgoing]:
    """Return one message per record type; history follows its records through the bulk lane."""
    types = {RecordType(name) for name in progress.counts} | {progress.record_type}
    return [_message(progress, record_type, now) for record_type in sorted(types)]


def told(progress: Progress) -> str:
    """Return a digest of what the totals say: a quiet feed need not say the same again."""
    rows = sorted(total.model_dump_json() for total in progress.totals)
    known = {record_type: sum(of_type.values()) for record_type, of_type in progress.counts.items()}
    left = {name: count for name, count in progress.outcomes.items() if name not in _SAME}
    window = f"{progress.window_first}/{progress.window_last}"
    withheld = progress.deletions_withheld or ""
    return derive_key(
        *rows, str(sorted(known.items())), str(sorted(left.items())), window, withheld
    )


_SAME = ("accepted", "unchanged")


def _message(progress: Progress, record_type: RecordType, now: datetime) -> Outgoing:
    is_main = record_type is progress.record_type
    outcomes = progress.counts.get(record_type.value, {})
    counted = ControlTotal(group=progress.feed, rows=sum(outcomes.values()))
    totals = progress.totals if is_main and progress.totals else (counted,)
    suffix = "" if is_main else f".{record_type.value}"
    reading_id = f"{progress.reading_id}{suffix}"
    data = SourceTotalsRecorded(
        source=progress.source,
        record_type=record_type,
        reading_id=reading_id,
        as_of=progress.as_of,
        window_first=progress.window_first,
        window_last=progress.window_last,
        is_snapshot=progress.is_snapshot,
        totals=totals,
        outcomes=outcomes,
    )
    event = new_event(
        SOURCE_TOTALS_RECORDED,
        data,
        book=progress.book,
        source=EVENT_SOURCE,
        id=derive_id(SOURCE_TOTALS_RECORDED, reading_id),
        subject=reading_id,
        time=now,
        correlationid=progress.reading_id,
    )
    message = outgoing(event)
    return replace(message, exchange=BULK_EXCHANGE) if progress.is_history else message
