"""The JSON of an invoice or credit memo as a LedgerDocument."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerDocument, LedgerLine
from hourbridge.connectors.quickbooks_online.custom_fields import stated_fields
from hourbridge.connectors.quickbooks_online.reading import decimal_of, head, optional_decimal

_SALES = "SalesItemLineDetail"
_MONEY_LINES = (_SALES, "DiscountLineDetail", "GroupLineDetail")


def to_ledger_document(kind: DocumentKind, row: Mapping[str, Any]) -> LedgerDocument:
    """Return the document; amounts exact, subtotal lines left out."""
    return LedgerDocument(
        **head(kind, row),
        customer_id=_buyer(row),
        stated=_stated(row),
        total=decimal_of(row.get("TotalAmt", 0)),
        open_balance=_open_balance(kind, row),
        lines=_lines(row.get("Line", [])),
        tax_total=optional_decimal(row.get("TxnTaxDetail", {}).get("TotalTax")),
    )


def statement_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return everything that we own of a sale, to compare two versions of it."""
    lines = tuple(
        (
            line.get("Description"),
            decimal_of(line.get("Amount", 0)),
            line[_SALES].get("ItemRef", {}).get("value"),
            optional_decimal(line[_SALES].get("Qty")),
            optional_decimal(line[_SALES].get("UnitPrice")),
            line[_SALES].get("ServiceDate"),
        )
        for line in row.get("Line", [])
        if _SALES in line
    )
    return (_buyer(row), sorted(_stated(row).items()), lines)


def _buyer(row: Mapping[str, Any]) -> str | None:
    """Return whom a sale is to: a true project stands beside its customer."""
    reference = row.get("ProjectRef") or row.get("CustomerRef") or {}
    value = reference.get("value")
    return None if value is None else str(value)


def _stated(row: Mapping[str, Any]) -> dict[str, str]:
    department = row.get("DepartmentRef", {}).get("value")
    located = {"department": str(department)} if department is not None else {}
    return {**located, **stated_fields(row)}


def _lines(rows: list[dict[str, Any]]) -> tuple[LedgerLine, ...]:
    lines: list[LedgerLine] = []
    for row in rows:
        kind = row.get("DetailType")
        if kind not in _MONEY_LINES:
            continue
        detail = row.get(_SALES, {})
        sign = -1 if kind == "DiscountLineDetail" else 1
        lines.append(
            LedgerLine(
                position=len(lines) + 1,
                description=row.get("Description"),
                item_id=detail.get("ItemRef", {}).get("value"),
                quantity=optional_decimal(detail.get("Qty")),
                unit_price=optional_decimal(detail.get("UnitPrice")),
                amount=sign * decimal_of(row.get("Amount", 0)),
                base_amount=optional_decimal(row.get("HomeAmt")),
            )
        )
    return tuple(lines)


def _open_balance(kind: DocumentKind, row: Mapping[str, Any]) -> Decimal | None:
    if kind is DocumentKind.CREDIT_MEMO:
        return optional_decimal(row.get("RemainingCredit", row.get("Balance")))
    return optional_decimal(row.get("Balance"))
