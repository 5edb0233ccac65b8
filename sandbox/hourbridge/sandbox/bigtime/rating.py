"""Billing and cost rates: the base rate of a project and the custom rates above it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.time_book import TimeEntry
from hourbridge.sandbox.bigtime.values import ZERO, Row, cents

STAFF_STYLES = range(1, 6)
"""BillingRate 1 to 5: Rate1 to Rate5 of the staffer."""
LABOR_STYLES = range(6, 11)
"""BillingRate 6 to 10: Rate1 to Rate5 of the labor code."""
FLAT_STYLE = 11
"""BillingRate 11: the project's BasicRate."""


def billing_rate(firm: Firm, entry: TimeEntry) -> Decimal:
    """Return what an hour of the entry is charged at now."""
    custom = _custom_rate(firm, firm.rows("rates"), entry)
    if custom is not None:
        return custom
    return _base_rate(firm, entry)


def cost_rate(firm: Firm, entry: TimeEntry) -> Decimal:
    """Return what an hour of the entry costs: a custom cost rate, else the staffer's own."""
    custom = _custom_rate(firm, firm.rows("cost_rates"), entry)
    if custom is not None:
        return custom
    staff = firm.row("staff", entry.staff)
    return ZERO if staff is None else Decimal(staff["CostFactor"])


def apply_rates(firm: Firm, entry: TimeEntry) -> bool:
    """Set an entry's rates as they are now; returns whether anything changed.

    Locked and invoiced entries, and those before the firm's rate lock date, keep theirs.
    """
    locked_until = firm.settings.rate_lock_dt
    if entry.rate_locked or entry.invoice or (locked_until and entry.dt <= locked_until):
        return False
    found = billing_rate(firm, entry), cost_rate(firm, entry)
    if found == (entry.bill_rate, entry.cost_rate):
        return False
    entry.bill_rate, entry.cost_rate = found
    if firm.switches.entries_show_modified_on_rate_change:
        entry.modified = firm.milliseconds()
    return True


def charge(entry: TimeEntry, hours_billable: Decimal) -> Decimal:
    """Return the amount of an entry."""
    return cents(entry.bill_rate * hours_billable)


def _custom_rate(firm: Firm, rows: Iterable[Row], entry: TimeEntry) -> Decimal | None:
    keys = {"staff": entry.staff, "task": entry.task, "labor": entry.labor}
    matching = {}
    for row in rows:
        if row["ProjectSid"] != entry.project:
            continue
        named = {"staff": row["StaffSid"], "task": row["TaskSid"], "labor": row["LaborCodeSid"]}
        scope = {name: value for name, value in named.items() if value}
        if scope and all(keys[name] == value for name, value in scope.items()):
            matching[frozenset(scope)] = Decimal(row["RateValue"])
    for pattern in firm.settings.rate_priority:
        found = matching.get(frozenset(pattern.split("+")))
        if found is not None:
            return found
    return None


def _base_rate(firm: Firm, entry: TimeEntry) -> Decimal:
    project = firm.row("projects", entry.project)
    style = project["BillingRate"] if project else 0
    if style == FLAT_STYLE and project:
        return Decimal(project["BasicRate"])
    if style in LABOR_STYLES:
        row, number = firm.row("labor_codes", entry.labor), style - LABOR_STYLES.start + 1
    else:
        row, number = firm.row("staff", entry.staff), style if style in STAFF_STYLES else 1
    return ZERO if row is None else Decimal(row[f"Rate{number}"])
