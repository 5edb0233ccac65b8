"""Control totals of a file: what it holds by its raw text, and what became of its rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import ControlTotal, SourceTotalsRecorded
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import BULK_EXCHANGE, SOURCE_TOTALS_RECORDED
from hourbridge.ingestor.announcements import EVENT_SOURCE
from hourbridge.ingestor.imports.job import Job


def totals_messages(job: Job, now: datetime) -> list[Outgoing]:
    """Return one message per record type; they follow the records through the bulk lane."""
    rows = job.reading.survey.rows
    return [
        _message(job, record_type, job.reading_id if len(rows) == 1 else None, now)
        for record_type in rows
    ]


def _message(job: Job, record_type: RecordType, only_id: str | None, now: datetime) -> Outgoing:
    survey = job.reading.survey
    reading_id = only_id or f"{job.reading_id}.{record_type.value}"
    first, last = job.window
    total = ControlTotal(
        group=job.file_sha256,
        rows=survey.rows[record_type],
        seconds=survey.seconds if record_type is RecordType.TIME_ENTRY else None,
    )
    data = SourceTotalsRecorded(
        source=job.options.source,
        record_type=record_type,
        reading_id=reading_id,
        as_of=job.as_of,
        window_first=first,
        window_last=last,
        is_snapshot=job.options.mode == "snapshot",
        raw_ref=job.raw_ref,
        totals=(total,),
        outcomes=job.counts.get(record_type.value, {}),
    )
    event = new_event(
        SOURCE_TOTALS_RECORDED,
        data,
        book=job.options.book,
        source=EVENT_SOURCE,
        id=derive_id(SOURCE_TOTALS_RECORDED, reading_id),
        subject=reading_id,
        time=now,
        correlationid=job.reading_id,
    )
    return replace(outgoing(event), exchange=BULK_EXCHANGE)
