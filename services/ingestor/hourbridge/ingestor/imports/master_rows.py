"""From a row to a record of master data or an expense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hourbridge.ingestor.imports.row_reader import RowReader
from hourbridge.ingestor.imports.time_rows import time_entry

_PAID_BY = frozenset(
    {"employee", "company_card", "company_cash", "vendor_bill", "service_fee", "unknown"}
)


def _required(row: RowReader, column: str) -> str | None:
    text = row.text(column)
    if text is None:
        row.refuse(column, "missing", "must not be empty")
    return text


def _is_active(row: RowReader) -> bool:
    if row.has("active"):
        return row.flag("active") is not False
    archived = row.text("archived")
    if archived is not None and archived[:4].isdigit():
        return False  # the time when it was archived
    return not row.flag("archived")


def _client(row: RowReader) -> dict[str, Any]:
    address = row.text("address")
    return {
        "name": _required(row, "name"),
        "code": row.text("code"),
        "currency": row.currency(),
        "is_active": _is_active(row),
        "addresses": ({"lines": tuple(address.splitlines())},) if address else (),
    }


def _project(row: RowReader) -> dict[str, Any]:
    client_id, client_name = row.thing("client")
    first, last = row.local_date("start_date"), row.local_date("end_date")
    currency = row.currency("rate", "budget_amount")
    budget = {
        "hours": row.number("budget_hours"),
        "fees": row.amount("budget_amount"),
        "currency": currency,
    }
    return {
        "name": _required(row, "name"),
        "code": row.text("code"),
        "client_id": client_id,
        "client_name": client_name,
        "start_date": first.isoformat() if first else None,
        "end_date": last.isoformat() if last else None,
        "is_non_billable": row.flag("billable") is False,
        "currency": currency,
        "budget": budget if budget["hours"] or budget["fees"] else None,
        "is_active": _is_active(row),
    }


def _work_item(row: RowReader) -> dict[str, Any]:
    return {
        "name": _required(row, "name"),
        "code": row.text("code"),
        "project_id": row.text("project_id"),
        "non_billable": row.flag("billable") is False,
        "is_active": _is_active(row),
    }


def _staff_member(row: RowReader) -> dict[str, Any]:
    return {
        "display_name": _required(row, "name"),
        "email": row.text("email"),
        "home_timezone": row.text("zone"),
        "is_active": _is_active(row),
    }


def _picklist_value(row: RowReader) -> dict[str, Any]:
    return {
        "list_name": _required(row, "list_name"),
        "name": _required(row, "name"),
        "is_active": _is_active(row),
    }


def _rate(row: RowReader) -> dict[str, Any]:
    _required(row, "rate")
    return {
        "amount": row.amount("rate"),
        "currency": row.currency("rate"),
        "staff_id": row.text("staff_id"),
        "project_id": row.text("project_id"),
        "task_id": row.text("task_id"),
        "client_id": row.text("client_id"),
    }


def _expense(row: RowReader) -> dict[str, Any]:
    staff_id, staff_name = row.person()
    client_id, client_name = row.thing("client")
    project_id, project_name = row.thing("project")
    _required(row, "date")
    _required(row, "amount")
    day, amount = row.local_date("date"), row.amount("amount")
    flag = row.flag("billable")
    paid_by = row.text("paid_by") or "unknown"
    report_id = row.text("report_id")
    return {
        "staff_id": staff_id,
        "staff_name": staff_name,
        "client_id": client_id,
        "client_name": client_name,
        "project_id": project_id,
        "project_name": project_name,
        "category_id": row.text("category"),
        "category_name": row.text("category"),
        "merchant_text": row.text("merchant"),
        "expense_date": day.isoformat() if day else None,
        "amount_in": amount,
        "is_refund": amount is not None and amount < 0,
        "tax_amount": row.amount("tax_amount"),
        "currency": row.currency("amount"),
        "original_amount": row.amount("original_amount"),
        "original_currency": row.text("original_currency"),
        "reimbursable": (row.flag("reimbursable") or False) and paid_by != "company_card",
        "payment_source": paid_by if paid_by in _PAID_BY else "unknown",
        "card_mask": row.text("card_mask"),
        "bill_number": row.text("bill_number"),
        "split_group_id": row.text("split_group"),
        "report": {"id": report_id, "name": row.text("report")} if report_id else None,
        "billable_state": "unknown" if flag is None else "billable" if flag else "non_billable",
        "approval": row.approval(),
        "invoiced": row.flag("invoiced") or False,
        "notes": row.text("notes"),
    }


BUILDERS: dict[str, Callable[[RowReader], dict[str, Any]]] = {
    "time_entry": time_entry,
    "expense": _expense,
    "client": _client,
    "project": _project,
    "work_item": _work_item,
    "staff_member": _staff_member,
    "picklist_value": _picklist_value,
    "rate": _rate,
}
"""How a row of each record type is read."""
