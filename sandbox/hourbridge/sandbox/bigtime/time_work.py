"""What happens to time entries: written, submitted, approved, rejected, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.rating import apply_rates
from hourbridge.sandbox.bigtime.refusals import forbidden, invalid, not_found
from hourbridge.sandbox.bigtime.time_book import TimeEntry
from hourbridge.sandbox.bigtime.values import ZERO, Kind, lowered, read, to_minutes

_FIRST_SID = 90_001
_HOURS_MAX = Decimal(24)
_FIELDS: dict[str, tuple[str, Kind]] = {
    "Dt": ("dt", "day"),
    "ProjectSID": ("project", "id"),
    "StaffSID": ("staff", "id"),
    "BudgCatID": ("labor", "id"),
    "TaskSID": ("task", "id"),
    "Notes": ("notes", "text"),
    "NoCharge": ("no_charge", "flag"),
    "QBClass": ("qb_class", "id"),
    "PayrollItem": ("payroll_item", "id"),
    "BillingRateLocked": ("rate_locked", "flag"),
}
_REQUIRED = ("Dt", "ProjectSID", "StaffSID", "BudgCatID", "Hours_IN")


def need(firm: Firm, sid: int) -> TimeEntry:
    """Return an entry by its present id; raises the refusal 404 for an earlier one too."""
    entry = firm.time.get(sid)
    if entry is None:
        raise not_found(f"Time entry {sid}")
    return entry


def create(firm: Firm, body: Mapping[str, Any], *, submitted: bool = False) -> TimeEntry:
    """Enter time; its id is negative until it is submitted."""
    given = lowered(body)
    missing = [name for name in _REQUIRED if given.get(name.lower()) in (None, "", 0)]
    if missing:
        raise invalid(f"{', '.join(missing)} required.")
    values = _values(given)
    _check_references(firm, values)
    _check_open(firm, values["dt"])
    now = firm.milliseconds()
    entry = TimeEntry(
        sid=-firm.next_id("time", _FIRST_SID),
        hours_in=ZERO,
        hours_billable=ZERO,
        created=now,
        modified=now,
        **values,
    )
    _set_hours(firm, entry, given)
    if firm.switches.rates_before_submission == "applied":
        apply_rates(firm, entry)
    firm.time.add(entry)
    return submit(firm, [entry])[0] if submitted else entry


def update(
    firm: Firm, entry: TimeEntry, body: Mapping[str, Any], *, by_admin: bool = True
) -> TimeEntry:
    """Change an entry in place; submitted ones only an administrator can change."""
    _check_may_change(firm, entry, by_admin=by_admin)
    given = lowered(body)
    values = _values(given)
    _check_references(firm, values)
    _check_open(firm, values.get("dt") or entry.dt)
    firm.time.remove(entry)
    for name, value in values.items():
        setattr(entry, name, value)
    _set_hours(firm, entry, given)
    if by_admin and given.get("billrate") is not None and values.get("rate_locked"):
        entry.bill_rate = read(given["billrate"], "number", "BillRate")
    elif entry.submitted:
        apply_rates(firm, entry)
    entry.modified = firm.milliseconds()
    return firm.time.add(entry)


def delete(firm: Firm, entry: TimeEntry, *, by_admin: bool = True) -> None:
    """Delete an entry; nothing of it remains."""
    _check_may_change(firm, entry, by_admin=by_admin)
    firm.time.remove(entry)


def submit(firm: Firm, entries: Iterable[TimeEntry]) -> list[TimeEntry]:
    """Submit entries: each gets a new, positive id, and rates are applied."""
    submitted = []
    for entry in entries:
        if entry.submitted:
            continue
        _check_open(firm, entry.dt)
        _renumber(firm, entry, firm.next_id("time", _FIRST_SID))
        entry.submitted, entry.levels = True, 0
        entry.state = "approved" if firm.settings.approval_levels == 0 else "submitted"
        apply_rates(firm, entry)
        entry.modified = firm.milliseconds()
        submitted.append(entry)
    return submitted


def approve(firm: Firm, entries: Iterable[TimeEntry], levels: int | None = None) -> int:
    """Approve submitted entries at the next level, or at so many; returns how many moved."""
    moved = 0
    needed = firm.settings.approval_levels
    for entry in entries:
        if not entry.submitted or entry.state == "approved":
            continue
        entry.levels = min(entry.levels + (levels or 1), needed)
        entry.state = "approved" if entry.levels >= needed else "partly"
        entry.modified = firm.milliseconds()
        moved += 1
    return moved


def reject(firm: Firm, entries: Iterable[TimeEntry], note: str | None = None) -> list[TimeEntry]:
    """Return entries to their staffers with a note; by default they get new, negative ids."""
    rejected = []
    for entry in entries:
        if not entry.submitted or entry.invoice:
            continue
        if firm.switches.rejection_changes_sid:
            _renumber(firm, entry, -firm.next_id("time", _FIRST_SID))
        entry.submitted, entry.levels, entry.state = False, 0, "rejected"
        entry.revision_notes = note
        entry.modified = firm.milliseconds()
        rejected.append(entry)
    return rejected


def is_no_charge(firm: Firm, entry: TimeEntry) -> bool:
    """Return N/C: of the entry, its task or its project, as they stand now; any suffices."""
    if entry.invoiced_no_charge is not None:
        return entry.invoiced_no_charge
    project, task = firm.row("projects", entry.project), firm.row("tasks", entry.task)
    of_project = bool(project and project["IsNoCharge"])
    return entry.no_charge or of_project or bool(task and task["NoCharge"])


def hours_billable(firm: Firm, entry: TimeEntry) -> Decimal:
    """Return the hours to charge: none when nothing is charged."""
    return ZERO if is_no_charge(firm, entry) else entry.hours_billable


def _renumber(firm: Firm, entry: TimeEntry, sid: int) -> None:
    firm.time.remove(entry)
    entry.former = ",".join(filter(None, (entry.former, str(entry.sid))))
    entry.sid = sid
    firm.time.add(entry)


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        attribute: read(given[name.lower()], kind, name)
        for name, (attribute, kind) in _FIELDS.items()
        if name.lower() in given
    }
    if "dt" in values and values["dt"] is None:
        raise invalid("Dt required.")
    return values


def _set_hours(firm: Firm, entry: TimeEntry, given: Mapping[str, Any]) -> None:
    settings = firm.settings
    if "hours_in" in given:
        entered = read(given["hours_in"], "number", "Hours_IN")
        if not ZERO < entered <= _HOURS_MAX:
            raise invalid("Hours_IN must be above 0 and at most 24.")
        step = settings.entry_rounding_minutes
        entry.hours_in = to_minutes(entered, step, up=settings.rounds_up)
    if given.get("hoursbillable") is not None:
        entry.hours_billable = read(given["hoursbillable"], "number", "HoursBillable")
    elif "hours_in" in given:
        step = settings.billable_rounding_minutes
        entry.hours_billable = to_minutes(entry.hours_in, step, up=settings.rounds_up)


def _check_references(firm: Firm, values: Mapping[str, Any]) -> None:
    for name, table in (("project", "projects"), ("staff", "staff"), ("labor", "labor_codes")):
        row = firm.row(table, values[name]) if name in values else {}
        if row is None or row.get("IsInactive"):
            raise invalid(f"The {name} {values[name]} does not exist or is inactive.")
    if values.get("task") and firm.row("tasks", values["task"]) is None:
        raise invalid(f"The task {values['task']} does not exist.")


def _check_open(firm: Firm, day: str) -> None:
    if firm.settings.lock_dt and day <= firm.settings.lock_dt:
        raise invalid(f"Time on or before {firm.settings.lock_dt} is locked.")


def _check_may_change(firm: Firm, entry: TimeEntry, *, by_admin: bool) -> None:
    if entry.submitted and not by_admin:
        raise forbidden("change submitted time")
    if entry.invoice:
        raise invalid("This entry is on an invoice and cannot be changed.")
    _check_open(firm, entry.dt)
