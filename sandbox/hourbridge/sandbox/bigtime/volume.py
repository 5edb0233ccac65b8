"""A large firm: a given number of entries over years, the same in every run."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from hourbridge.sandbox.bigtime.firm import SHAPES, Firm
from hourbridge.sandbox.bigtime.rating import charge, cost_rate
from hourbridge.sandbox.bigtime.time_book import TimeEntry
from hourbridge.sandbox.bigtime.values import Row

_QUARTER = Decimal("0.25")
_MILLISECONDS = 1000
_NOTES = ("Design", "Review", "Call", "Workshop", "Reporting", "Fixes", "Planning", None)


def fill_volume(
    firm: Firm,
    *,
    entries: int = 100_000,
    staff: int = 40,
    clients: int = 25,
    first: str = "2023-11-01",
    last: str = "2026-10-31",
    seed: int = 1,
) -> None:
    """Fill the firm with so many approved entries on working days of the span.

    Everything follows from ``seed``: two runs give equal books, ids included.
    """
    drawn = random.Random(seed)
    people = [_add(firm, "staff", _staffer(number)) for number in range(1, staff + 1)]
    codes = [_add(firm, "labor_codes", {"Nm": f"Work {n}"}) for n in range(1, 9)]
    projects = []
    for number in range(1, clients + 1):
        client = _add(firm, "clients", {"Nm": f"Client {number:03}"})
        for part in ("A", "B"):
            name = {"Nm": f"Project {number:03}{part}", "ClientId": client, "BillingRate": 1}
            projects.append(_add(firm, "projects", name))
    days = working_days(date.fromisoformat(first), date.fromisoformat(last))
    start = round(firm.clock.now().timestamp()) * _MILLISECONDS
    for number in range(entries):
        day = days[number * len(days) // entries]
        hours = _QUARTER * drawn.randint(1, 32)
        entry = TimeEntry(
            sid=firm.next_id("time", 90_001),
            dt=day,
            staff=people[number % len(people)],
            project=projects[drawn.randrange(len(projects))],
            labor=codes[drawn.randrange(len(codes))],
            hours_in=hours,
            hours_billable=hours,
            notes=_NOTES[drawn.randrange(len(_NOTES))],
            submitted=True,
            levels=firm.settings.approval_levels,
            state="approved",
            created=start,
            modified=start,
        )
        entry.bill_rate = Decimal(firm.need("staff", entry.staff)["Rate1"])
        entry.cost_rate = cost_rate(firm, entry)
        firm.time.add(entry)


def working_days(first: date, last: date) -> list[str]:
    """Return the days from Monday to Friday, both ends inclusive."""
    span = (last - first).days + 1
    days = (first + timedelta(days=step) for step in range(span))
    return [day.isoformat() for day in days if day.weekday() < 5]


def totals(firm: Firm) -> Row:
    """Return what a complete reading of the firm must add up to."""
    found: Row = {"entries": 0, "hours_in": Decimal(0), "charge": Decimal(0)}
    for entry in firm.time:
        found["entries"] += 1
        found["hours_in"] += entry.hours_in
        found["charge"] += charge(entry, entry.hours_billable)
    return found


def _staffer(number: int) -> Row:
    return {
        "FName": f"Person {number}",
        "SName": f"Number {number:03}",
        "EMail": f"person{number}@example.test",
        "Rate1": 100 + number,
        "CostFactor": 50 + number,
    }


def _add(firm: Firm, table: str, changes: Row) -> int:
    shape = SHAPES[table]
    return int(firm.save(table, 0, shape.changes(changes))[shape.id_field])
