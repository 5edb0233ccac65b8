"""The JSON of a bill, vendor credit or purchase as a LedgerDocument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerDocument, LedgerLine
from hourbridge.connectors.quickbooks_online.custom_fields import stated_fields
from hourbridge.connectors.quickbooks_online.purchases_payload import ACCOUNT_DETAIL, ITEM_DETAIL
from hourbridge.connectors.quickbooks_online.reading import (
    decimal_of,
    head,
    optional_decimal,
)


def to_ledger_document(kind: DocumentKind, row: Mapping[str, Any]) -> LedgerDocument:
    """Return the document; amounts exact, negative lines as they stand."""
    lines = [line for line in row.get("Line", []) if line.get("DetailType") in _DETAILS]
    return LedgerDocument(
        **head(kind, row),
        customer_id=None,
        vendor_id=_payee(row),
        total=decimal_of(row.get("TotalAmt", 0)),
        open_balance=optional_decimal(row.get("Balance")),
        stated=_stated(row),
        lines=tuple(_line(line, position) for position, line in enumerate(lines, start=1)),
    )


def statement_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return everything that we own of a bill, to compare two versions of it."""
    lines = tuple(
        (line.get("Description"), decimal_of(line.get("Amount", 0)), _account(line), _item(line))
        for line in row.get("Line", [])
        if line.get("DetailType") in _DETAILS
    )
    paid = (row.get("PaymentType"), row.get("AccountRef", {}).get("value"), _entity(row))
    return (row.get("VendorRef", {}).get("value"), *paid, lines)


def kind_of(row: Mapping[str, Any]) -> DocumentKind | None:
    """Return which kind of ours a purchase is; one entity holds several."""
    if row.get("PaymentType") == "CreditCard":
        is_credit = row.get("Credit") is True
        return DocumentKind.CREDIT_CARD_CREDIT if is_credit else DocumentKind.CREDIT_CARD_CHARGE
    by_type = {"Check": DocumentKind.CHECK, "Cash": DocumentKind.CASH_PURCHASE}
    return by_type.get(str(row.get("PaymentType")))


_DETAILS = (ACCOUNT_DETAIL, ITEM_DETAIL)


def _entity(row: Mapping[str, Any]) -> tuple[str, str] | None:
    payee = row.get("EntityRef")
    return (str(payee.get("type", "Vendor")), str(payee.get("value"))) if payee else None


def _stated(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the account that paid, the employee who was paid, and the location."""
    payee = row.get("EntityRef") or {}
    named = {
        "paid_from": row.get("AccountRef", {}).get("value"),
        "employee": payee.get("value") if payee.get("type") == "Employee" else None,
        "department": row.get("DepartmentRef", {}).get("value"),
    }
    stated = {name: str(value) for name, value in named.items() if value is not None}
    return stated | stated_fields(row)


def _payee(row: Mapping[str, Any]) -> str | None:
    payee = row.get("VendorRef") or row.get("EntityRef") or {}
    if payee.get("type", "Vendor") != "Vendor":
        return None
    value = payee.get("value")
    return None if value is None else str(value)


def _line(line: Mapping[str, Any], position: int) -> LedgerLine:
    detail = line.get(ITEM_DETAIL, {})
    return LedgerLine(
        position=position,
        description=line.get("Description"),
        item_id=_item(line),
        quantity=optional_decimal(detail.get("Qty")),
        unit_price=optional_decimal(detail.get("UnitPrice")),
        amount=decimal_of(line.get("Amount", 0)),
        account_id=_account(line),
        base_amount=optional_decimal(line.get("HomeAmt")),
    )


def _account(line: Mapping[str, Any]) -> str | None:
    value = line.get(ACCOUNT_DETAIL, {}).get("AccountRef", {}).get("value")
    return None if value is None else str(value)


def _item(line: Mapping[str, Any]) -> str | None:
    value = line.get(ITEM_DETAIL, {}).get("ItemRef", {}).get("value")
    return None if value is None else str(value)
