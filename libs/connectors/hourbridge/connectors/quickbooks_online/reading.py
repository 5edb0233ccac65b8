"""What the JSON of every kind of transaction has in common, read for a LedgerDocument."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.quickbooks_online.marker import marked_id

_VOID_WORD = "voided"


def head(
    kind: DocumentKind, row: Mapping[str, Any], number_property: str = "DocNumber"
) -> dict[str, Any]:
    """Return the fields that are read alike for every kind."""
    note = row.get("PrivateNote")
    marked = marked_id(note)
    updated = row.get("MetaData", {}).get("LastUpdatedTime")
    total = decimal_of(row.get("TotalAmt", 0))
    return {
        "ledger_id": row["Id"],
        "kind": kind,
        "number": row.get(number_property),
        "currency": row.get("CurrencyRef", {}).get("value"),
        "document_date": date.fromisoformat(row["TxnDate"][:10]),
        "edit_token": str(row["SyncToken"]),
        "email_status": row.get("EmailStatus"),
        "private_note": note,
        "updated_at": datetime.fromisoformat(updated) if updated else None,
        "is_ours": marked is not None,
        "is_void": total == 0 and _VOID_WORD in (note or "").casefold(),
        "marked_document_id": marked,
        "exchange_rate": optional_decimal(row.get("ExchangeRate")),
        "base_total": optional_decimal(row.get("HomeTotalAmt")),
    }


def optional_decimal(value: Any) -> Decimal | None:
    """Return an exact number, None for an absent one."""
    return None if value is None else decimal_of(value)


def decimal_of(value: Any) -> Decimal:
    """Return an exact number."""
    return value if isinstance(value, Decimal) else Decimal(str(value))
