"""Documents that somebody touched, as list entries: which ones, when, and whether they are gone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from hourbridge.common.messages.records import Deletion, ListEntry
from hourbridge.connectors.quickbooks_online.inbound.asking import Row, instant_of
from hourbridge.connectors.quickbooks_online.inbound.telling import (
    Told,
    leaves,
    name_in,
    state,
)
from hourbridge.connectors.quickbooks_online.marker import marked_id

LIST_NAME = "transaction"
DOCUMENTS = (
    "Invoice",
    "CreditMemo",
    "Payment",
    "Bill",
    "VendorCredit",
    "BillPayment",
    "Purchase",
    "JournalEntry",
)
"""What we post, or read to know what is paid."""
TIME_ACTIVITY = "TimeActivity"
"""Posted too, but unknown to change data capture: its deletions are told by webhooks only."""
_SHOWN = (
    "TxnDate",
    "TotalAmt",
    "Balance",
    "UnappliedAmt",
    "EmailStatus",
    "CustomerRef.value",
    "VendorRef.value",
    "PaymentType",
)


def tell_touched(entity: str, rows: Sequence[Row], told: Told, *, least: int | None = None) -> None:
    """State documents as they stand now."""
    for row in rows:
        told.statements.append(
            state(
                entity,
                row,
                partial(_touched, entity, row),
                external_id=_external_id(entity, row),
                least=least,
            )
        )


def tell_deleted(entity: str, rows: Sequence[Row], told: Told) -> None:
    """State documents that are gone."""
    for row in rows:
        told.statements.append(
            state(
                entity,
                row,
                partial(_deleted, entity, row),
                external_id=_external_id(entity, row),
                is_last=True,
            )
        )


def is_voided(row: Row) -> bool:
    """Return whether a document was voided: the service has no flag, only zero and a word."""
    note = str(row.get("PrivateNote") or "").casefold()
    return not row.get("TotalAmt") and "voided" in note


def _external_id(entity: str, row: Row) -> str:
    # The same id occurs in several entities.
    return f"{LIST_NAME}:{entity}:{row.get('Id')}"


def _touched(entity: str, row: Row) -> ListEntry:
    number = row.get("DocNumber") or row.get("PaymentRefNum")
    known = leaves(dict(row))
    attributes = {path: known[path] for path in _SHOWN if path in known}
    document_id = marked_id(row.get("PrivateNote")) or marked_id(row.get("Description"))
    if document_id is not None:
        attributes["document_id"] = document_id
    if is_voided(row):
        attributes["is_voided"] = "true"
    return _entry(
        entity,
        row,
        name=str(number or f"{entity} {row['Id']}"),
        code=str(number) if number else None,
        full_name=name_in(row, "CustomerRef") or name_in(row, "VendorRef"),
        currency=row.get("CurrencyRef", {}).get("value"),
        is_active=not is_voided(row),
        edit_token=str(row["SyncToken"]),
        attributes=attributes,
    )


def _deleted(entity: str, row: Row) -> ListEntry:
    return _entry(
        entity,
        row,
        name=f"{entity} {row['Id']}",
        is_active=False,
        deleted=Deletion(at=instant_of(row), how="feed"),
    )


def _entry(entity: str, row: Row, **fields: Any) -> ListEntry:
    updated = instant_of(row)
    return ListEntry(
        external_id=_external_id(entity, row),
        list_name=LIST_NAME,
        entry_id=str(row["Id"]),
        type=entity,
        updated_at=updated,
        source_updated_at=updated,
        **fields,
    )
