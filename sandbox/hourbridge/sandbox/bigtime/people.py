"""What people do in BigTime itself: enter, edit, submit, approve and reject; rename and reprice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hourbridge.sandbox.bigtime import (
    expense_work,
    invoice_work,
    reports,
    time_work,
)
from hourbridge.sandbox.bigtime.expense_book import Expense
from hourbridge.sandbox.bigtime.expense_routes import attach, expense_view
from hourbridge.sandbox.bigtime.firm import SHAPES, Firm
from hourbridge.sandbox.bigtime.project_routes import set_custom_fields
from hourbridge.sandbox.bigtime.rating import apply_rates
from hourbridge.sandbox.bigtime.refusals import not_found
from hourbridge.sandbox.bigtime.time_book import TimeEntry
from hourbridge.sandbox.bigtime.time_views import entry_view
from hourbridge.sandbox.bigtime.values import Row, lowered, read

Body = Mapping[str, Any]
_FIRST, _LAST = "0001-01-01", "9999-12-31"


def act(firm: Firm, action: str, body: Body) -> Any:
    """Do something as somebody in the firm; raises KeyError for an unknown action."""
    return _ACTIONS[action](firm, body)


def chosen_time(firm: Firm, body: Body) -> list[TimeEntry]:
    """Return the entries named by ``sids``, or those of ``staff``, ``project`` and days.

    ``billable`` restricts them to those with or without billable hours.
    """
    if "sids" in body:
        return [time_work.need(firm, int(sid)) for sid in body["sids"]]
    first, last = body.get("first") or _FIRST, body.get("last") or _LAST
    if body.get("staff"):
        found = firm.time.of_staffer(body["staff"], first, last)
    else:
        found = [entry for entry in firm.time if first <= entry.dt <= last]
    return [
        entry
        for entry in found
        if body.get("project") in (None, entry.project)
        and body.get("billable") in (None, time_work.hours_billable(firm, entry) > 0)
    ]


def _shown(firm: Firm, entry: TimeEntry) -> Row:
    former = [int(sid) for sid in entry.former.split(",") if sid]
    return {**entry_view(firm, entry, detailed=True), "former_sids": former}


def _enter_time(firm: Firm, body: Body) -> Row:
    submitted = bool(body.get("submitted"))
    return _shown(firm, time_work.create(firm, body, submitted=submitted))


def _edit_time(firm: Firm, body: Body) -> Row:
    entry = time_work.need(firm, int(body["sid"]))
    return _shown(firm, time_work.update(firm, entry, body["changes"]))


def _delete_time(firm: Firm, body: Body) -> Row:
    for entry in chosen_time(firm, body):
        time_work.delete(firm, entry)
    return {}


def _submit_time(firm: Firm, body: Body) -> list[Row]:
    """Submit; tells the new ids in the order of the entries."""
    return [_shown(firm, entry) for entry in time_work.submit(firm, chosen_time(firm, body))]


def _approve_time(firm: Firm, body: Body) -> Row:
    return {"approved": time_work.approve(firm, chosen_time(firm, body), body.get("levels"))}


def _reject_time(firm: Firm, body: Body) -> list[Row]:
    rejected = time_work.reject(firm, chosen_time(firm, body), body.get("note"))
    return [_shown(firm, entry) for entry in rejected]


def _rerate(firm: Firm, body: Body) -> Row:
    """Apply rates again to submitted, unbilled time; DtModified stays as it is."""
    entries = [entry for entry in chosen_time(firm, body) if entry.submitted]
    return {"changed": sum(apply_rates(firm, entry) for entry in entries)}


def _save(firm: Firm, body: Body) -> Row:
    """Create or change a record of ``table``: rename, inactivate, reprice, flag N/C."""
    table = body["table"]
    changes = SHAPES[table].changes(body["changes"])
    return firm.save(table, int(body.get("id") or 0), changes)


def _remove(firm: Firm, body: Body) -> Row:
    """Take a record away although entries name it: a dangling reference."""
    if firm.tables[body["table"]].pop(int(body["id"]), None) is None:
        raise not_found(f"{body['table']} {body['id']}")
    return {}


def _set_fields(firm: Firm, body: Body) -> list[Row]:
    rows = [{"Name": name, "Value": value} for name, value in body["values"].items()]
    return set_custom_fields(firm, body["kind"], read(body["id"], "id", "id"), rows)


def _change_settings(firm: Firm, body: Body) -> Row:
    firm.settings.change(dict(body))
    return firm.settings.as_dict()


def chosen_expenses(firm: Firm, body: Body) -> list[Expense]:
    """Return the expenses named by ``sids``, or those of ``staff``, ``project``, ``report``."""
    if "sids" in body:
        return [expense_work.need(firm, int(sid)) for sid in body["sids"]]
    return [
        expense
        for expense in firm.expenses.values()
        if body.get("staff") in (None, expense.staff)
        and body.get("project") in (None, expense.project)
        and body.get("report") in (None, expense.report)
        and (body.get("first") or _FIRST) <= expense.dt <= (body.get("last") or _LAST)
    ]


def _enter_expense(firm: Firm, body: Body) -> Row:
    """Enter an expense; with ``vendor_expense`` as the import from the ledger would."""
    is_imported = body.get("vendor_expense")
    enter = expense_work.import_vendor_expense if is_imported else expense_work.create
    return expense_view(firm, enter(firm, body), detailed=True)


def _edit_expense(firm: Firm, body: Body) -> Row:
    expense = expense_work.need(firm, int(body["sid"]))
    changed = expense_work.update(firm, expense, body["changes"])
    return expense_view(firm, changed, detailed=True)


def _delete_expense(firm: Firm, body: Body) -> Row:
    for expense in chosen_expenses(firm, body):
        expense_work.delete(firm, expense)
    return {}


def _submit_expenses(firm: Firm, body: Body) -> Row:
    return expense_work.submit(firm, body["staff"], body.get("name"), body.get("sids", ()))


def _approve_expenses(firm: Firm, body: Body) -> Row:
    chosen = chosen_expenses(firm, body)
    return {"approved": expense_work.approve(firm, chosen, body.get("levels"))}


def _reject_expenses(firm: Firm, body: Body) -> Row:
    chosen = chosen_expenses(firm, body)
    return {"rejected": expense_work.reject(firm, chosen, body.get("note"))}


def _attach_receipt(firm: Firm, body: Body) -> Row:
    """Attach a receipt: ``sid`` of the expense, FileName, ContentType, Data (base64)."""
    row = attach(firm, expense_work.need(firm, int(body["sid"])), lowered(body))
    return {name: value for name, value in row.items() if name != "Data"}


def _compose_invoice(firm: Firm, body: Body) -> Row:
    """Compose a draft; with ``status`` it goes on to that one."""
    invoice = invoice_work.create(firm, body)
    return _edit_invoice(firm, {**body, "sid": invoice["Sid"]})


def _edit_invoice(firm: Firm, body: Body) -> Row:
    invoice = invoice_work.need(firm, int(body["sid"]))
    return dict(invoice_work.edit(firm, invoice, body))


def _delete_invoice(firm: Firm, body: Body) -> Row:
    invoice_work.delete(firm, invoice_work.need(firm, int(body["sid"])))
    return {}


def _pay_invoice(firm: Firm, body: Body) -> Row:
    invoice = invoice_work.need(firm, int(body["sid"]))
    amount = read(body["amount"], "number", "amount")
    return dict(invoice_work.pay(firm, invoice, amount, body.get("day")))


def _define_report(firm: Firm, body: Body) -> Row:
    return reports.define(firm, **body)


def _fail_posting(firm: Firm, body: Body) -> Row:
    """Let the next asynchronous transaction fail with a message."""
    firm.next_failure = str(body["message"])
    return {}


_ACTIONS: dict[str, Callable[[Firm, Body], Any]] = {
    "enter_time": _enter_time,
    "edit_time": _edit_time,
    "delete_time": _delete_time,
    "submit_time": _submit_time,
    "approve_time": _approve_time,
    "reject_time": _reject_time,
    "rerate": _rerate,
    "enter_expense": _enter_expense,
    "edit_expense": _edit_expense,
    "delete_expense": _delete_expense,
    "submit_expenses": _submit_expenses,
    "approve_expenses": _approve_expenses,
    "reject_expenses": _reject_expenses,
    "attach_receipt": _attach_receipt,
    "compose_invoice": _compose_invoice,
    "edit_invoice": _edit_invoice,
    "delete_invoice": _delete_invoice,
    "pay_invoice": _pay_invoice,
    "define_report": _define_report,
    "fail_posting": _fail_posting,
    "save": _save,
    "remove": _remove,
    "set_fields": _set_fields,
    "settings": _change_settings,
}
