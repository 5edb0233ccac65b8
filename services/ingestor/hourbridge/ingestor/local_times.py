"""Local times as they are stated: completed where they are certain, refused where they clash.

A wall time without an offset is kept as it is; which instant it means is the book's policy, and
that is not known at the door. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from hourbridge.common.local_time import (
    LocalTimeProblem,
    Stamp,
    offset_at,
    parse_stamp,
    readings,
    zone_or_none,
)
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import TimeEntry, Zone

OFFSET_MISMATCH = "offset_zone_mismatch"
_SIDES = (("start_at", "original_start_text"), ("end_at", "original_end_text"))
_MINUTE_SECONDS = 60


@dataclass
class _Side:
    """The start or the end of an entry."""

    field: str
    text_field: str
    at: datetime | None
    text: str | None
    stamp: Stamp | None
    is_written: bool
    """The text is the instant's own, with an offset that is worth keeping."""


def without_zone_names(data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with RFC 9557 names (``...-05:00[America/New_York]``) taken apart.

    The instant stays in its field, the text as it was goes to the original's, the name to the
    zone if none is stated.
    """
    changes: dict[str, Any] = {}
    for field, text_field in _SIDES:
        written = data.get(field)
        if not isinstance(written, str) or not written.endswith("]"):
            continue
        stamp = parse_stamp(written)
        if stamp is None:
            continue
        changes[field] = written.partition("[")[0] if stamp.offset is not None else None
        if data.get(text_field) is None:
            changes[text_field] = written
        if data.get("zone") is None and "zone" not in changes:
            changes["zone"] = {"iana": stamp.zone, "confidence": "explicit"}
    return {**data, **changes} if changes else data


def completed(
    entry: TimeEntry, data: dict[str, Any], reasons: list[FieldReason], *, prefix: str
) -> TimeEntry | None:
    """Return the entry with the instants and the offset that its texts state.

    None, with reasons, where the zone is none, an offset is not the zone's at that time, or the
    end lies before the start.
    """
    if entry.start_at is None and entry.original_start_text is None:
        return entry
    found: list[FieldReason] = []
    zone = _zone(entry, found, prefix)
    sides = [_side(entry, data, field, text_field) for field, text_field in _SIDES]
    if zone is not None and not _is_general(entry.zone):
        for side in sides:
            _check_offset(side, zone, found, prefix)
        _check_stated_offset(entry, sides[0], zone, found, prefix)
    _check_order(sides, zone, found, prefix)
    reasons.extend(found)
    return None if found else _complete(entry, sides)


def _is_general(zone: Zone | None) -> bool:
    """Return whether the zone is the whole firm's or a guess: an entry's offset then says more."""
    if zone is None:
        return True
    return zone.confidence == "firm" or (zone.confidence == "assumed" and zone.iana == "UTC")


def _zone(entry: TimeEntry, found: list[FieldReason], prefix: str) -> tzinfo | None:
    name = entry.zone.iana if entry.zone is not None else None
    zone = zone_or_none(name)
    if name is not None and zone is None:
        detail = f"{name!r} is no IANA time zone"
        found.append(FieldReason(field=f"{prefix}zone.iana", code="zone_unknown", detail=detail))
    return zone


def _side(entry: TimeEntry, data: dict[str, Any], field: str, text_field: str) -> _Side:
    """Return a side by the text of its instant if that has an offset, else by the original's."""
    at: datetime | None = getattr(entry, field)
    written = data.get(field)
    if isinstance(written, str):
        stamp = parse_stamp(written)
        if stamp is not None and stamp.offset is not None and not stamp.is_utc:
            return _Side(field, text_field, at, written, stamp, is_written=True)
    text: str | None = getattr(entry, text_field)
    stamp = parse_stamp(text) if text else None
    if at is None and stamp is not None:
        at = stamp.instant
    return _Side(field, text_field, at, text, stamp, is_written=False)


def _check_offset(side: _Side, zone: tzinfo, found: list[FieldReason], prefix: str) -> None:
    stamp = side.stamp
    if stamp is None or stamp.offset is None or stamp.is_utc:
        return
    instant = stamp.instant
    if instant is not None and offset_at(instant, zone) == stamp.offset:
        return
    field = prefix + (side.field if side.is_written else side.text_field)
    if readings(stamp.wall, zone):
        detail = f"{side.text} has an offset that {zone} never has at that time"
        found.append(FieldReason(field=field, code=OFFSET_MISMATCH, detail=detail))
    else:
        code = LocalTimeProblem.NONEXISTENT.value
        detail = f"{side.text} happens never in {zone}: clocks went forward over it"
        found.append(FieldReason(field=field, code=code, detail=detail))


def _check_stated_offset(
    entry: TimeEntry, start: _Side, zone: tzinfo, found: list[FieldReason], prefix: str
) -> None:
    minutes = entry.zone.offset_minutes if entry.zone is not None else None
    if minutes is None or start.at is None or found:
        return
    offset = offset_at(start.at, zone)
    if offset.total_seconds() != minutes * _MINUTE_SECONDS:
        detail = f"{zone} is {offset} ahead of UTC at the start, not {minutes} minutes"
        field = f"{prefix}zone.offset_minutes"
        found.append(FieldReason(field=field, code=OFFSET_MISMATCH, detail=detail))


def _check_order(
    sides: list[_Side], zone: tzinfo | None, found: list[FieldReason], prefix: str
) -> None:
    first, last = (_instants(side, zone) for side in sides)
    if not found and first and last and max(last) < min(first):
        field = prefix + (sides[1].field if sides[1].is_written else sides[1].text_field)
        detail = "the end lies before the start"
        found.append(FieldReason(field=field, code="end_before_start", detail=detail))


def _instants(side: _Side, zone: tzinfo | None) -> tuple[datetime, ...]:
    if side.at is not None:
        return (side.at,)
    if side.stamp is None or zone is None:
        return ()
    return readings(side.stamp.wall, zone)


def _complete(entry: TimeEntry, sides: list[_Side]) -> TimeEntry:
    changes: dict[str, Any] = {}
    for side in sides:
        if side.at is not None and getattr(entry, side.field) is None:
            changes[side.field] = side.at
        if side.is_written and getattr(entry, side.text_field) is None:
            changes[side.text_field] = side.text
    stamp = sides[0].stamp
    zone = entry.zone or Zone()
    if stamp is not None and stamp.offset is not None and zone.offset_minutes is None:
        minutes, rest = divmod(int(stamp.offset.total_seconds()), _MINUTE_SECONDS)
        if not stamp.is_utc and not rest:
            changes["zone"] = zone.model_copy(update={"offset_minutes": minutes})
    return entry.model_copy(update=changes) if changes else entry
