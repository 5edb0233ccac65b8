"""The routes of expenses, their reports and receipts."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any

from hourbridge.sandbox.bigtime import expense_work
from hourbridge.sandbox.bigtime.calls import Answer, Asked, Route
from hourbridge.sandbox.bigtime.expense_book import Expense
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.picklists import REPORT_STATUSES
from hourbridge.sandbox.bigtime.refusals import forbidden, invalid, not_found
from hourbridge.sandbox.bigtime.time_book import STATE_NAMES
from hourbridge.sandbox.bigtime.time_views import source_name
from hourbridge.sandbox.bigtime.values import Row, lowered, read

_CONTENT_TYPE = re.compile(r"[a-zA-Z0-9.+-]+/[a-zA-Z0-9.+-]+")
_RECEIPT_BYTES_MAX = 10_000_000


def expense_view(
    firm: Firm, expense: Expense, *, detailed: bool, approval: bool | None = None
) -> Row:
    """Return one expense; the approval is shown in Detailed unless said otherwise."""
    project = firm.row("projects", expense.project) or {}
    client = project.get("ClientId", 0)
    receipts = [sid for sid, row in firm.receipts.items() if row["ExpenseSid"] == expense.sid]
    shown = {
        "SID": expense.sid,
        "RptSID": expense.report,
        "IsSubmitted": expense.submitted,
        "StaffSID": expense.staff,
        "SourceNm": source_name(firm.row("staff", expense.staff) or {}),
        "Dt": expense.dt,
        "ClientSID": client,
        "ClientNm": firm.name_of("clients", client),
        "ProjectSID": expense.project,
        "ProjectNm": project.get("Nm"),
        "TaskSID": expense.task,
        "TaskNm": firm.name_of("tasks", expense.task, "TaskNm"),
        "CatSID": expense.category,
        "CatNm": firm.name_of("expense_codes", expense.category),
        "CostIN": expense.cost_in,
        "NoCharge": expense_work.is_no_charge(firm, expense),
        "PaidByCo": expense.paid_by_company,
        "CCardSid": expense.card,
        "IsVendorExpense": expense.is_vendor_expense,
        "HasReceipt": bool(receipts),
        "ExpenseReceipt": receipts,
        "Nt": expense.notes,
    }
    if detailed:
        shown |= _details(firm, expense)
    return shown | _approval(expense) if (detailed if approval is None else approval) else shown


def _details(firm: Firm, expense: Expense) -> Row:
    return {
        "CostPayable": expense.cost_payable,
        "CostBill": expense_work.cost_bill(firm, expense),
        "VendorSID": expense.vendor,
        "VendorNm": firm.name_of("vendors", expense.vendor, "Name"),
        "BillSid": expense.bill,
        "DueDate": expense.due_dt,
        "RefNbr": expense.reference,
        "IsUnit": expense.is_unit,
        "Units": expense.units,
        "UOM": expense.uom,
        "UnitRate": expense.unit_rate,
        "UnitPrice": expense.unit_price,
        "QBClass": expense.qb_class,
        "TaxRateSid": expense.tax_rate,
        "TaxAmt": expense.tax_amount,
        "RevisionNotes": expense.revision_notes,
        "InvoiceSid": expense.invoice,
        "IsInvoiced": expense.invoice != 0,
    }


def _approval(expense: Expense) -> Row:
    number, text = STATE_NAMES[expense.state]
    is_approved = expense.state == "approved"
    return {"IsApproved": is_approved, "ApprovalStatus": number, "ApprovalStatusNm": text}


def expense_routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("GET", "expense/reports", _reports),
        Route("GET", "expense/report/{}", _report),
        Route("POST", "expense/reportbyfilter", _by_filter, only_reads=True),
        Route("POST", "expense/detail", _save),
        Route("POST", "expense/detail/{}", _save),
        Route("DELETE", "expense/detail", _delete),
        Route("DELETE", "expense/detail/{}", _delete),
        Route("POST", "expense/submit", _submit),
        Route("GET", "expense/receipt", _receipts),
        Route("GET", "expense/receipt/{}", _receipt),
        Route("POST", "expense/receipt", _add_receipt),
        Route("DELETE", "expense/receipt", _delete_receipt),
        Route("DELETE", "expense/receipt/{}", _delete_receipt),
    ]


def _whose(asked: Asked) -> int:
    """Return the staffer meant: 0 is everybody, for administrators."""
    return asked.staffer(asked.number("StaffSid"))


def _reports(asked: Asked) -> list[Row]:
    staff, shows_all = _whose(asked), asked.flag("ShowAll")
    hidden = () if shows_all else (expense_work.APPROVED, expense_work.POSTED)
    return [
        {**report, "StatusNm": REPORT_STATUSES[report["StatusId"]]}
        for report in asked.firm.expense_reports.values()
        if staff in (0, report["StaffSID"]) and report["StatusId"] not in hidden
    ]


def _report(asked: Asked) -> list[Row]:
    sid, staff = asked.identity(), _whose(asked)
    if sid and sid not in asked.firm.expense_reports:
        raise not_found(f"Expense report {sid}")
    found = (
        expense
        for expense in asked.firm.expenses.values()
        if expense.report == sid
        and staff in (0, expense.staff)
        # A vendor's expense is in no report, and was never to be submitted.
        and (sid or not expense.is_vendor_expense)
    )
    return _shown(asked.firm, found, detailed=asked.is_detailed)


def _shown(firm: Firm, expenses: Iterable[Expense], *, detailed: bool) -> list[Row]:
    ordered = sorted(expenses, key=lambda expense: (expense.dt, expense.sid))
    return [expense_view(firm, expense, detailed=detailed) for expense in ordered]


def _by_filter(asked: Asked) -> list[Row]:
    given = lowered(asked.fields())
    first, last = read(given.get("mindate"), "day", "mindate"), given.get("maxdate")
    last = read(last, "day", "maxdate")
    staff, projects = _ids(given, "staffsids"), _ids(given, "projectsids")
    if not asked.caller.is_admin:
        staff = {asked.caller.staff_sid}
    detailed = str(given.get("view", "")).lower() == "detailed"
    approval = read(given.get("showapproval"), "flag", "showapproval")
    found = [
        expense
        for expense in asked.firm.expenses.values()
        if (first is None or first <= expense.dt)
        and (last is None or expense.dt <= last)
        and (not staff or expense.staff in staff)
        and (not projects or expense.project in projects)
    ]
    found.sort(key=lambda expense: (expense.dt, expense.sid))
    firm = asked.firm
    return [expense_view(firm, each, detailed=detailed, approval=approval) for each in found]


def _ids(given: Row, name: str) -> set[int]:
    value: Any = given.get(name) or []
    if not isinstance(value, list):
        raise invalid(f"{name} must be a list.")
    return {int(read(each, "id", name)) for each in value}


def _own(asked: Asked, sid: int) -> Expense:
    expense = expense_work.need(asked.firm, sid)
    if asked.staffer(expense.staff) != expense.staff:
        raise forbidden("see or change the expenses of others")
    return expense


def _save(asked: Asked) -> Row:
    body = lowered(asked.fields())
    if not asked.caller.is_admin:
        body["staffsid"] = asked.caller.staff_sid
    sid = asked.identity() or read(body.get("sid"), "id", "SID")
    if sid:
        by_admin = asked.caller.is_admin
        expense = expense_work.update(asked.firm, _own(asked, sid), body, by_admin=by_admin)
    else:
        expense = expense_work.create(asked.firm, body)
    return expense_view(asked.firm, expense, detailed=True)


def _delete(asked: Asked) -> Row:
    expense = _own(asked, asked.identity() or asked.number("SID"))
    expense_work.delete(asked.firm, expense, by_admin=asked.caller.is_admin)
    return {"Deleted": True}


def _submit(asked: Asked) -> Row:
    given = lowered(asked.fields())
    staff = asked.staffer(read(given.get("staffsid"), "id", "StaffSid"))
    name = read(given.get("rptnm"), "text", "RptNm")
    report = expense_work.submit(asked.firm, staff, name, _ids(given, "expensesids"))
    return {**report, "StatusNm": REPORT_STATUSES[report["StatusId"]]}


def _receipt_view(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "Data"}


def _receipts(asked: Asked) -> list[Row]:
    expense = _own(asked, asked.number("ExpenseSid"))
    rows = asked.firm.receipts.values()
    return [_receipt_view(row) for row in rows if row["ExpenseSid"] == expense.sid]


def _receipt_row(asked: Asked) -> Row:
    sid = asked.identity() or asked.number("ReceiptSid")
    row = asked.firm.receipts.get(sid)
    if row is None:
        raise not_found(f"Receipt {sid}")
    _own(asked, row["ExpenseSid"])
    return row


def _receipt(asked: Asked) -> Answer:
    row = _receipt_row(asked)
    name = re.sub(r"[^ -~]|[\"\\\\]", "_", row["FileName"])
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Answer(200, base64.b64decode(row["Data"]), row["ContentType"], headers)


def _add_receipt(asked: Asked) -> Row:
    given = lowered(asked.fields())
    expense = _own(asked, read(given.get("expensesid"), "id", "ExpenseSid"))
    return _receipt_view(attach(asked.firm, expense, given))


def attach(firm: Firm, expense: Expense, given: Row) -> Row:
    """Keep a receipt: FileName, ContentType and Data in base64 (names in lower case)."""
    try:
        content = base64.b64decode(given.get("data") or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise invalid("Data must be base64.") from None
    if not given.get("filename") or not 0 < len(content) <= _RECEIPT_BYTES_MAX:
        raise invalid("A receipt has a FileName and between 1 byte and 10 MB of Data.")
    content_type = str(given.get("contenttype") or "application/octet-stream")
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise invalid("ContentType must be a media type.")
    sid = firm.next_id("receipts")
    firm.receipts[sid] = {
        "ReceiptSid": sid,
        "ExpenseSid": expense.sid,
        "FileName": str(given["filename"]),
        "ContentType": content_type,
        "Size": len(content),
        "Data": base64.b64encode(content).decode(),
    }
    return firm.receipts[sid]


def _delete_receipt(asked: Asked) -> Row:
    row = _receipt_row(asked)
    del asked.firm.receipts[row["ReceiptSid"]]
    return {"Deleted": True}
