"""The time zone policy: how times are read, kept and shown, with the clock changes of the year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hourbridge.cli.policy_documents.gathered import Gathered
from hourbridge.cli.policy_documents.markdown import table
from hourbridge.common.local_time import offset_at, wall_of
from hourbridge.common.zones import zone_of

_NONEXISTENT = {
    "reject": "is rejected: the entry is not charged, with the reason `nonexistent_local_time`",
    "shift": "is moved forward by the gap's length; the stated duration stays",
    "quarantine": "waits for a person (`hourbridge parked release ... --fold earlier|later`)",
}
_AMBIGUOUS = {
    "reject": "is rejected: the entry is not charged, with the reason `ambiguous_local_time`",
    "earlier": "means the first of the two",
    "later": "means the second of the two",
    "quarantine": "waits for a person (`hourbridge parked release ... --fold earlier|later`)",
}
_WORK_DAYS = {
    "stated": "the day that the source states",
    "worker": "the local day of the worker when the work began",
    "project": "the local day of the project when the work began",
    "client": "the local day of the client when the work began",
    "company": "the local day of the company when the work began",
}
_SPLITS = {
    "never": "is never cut: it counts where it began",
    "midnight": "is cut at each local midnight; each part counts on its own day",
    "month_end": "is cut at the local midnight that ends a month",
}


def time_page(facts: Gathered) -> str:
    """Return the page."""
    lines = facts.headed("Time zone policy")
    lines += [*_rules(facts), *_zones(facts), *_changes(facts)]
    return "\n".join(lines).rstrip() + "\n"


def _rules(facts: Gathered) -> list[str]:
    policy = facts.book.time
    return [
        *("## Rules", ""),
        "- Instants are kept in UTC, with the source's own text, offset and zone beside them.",
        "- A duration is the difference of two instants, never of two wall clocks. A source that "
        "states the latter is corrected, and the charge says so (`wall_clock_duration`).",
        "- An offset that its zone never has at that time is refused at the door.",
        f"- A wall time that never was, since clocks went forward over it, "
        f"{_NONEXISTENT[policy.nonexistent]}.",
        "- A wall time that happens twice, since clocks went back, "
        f"{_AMBIGUOUS[policy.ambiguous]}.",
        f"- Work counts on {_WORK_DAYS[policy.work_day]}.",
        f"- Work over midnight {_SPLITS[policy.split_at]}.",
        "- Payroll counts the worker's own days, cut at midnight; its export says which.",
        f"- The rules of zones are those of tzdata {facts.tzdata}; each charge names the version "
        "that it was made under. Newer rules change nothing by themselves: "
        "`hourbridge time renormalise` lists what they would change.",
        f"- People read dates, times and money as {policy.locale} writes them.",
        "",
    ]


def _zones(facts: Gathered) -> list[str]:
    rows = ((who, zone) for who, zone in _named(facts))
    return ["## Zones", "", *table(("whose", "zone"), rows, "")]


def _named(facts: Gathered) -> Iterator[tuple[str, str]]:
    book = facts.book
    yield "company", book.zone
    for source in book.sources:
        if source.zone:
            yield f"source {source.name}", source.zone
    for person in book.time.staff_zones:
        yield f"person {person.staff}", person.zone
    for client in book.clients:
        if client.zone:
            yield f"client {client.client}", client.zone
    for project in book.projects:
        if project.zone:
            yield f"project {project.project}", project.zone


def _changes(facts: Gathered) -> list[str]:
    names = sorted({zone for _, zone in _named(facts)})
    rows = [row for name in names for row in _of_year(name, facts)]
    headings = ("zone", "at", "clocks go", "wall times that", "from", "to")
    none = "No clock of these zones changes."
    return [f"## Clock changes in {facts.year}", "", *table(headings, rows, none)]


def _of_year(name: str, facts: Gathered) -> Iterator[tuple[str, ...]]:
    zone = zone_of(name)
    if zone is None:
        return
    day = datetime(facts.year, 1, 1, tzinfo=UTC)
    while day.year == facts.year:
        following = day + timedelta(days=1)
        if offset_at(day, zone) != offset_at(following, zone):
            yield _change(name, zone, _moment(day, following, zone), facts)
        day = following


def _moment(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second of the new offset."""
    old = offset_at(before, zone)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if offset_at(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _change(name: str, zone: ZoneInfo, at: datetime, facts: Gathered) -> tuple[str, ...]:
    second = timedelta(seconds=1)
    old, new = offset_at(at - second, zone), offset_at(at, zone)
    first = wall_of(at, zone)
    edges = sorted((first, first + (old - new)))
    is_forward = new > old
    shown = facts.display
    return (
        name,
        shown.instant(at),
        f"{'forward' if is_forward else 'back'} by {_minutes(abs(new - old))} min",
        "never are" if is_forward else "happen twice",
        *(f"{edge:%Y-%m-%d %H:%M}" for edge in edges),
    )


def _minutes(delta: timedelta) -> int:
    return int(delta.total_seconds()) // 60
