"""The JSON of an invoice or credit memo as a LedgerDocument."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerDocument, LedgerLine
from hourbridge.connectors.quickbooks_online.marker import marked_id

_SALES = "SalesItemLineDetail"
_MONEY_LINES = (_SALES, "DiscountLineDetail", "GroupLineDetail")
_VOID_WORD = "voided"


def to_ledger_document(kind: DocumentKind, row: Mapping[str, Any]) -> LedgerDocument:
    """Return the document; amounts exact, subtotal lines left out."""
    total = _decimal(row.get("TotalAmt", 0))
    note = row.get("PrivateNote")
    marked = marked_id(note)
    updated = row.get("MetaData", {}).get("LastUpdatedTime")
    return LedgerDocument(
        ledger_id=row["Id"],
        kind=kind,
        number=row.get("DocNumber"),
        customer_id=row.get("CustomerRef", {}).get("value"),
        currency=row.get("CurrencyRef", {}).get("value"),
        document_date=date.fromisoformat(row["TxnDate"][:10]),
        total=total,
        open_balance=_open_balance(kind, row),
        edit_token=str(row["SyncToken"]),
        email_status=row.get("EmailStatus"),
        lines=_lines(row.get("Line", [])),
        private_note=note,
        updated_at=datetime.fromisoformat(updated) if updated else None,
        is_ours=marked is not None,
        is_void=total == 0 and _VOID_WORD in (note or "").casefold(),
        marked_document_id=marked,
    )


def same_statement(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two bodies say the same in everything that we own."""
    return _statement(one) == _statement(other)


def _statement(row: Mapping[str, Any]) -> tuple[Any, ...]:
    lines = tuple(
        (
            line.get("Description"),
            _decimal(line.get("Amount", 0)),
            line[_SALES].get("ItemRef", {}).get("value"),
            _optional(line[_SALES].get("Qty")),
            _optional(line[_SALES].get("UnitPrice")),
            line[_SALES].get("ServiceDate"),
        )
        for line in row.get("Line", [])
        if _SALES in line
    )
    customer = row.get("CustomerRef", {}).get("value")
    return (
        row.get("DocNumber"),
        row.get("TxnDate"),
        customer,
        marked_id(row.get("PrivateNote")),
        lines,
    )


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
                quantity=_optional(detail.get("Qty")),
                unit_price=_optional(detail.get("UnitPrice")),
                amount=sign * _decimal(row.get("Amount", 0)),
            )
        )
    return tuple(lines)


def _open_balance(kind: DocumentKind, row: Mapping[str, Any]) -> Decimal | None:
    if kind is DocumentKind.CREDIT_MEMO:
        return _optional(row.get("RemainingCredit", row.get("Balance")))
    return _optional(row.get("Balance"))


def _optional(value: Any) -> Decimal | None:
    return None if value is None else _decimal(value)


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
