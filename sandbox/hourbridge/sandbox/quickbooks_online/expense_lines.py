"""Rules of the lines of bills, vendor credits and purchases."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import ACCOUNT, CUSTOMER
from hourbridge.sandbox.quickbooks_online.lists import as_reference, posting_account, referenced
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    business,
    missing_parameter,
)
from hourbridge.sandbox.quickbooks_online.sales_lines import class_of, item_of, numbered, priced
from hourbridge.sandbox.quickbooks_online.transactions import money_of
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    reference_of,
    required_reference,
    text_of,
    without_empty,
)

ACCOUNT_DETAIL = "AccountBasedExpenseLineDetail"
ITEM_DETAIL = "ItemBasedExpenseLineDetail"
_BILLABLE = ("Billable", "NotBillable", "HasBeenBilled")


def shape_lines(
    company: Company, given: Any, current: Sequence[Entity], currency: str
) -> list[Entity]:
    """Return the lines to store: checked and numbered. Single ones may be negative."""
    return numbered(given, current, lambda line: _shape_line(company, line, currency))


def total_of(lines: Sequence[Entity]) -> Decimal:
    """Return the sum of the lines."""
    return sum((line["Amount"] for line in lines), Decimal("0.00"))


def _shape_line(company: Company, line: Entity, currency: str) -> Entity:
    kind = line.get("DetailType")
    if kind not in (ACCOUNT_DETAIL, ITEM_DETAIL):
        raise Refusal("2170", "Invalid Enumeration", f"DetailType: {kind}", element="DetailType")
    detail = line.get(kind)
    if not isinstance(detail, dict):
        raise missing_parameter(kind)
    amount = money_of(company, line, "Amount", currency)
    if amount is None:
        raise missing_parameter("Amount")
    common = {"Description": text_of(line, "Description", 4000), "DetailType": kind}
    specific = (
        _account_based(company, detail, amount)
        if kind == ACCOUNT_DETAIL
        else _item_based(company, detail, amount, currency)
    )
    shared = {
        "CustomerRef": _customer(company, detail),
        "ClassRef": class_of(company, detail),
        "BillableStatus": _billable(detail),
    }
    shown = without_empty({**specific["detail"], **shared})
    return without_empty({**common, "Amount": specific["Amount"], kind: shown})


def _account_based(company: Company, detail: Entity, amount: Decimal) -> Entity:
    account = posting_account(company, required_reference(detail, "AccountRef"))
    return {"Amount": amount, "detail": {"AccountRef": as_reference(ACCOUNT, account)}}


def _item_based(company: Company, detail: Entity, amount: Decimal, currency: str) -> Entity:
    price = priced(company, detail, amount, currency)
    reference = item_of(company, detail)
    if reference is None:
        raise missing_parameter("ItemRef")
    shown = {"ItemRef": reference, "Qty": price["Qty"], "UnitPrice": price["UnitPrice"]}
    return {"Amount": price["Amount"], "detail": shown}


def _customer(company: Company, detail: Entity) -> Entity | None:
    identity = reference_of(detail, "CustomerRef")
    return as_reference(CUSTOMER, referenced(company, CUSTOMER, identity)) if identity else None


def _billable(detail: Entity) -> str:
    status = detail.get("BillableStatus") or "NotBillable"
    if status not in _BILLABLE:
        raise Refusal("2170", "Invalid Enumeration", f"BillableStatus: {status}")
    if status == "Billable" and reference_of(detail, "CustomerRef") is None:
        raise business("A billable expense needs a customer.")
    return str(status)
