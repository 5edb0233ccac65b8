"""The JSON of a payment as a LedgerDocument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerDocument, LedgerLine, SettledInLedger
from hourbridge.connectors.quickbooks_online.payments_payload import LINK_TYPE
from hourbridge.connectors.quickbooks_online.reading import decimal_of, head, optional_decimal

_KIND_OF = {name: kind for kind, name in LINK_TYPE.items()}


def to_ledger_document(kind: DocumentKind, row: Mapping[str, Any]) -> LedgerDocument:
    """Return the payment; its lines are what it settles."""
    number = "PaymentRefNum" if kind is DocumentKind.PAYMENT else "DocNumber"
    settled = tuple(found for line in row.get("Line", []) for found in settled_by(line))
    return LedgerDocument(
        **head(kind, row, number),
        customer_id=row.get("CustomerRef", {}).get("value"),
        vendor_id=row.get("VendorRef", {}).get("value"),
        total=decimal_of(row.get("TotalAmt", 0)),
        open_balance=optional_decimal(row.get("UnappliedAmt")),
        lines=tuple(
            LedgerLine(position, each.ledger_id, None, None, None, each.amount)
            for position, each in enumerate(settled, start=1)
        ),
        settles=settled,
    )


def settled_by(line: Mapping[str, Any]) -> list[SettledInLedger]:
    """Return the documents of known kinds that a line settles."""
    return [
        SettledInLedger(_KIND_OF[link["TxnType"]], str(link["TxnId"]), decimal_of(line["Amount"]))
        for link in line.get("LinkedTxn", [])
        if link.get("TxnType") in _KIND_OF
    ]


def statement_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return everything that we own of a payment, to compare two versions of it."""
    settled = tuple(found for line in row.get("Line", []) for found in settled_by(line))
    return (decimal_of(row.get("TotalAmt", 0)), settled)
