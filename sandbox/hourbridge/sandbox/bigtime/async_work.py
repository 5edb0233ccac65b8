"""Asynchronous transactions: accepted at once, told by a ticket that has to be polled.

The work is done when the call is accepted; the ticket hides that for a number of polls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.bigtime import expense_work, invoice_work, time_work
from hourbridge.sandbox.bigtime.calls import Asked, Route
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.rating import apply_rates
from hourbridge.sandbox.bigtime.refusals import Refusal, invalid, not_found
from hourbridge.sandbox.bigtime.time_book import TimeEntry
from hourbridge.sandbox.bigtime.values import ZERO, Row, lowered, read

PENDING, DONE, FAILED = range(3)


def async_routes() -> list[Route]:
    """Return the routes; all are for administrators."""
    posts = [Route("POST", f"async/{name}", _starting(name), "admin") for name in _WORK]
    return [*posts, Route("GET", "async/ticket/{}", _ticket, "admin")]


def _starting(name: str) -> Callable[[Asked], Row]:
    def start(asked: Asked) -> Row:
        firm = asked.firm
        failure, firm.next_failure = firm.next_failure, None
        code, message, identity = DONE, "", firm.new_guid()
        try:
            if failure is not None:
                raise invalid(failure)
            message = _WORK[name](firm, lowered(asked.fields()))
        except Refusal as refusal:
            code, message = FAILED, refusal.message
        ticket = {
            "txnId": identity,
            "action": name,
            "code": code,
            "message": message,
            "polls_left": firm.switches.ticket_polls,
        }
        firm.tickets[identity] = ticket
        return {"txnId": identity, "resultCode": PENDING, "resultMsg": None}

    return start


def _ticket(asked: Asked) -> Row:
    ticket = asked.firm.tickets.get(asked.parts[0].lower())
    if ticket is None:
        raise not_found(f"Ticket {asked.parts[0]}")
    if ticket["polls_left"] > 0:
        ticket["polls_left"] -= 1
        return {"txnId": ticket["txnId"], "resultCode": PENDING, "resultMsg": None}
    return {
        "txnId": ticket["txnId"],
        "resultCode": ticket["code"],
        "resultMsg": ticket["message"],
    }


def _entries(firm: Firm, given: Mapping[str, Any]) -> list[TimeEntry]:
    staff = read(given.get("staffsid"), "id", "StaffSid")
    project = read(given.get("projectsid"), "id", "ProjectSid")
    first = read(given.get("startdt"), "day", "StartDt") or "0001-01-01"
    last = read(given.get("enddt"), "day", "EndDt") or "9999-12-31"
    if not staff and not project:
        raise invalid("StaffSid or ProjectSid required.")
    if staff:
        entries = firm.time.of_staffer(staff, first, last)
        return [entry for entry in entries if project in (0, entry.project)]
    return firm.time.of_project(project, first, last)


def _submit_time(firm: Firm, given: Row) -> str:
    return f"{len(time_work.submit(firm, _entries(firm, given)))} entries submitted"


def _resubmit_time(firm: Firm, given: Row) -> str:
    """Apply rates again to submitted, unbilled time."""
    changed = [apply_rates(firm, each) for each in _entries(firm, given) if each.submitted]
    return f"{sum(changed)} entries changed"


def _post_timesheet(firm: Firm, given: Row) -> str:
    """Send submitted time to the ledger; nothing prevents sending it twice."""
    states = ("approved",) if firm.settings.approved_only else ("submitted", "partly", "approved")
    chosen = [entry for entry in _entries(firm, given) if entry.state in states]
    if not chosen:
        raise invalid("There is no time to post.")
    hours = sum((entry.hours_in for entry in chosen), ZERO)
    return _post(firm, "time", [entry.sid for entry in chosen], hours)


def _post_expense_report(firm: Firm, given: Row) -> str:
    sid = read(given.get("rptsid"), "id", "RptSid")
    report = firm.expense_reports.get(sid)
    if report is None:
        raise not_found(f"Expense report {sid}")
    chosen = [each for each in firm.expenses.values() if each.report == sid]
    report["StatusId"] = expense_work.POSTED
    total = sum((each.cost_payable for each in chosen), ZERO)
    return _post(firm, "expense", [each.sid for each in chosen], total)


def _post_invoice(firm: Firm, given: Row) -> str:
    invoice = invoice_work.need(firm, read(given.get("invoicesid"), "id", "InvoiceSid"))
    if invoice["Status"] not in (invoice_work.FINAL, invoice_work.SENT, invoice_work.PAID):
        invoice["PostedStatus"] = invoice_work.POST_FAILED
        raise invalid("Only final invoices can be posted.")
    invoice["PostedStatus"] = invoice_work.POSTED
    return _post(firm, "invoice", [invoice["Sid"]], invoice["TotalAmt"])


def _post(firm: Firm, kind: str, sids: Iterable[int], total: Decimal) -> str:
    number = len(firm.posted) + 1
    document = {"number": number, "kind": kind, "sids": list(sids), "total": total}
    firm.posted.append(document | {"at": firm.stamp()})
    return f"Document {number} was created"


def _submit_expenses(firm: Firm, given: Row) -> str:
    staff = read(given.get("staffsid"), "id", "StaffSid")
    report = expense_work.submit(firm, staff, read(given.get("rptnm"), "text", "RptNm"))
    return f"Report {report['SID']} was submitted"


def _resubmit_expense_report(firm: Firm, given: Row) -> str:
    sid = read(given.get("rptsid"), "id", "RptSid")
    chosen = [each for each in firm.expenses.values() if each.report == sid and not each.invoice]
    for expense in chosen:
        expense_work.reckon(firm, expense)
    return f"{len(chosen)} expenses reckoned again"


def _import_nothing(_firm: Firm, _given: Row) -> str:
    return "0 records imported"


_WORK: dict[str, Callable[[Firm, Row], str]] = {
    "submittimesheet": _submit_time,
    "submittimesheetsigned": _submit_time,
    "submitexpenses": _submit_expenses,
    "resubmittime": _resubmit_time,
    "resubmitalltimebystaffer": _resubmit_time,
    "resubmitexpensereport": _resubmit_expense_report,
    "posttimesheet": _post_timesheet,
    "postexpensereport": _post_expense_report,
    "postinvoice": _post_invoice,
    "importqbtime": _import_nothing,
    "importqbinvoices": _import_nothing,
}
