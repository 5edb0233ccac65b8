"""How long an entry's work took, on which local days it counts, and where it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from hourbridge.common.local_time import cuts, wall_of
from hourbridge.common.messages.events import Charge, Reason, WorkSpan
from hourbridge.common.messages.records import TimeEntry, WorkedTime
from hourbridge.common.zones import zones_version
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.moments import Folds, Moments, moments_of, states_wall_times
from hourbridge.mapper.rules.resolve import resolve
from hourbridge.mapper.rules.subject import Subject
from hourbridge.mapper.rules.work_zone import (
    Place,
    client_place,
    company_place,
    project_place,
    worker_place,
)

WALL_CLOCK_DURATION = "wall_clock_duration"
"""A warning: the source took the difference of wall clocks for a duration; corrected."""
_SPLIT_DAYS_MAX = 400
"""Longer than any entry; what claims to last longer is nonsense and stays whole."""


@dataclass(frozen=True, slots=True)
class Part:
    """An entry, or the part of one that counts on one local day, as an entry of its own."""

    entry: TimeEntry
    span: WorkSpan | None = None
    number: int = 1
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """The parts of an entry, or why its time is not certain."""

    parts: tuple[Part, ...]
    refusal: Reason | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was found out or decided about an entry's local time before."""

    folds: Folds | None = None
    made: tuple[Charge, ...] = ()
    """Charges as they were made; hold on to the days that other time zone rules gave."""


NOTHING_REMEMBERED = Remembered()


def asks_for_time(entry: TimeEntry) -> bool:
    """Return whether anything but its stated day and duration says when work was done."""
    return entry.start_at is not None or entry.original_start_text is not None


def work_of(
    book: CompiledBook,
    source: str,
    entry: TimeEntry,
    subject: Subject,
    remembered: Remembered = NOTHING_REMEMBERED,
) -> Work:
    """Return the entry's work by the book's time policy; whole where nothing says more.

    Work that was charged keeps its days when only the time zone rules changed since.
    """
    worker = worker_place(book, source, entry, subject)
    moments = moments_of(entry, worker.zone, book.configuration.time, remembered.folds)
    place = _day_place(book, source, entry, subject, worker)
    if isinstance(moments, Reason) or moments.is_plain:
        made = _as_made(entry, _terms(book, place), remembered.made)
        if made:
            return Work(made)
    if isinstance(moments, Reason):
        return Work((Part(entry),), moments)
    if moments.start is None:
        return Work((Part(entry),))
    by_clock = _by_elapsed_time(entry, moments, worker)
    parts = _parts(book, by_clock, moments, place)
    if by_clock.input is entry.input:
        return Work(parts)
    warnings = (WALL_CLOCK_DURATION,)
    return Work(tuple(replace(part, warnings=warnings) for part in parts))


def _by_elapsed_time(entry: TimeEntry, moments: Moments, worker: Place) -> TimeEntry:
    """Return the entry with the time that passed where it states how far clocks moved instead.

    Any other difference is the source's own rounding or its breaks, and stands.
    """
    start, end = moments.start, moments.end
    if start is None or end is None or moments.is_shifted:
        return entry
    elapsed = int((end - start).total_seconds())
    stated = entry.input.seconds
    if stated in (elapsed, elapsed - entry.break_seconds):
        return entry
    apart = wall_of(end, worker.zone) - wall_of(start, worker.zone)
    moved = elapsed - int(apart.total_seconds())
    if stated == 0 and states_wall_times(entry):
        return _lasting(entry, max(elapsed - entry.break_seconds, 0))
    by_wall = (elapsed - moved, elapsed - moved - entry.break_seconds)
    if moved and stated in by_wall and stated + moved >= 0:
        return _lasting(entry, stated + moved)
    return entry


def _lasting(entry: TimeEntry, seconds: int) -> TimeEntry:
    """Return the entry with another duration; what the client pays follows if it was the same."""
    changes = {"input": WorkedTime(seconds=seconds)}
    if entry.billable is not None and entry.billable.seconds == entry.input.seconds:
        changes["billable"] = changes["input"]
    return entry.model_copy(update=changes)


class _Stint(NamedTuple):
    """An uncut stretch of work and its local day."""

    start: datetime
    end: datetime | None
    day: date


Terms = tuple[str, str, str | None]
"""Whose day counts, in which zone, and where work is cut: what makes spans of one kind."""


def _terms(book: CompiledBook, place: Place) -> Terms:
    policy = book.configuration.time
    is_as_stated = policy.work_day == "stated" and policy.split_at == "never"
    return (policy.work_day, place.name, None if is_as_stated else policy.split_at)


def _parts(
    book: CompiledBook, entry: TimeEntry, moments: Moments, place: Place
) -> tuple[Part, ...]:
    policy = book.configuration.time
    if moments.start is None or (policy.work_day == "stated" and policy.split_at == "never"):
        # Without a policy that asks, only wall times need a zone.
        zone = place.name if moments.by_rules else entry.zone and entry.zone.iana
        version = zones_version() if moments.by_rules else None
        span = WorkSpan(started_at=moments.start, ended_at=moments.end, zone=zone, tzdata=version)
        return (Part(entry, span),)
    stints = _stints(entry, moments.start, moments.end, place, book)
    spans = [
        WorkSpan(
            started_at=stint.start,
            ended_at=stint.end,
            zone=place.name,
            day_of=policy.work_day,
            part=number,
            parts=len(stints),
            split_at=policy.split_at,
            tzdata=zones_version(),
        )
        for number, stint in enumerate(stints, 1)
    ]
    weights = [int(((s.end or s.start) - s.start).total_seconds()) for s in stints]
    return _shared(entry, [stint.day for stint in stints], spans, weights)


def _day_place(
    book: CompiledBook, source: str, entry: TimeEntry, subject: Subject, worker: Place
) -> Place:
    """Return the place whose local day counts. A stated day is cut where its worker is."""
    whose = book.configuration.time.work_day
    if whose in ("stated", "worker"):
        return worker
    if whose == "company":
        return company_place(book)
    found = resolve(book, source, subject, entry.work_date)
    return project_place(book, found) if whose == "project" else client_place(book, found)


def _stints(
    entry: TimeEntry, start: datetime, end: datetime | None, place: Place, book: CompiledBook
) -> list[_Stint]:
    policy = book.configuration.time
    lasted = timedelta(seconds=entry.input.seconds + entry.break_seconds)
    last = end if end is not None else start + lasted
    is_sane = last - start < timedelta(days=_SPLIT_DAYS_MAX)
    points = list(cuts(start, last, place.zone, policy.split_at)) if is_sane else []
    first = wall_of(start, place.zone).date()
    found = []
    for begins, ends in zip([start, *points], [*points, end], strict=True):
        day = wall_of(begins, place.zone).date()
        if policy.work_day == "stated":
            day = entry.work_date + (day - first)
        found.append(_Stint(begins, ends if ends is not None else last, day))
    return found if points else [_Stint(start, end, found[0].day)]


def _shared(
    entry: TimeEntry, days: Sequence[date], spans: Sequence[WorkSpan], weights: Sequence[int]
) -> tuple[Part, ...]:
    """Return an entry for each part: worked and billable time in proportion, to the second."""
    if len(days) == 1:
        same = days[0] == entry.work_date
        whole = entry if same else entry.model_copy(update={"work_date": days[0]})
        return (Part(whole, spans[0]),)
    worked = shares(entry.input.seconds, weights)
    billable = shares(entry.billable.seconds, weights) if entry.billable is not None else None
    parts = []
    for index, (day, span) in enumerate(zip(days, spans, strict=True)):
        changes: dict[str, object] = {
            "work_date": day,
            "input": WorkedTime(seconds=worked[index]),
        }
        if billable is not None:
            changes["billable"] = WorkedTime(seconds=billable[index])
        parts.append(Part(entry.model_copy(update=changes), span, index + 1))
    return tuple(parts)


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Return whole shares of ``total`` in proportion to ``weights``; they sum to it."""
    whole = sum(weights)
    if whole == 0:
        return [total, *(0 for _ in weights[1:])]
    found, passed, given = [], 0, 0
    for weight in weights:
        passed += weight
        upto = total * passed // whole
        found.append(upto - given)
        given = upto
    return found


def _as_made(entry: TimeEntry, terms: Terms, made: Sequence[Charge]) -> tuple[Part, ...]:
    """Return the parts that other time zone rules gave, if those and nothing else differ."""
    charges = {charge.span.part: charge for charge in made if charge.span is not None}
    before = [charges[number] for number in sorted(charges)]
    spans = [charge.span for charge in before if charge.span is not None]
    if not spans or len(spans) != spans[0].parts:
        return ()
    for span in spans:
        if span.tzdata in (None, zones_version()):
            return ()
        if (span.day_of, span.zone, span.split_at) != terms:
            return ()
    worked = [charge.worked_seconds for charge in before]
    lasting = entry if sum(worked) == entry.input.seconds else _lasting(entry, sum(worked))
    parts = _shared(lasting, [charge.work_date for charge in before], spans, worked)
    told = tuple(w for w in before[0].warnings or () if w == WALL_CLOCK_DURATION)
    return tuple(replace(part, warnings=told) for part in parts)
