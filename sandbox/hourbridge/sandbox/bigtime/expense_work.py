"""What happens to expenses: entered, submitted in reports, approved, rejected, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.bigtime.expense_book import Expense
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.refusals import forbidden, invalid, not_found
from hourbridge.sandbox.bigtime.values import ZERO, Kind, Row, cents, lowered, read

DRAFT, SUBMITTED, APPROVED, REJECTED, POSTED = range(1, 6)
_FIRST_SID = 7001
_FIRST_REPORT = 230
_FIELDS: dict[str, tuple[str, Kind]] = {
    "StaffSID": ("staff", "id"),
    "Dt": ("dt", "day"),
    "ProjectSID": ("project", "id"),
    "TaskSID": ("task", "id"),
    "CatSID": ("category", "id"),
    "CostIN": ("cost_in", "number"),
    "NoCharge": ("no_charge", "flag"),
    "PaidByCo": ("paid_by_company", "flag"),
    "CCardSid": ("card", "id"),
    "Units": ("units", "number"),
    "UnitRate": ("unit_rate", "number"),
    "UnitPrice": ("unit_price", "number"),
    "UOM": ("uom", "text"),
    "RefNbr": ("reference", "text"),
    "Nt": ("notes", "text"),
    "QBClass": ("qb_class", "id"),
    "TaxRateSid": ("tax_rate", "id"),
    "TaxAmt": ("tax_amount", "number"),
}
_VENDOR_FIELDS: dict[str, tuple[str, Kind]] = {
    "VendorSID": ("vendor", "id"),
    "BillSid": ("bill", "id"),
    "DueDate": ("due_dt", "day"),
}
_REQUIRED = ("StaffSID", "ProjectSID", "CatSID", "Dt")


def need(firm: Firm, sid: int) -> Expense:
    """Return an expense; raises the refusal 404."""
    expense = firm.expenses.get(sid)
    if expense is None:
        raise not_found(f"Expense {sid}")
    return expense


def create(firm: Firm, body: Mapping[str, Any]) -> Expense:
    """Enter an expense; vendor expenses cannot be entered, only imported."""
    given = lowered(body)
    if read(given.get("isvendorexpense"), "flag", "IsVendorExpense"):
        raise invalid("Vendor expenses originate in the accounting package.")
    return _add(firm, given, _FIELDS)


def import_vendor_expense(firm: Firm, body: Mapping[str, Any]) -> Expense:
    """Take over a vendor's bill line from the accounting package: nobody is owed it."""
    expense = _add(firm, lowered(body), _FIELDS | _VENDOR_FIELDS)
    expense.is_vendor_expense, expense.submitted = True, True
    expense.state = "approved"
    reckon(firm, expense)
    return expense


def update(
    firm: Firm, expense: Expense, body: Mapping[str, Any], *, by_admin: bool = True
) -> Expense:
    """Change an expense; submitted ones only an administrator can change."""
    _check_may_change(firm, expense, by_admin=by_admin)
    if expense.is_vendor_expense:
        raise invalid("Vendor expenses are changed in the accounting package.")
    for name, value in _values(lowered(body), _FIELDS).items():
        setattr(expense, name, value)
    _check_references(firm, expense)
    reckon(firm, expense)
    expense.modified = firm.milliseconds()
    return expense


def delete(firm: Firm, expense: Expense, *, by_admin: bool = True) -> None:
    """Delete an expense and its receipts."""
    _check_may_change(firm, expense, by_admin=by_admin)
    del firm.expenses[expense.sid]
    for sid in [sid for sid, row in firm.receipts.items() if row["ExpenseSid"] == expense.sid]:
        del firm.receipts[sid]


def submit(firm: Firm, staff: int, name: str | None, sids: Iterable[int] = ()) -> Row:
    """Put a staffer's open expenses, or those named, into a new report and return it."""
    chosen = set(sids)
    expenses = [
        expense
        for expense in firm.expenses.values()
        if expense.staff == staff
        and not expense.submitted
        and (not chosen or expense.sid in chosen)
    ]
    if not expenses:
        raise invalid("There is nothing to submit.")
    sid = firm.next_id("expense reports", _FIRST_REPORT)
    is_approved = firm.settings.approval_levels == 0
    for expense in expenses:
        expense.submitted, expense.report, expense.levels = True, sid, 0
        expense.state = "approved" if is_approved else "submitted"
        reckon(firm, expense)
        expense.modified = firm.milliseconds()
    report: Row = {
        "SID": sid,
        "StaffSID": staff,
        "RptNm": name or f"Expenses {firm.today()}",
        "CreatedDt": firm.today(),
        "SubmitDt": firm.today(),
        "StatusId": APPROVED if is_approved else SUBMITTED,
    }
    firm.expense_reports[sid] = report
    return report


def approve(firm: Firm, expenses: Iterable[Expense], levels: int | None = None) -> int:
    """Approve submitted expenses at the next level, or at so many; returns how many moved."""
    moved, needed = 0, firm.settings.approval_levels
    for expense in expenses:
        if not expense.submitted or expense.state == "approved":
            continue
        expense.levels = min(expense.levels + (levels or 1), needed)
        expense.state = "approved" if expense.levels >= needed else "partly"
        expense.modified = firm.milliseconds()
        moved += 1
        _update_report(firm, expense.report)
    return moved


def reject(firm: Firm, expenses: Iterable[Expense], note: str | None = None) -> int:
    """Return expenses to their staffers, into report 0; returns how many."""
    rejected = 0
    for expense in expenses:
        if not expense.submitted or expense.invoice or expense.is_vendor_expense:
            continue
        report, expense.report = expense.report, 0
        expense.submitted, expense.levels, expense.state = False, 0, "rejected"
        expense.revision_notes = note
        expense.modified = firm.milliseconds()
        rejected += 1
        _update_report(firm, report)
    return rejected


def reckon(firm: Firm, expense: Expense) -> None:
    """Set what the employee is owed and what the client pays, from what was entered.

    Units times cost, five decimals, rounded half up to cents: 3 at 0.485 cost 1.46.
    """
    code = firm.row("expense_codes", expense.category) or {}
    card = _rate_card(firm, expense) or code
    expense.is_unit = bool(code.get("IsUnit"))
    if expense.is_unit:
        expense.uom = expense.uom or code.get("UOM")
        expense.unit_rate = expense.unit_rate or Decimal(card.get("UnitRate") or 0)
        expense.unit_price = expense.unit_price or Decimal(card.get("UnitPrice") or 0)
        expense.cost_in = cents(expense.units * expense.unit_rate)
        billed = expense.units * (expense.unit_price or expense.unit_rate)
    else:
        markup = Decimal(card.get("Markup") or 0)
        billed = expense.cost_in * (1 + markup / 100)
    expense.cost_bill = cents(billed)
    expense.cost_payable = ZERO if _is_paid_otherwise(expense, code) else expense.cost_in


def cost_bill(firm: Firm, expense: Expense) -> Decimal:
    """Return what the client pays: nothing when nothing is charged."""
    return ZERO if is_no_charge(firm, expense) else expense.cost_bill


def is_no_charge(firm: Firm, expense: Expense) -> bool:
    """Return N/C: of the expense, its task or its project, as they stand until it is invoiced."""
    if expense.invoice:
        return expense.no_charge or (expense.cost_bill == ZERO and expense.cost_in != ZERO)
    project, task = firm.row("projects", expense.project), firm.row("tasks", expense.task)
    of_project = bool(project and project["IsNoCharge"])
    return expense.no_charge or of_project or bool(task and task["NoCharge"])


def _is_paid_otherwise(expense: Expense, code: Mapping[str, Any]) -> bool:
    """Return whether the staffer is owed nothing: company or vendor money, or no money at all."""
    is_fee = bool(code.get("IsServiceFee"))
    return expense.paid_by_company or expense.card != 0 or expense.is_vendor_expense or is_fee


def _rate_card(firm: Firm, expense: Expense) -> Row | None:
    for row in firm.rows("expense_rates"):
        if (row["ProjectSid"], row["CatSID"]) == (expense.project, expense.category):
            return row
    return None


def _update_report(firm: Firm, sid: int) -> None:
    report = firm.expense_reports.get(sid)
    if report is None or report["StatusId"] == POSTED:
        return
    states = {expense.state for expense in firm.expenses.values() if expense.report == sid}
    if not states:
        report["StatusId"] = REJECTED
    elif states == {"approved"}:
        report["StatusId"] = APPROVED


def _add(firm: Firm, given: Mapping[str, Any], known: Mapping[str, tuple[str, Kind]]) -> Expense:
    missing = [name for name in _REQUIRED if given.get(name.lower()) in (None, "", 0)]
    if missing:
        raise invalid(f"{', '.join(missing)} required.")
    values = {"cost_in": ZERO, **_values(given, known)}
    now = firm.milliseconds()
    expense = Expense(sid=firm.next_id("expenses", _FIRST_SID), created=now, modified=now, **values)
    expense.currency = str(given.get("currency") or firm.currency)
    if expense.card:
        expense.paid_by_company = True
    _check_references(firm, expense)
    _check_open(firm, expense.dt)
    reckon(firm, expense)
    firm.expenses[expense.sid] = expense
    return expense


def _values(given: Mapping[str, Any], known: Mapping[str, tuple[str, Kind]]) -> dict[str, Any]:
    values = {
        attribute: read(given[name.lower()], kind, name)
        for name, (attribute, kind) in known.items()
        if name.lower() in given
    }
    if "cost_in" in values:
        values["cost_in"] = cents(values["cost_in"])
    if "dt" in values and values["dt"] is None:
        raise invalid("Dt required.")
    return values


def _check_references(firm: Firm, expense: Expense) -> None:
    named = (
        ("project", "projects", expense.project),
        ("staff member", "staff", expense.staff),
        ("expense code", "expense_codes", expense.category),
    )
    for what, table, identity in named:
        row = firm.row(table, identity)
        if row is None or row["IsInactive"]:
            raise invalid(f"The {what} {identity} does not exist or is inactive.")


def _check_open(firm: Firm, day: str) -> None:
    if firm.settings.lock_dt and day <= firm.settings.lock_dt:
        raise invalid(f"Expenses on or before {firm.settings.lock_dt} are locked.")


def _check_may_change(firm: Firm, expense: Expense, *, by_admin: bool) -> None:
    if expense.submitted and not by_admin:
        raise forbidden("change submitted expenses")
    if expense.invoice:
        raise invalid("This expense is on an invoice and cannot be changed.")
    _check_open(firm, expense.dt)
