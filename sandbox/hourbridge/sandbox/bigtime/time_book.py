"""Time entries and the ways to find them: by id, by staffer or project and day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from hourbridge.sandbox.bigtime.values import ZERO

State = Literal["open", "submitted", "partly", "approved", "rejected"]
STATE_NAMES: dict[State, tuple[int, str]] = {
    "open": (0, "Not Submitted"),
    "submitted": (1, "Submitted"),
    "partly": (2, "Partially Approved"),
    "approved": (3, "Approved"),
    "rejected": (4, "Rejected"),
}
"""The number and the text of each state; only the text is worth reading."""


@dataclass(slots=True)
class TimeEntry:
    """One entry; ``sid`` is negative until it is submitted."""

    sid: int
    dt: str
    staff: int
    project: int
    labor: int
    hours_in: Decimal
    hours_billable: Decimal
    task: int = 0
    no_charge: bool = False
    notes: str | None = None
    bill_rate: Decimal = ZERO
    cost_rate: Decimal = ZERO
    rate_locked: bool = False
    submitted: bool = False
    levels: int = 0
    """How many levels have approved it."""
    state: State = "open"
    revision_notes: str | None = None
    qb_class: int = 0
    payroll_item: int = 0
    invoice: int = 0
    invoiced_no_charge: bool | None = None
    """What N/C was when it was invoiced: flags of project and task no longer count."""
    created: int = 0
    modified: int = 0
    """Milliseconds since 1970."""
    former: str = ""
    """Earlier ids, comma-separated; only the control interface shows them."""


class TimeBook:
    """All entries of a firm."""

    def __init__(self) -> None:
        self._entries: dict[int, TimeEntry] = {}
        self._days: dict[tuple[str, int], dict[str, set[int]]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[TimeEntry]:
        return iter(list(self._entries.values()))

    def get(self, sid: int) -> TimeEntry | None:
        """Return an entry by its present id."""
        return self._entries.get(sid)

    def add(self, entry: TimeEntry) -> TimeEntry:
        """Keep an entry."""
        self._entries[entry.sid] = entry
        for key in self._keys(entry):
            self._days[key].setdefault(entry.dt, set()).add(entry.sid)
        return entry

    def remove(self, entry: TimeEntry) -> None:
        """Forget an entry; called before its id, day, staffer or project change."""
        del self._entries[entry.sid]
        for key in self._keys(entry):
            self._days[key][entry.dt].discard(entry.sid)

    def of_staffer(self, staff: int, first: str, last: str) -> list[TimeEntry]:
        """Return a staffer's entries of the days, both inclusive, in order of day and entry."""
        return self._within(("staff", staff), first, last)

    def of_project(self, project: int, first: str, last: str) -> list[TimeEntry]:
        """Return a project's entries of the days, both inclusive, in order of day and entry."""
        return self._within(("project", project), first, last)

    def dump(self) -> list[dict[str, Any]]:
        """Return all entries as JSON."""
        return [asdict(entry) for entry in self._entries.values()]

    def restore(self, rows: list[dict[str, Any]]) -> None:
        """Take entries that ``dump`` returned."""
        decimals = [field.name for field in fields(TimeEntry) if field.type == "Decimal"]
        for row in rows:
            self.add(TimeEntry(**row | {name: Decimal(row[name]) for name in decimals}))

    def _keys(self, entry: TimeEntry) -> tuple[tuple[str, int], tuple[str, int]]:
        return ("staff", entry.staff), ("project", entry.project)

    def _within(self, key: tuple[str, int], first: str, last: str) -> list[TimeEntry]:
        days = self._days.get(key, {})
        found = [self._entries[sid] for day in _days(first, last, days) for sid in days[day]]
        return sorted(found, key=lambda entry: (entry.dt, abs(entry.sid)))


def _days(first: str, last: str, known: dict[str, set[int]]) -> list[str]:
    """Return the known days of a span, walking whichever is shorter."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    count = (end - start).days + 1
    if count > len(known):
        return [day for day in known if first <= day <= last]
    days = ((start + timedelta(days=step)).isoformat() for step in range(max(count, 0)))
    return [day for day in days if day in known]
