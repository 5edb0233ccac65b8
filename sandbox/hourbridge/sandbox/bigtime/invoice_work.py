"""What happens to invoices: composed, edited, numbered, sent, posted, paid, voided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.bigtime import expense_work, invoice_lines
from hourbridge.sandbox.bigtime.expense_book import Expense
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.picklists import CALCULATORS, INVOICE_STATUSES
from hourbridge.sandbox.bigtime.rating import apply_rates
from hourbridge.sandbox.bigtime.refusals import invalid, not_found
from hourbridge.sandbox.bigtime.time_book import TimeEntry
from hourbridge.sandbox.bigtime.time_work import is_no_charge
from hourbridge.sandbox.bigtime.values import ZERO, Kind, Row, cents, lowered, read

DRAFT, FINAL, SENT, PAID, VOID = range(1, 6)
NOT_POSTED, POSTED, POST_FAILED = range(3)
_FIRST_SID = 3001
_HEADER: dict[str, Kind] = {
    "InvoiceNbr": "text",
    "InvoiceDt": "day",
    "InvoiceDtSt": "day",
    "InvoiceDtEnd": "day",
    "InvoiceDtDue": "day",
    "Note1": "text",
    "Note2": "text",
    "PONumber": "text",
    "ARAcctSid": "id",
    "SalesTaxSid": "id",
    "TermsSid": "id",
    "BillingContactId": "id",
}
_LINE: dict[str, Kind] = {
    "Nm": "text",
    "Nt": "text",
    "AcctSid": "id",
    "QBClassSid": "id",
    "IsTaxable": "flag",
    "Quantity": "number",
    "Rate": "number",
    "Amt": "number",
    "SalesTaxSid": "id",
}


def need(firm: Firm, sid: int) -> Row:
    """Return an invoice; raises the refusal 404."""
    invoice = firm.invoices.get(sid)
    if invoice is None:
        raise not_found(f"Invoice {sid}")
    return invoice


def create(firm: Firm, body: Mapping[str, Any]) -> Row:
    """Compose a draft for a project by a calculator.

    Rates are applied to all unbilled time of the project first; then the entries are locked.
    """
    given = lowered(body)
    project = firm.need("projects", read(given.get("projectsid"), "id", "ProjectSid"))
    calculator = read(given.get("invoicetype"), "id", "InvoiceType")
    if calculator not in CALCULATORS:
        raise invalid(f"There is no invoice type {calculator}.")
    last = read(given.get("enddt"), "day", "EndDt") or "9999-12-31"
    time, expenses = _unbilled(firm, project["SystemId"], last)
    if not time and not expenses and calculator != invoice_lines.FIXED_FEE:
        raise invalid("There is nothing to invoice.")
    for entry in time:
        apply_rates(firm, entry)
    sid = firm.next_id("invoices", _FIRST_SID)
    lines = invoice_lines.compose(firm, project, calculator, time, expenses)
    invoice = _new_invoice(firm, sid, project, calculator, time, expenses)
    invoice["Lines"] = [
        {**row, "LineNbr": number, "InvoiceSid": sid, "ProjectSid": project["SystemId"]}
        for number, row in enumerate(lines, start=1)
    ]
    for entry in time:
        entry.invoiced_no_charge = is_no_charge(firm, entry)
        entry.invoice = sid
    for expense in expenses:
        expense.cost_bill = expense_work.cost_bill(firm, expense)
        expense.invoice = sid
    firm.invoices[sid] = _totalled(firm, invoice)
    return firm.invoices[sid]


def edit(firm: Firm, invoice: Row, body: Mapping[str, Any]) -> Row:
    """Change header, lines and states; sent invoices take new states only."""
    given = lowered(body)
    changes = {
        name: read(given[name.lower()], kind, name)
        for name, kind in _HEADER.items()
        if name.lower() in given
    }
    lines = given.get("lines")
    if (changes or lines) and invoice["Status"] >= SENT:
        raise invalid("This invoice was sent and cannot be edited.")
    invoice.update(changes)
    if "TermsSid" in changes and "InvoiceDtDue" not in changes:
        invoice["InvoiceDtDue"] = _due(firm, invoice)
    if lines is not None:
        _edit_lines(firm, invoice, lines)
    if given.get("postedstatus") is not None and firm.switches.posted_status_writable:
        invoice["PostedStatus"] = read(given["postedstatus"], "id", "PostedStatus")
    if given.get("status") is not None:
        set_status(firm, invoice, read(given["status"], "id", "Status"))
    return _totalled(firm, invoice)


def set_status(firm: Firm, invoice: Row, status: int) -> None:
    """Take an invoice to a status: final ones get a number, void ones release their work."""
    if status not in INVOICE_STATUSES:
        raise invalid(f"There is no invoice status {status}.")
    if status in (FINAL, SENT) and not invoice["InvoiceNbr"]:
        invoice["InvoiceNbr"] = str(firm.settings.next_invoice_number)
        firm.settings.next_invoice_number += 1
    if status == SENT:
        invoice["InvoiceDtSent"] = firm.today()
    if status == VOID:
        release(firm, invoice)
    invoice["Status"] = status


def release(firm: Firm, invoice: Row) -> None:
    """Make the time and the expenses of an invoice unbilled again."""
    for entry in firm.time:
        if entry.invoice == invoice["Sid"]:
            entry.invoice, entry.invoiced_no_charge = 0, None
    for expense in firm.expenses.values():
        if expense.invoice == invoice["Sid"]:
            expense.invoice = 0
            expense_work.reckon(firm, expense)


def delete(firm: Firm, invoice: Row) -> None:
    """Delete a draft as somebody in BigTime would; its work is unbilled again."""
    if invoice["Status"] >= SENT:
        raise invalid("A sent invoice cannot be deleted.")
    release(firm, invoice)
    del firm.invoices[invoice["Sid"]]


def pay(firm: Firm, invoice: Row, amount: Decimal, day: str | None) -> Row:
    """Set what was paid in all; a full payment makes the invoice paid."""
    invoice["PaidAmt"] = cents(amount)
    invoice["PaidDt"] = day or firm.today()
    if invoice["PaidAmt"] >= invoice["TotalAmt"]:
        invoice["Status"] = PAID
    elif invoice["Status"] == PAID:
        invoice["Status"] = SENT
    return invoice


def _unbilled(firm: Firm, project: int, last: str) -> tuple[list[TimeEntry], list[Expense]]:
    states = ("approved",) if firm.settings.approved_only else ("submitted", "partly", "approved")
    time = [
        entry
        for entry in firm.time.of_project(project, "0001-01-01", last)
        if entry.submitted and not entry.invoice and entry.state in states
    ]
    expenses = [
        expense
        for expense in firm.expenses.values()
        if expense.project == project
        and expense.dt <= last
        and expense.submitted
        and not expense.invoice
        and expense.state in states
        and not expense.no_charge
    ]
    return time, expenses


def _new_invoice(
    firm: Firm,
    sid: int,
    project: Row,
    calculator: int,
    time: list[TimeEntry],
    expenses: list[Expense],
) -> Row:
    days = sorted([entry.dt for entry in time] + [expense.dt for expense in expenses])
    client = firm.row("clients", project["ClientId"]) or {}
    name = client.get("Nm")
    invoice: Row = {
        "Sid": sid,
        "ClientSid": project["ClientId"],
        "ProjectSid": project["SystemId"],
        "ClientNm": name,
        "DName": f"{name}:{project['Nm']}",
        "BillingContactId": client.get("BillingContactId", 0),
        "Calculator": calculator,
        "InvoiceNbr": None,
        "InvoiceDt": firm.today(),
        "InvoiceDtSt": days[0] if days else None,
        "InvoiceDtEnd": days[-1] if days else None,
        "InvoiceDtSent": None,
        "PaidAmt": ZERO,
        "PaidDt": None,
        "Note1": project["InvoiceNotes"],
        "Note2": None,
        "PONumber": None,
        "Status": DRAFT,
        "ARAcctSid": firm.settings.ar_account_id,
        "SalesTaxSid": 0,
        "TermsSid": project["DefaultInvoiceTermSid"],
        "PostedStatus": NOT_POSTED,
        "BillingAddress": client.get("BillAddress") or client.get("Address"),
        "FirmAddress": firm.name,
    }
    return invoice | {"InvoiceDtDue": _due(firm, invoice)}


def _due(firm: Firm, invoice: Row) -> str:
    terms = firm.row("terms", invoice["TermsSid"]) or {}
    due = date.fromisoformat(invoice["InvoiceDt"]) + timedelta(days=int(terms.get("Days") or 0))
    return due.isoformat()


def _edit_lines(firm: Firm, invoice: Row, given_lines: Any) -> None:
    """Change lines by LineNbr, take away those with IsDeleted, add those without a number."""
    lines = {row["LineNbr"]: row for row in invoice["Lines"]}
    for given in map(lowered, read(given_lines, "rows", "Lines") or []):
        number = read(given.get("linenbr"), "id", "LineNbr")
        if number and number not in lines:
            raise invalid(f"There is no line {number}.")
        if read(given.get("isdeleted"), "flag", "IsDeleted"):
            lines.pop(number, None)
            continue
        if not number:
            number = max(lines, default=0) + 1
            new = invoice_lines.line(invoice_lines.FIXED, None)
            keys = {"LineNbr": number, "InvoiceSid": invoice["Sid"]}
            lines[number] = {**new, **keys, "ProjectSid": invoice["ProjectSid"]}
        _edit_line(firm, lines[number], given)
    invoice["Lines"] = list(lines.values())


def _edit_line(firm: Firm, row: Row, given: Row) -> None:
    changes = {
        name: read(given[name.lower()], kind, name)
        for name, kind in _LINE.items()
        if name.lower() in given
    }
    row.update(changes)
    if "Amt" not in changes and ("Quantity" in changes or "Rate" in changes):
        row["Amt"] = row["Quantity"] * row["Rate"]
    row["Amt"] = cents(row["Amt"])
    row["IsCredit"] = row["Amt"] < ZERO
    row["AcctSidNm"] = firm.name_of("qb_accounts", row["AcctSid"], "Name")
    row["QBClassNm"] = firm.name_of("qb_classes", row["QBClassSid"], "Name")


def _totalled(firm: Firm, invoice: Row) -> Row:
    """Set subtotal, tax and total: one rate for the taxable lines, or a rate on each line."""
    for row in invoice["Lines"]:
        row["SalesTaxNm"] = firm.name_of("tax_rates", row["SalesTaxSid"], "Name")
        row["SalesTaxAmt"] = _tax(firm, row["SalesTaxSid"], row["Amt"])
    taxable = sum((row["Amt"] for row in invoice["Lines"] if row["IsTaxable"]), ZERO)
    of_lines = sum((row["SalesTaxAmt"] for row in invoice["Lines"]), ZERO)
    invoice["Subtotal"] = sum((row["Amt"] for row in invoice["Lines"]), ZERO)
    invoice["SalesTaxAmt"] = _tax(firm, invoice["SalesTaxSid"], taxable) + of_lines
    invoice["TotalAmt"] = invoice["Subtotal"] + invoice["SalesTaxAmt"]
    invoice["InvoiceAmt"] = invoice["TotalAmt"]
    return invoice


def _tax(firm: Firm, rate_sid: int, amount: Decimal) -> Decimal:
    rate = firm.row("tax_rates", rate_sid)
    return ZERO if rate is None else cents(amount * Decimal(rate["Rate"]) / 100)
