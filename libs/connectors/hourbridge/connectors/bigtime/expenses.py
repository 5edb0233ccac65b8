"""Expenses: who paid, who is owed, what the client pays, and how it can be posted."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hourbridge.common.ids import derive_key
from hourbridge.common.messages.records import BillableState
from hourbridge.common.money import EXACT, RoundingMode, round_digits
from hourbridge.connectors.bigtime.approving import approval_of
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import task_id
from hourbridge.connectors.bigtime.time_entries import Surroundings

NAMELESS_RECEIPT = "receipt"
"""Stands for the id of a file that is only said to be there."""

_CENT_DIGITS = 2
_BILL_NOTE = "vendor expenses originate in the accounting package"
_CARD_NOTE = "paid with a corporate card; the sign tells charge from credit"


def is_submitted(row: Row) -> bool:
    """Return whether an expense was handed in: report 0 holds everything that was not.

    A vendor's expense is in no report, and was never to be submitted.
    """
    if row.flag("IsVendorExpense"):
        return True
    stated = row.flag("IsSubmitted")
    if stated is not None or not row.has("RptSID"):
        return stated is not False
    return row.identifier("RptSID") is not None


def expense_fields(row: Row, settings: BigTimeSettings, around: Surroundings) -> dict[str, Any]:
    """Return the fields of an expense."""
    entry_id, day, amount = row.identifier("SID"), row.day("Dt"), row.number("CostIN")
    refused = {reason.field for reason in row.reasons}
    for name, value in (("SID", entry_id), ("Dt", day), ("CostIN", amount)):
        if value is None and name not in refused:
            row.refuse(name, "missing", f"the row states no {name}")
    currency = _currency(row, settings)
    if entry_id is None or amount is None or currency is None:
        return {"external_id": entry_id}
    report = row.identifier("RptSID")
    invoiced = bool(row.flag("IsInvoiced")) or row.identifier("InvoiceSid") is not None
    return {
        "external_id": entry_id,
        "external_parent_ids": {} if report is None else {"report": report},
        "staff_id": row.identifier("StaffSID"),
        "staff_name": row.text("StaffNm", "SourceNm"),
        "vendor_id": row.identifier("VendorSID"),
        "vendor_name": row.text("VendorNm"),
        "merchant_text": row.text("VendorNm"),
        "client_id": row.identifier("ClientSID", "ClientID"),
        "client_name": row.text("ClientNm"),
        "project_id": row.identifier("ProjectSID"),
        "project_name": row.text("ProjectNm"),
        "task_id": task_id(row),
        "category_id": row.identifier("CatSID"),
        "category_name": row.text("CatNm"),
        "expense_date": day,
        "bill_number": row.text("RefNbr"),
        "due_date": row.day("DueDate"),
        "amount_in": amount,
        "amount_billable": row.number("CostBill"),
        "is_refund": amount < 0,
        "tax_amount": row.number("TaxAmt", "SalesTaxAmt") or None,
        "tax_code_id": row.identifier("TaxSid", "SalesTaxSid", "TaxRateSid"),
        "unit": _unit(row, amount),
        "currency": currency,
        "base_currency": settings.base_currency,
        **_payment(row, settings, amount),
        "report": _report(row, report),
        "approval": approval_of(row, is_submitted=is_submitted(row)),
        "lock": {"reason": "invoiced"} if invoiced else None,
        "invoiced": invoiced,
        "receipts": receipts_of(row, entry_id),
        **_billing(row, amount, around),
        "class_id": row.identifier("QBClass", "QBClassSid"),
        "notes": row.text("Nt", "Notes"),
    }


def receipts_of(row: Row, entry_id: str) -> list[dict[str, Any]]:
    """Return the expense's files. A replaced file is another attachment: its id says so."""
    stated = row.value("ExpenseReceipt", "Receipts")
    listed = stated if isinstance(stated, list) else [stated] if stated else []
    found = [_receipt(each, entry_id) for each in listed]
    if not found and row.flag("HasReceipt"):
        found.append(_receipt({}, entry_id))
    return found


def _receipt(stated: Any, entry_id: str) -> dict[str, Any]:
    """Return one file, stated as an object or as a bare id."""
    receipt = Row(stated if isinstance(stated, Mapping) else {"Sid": stated})
    sid = receipt.identifier("Sid", "Id", "ReceiptSid") or NAMELESS_RECEIPT
    name = receipt.text("FileName", "FileNm", "Nm", "Name")
    size = receipt.number("Size", "FileSize", "SizeBytes", "Length")
    parts = (name, receipt.text("Size"), receipt.text("DtModified", "DtCreated", "Hash"))
    version = f"/{derive_key(*(part or '' for part in parts), length=12)}" if any(parts) else ""
    return {
        "id": f"{entry_id}/{sid}{version}",
        "filename": name,
        "content_type": receipt.text("ContentType", "MimeType"),
        "size_bytes": None if size is None or size < 0 else int(size),
    }


def _currency(row: Row, settings: BigTimeSettings) -> str | None:
    stated = row.text("Currency", "CurrencyCode")
    if stated is not None:
        return stated
    if settings.base_currency is None:
        detail = "the row states none, and the connection's base_currency is not set"
        row.refuse("currency", "currency_missing", detail)
        return None
    row.note("currency: the firm's base currency, low confidence; expenses state none")
    return settings.base_currency


def _payment(row: Row, settings: BigTimeSettings, amount: Decimal) -> dict[str, Any]:
    """Return who paid, who is owed, and what kind of document that makes."""
    card, payable = row.identifier("CCardSid"), row.number("CostPayable")
    company = bool(row.flag("PaidByCo")) or card is not None
    fields: dict[str, Any] = {"amount_payable": payable, "card_account_id": card}
    if row.flag("IsVendorExpense"):
        source, intent, why = "vendor_bill", "none", _BILL_NOTE
    elif card is not None:
        intent = "credit_card_credit" if amount < 0 else "credit_card_charge"
        source, why = "company_card", _CARD_NOTE
    elif row.identifier("CatSID") in settings.service_fee_codes:
        source, intent, why = "service_fee", "none", "a service fee: nobody is paid for it"
        fields["amount_payable"], payable = Decimal(0), None
    elif company:
        source, intent, why = "company_cash", None, None
    else:
        source, intent, why = "employee", None, None
    if source != "employee" and payable:
        _check_owed(row, payable, source)
    return fields | {
        "payment_source": source,
        "reimbursable": source == "employee" and payable != 0,
        "posting_intent": intent,
        "posting_intent_decided_by": None if why is None else f"bigtime: {why}",
    }


def _check_owed(row: Row, payable: Decimal, source: str) -> None:
    detail = f"{payable} is owed to the employee although {source.replace('_', ' ')} paid"
    row.refuse("CostPayable", "paid_twice", detail)


def _unit(row: Row, amount: Decimal) -> dict[str, Any] | None:
    """Return quantity and rates. UnitRate is what one unit costs, UnitPrice what it sells for."""
    if not row.flag("IsUnit"):
        return None
    quantity, cost = row.number("Units"), row.number("UnitRate")
    if quantity is None:
        row.refuse("Units", "missing", "a unit expense without a quantity")
        return None
    if cost is not None:
        total = round_digits(EXACT.multiply(quantity, cost), _CENT_DIGITS, RoundingMode.HALF_UP)
        if total != amount:
            row.note(f"amount_in: stated; {quantity} x {cost} would be {total}")
    return {
        "quantity": quantity,
        "unit_of_measure": row.text("UOM"),
        "cost_rate": cost,
        "sell_rate": row.number("UnitPrice"),
    }


def _report(row: Row, report: str | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {
        "id": report,
        "name": row.text("RptNm", "ReportNm"),
        "status": row.text("StatusNm", "RptStatusNm"),
    }


def _billing(row: Row, amount: Decimal, around: Surroundings) -> dict[str, Any]:
    no_charge, billed = row.flag("NoCharge"), row.number("CostBill")
    if no_charge:
        origin = around.flag_origin(row.identifier("ProjectSID"), row.identifier("TaskSID"))
        state = BillableState.NON_BILLABLE if origin == "project" else BillableState.NO_CHARGE
        return {"billable_state": state, "billable_reason": origin}
    if no_charge is None and billed is None:
        return {"billable_state": BillableState.UNKNOWN}
    if billed is not None and billed == 0 and amount != 0:
        row.note("billable_state: nothing is charged, without the N/C flag")
        return {"billable_state": BillableState.NON_BILLABLE, "billable_reason": "entry"}
    if billed is not None and abs(billed) < abs(amount):
        return {"billable_state": BillableState.PARTIALLY_BILLABLE}
    return {"billable_state": BillableState.BILLABLE}
