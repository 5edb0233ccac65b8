"""From TimeTagger's records to time entries. Pure.

A record is ``key``, ``t1`` and ``t2`` (seconds since 1970; equal while the timer runs), ``ds``
(the description with its tags), ``mt`` (when a client says that it changed) and ``st`` (when the
server stored it, later with every storing). A description that begins with ``HIDDEN`` is how
TimeTagger deletes.

Order is that of ``st``: the server takes a change that has the same ``mt``, whole seconds of
some client's clock, as its present one; ``st`` alone tells which of two is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hourbridge.common.messages.records import TimeEntry
from hourbridge.connectors.json_rows import RawRow, RowReader, instant_at, stated
from hourbridge.connectors.source import Statement
from hourbridge.connectors.timetagger.settings import TimeTaggerSettings
from hourbridge.connectors.timetagger.tags import meaning_of

HIDDEN = "HIDDEN"
_MICROSECONDS = 1_000_000
_ORDER_MAX = 2**62
"""Keys are kept in signed 64-bit columns."""
_EPOCH_DAY = date(1970, 1, 1)


def is_hidden(row: Mapping[str, Any]) -> bool:
    """Return whether a record was deleted."""
    description = row.get("ds")
    return isinstance(description, str) and description.startswith(HIDDEN)


def stored_at(row: Any) -> Decimal | None:
    """Return when the server stored a row, None when it doesn't say so."""
    value = row.get("st") if isinstance(row, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    moment = Decimal(value)
    return moment if 0 <= moment < _ORDER_MAX // _MICROSECONDS else None


def entry_of(row: RawRow, settings: TimeTaggerSettings, location: str) -> Statement:
    """Return what a record states."""
    value = row.value if isinstance(row.value, Mapping) else {}
    reader = RowReader(value)
    if not isinstance(row.value, Mapping):
        reader.refuse("(row)", "not_an_object", "must be a JSON object")
    fields = _fields(reader, settings)
    moment = stored_at(value)
    if moment is None and not reader.reasons:
        reader.refuse("st", "order_missing", "the record doesn't say when it was stored")
    key = None if moment is None else int(moment * _MICROSECONDS)
    return stated(TimeEntry, fields, reader, raw=row.raw, location=location, order_key=key)


def _fields(reader: RowReader, settings: TimeTaggerSettings) -> dict[str, Any]:
    external_id = reader.identifier("key")
    if external_id is None and not reader.reasons:
        reader.refuse("key", "missing", "the record has no key")
    modified = reader.whole("mt")
    description = reader.text("ds") or ""
    shared = {
        "external_id": external_id,
        "staff_id": settings.staff_id,
        "staff_name": settings.staff_name,
        "source_updated_at": None if modified is None else instant_at(modified),
    }
    if is_hidden(reader.row):
        return {**shared, **_deleted(reader)}
    start, stop = _moment(reader, "t1"), _moment(reader, "t2")
    said = meaning_of(description, settings)
    for field, detail in said.clashes:
        reader.refuse(f"ds ({field})", "tags_clash", detail)
    running = start is not None and start == stop
    seconds = int((stop - start).total_seconds()) if start and stop else 0
    work_date = None if start is None else _local_date(start, settings.zone)
    end_date = None if stop is None else _local_date(stop, settings.zone)
    return {
        **shared,
        "client_id": said.client,
        "client_name": said.client,
        "project_id": said.project,
        "project_name": said.project,
        "task_id": said.task,
        "task_name": said.task,
        "work_date": work_date,
        "start_at": start,
        "end_at": None if running else stop,
        "zone": {"iana": settings.zone, "confidence": "profile"},
        "crosses_midnight": bool(work_date and end_date and end_date > work_date),
        "running": running,
        "input": {"seconds": reader.seconds("t2", seconds), "decimal_text": str(seconds)},
        "entry_mode": "timer" if running else "manual",
        "billable_state": said.state,
        "approval": {"state": settings.approval},
        "notes": description or None,
        "tags": said.tags,
        "derivation": ("input: t2 minus t1", "client, project and task: tags"),
    }


def _deleted(reader: RowReader) -> dict[str, Any]:
    """Return a tombstone; whatever else was wrong with the record no longer matters."""
    reader.reasons = [reason for reason in reader.reasons if reason.field == "key"]
    begun = reader.value("t1")
    moment = instant_at(begun) if isinstance(begun, int) and not isinstance(begun, bool) else None
    changed = reader.value("mt")
    at = instant_at(changed) if isinstance(changed, int) and not isinstance(changed, bool) else None
    return {
        "source_updated_at": at,
        "work_date": _EPOCH_DAY if moment is None else moment.date(),
        "input": {"seconds": 0},
        "deleted": {"at": at, "how": "feed"},
    }


def _moment(reader: RowReader, name: str) -> datetime | None:
    seconds = reader.whole(name)
    if seconds is None:
        if not any(reason.field == name for reason in reader.reasons):
            reader.refuse(name, "missing", "must be whole seconds since 1970")
        return None
    moment = instant_at(seconds)
    if moment is None:
        reader.refuse(name, "instant_invalid", "lies outside the years 1 to 9999")
    return moment


def _local_date(instant: datetime, zone: str) -> date:
    try:
        return instant.astimezone(ZoneInfo(zone)).date()
    except OverflowError:  # the first and the last day that there are
        return instant.date()
