"""Wall-clock times, and the instants that they mean somewhere. Pure.

A wall time names one instant, none (in the gap when clocks go forward) or two (when they go
back). Durations are differences of instants, never of wall clocks. The rules that are used are
those of ``hourbridge.common.zones``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from hourbridge.common.zones import zone_of

Fold = Literal["earlier", "later"]
"""Which of the two instants that a wall time names, or to which side of a gap one is moved."""
SplitAt = Literal["never", "midnight", "month_end"]

_STAMP = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[T ](?P<clock>\d{2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?"
    r"\s*(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?(?:\[!?(?P<zone>[A-Za-z0-9_+/-]+)\])?"
)
_CLOCK = re.compile(r"\d{2}:\d{2}(?::\d{2})?")
_SECOND = timedelta(seconds=1)
_MINUTE_SECONDS = 60


class LocalTimeProblem(StrEnum):
    """Why a wall-clock time does not name one instant."""

    AMBIGUOUS = "ambiguous"
    NONEXISTENT = "nonexistent_local_time"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment as it was written: RFC 3339, with or without offset, or RFC 9557 with a zone."""

    wall: datetime
    """What a clock on the wall showed; naive by definition, whole seconds."""
    offset: timedelta | None = None
    zone: str | None = None
    is_utc: bool = False
    """Written with ``Z`` or a zero offset, which programs use for UTC wherever they run: the
    instant is certain, the place is not stated."""

    @property
    def instant(self) -> datetime | None:
        """Return the instant in UTC, None where no offset was written."""
        if self.offset is None:
            return None
        try:
            return self.wall.replace(tzinfo=timezone(self.offset)).astimezone(UTC)
        except OverflowError:
            return None


def parse_stamp(text: str, day: date | None = None) -> Stamp | None:
    """Return the moment in ``text``, None when it is written in any other way.

    A bare time of day (24 hours) is one on ``day``, if that is given.
    """
    bare = text.strip()
    found = _STAMP.fullmatch(f"{day}T{bare}" if day and _CLOCK.fullmatch(bare) else bare)
    if found is None:
        return None
    try:
        wall = datetime.fromisoformat(f"{found['day']}T{found['clock']}")
        offset = _offset(found["offset"])
    except ValueError:
        return None
    return Stamp(wall, offset, found["zone"], is_utc=offset == timedelta(0))


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    if text in "Zz":
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[-2:])
    delta = timedelta(hours=hours, minutes=minutes)
    if minutes >= _MINUTE_SECONDS or delta >= timedelta(days=1):
        raise ValueError("no offset")
    return -delta if text[0] == "-" else delta


def offset_zone(minutes: int) -> timezone:
    """Return a zone that is always so many minutes ahead of UTC."""
    return timezone(timedelta(minutes=minutes))


def readings(wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the instants in UTC that ``wall`` names in ``zone``: none, one, or two in order."""
    earlier = wall.replace(tzinfo=zone, fold=0)
    later = wall.replace(tzinfo=zone, fold=1)
    first = earlier.astimezone(UTC)
    if earlier.utcoffset() == later.utcoffset():
        return (first,)
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        return ()
    return (first, later.astimezone(UTC))


def moved(wall: datetime, zone: tzinfo, fold: Fold = "later") -> datetime:
    """Return the instant of a wall time in a gap, moved by the gap's length.

    ``later`` moves it forward (RFC 5545: the offset before the gap counts), ``earlier`` back.
    """
    return wall.replace(tzinfo=zone, fold=0 if fold == "later" else 1).astimezone(UTC)


def resolve_local(naive_wall_time: datetime, zone: str) -> datetime | LocalTimeProblem:
    """Return the UTC instant of a wall-clock time in the zone named, or why there isn't one."""
    found = readings(naive_wall_time, ZoneInfo(zone))
    if len(found) == 1:
        return found[0]
    return LocalTimeProblem.AMBIGUOUS if found else LocalTimeProblem.NONEXISTENT


def wall_of(instant: datetime, zone: tzinfo) -> datetime:
    """Return what a clock on the wall in ``zone`` shows at an instant."""
    return instant.astimezone(zone).replace(tzinfo=None)


def offset_at(instant: datetime, zone: tzinfo) -> timedelta:
    """Return how far ``zone`` is ahead of UTC at an instant."""
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def day_begins(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a local day.

    Where midnight happens twice it is the first one; where clocks jump over it, the jump.
    """
    midnight = datetime.combine(day, time())
    found = readings(midnight, zone)
    if found:
        return found[0]
    before, after = moved(midnight, zone, "earlier") - _SECOND, moved(midnight, zone)
    while after - before > _SECOND:  # before: the day hasn't begun; after: it has
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if wall_of(middle, zone).date() < day:
            before = middle
        else:
            after = middle
    return after


def cuts(start: datetime, end: datetime, zone: tzinfo, split_at: SplitAt) -> Iterator[datetime]:
    """Yield the instants strictly between start and end at which a local day or month begins."""
    if split_at == "never":
        return
    day = wall_of(start, zone).date()
    last = wall_of(end, zone).date()
    while day < last:
        day = _next(day, split_at)
        begins = day_begins(day, zone)
        if start < begins < end:
            yield begins


def _next(day: date, split_at: SplitAt) -> date:
    if split_at == "midnight":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def zone_or_none(name: str | None) -> tzinfo | None:
    """Return the zone of a name, None for no name or one that the rules don't know."""
    return None if not name else zone_of(name)
