"""From a row to a time entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hourbridge.common.local_time import LocalTimeProblem
from hourbridge.common.zones import zone_of
from hourbridge.ingestor.imports import values
from hourbridge.ingestor.imports.row_reader import RowReader
from hourbridge.ingestor.imports.values import ClockTime, ValueInvalid

_ENTRY_TYPES = frozenset({"work", "break", "holiday", "time_off", "travel", "other"})
DIFFERENCE = "end minus start"
WALL_DIFFERENCE = "difference of the wall clocks; when it began or ended is doubtful"
_DIFFERENCE_SECONDS_MAX = 1
"""Trackers round start and end to seconds one by one."""


@dataclass(frozen=True)
class Span:
    """When the work was done."""

    day: date | None
    start_at: datetime | None = None
    end_at: datetime | None = None
    end_day: date | None = None
    start_wall: datetime | None = None
    end_wall: datetime | None = None
    """Wall times; kept as text where they name no one instant."""

    @property
    def seconds(self) -> int | None:
        """Return the time between start and end; between the wall clocks where one is doubtful."""
        if self.start_at is not None and self.end_at is not None:
            return int((self.end_at - self.start_at).total_seconds())
        if self.start_wall is not None and self.end_wall is not None:
            return max(int((self.end_wall - self.start_wall).total_seconds()), 0)
        return None

    @property
    def is_doubtful(self) -> bool:
        """Return whether the start or the end awaits the book's time policy."""
        start = self.start_wall is not None and self.start_at is None
        return start or (self.end_wall is not None and self.end_at is None)


def time_entry(row: RowReader) -> dict[str, Any]:
    """Return the fields of the entry that a row states; what is wrong is noted in ``row``."""
    zone = _zone(row)
    span = _span(row, zone)
    derivation: list[str] = []
    seconds, stated = _seconds(row, span, derivation)
    staff_id, staff_name = row.person()
    if staff_id is None:
        row.refuse("staff", "missing", "who did the work is not said")
    fields: dict[str, Any] = {
        "staff_id": staff_id,
        "staff_name": staff_name,
        "staff_email": row.text("email"),
        "work_date": span.day.isoformat() if span.day else None,
        "start_at": span.start_at,
        "end_at": span.end_at,
        "original_start_text": _text_of(row, "start", span, derivation),
        "original_end_text": _text_of(row, "end", span, derivation),
        "crosses_midnight": bool(span.end_day and span.day and span.end_day > span.day),
        "input": {"seconds": seconds, "decimal_text": stated},
        "entry_mode": "manual" if span.start_at or span.start_wall else "duration_only",
        "entry_type": _entry_type(row),
        "approval": row.approval(),
        "invoiced": row.flag("invoiced") or False,
        "invoice_ref": row.text("invoice_ref"),
        "notes": row.text("notes"),
    }
    for name in ("client", "project", "task"):
        fields[f"{name}_id"], fields[f"{name}_name"] = row.thing(name)
    if span.start_at is not None or span.start_wall is not None:
        is_known = row.reading.is_zone_known or row.has("zone")
        confidence = "explicit" if row.has("zone") else "firm" if is_known else "assumed"
        fields["zone"] = {"iana": zone, "confidence": confidence}
    fields |= _billing(row, seconds or 0, derivation)
    fields["derivation"] = tuple(derivation)
    return fields


def _zone(row: RowReader) -> str:
    stated = row.text("zone")
    if stated is None:
        return row.reading.zone
    if zone_of(stated) is None:
        row.refuse("zone", "zone_unknown", f"{stated!r} is no IANA time zone")
        return row.reading.zone
    return stated


def _span(row: RowReader, zone: str) -> Span:
    day = row.local_date("date") or row.local_date("start_date")
    is_known = row.reading.is_zone_known or row.has("zone")
    start = _moment(row, "start")
    end = _moment(row, "end")
    start_day, start_clock = start or (None, None)
    if day is None and start_day is not None and start_clock is not None:
        day = _local_day(row, start_day, start_clock, zone if is_known else None)
    if day is None and not row.reasons:
        row.refuse("date", "missing", "the day of the work is not said")
    if start_clock is None or day is None:
        return Span(day)
    start_at = _instant(row, "start", start_day or day, start_clock, zone)
    start_wall = _wall(start_day or day, start_clock)
    if end is None or row.reasons:
        return Span(day, start_at, start_wall=start_wall)
    end_day = end[0] or row.local_date("end_date") or start_day or day
    if row.reading.profile.overnight and end[0] is None and not row.has("end_date"):
        end_day += timedelta(days=1 if end[1].at <= start_clock.at else 0)
    end_at = _instant(row, "end", end_day, end[1], zone)
    if end_at is not None and start_at is not None and end_at < start_at:
        row.refuse(_column(row, "end"), "end_before_start", "the end lies before the start")
        return Span(day, start_at)
    return Span(day, start_at, end_at, end_day, start_wall, _wall(end_day, end[1]))


def _column(row: RowReader, side: str) -> str:
    return f"{side}_time" if row.has(f"{side}_time") else side


def _moment(row: RowReader, side: str) -> tuple[date | None, ClockTime] | None:
    if row.has(f"{side}_time"):
        clock = row.clock(f"{side}_time")
        return None if clock is None else (None, clock)
    return row.moment(side)


def _local_day(row: RowReader, day: date, clock: ClockTime, zone: str | None) -> date:
    """Return the worker's day; an instant with an offset is first taken to the worker's zone."""
    if clock.offset is None or zone is None:
        return day
    instant = _instant(row, "start", day, clock, zone)
    return instant.astimezone(ZoneInfo(zone)).date() if instant else day


def _wall(day: date, clock: ClockTime) -> datetime | None:
    """Return a time without offset as the wall showed it."""
    return None if clock.offset is not None else datetime.combine(day, clock.at)


def _instant(row: RowReader, side: str, day: date, clock: ClockTime, zone: str) -> datetime | None:
    """Return the instant; None where the book's policy has to say which one is meant."""
    try:
        return values.instant_of(day, clock, zone)
    except ValueInvalid as error:
        if error.code == LocalTimeProblem.AMBIGUOUS.value:
            return None
        if error.code == LocalTimeProblem.NONEXISTENT.value and row.reading.keeps_gaps:
            return None
        row.refuse(_column(row, side), error.code, error.detail)
        return None


def _text_of(row: RowReader, side: str, span: Span, derivation: list[str]) -> str | None:
    """Return the text of a side: as it stands, or in ISO form where it must be read again."""
    original = _original(row, side)
    at, wall = (span.start_at, span.start_wall) if side == "start" else (span.end_at, span.end_wall)
    if wall is None or at is not None:
        return original
    derivation.append(f"{side}: {original!r} names no one instant in its zone")
    return wall.isoformat()


def _original(row: RowReader, side: str) -> str | None:
    parts = (row.raw(f"{side}_date"), row.raw(f"{side}_time"))
    return row.raw(side) or " ".join(part for part in parts if part) or None


def _seconds(row: RowReader, span: Span, derivation: list[str]) -> tuple[int | None, str | None]:
    """Return the worked seconds and the text that stated them: stated goes before computed."""
    readers: tuple[tuple[str, Callable[[str], int]], ...] = (
        ("seconds", lambda text: _whole_seconds(text)),
        ("duration", lambda text: values.parse_duration(text, row.reading.mark)),
        ("hours", lambda text: values.parse_duration(text, row.reading.mark)),
    )
    for column, parse in readers:
        if row.has(column):
            seconds = row.read(column, parse)
            if seconds is not None and span.seconds is not None:
                difference = seconds - span.seconds
                if abs(difference) > _DIFFERENCE_SECONDS_MAX:
                    derivation.append(f"input: stated; end minus start differs by {-difference} s")
            return seconds, row.text(column)
    if span.seconds is None:
        if not row.reasons:
            row.refuse("duration", "missing", "neither a duration nor start and end are given")
        return None, None
    try:
        values.check_seconds(span.seconds, f"{span.start_at} to {span.end_at}")
    except ValueInvalid as error:
        row.refuse(_column(row, "end"), error.code, error.detail)
    derivation.append(f"input: {DIFFERENCE if not span.is_doubtful else WALL_DIFFERENCE}")
    return span.seconds, None


def _whole_seconds(text: str) -> int:
    try:
        return values.check_seconds(int(text), text)
    except ValueError:
        raise ValueInvalid("duration_invalid", f"{text!r} is no whole number of seconds") from None


def _entry_type(row: RowReader) -> str:
    text = (row.text("type") or "work").strip().casefold().replace(" ", "_")
    if text == "regular":
        return "work"
    return text if text in _ENTRY_TYPES else "other"


def _billing(row: RowReader, seconds: int, derivation: list[str]) -> dict[str, Any]:
    currency = row.currency("amount", "rate", "cost_rate")
    flag = row.flag("billable")
    state = "unknown" if flag is None else "billable" if flag else "non_billable"
    fields: dict[str, Any] = {"currency": currency}
    billed = row.read("billable_hours", lambda text: values.parse_duration(text, row.reading.mark))
    if billed is not None:
        fields["billable"] = {"seconds": billed, "decimal_text": row.text("billable_hours")}
        fields["write_up"] = billed > seconds
        if 0 < billed < seconds and flag is not False:
            state = "partially_billable"
    fields["billable_state"] = state
    for column, name in (("rate", "bill_rate"), ("cost_rate", "cost_rate")):
        amount = row.amount(column)
        if amount is not None and amount == 0:
            derivation.append(f"{name}: an exported rate of 0 means none is set")
        elif amount is not None and amount < 0:
            row.refuse(column, "negative_rate", f"{row.raw(column)!r} is less than nothing")
        elif amount is not None:
            fields[name] = {"amount": amount, "currency": currency, "origin": "export"}
    fields["bill_amount"] = row.amount("amount")
    fields["cost_amount"] = row.amount("cost_amount")
    return fields
