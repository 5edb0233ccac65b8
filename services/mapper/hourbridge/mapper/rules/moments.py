"""When an entry's work began and ended: instants as stated, or wall times read by policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from hourbridge.common.book import TimePolicy
from hourbridge.common.local_time import (
    Fold,
    moved,
    parse_stamp,
    readings,
    wall_of,
    zone_or_none,
)
from hourbridge.common.messages.events import Reason
from hourbridge.common.messages.records import TimeEntry
from hourbridge.mapper.rules.outcome import parked, skipped

AMBIGUOUS = "ambiguous_local_time"
NONEXISTENT = "nonexistent_local_time"
WAITS_FOR = "local_time"
"""How the keys begin of what waits for a person to say which time is meant."""


class Folds(NamedTuple):
    """What a person decided of an entry's wall times: which of two, or to which side of a gap."""

    start: Fold
    end: Fold | None = None
    """Absent: whichever fits the start and the stated duration."""


@dataclass(frozen=True, slots=True)
class Moments:
    """An entry's start and end as instants."""

    start: datetime | None = None
    end: datetime | None = None
    by_rules: bool = False
    """Wall times were read by the rules of a zone."""
    is_plain: bool = True
    """Each wall time named one instant; nobody and no policy had to choose."""
    is_shifted: bool = False
    """A wall time lay in a gap: the difference of the moments says nothing."""


class _Wall(NamedTuple):
    """A wall time and where the wall stands."""

    at: datetime
    zone: tzinfo


class _Side(NamedTuple):
    """One end of an entry: what it may mean."""

    text: str
    options: tuple[datetime, ...]
    """One, if it is not a wall time that happens never or twice."""
    wall: _Wall | None = None

    @property
    def shown(self) -> str:
        """Return the wall time with its place."""
        return f"{self.text} {self.wall.zone if self.wall else ''}"


def states_wall_times(entry: TimeEntry) -> bool:
    """Return whether only texts say when the work was done."""
    return entry.start_at is None and entry.original_start_text is not None


def moments_of(
    entry: TimeEntry, zone: tzinfo, policy: TimePolicy, folds: Folds | None
) -> Moments | Reason:
    """Return when the work began and ended, or why that can't be said.

    Texts in a notation of the source's own say nothing: they are for people.
    """
    day = entry.work_date
    start = _side(entry.start_at, entry.original_start_text, day, zone)
    if start is None:
        return Moments()
    end = _side(entry.end_at, entry.original_end_text, day, zone)
    if end is not None and _is_overnight(entry.original_end_text, start, end):
        end = _side(None, entry.original_end_text, day + timedelta(days=1), zone)
    sides = [side for side in (start, end) if side is not None]
    refusal = _refused(sides, policy, folds)
    if refusal is not None:
        return refusal
    chosen = folds or Folds("later" if policy.ambiguous == "later" else "earlier")
    began = _began(start, chosen, is_decided=folds is not None)
    return Moments(
        start=began,
        end=_ended(end, start, began, chosen, entry) if end is not None else None,
        by_rules=any(side.wall is not None for side in sides),
        is_plain=all(len(side.options) == 1 for side in sides),
        is_shifted=any(not side.options for side in sides),
    )


def _stated(entry: TimeEntry) -> timedelta:
    return timedelta(seconds=entry.input.seconds + entry.break_seconds)


def _is_overnight(text: str | None, start: _Side, end: _Side) -> bool:
    """Return whether the end is a bare time of day that is one of the next day.

    One before the start's is, unless it is meant for the hour that clocks repeat.
    """
    if text is None or end.wall is None or parse_stamp(text) is not None:
        return False
    if end.wall.at >= _wall_at(start, end.wall.zone):
        return False
    return not any(last >= first for last in end.options for first in start.options)


def _wall_at(side: _Side, zone: tzinfo) -> datetime:
    return wall_of(side.options[0], zone) if side.wall is None else side.wall.at


def _side(at: datetime | None, text: str | None, day: date, zone: tzinfo) -> _Side | None:
    if at is not None:
        return _Side("", (at,))
    stamp = parse_stamp(text, day) if text else None
    if text is None or stamp is None:
        return None
    instant = stamp.instant
    if instant is not None:
        return _Side(text, (instant,))
    place = zone_or_none(stamp.zone) or zone
    return _Side(text, readings(stamp.wall, place), _Wall(stamp.wall, place))


def _refused(sides: list[_Side], policy: TimePolicy, folds: Folds | None) -> Reason | None:
    """Return why a time that happens never or twice stops the entry."""
    for side in sides:
        if len(side.options) == 1:
            continue
        code = AMBIGUOUS if side.options else NONEXISTENT
        rule = policy.ambiguous if side.options else policy.nonexistent
        times = "twice" if side.options else "never"
        detail = f"{side.text} happens {times} in {side.wall and side.wall.zone}"
        if rule == "reject":
            return skipped(code, f"{detail}; the book rejects such times")
        if rule == "quarantine" and folds is None:
            told = f"{detail}; release it with the one that is meant (earlier or later)"
            return parked(code, told, f"{WAITS_FOR}:{side.shown}")
    return None


def _began(side: _Side, folds: Folds, *, is_decided: bool) -> datetime:
    if side.options or side.wall is None:
        return side.options[0] if folds.start == "earlier" else side.options[-1]
    return moved(side.wall.at, side.wall.zone, folds.start if is_decided else "later")


def _ended(
    side: _Side, start: _Side, began: datetime, folds: Folds, entry: TimeEntry
) -> datetime | None:
    """Return the end; None when no reading of it comes after the start.

    After a start that was moved out of a gap it is only known how long the work took.
    """
    if not start.options:
        return began + _stated(entry)
    if not side.options and side.wall is not None:
        return moved(side.wall.at, side.wall.zone, folds.end or "later")
    if len(side.options) > 1 and folds.end is None:
        return _fitting(side, start, began, entry)
    chosen = side.options[0] if folds.end == "earlier" else side.options[-1]
    return chosen if chosen >= began else None


def _fitting(side: _Side, start: _Side, began: datetime, entry: TimeEntry) -> datetime | None:
    """Return the reading that agrees with the stated duration, else the first after the start.

    A duration that is only the difference of the wall clocks is no evidence of either.
    """
    stated = _stated(entry)
    after = [option for option in side.options if option > began]
    is_evidence = side.wall is None or stated != side.wall.at - _wall_at(start, side.wall.zone)
    if is_evidence and began + stated in after:
        return began + stated
    return after[0] if after else None
