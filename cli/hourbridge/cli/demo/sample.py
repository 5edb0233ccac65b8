"""The sample firm's timesheets: three months, four zones, and the dirt that real files have."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hourbridge.cli.demo.firm import CLIENTS, LATE_TASK, NOTES, PEOPLE, TASKS, Person

COLUMNS = (
    "external_id",
    "updated_at",
    "staff",
    "client",
    "project",
    "task",
    "date",
    "start",
    "end",
    "zone",
    "hours",
    "billable",
    "approved",
    "notes",
    "deleted",
)
FIRST_DAY, LAST_DAY = date(2026, 1, 5), date(2026, 3, 31)
EXPORTED_AT, CORRECTED_AT = "2026-04-01T06:00:00Z", "2026-04-03T06:00:00Z"


@dataclass(frozen=True)
class Row:
    """One line of the export."""

    external_id: str
    updated_at: str
    staff: str
    client: str
    project: str
    task: str
    date: str
    start: str
    end: str
    zone: str
    hours: str
    billable: str
    approved: str
    notes: str
    deleted: str = ""


@dataclass(frozen=True)
class Sample:
    """The two files, and what of them was made wrong on purpose."""

    export: list[Row]
    corrections: list[Row]
    malformed: int
    duplicated: int


def build_sample(seed: int = 2026) -> Sample:
    """Return the sample; the same seed gives the same rows."""
    chance = random.Random(seed)
    rows = list(_entries(chance))
    malformed = [_spoil(row, index) for index, row in enumerate(rows[100:1200:90])]
    duplicated = chance.sample(rows, 40)
    corrections = _corrections(chance, rows)
    return Sample([*rows, *malformed, *duplicated], corrections, len(malformed), len(duplicated))


def write_rows(rows: list[Row], path: Path) -> None:
    """Write rows as the generic CSV that `hourbridge import` documents."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([getattr(row, column) for column in COLUMNS])


def _entries(chance: random.Random) -> Iterator[Row]:
    number = 0
    day = FIRST_DAY
    while day <= LAST_DAY:
        if day.weekday() < 5:
            for person in PEOPLE:
                for row in _day(chance, person, day):
                    number += 1
                    yield replace(row, external_id=f"T{number:05}")
        day += timedelta(days=1)


def _day(chance: random.Random, person: Person, day: date) -> Iterator[Row]:
    clock = datetime(day.year, day.month, day.day, 8, 0, tzinfo=ZoneInfo(person.zone))
    clock += timedelta(minutes=chance.randrange(0, 60))
    for _ in range(chance.choices((4, 5, 6, 7), (1, 3, 4, 2))[0]):
        worked = timedelta(minutes=chance.randrange(12, 131))
        yield _row(chance, person, clock, clock + worked)
        clock += worked + timedelta(minutes=chance.randrange(0, 16))


def _row(chance: random.Random, person: Person, start: datetime, end: datetime) -> Row:
    client = chance.choice(CLIENTS)
    task = LATE_TASK if chance.random() < 0.01 else chance.choice(list(TASKS))
    minutes = (end - start).seconds // 60
    return Row(
        external_id="",
        updated_at="2026-03-31T20:00:00Z",
        staff=person.name,
        client=client.name,
        project=chance.choice(client.projects),
        task=task,
        date=start.date().isoformat(),
        start=start.strftime("%Y-%m-%d %H:%M:%S"),
        end=end.strftime("%Y-%m-%d %H:%M:%S"),
        zone=person.zone,
        hours=f"{minutes // 60}:{minutes % 60:02}:00",
        billable="no" if chance.random() < 0.08 else "yes",
        approved="no" if chance.random() < 0.02 else "yes",
        notes=chance.choice(NOTES),
    )


def _spoil(row: Row, index: int) -> Row:
    """Return a row that no importer may accept."""
    spoiled = replace(row, external_id=f"BAD{index:02}")
    kinds = (
        replace(spoiled, date="2026-02-30"),
        replace(spoiled, start=row.end, end=row.start),
        replace(spoiled, hours="minus two"),
        replace(spoiled, staff=""),
        replace(spoiled, billable="perhaps"),
    )
    return kinds[index % len(kinds)]


def _corrections(chance: random.Random, rows: list[Row]) -> list[Row]:
    """Return entries changed after they were billed: shorter, longer, deleted."""
    billed = [row for row in rows if row.billable == "yes" and row.approved == "yes"]
    picked = chance.sample([row for row in billed if row.task != LATE_TASK], 9)
    changed = []
    for index, row in enumerate(picked):
        later = replace(row, updated_at="2026-04-02T09:00:00Z")
        if index < 4:
            changed.append(_with_minutes(later, 6))
        elif index < 7:
            changed.append(_with_minutes(later, 180))
        else:
            changed.append(replace(later, deleted="yes"))
    return changed


def _with_minutes(row: Row, minutes: int) -> Row:
    start = datetime.strptime(row.start, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo(row.zone))
    end = start + timedelta(minutes=minutes)
    return replace(
        row,
        end=end.strftime("%Y-%m-%d %H:%M:%S"),
        hours=f"{minutes // 60}:{minutes % 60:02}:00",
    )
