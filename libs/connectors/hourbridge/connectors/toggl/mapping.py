"""From Toggl's objects to records: the same whether they were pushed or polled. Pure.

Field names are those of the API version 9 with the older ones (``uid``, ``pid``, ``wid``,
``tid``) that webhooks and older answers use. Times are UTC; entries name no zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hourbridge.common.messages.records import (
    Client,
    PicklistValue,
    Project,
    Record,
    StaffMember,
    TimeEntry,
    WorkItem,
)
from hourbridge.connectors.json_rows import RowReader, stated
from hourbridge.connectors.source import Statement
from hourbridge.connectors.toggl.order import order_key
from hourbridge.connectors.toggl.settings import TogglSettings

Fields = dict[str, Any]
TAG_LIST = "tags"


@dataclass(frozen=True)
class Seen:
    """How a state came to us."""

    at: datetime | None
    """When the event was made or the reading began."""
    is_polled: bool
    is_deleted: bool = False
    """The event says so; a polled row says it itself."""


def statement(
    model: str, row: Any, settings: TogglSettings, *, seen: Seen, raw: bytes, location: str
) -> Statement:
    """Return what Toggl states about one thing of a kind in ``KINDS``."""
    record_model, read = KINDS[model]
    reader = RowReader(row if isinstance(row, Mapping) else {})
    if not isinstance(row, Mapping):
        reader.refuse("(row)", "not_an_object", "must be a JSON object")
    fields = read(reader, settings)
    key = _identity(reader, fields, seen)
    if fields.get("deleted") is not None:
        fields = _tombstone(reader, fields, record_model)
    return stated(record_model, fields, reader, raw=raw, location=location, order_key=key)


def _identity(reader: RowReader, fields: Fields, seen: Seen) -> int | None:
    """Fill in what all kinds share; return the order key, None with a reason if there is none."""
    fields["external_id"] = reader.identifier("id")
    if fields["external_id"] is None and not reader.reasons:
        reader.refuse("id", "missing", "the object has no id")
    workspace = reader.identifier("workspace_id", "wid")
    if workspace is not None:
        fields["external_parent_ids"] = {"workspace": workspace}
    changed_at = reader.instant("at")
    deleted_at = reader.instant("server_deleted_at")
    is_deleted = seen.is_deleted or deleted_at is not None
    fields["source_created_at"] = reader.instant("created_at")
    fields["source_updated_at"] = changed_at
    known = [instant for instant in (changed_at, deleted_at) if instant is not None]
    if is_deleted:
        how = "feed" if seen.is_polled else "webhook"
        fields["deleted"] = {"at": deleted_at or seen.at or changed_at, "how": how}
        known += [seen.at] if seen.at is not None and deleted_at is None else []
    at = max(known, default=seen.at)
    if at is None:
        reader.refuse("at", "order_missing", "neither the object nor the event says when it is of")
        return None
    return order_key(at, seen.at, is_polled=seen.is_polled, is_deleted=is_deleted)


def _tombstone(reader: RowReader, fields: Fields, model: type[Record]) -> Fields:
    """Return the fields of something deleted: whatever was wrong with it no longer matters."""
    if fields["external_id"] is None:
        return fields
    at = fields["deleted"]["at"]
    reader.reasons = [reason for reason in reader.reasons if reason.field == "id"]
    needed: Fields = {
        "name": "(deleted)",
        "display_name": "(deleted)",
        "list_name": TAG_LIST,
        "staff_id": "(deleted)",
        "work_date": date(1970, 1, 1) if at is None else at.date(),
        "input": {"seconds": 0},
    }
    kept = {name: value for name, value in fields.items() if name in _KEPT_OF_DELETED}
    whole = {
        name: fields.get(name) or needed[name] for name in model.model_fields.keys() & needed.keys()
    }
    seconds = fields.get("input", {}).get("seconds")
    if "input" in whole and not (isinstance(seconds, int) and seconds >= 0):
        whole["input"] = needed["input"]
    return kept | whole


_KEPT_OF_DELETED = frozenset(
    {"external_id", "external_parent_ids", "source_updated_at", "deleted", "project_id", "notes"}
)


def _time_entry(reader: RowReader, settings: TogglSettings) -> Fields:
    staff_id = reader.identifier("user_id", "uid")
    zone, confidence = settings.zone_of_user(staff_id)
    start, stop = reader.instant("start"), reader.instant("stop")
    derivation: list[str] = []
    seconds, running, text = _duration(reader, start, stop, derivation)
    if start is None and not reader.reasons:
        reader.refuse("start", "missing", "when the work began is not said")
    work_date = _local_date(start, zone)
    end_date = _local_date(stop, zone)
    billable = reader.flag("billable")
    return {
        "staff_id": staff_id,
        "project_id": reader.identifier("project_id", "pid"),
        "task_id": reader.identifier("task_id", "tid"),
        "work_date": work_date,
        "start_at": start,
        "end_at": None if running else stop,
        "zone": {"iana": zone, "confidence": confidence},
        "original_start_text": reader.text("start"),
        "original_end_text": None if running else reader.text("stop"),
        "crosses_midnight": bool(work_date and end_date and end_date > work_date),
        "running": running,
        "input": {"seconds": seconds, "decimal_text": text},
        "entry_mode": "duration_only" if reader.flag("duronly") and stop is None else "manual",
        "billable_state": _BILLABLE[billable],
        "billable_reason": None if billable is None else "entry",
        "approval": {"state": settings.approval},
        "notes": reader.text("description"),
        "tags": _tags(reader),
        "derivation": tuple(derivation),
    }


_BILLABLE = {None: "unknown", True: "billable", False: "non_billable"}


def _duration(
    reader: RowReader, start: datetime | None, stop: datetime | None, derivation: list[str]
) -> tuple[int, bool, str | None]:
    """Return seconds, whether the timer still runs (a negative duration), and the stated text."""
    stated_seconds = reader.whole("duration")
    between = int((stop - start).total_seconds()) if start and stop else None
    if stated_seconds is None:
        if between is None:
            reader.refuse("duration", "missing", "neither a duration nor start and stop are given")
            return 0, False, None
        derivation.append("input: stop minus start")
        return reader.seconds("stop", between), False, None
    if stated_seconds < 0:
        derivation.append("input: the timer runs; nothing is worked yet")
        return 0, True, str(stated_seconds)
    if between is not None and between != stated_seconds:
        derivation.append(f"input: stated; stop minus start is {between} s")
    return reader.seconds("duration", stated_seconds), False, str(stated_seconds)


def _local_date(instant: datetime | None, zone: str) -> date | None:
    if instant is None:
        return None
    try:
        return instant.astimezone(ZoneInfo(zone)).date()
    except OverflowError:  # the first and the last day that there are
        return instant.date()


def _tags(reader: RowReader) -> tuple[str, ...]:
    value = reader.value("tags")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        reader.refuse("tags", "texts_expected", "tags must be an array of texts")
        return ()
    return tuple(value)


def _client(reader: RowReader, _settings: TogglSettings) -> Fields:
    return {"name": _name(reader), "is_active": reader.flag("archived") is not True}


def _project(reader: RowReader, _settings: TogglSettings) -> Fields:
    currency = reader.text("currency")
    return {
        "name": _name(reader),
        "client_id": reader.identifier("client_id", "cid"),
        "client_name": reader.text("client_name"),
        "production_status": reader.text("status"),
        "flat_rate": reader.amount("rate"),
        "currency": None if currency is None else currency.upper(),
        "is_active": reader.flag("active") is not False,
        "budget": _budget(reader, currency),
    }


def _budget(reader: RowReader, currency: str | None) -> Fields | None:
    hours, fee = reader.amount("estimated_hours"), reader.amount("fixed_fee")
    if not hours and not fee:
        return None
    return {
        "hours": hours or None,
        "fees": fee or None,
        "currency": None if currency is None else currency.upper(),
    }


def _task(reader: RowReader, _settings: TogglSettings) -> Fields:
    return {
        "kind": "task",
        "name": _name(reader),
        "project_id": reader.identifier("project_id", "pid"),
        "is_active": reader.flag("active") is not False,
    }


def _user(reader: RowReader, settings: TogglSettings) -> Fields:
    user_id = reader.identifier("user_id", "uid", "id")
    email = reader.text("email")
    zone, _ = settings.zone_of_user(user_id)
    fields = {
        "display_name": reader.text("fullname", "name") or email,
        "email": email,
        "user_linked": user_id is not None,
        "home_timezone": reader.text("timezone") or zone,
        "is_active": reader.flag("inactive") is not True and reader.flag("active") is not False,
    }
    if fields["display_name"] is None:
        reader.refuse("fullname", "missing", "the person has neither name nor address")
    if user_id is not None:  # a membership has an id of its own; entries name the person's
        reader.row = {**reader.row, "id": reader.value("user_id", "uid", "id")}
    return fields


def _tag(reader: RowReader, _settings: TogglSettings) -> Fields:
    return {"list_name": TAG_LIST, "name": _name(reader)}


def _name(reader: RowReader) -> str | None:
    name = reader.text("name")
    if name is None and not reader.reasons:
        reader.refuse("name", "missing", "must be a text that is not empty")
    return name


Read = Callable[[RowReader, TogglSettings], Fields]
KINDS: dict[str, tuple[type[Record], Read]] = {
    "time_entry": (TimeEntry, _time_entry),
    "client": (Client, _client),
    "project": (Project, _project),
    "task": (WorkItem, _task),
    "workspace_user": (StaffMember, _user),
    "user": (StaffMember, _user),
    "tag": (PicklistValue, _tag),
}
"""What each model of Toggl becomes."""
