"""The JSON of a journal entry as a LedgerDocument."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerDocument, LedgerLine
from hourbridge.connectors.quickbooks_online.journal_payload import DETAIL
from hourbridge.connectors.quickbooks_online.reading import decimal_of, head, optional_decimal


def to_ledger_document(kind: DocumentKind, row: Mapping[str, Any]) -> LedgerDocument:
    """Return the entry; its total is the sum of its debits (the ledger's own is always zero)."""
    lines = tuple(
        _line(line, position)
        for position, line in enumerate((each for each in row["Line"] if DETAIL in each), start=1)
    )
    total = sum((line.amount for line in lines if line.amount > 0), Decimal(0))
    fields = head(kind, row) | {"is_void": False}
    return LedgerDocument(
        **fields,
        customer_id=None,
        total=total,
        open_balance=None,
        lines=lines,
    )


def statement_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return everything that we own of an entry, to compare two versions of it."""
    return tuple(
        (
            line.get("Description") or "",
            _signed(line),
            line[DETAIL].get("AccountRef", {}).get("value"),
            line[DETAIL].get("Entity", {}).get("EntityRef", {}).get("value"),
        )
        for line in row.get("Line", [])
        if DETAIL in line
    )


def _line(line: Mapping[str, Any], position: int) -> LedgerLine:
    return LedgerLine(
        position=position,
        description=line.get("Description"),
        item_id=None,
        quantity=None,
        unit_price=None,
        amount=_signed(line),
        account_id=line[DETAIL].get("AccountRef", {}).get("value"),
        base_amount=optional_decimal(line.get("HomeAmt")),
    )


def _signed(line: Mapping[str, Any]) -> Decimal:
    amount = decimal_of(line.get("Amount", 0))
    return amount if line[DETAIL].get("PostingType") == "Debit" else -amount
