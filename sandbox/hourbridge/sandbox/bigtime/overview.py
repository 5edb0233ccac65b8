"""A firm's books as tables for people: its lists, time by state and project, expenses, invoices."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from hourbridge.sandbox.bigtime.expense_routes import expense_view
from hourbridge.sandbox.bigtime.expense_work import cost_bill
from hourbridge.sandbox.bigtime.firm import SHAPES, Firm
from hourbridge.sandbox.bigtime.invoice_routes import invoice_view
from hourbridge.sandbox.bigtime.rating import charge
from hourbridge.sandbox.bigtime.time_book import STATE_NAMES
from hourbridge.sandbox.bigtime.time_views import entry_view
from hourbridge.sandbox.bigtime.time_work import hours_billable
from hourbridge.sandbox.bigtime.values import ZERO, Row

_POSTED = ("not posted", "posted", "failed")


def overview(firm: Firm) -> Row:
    """Return the title of the books and their tables, each with a title and rows."""
    invoiced = [row for row in firm.invoices.values() if row["Status"] != 5]
    tables = {
        "lists": _lists(firm),
        "time by state": _summed_time(firm, lambda entry: STATE_NAMES[entry.state][1], "state"),
        "time by project": _summed_time(firm, lambda entry: _project(firm, entry), "project"),
        "expenses by state": _expenses(firm),
        "invoices": [_invoice(row) for row in firm.invoices.values()],
        "sent to the ledger by its own integration": [
            {"number": row["number"], "kind": row["kind"], "total": row["total"], "at": row["at"]}
            for row in firm.posted
        ],
        "in sum": [
            {
                "time_entries": len(firm.time),
                "expenses": len(firm.expenses),
                "invoiced": sum((row["TotalAmt"] for row in invoiced), ZERO),
                "paid": sum((row["PaidAmt"] for row in invoiced), ZERO),
            }
        ],
    }
    return {
        "title": f"{firm.name} ({firm.realm}, {firm.tenant_id}), {firm.currency}, {firm.zone}",
        "tables": [{"title": title, "rows": rows} for title, rows in tables.items()],
    }


def listed(firm: Firm, name: str, limit: int = 100) -> list[Row]:
    """Return records of a list, or the latest time entries, expenses or invoices.

    Raises KeyError for an unknown name.
    """
    if name == "time":
        entries = sorted(firm.time, key=lambda entry: entry.dt, reverse=True)
        return [entry_view(firm, entry, detailed=True) for entry in entries[:limit]]
    if name == "expenses":
        return [expense_view(firm, each, detailed=True) for each in _first(firm.expenses, limit)]
    if name == "invoices":
        return [invoice_view(row, detailed=False) for row in _first(firm.invoices, limit)]
    return list(_first(firm.tables[name], limit))


def _first(rows: dict[int, Any], limit: int) -> Iterable[Any]:
    return islice(rows.values(), limit)


def _lists(firm: Firm) -> list[Row]:
    return [
        {
            "list": name.replace("_", " "),
            "records": len(firm.tables[name]),
            "inactive": sum(bool(row.get("IsInactive")) for row in firm.tables[name].values()),
        }
        for name in SHAPES
        if firm.tables[name]
    ]


def _project(firm: Firm, entry: Any) -> str:
    project = firm.row("projects", entry.project) or {}
    client = firm.name_of("clients", project.get("ClientId", 0))
    return f"{client}: {project.get('Nm')}"


def _summed_time(firm: Firm, group: Any, name: str) -> list[Row]:
    found: dict[str, Row] = {}
    for entry in firm.time:
        key = group(entry)
        empty = {name: key, "entries": 0, "hours": ZERO, "billable_hours": ZERO}
        row = found.setdefault(key, {**empty, "charge": ZERO, "of_that_invoiced": ZERO})
        billable = hours_billable(firm, entry)
        amount = charge(entry, billable)
        row["entries"] += 1
        row["hours"] += entry.hours_in
        row["billable_hours"] += billable
        row["charge"] += amount
        row["of_that_invoiced"] += amount if entry.invoice else ZERO
    return sorted(found.values(), key=lambda row: str(row[name]))


def _expenses(firm: Firm) -> list[Row]:
    found: dict[str, Row] = {}
    for expense in firm.expenses.values():
        kind = "vendor" if expense.is_vendor_expense else "company"
        paid_by = kind if expense.is_vendor_expense or expense.paid_by_company else "employee"
        state = STATE_NAMES[expense.state][1]
        empty = {"state": state, "paid_by": paid_by, "expenses": 0, "cost": ZERO}
        row = found.setdefault(f"{state} {paid_by}", {**empty, "payable": ZERO, "billable": ZERO})
        row["expenses"] += 1
        row["cost"] += expense.cost_in
        row["payable"] += expense.cost_payable
        row["billable"] += cost_bill(firm, expense)
    return [found[key] for key in sorted(found)]


def _invoice(row: Row) -> Row:
    return {
        "id": row["Sid"],
        "number": row["InvoiceNbr"],
        "date": row["InvoiceDt"],
        "for": row["DName"],
        "status": invoice_view(row, detailed=False)["StatusTxt"],
        "total": row["TotalAmt"],
        "paid": row["PaidAmt"],
        "ledger": _POSTED[row["PostedStatus"]],
    }
