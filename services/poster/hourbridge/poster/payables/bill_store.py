"""What waits to be put on vendor bills, and whose bill numbers are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection

from hourbridge.billing.grouping import ledger_key
from hourbridge.common.book import AccountRole
from hourbridge.common.errors import ensure
from hourbridge.common.messages.events import Charge, Document
from hourbridge.common.store.rows import statement
from hourbridge.poster.documents import NewDocument
from hourbridge.poster.group_store import BillingScope

_OPEN_GROUPS = statement(
    """
    SELECT engagement_key, group_key FROM charge
    WHERE book = :book AND state = 'unbilled' AND grouping = 'payable' AND work_date <= :through
        AND (CAST(:client AS text) IS NULL OR client = :client)
        AND (CAST(:project AS text) IS NULL OR project = :project)
        AND (NOT :automatic OR automatic)
        AND NOT (:automatic AND coalesce(leakage ->> 'cause' = 'set_aside', false))
    GROUP BY engagement_key, group_key
    HAVING CAST(:quiet_before AS timestamptz) IS NULL OR max(changed_at) <= :quiet_before
    ORDER BY engagement_key, group_key
    """
)
_CHARGES = """
    SELECT c.charge_id, c.record_id, c.payload, c.mapping_version, s.accepted_at
    FROM charge c JOIN charge_set s ON s.record_id = c.record_id
    WHERE c.book = :book AND c.engagement_key = :engagement_key AND c.state = 'unbilled'
        AND c.group_key = ANY(:groups) AND c.work_date <= :through
        AND (CAST(:client AS text) IS NULL OR c.client = :client)
        AND (CAST(:project AS text) IS NULL OR c.project = :project)
    ORDER BY c.charge_id
"""
_LOCKED_CHARGES = statement(f"{_CHARGES} FOR UPDATE OF c")
_READ_CHARGES = statement(_CHARGES)
_NUMBERED = statement(
    """
    SELECT d.payload FROM vendor_bill_number n JOIN document d USING (document_id)
    WHERE n.ledger_key = :ledger_key AND n.vendor_key = :vendor_key AND n.number = :number
        AND d.status <> 'withdrawn'
    """
)
_TAKE_NUMBER = statement(
    """
    INSERT INTO vendor_bill_number AS n (ledger_key, vendor_key, number, document_id)
    VALUES (:ledger_key, :vendor_key, :number, :document_id)
    ON CONFLICT (ledger_key, vendor_key, number) DO UPDATE SET document_id = excluded.document_id
    WHERE (SELECT status FROM document d WHERE d.document_id = n.document_id) = 'withdrawn'
    """
)
_FREE_NUMBER = statement("DELETE FROM vendor_bill_number WHERE document_id = :document_id")
_KEEP_HOLDBACK = statement(
    """
    INSERT INTO holdback (line_id, document_id, book, vendor_key, vendor, currency, bill_date)
    VALUES (:line_id, :document_id, :book, :vendor_key, CAST(:vendor AS jsonb), :currency,
        :bill_date)
    """
)


@dataclass(frozen=True)
class WaitingCharge:
    """A payable charge that is on no bill yet, with where it came from."""

    charge: Charge
    record_id: str
    accepted_at: datetime
    mapping_version: int


def open_groups(connection: Connection, scope: BillingScope) -> list[tuple[str, str]]:
    """Return (vendor, bill) keys of what is owed and on no bill."""
    parameters = {**_filters(scope), "automatic": scope.automatic}
    rows = connection.execute(_OPEN_GROUPS, {**parameters, "quiet_before": scope.quiet_before})
    return [tuple(row) for row in rows]


def waiting(
    connection: Connection,
    scope: BillingScope,
    engagement_key: str,
    groups: Sequence[str],
    *,
    lock: bool,
) -> list[WaitingCharge]:
    """Return what is owed to one vendor; locked in order of charge id if asked."""
    parameters = {**_filters(scope), "engagement_key": engagement_key, "groups": list(groups)}
    rows = connection.execute(_LOCKED_CHARGES if lock else _READ_CHARGES, parameters)
    return [
        WaitingCharge(
            Charge.model_validate_json(row.payload),
            row.record_id,
            row.accepted_at,
            row.mapping_version,
        )
        for row in rows
    ]


def numbered_bill(connection: Connection, charge: Charge) -> Document | None:
    """Return the standing bill that has the vendor's number of a charge."""
    owed = charge.payable
    if owed is None or owed.bill_number is None:
        return None
    key = (ledger_key(charge.ledger), owed.vendor.key, owed.bill_number)
    row = connection.execute(_NUMBERED, _named(*key)).scalar()
    return None if row is None else Document.model_validate(row)


def keep(connection: Connection, book: str, documents: Sequence[NewDocument]) -> None:
    """Take the vendors' numbers of stored bills, and note what they hold back."""
    for new in documents:
        document = new.document
        if document.vendor is None:
            continue
        if document.vendor_bill_number is not None:
            _take_number(connection, document)
        for line in document.lines:
            if line.role is AccountRole.RETAINAGE_PAYABLE and line.credits_line_id is None:
                _keep_holdback(connection, book, document, line.line_id)


def free_number(connection: Connection, document_id: str) -> None:
    """Let the vendor's number of a bill that was taken back whole be used again."""
    connection.execute(_FREE_NUMBER, {"document_id": document_id})


def gross(lines: Sequence[tuple[AccountRole | None, Decimal]]) -> Decimal:
    """Return what a bill is over before anything is held back."""
    kept = (amount for role, amount in lines if role is not AccountRole.RETAINAGE_PAYABLE)
    return sum(kept, Decimal(0))


def _take_number(connection: Connection, document: Document) -> None:
    vendor = document.vendor.key if document.vendor else ""
    named = _named(ledger_key(document.ledger), vendor, document.vendor_bill_number or "")
    taken = connection.execute(_TAKE_NUMBER, {**named, "document_id": document.document_id})
    ensure(taken.rowcount == 1, "a vendor's bill number was taken", number=named["number"])


def _keep_holdback(connection: Connection, book: str, document: Document, line_id: str) -> None:
    connection.execute(
        _KEEP_HOLDBACK,
        {
            "line_id": line_id,
            "document_id": document.document_id,
            "book": book,
            "vendor_key": document.vendor.key if document.vendor else "",
            "vendor": to_json(document.vendor, exclude_none=True).decode(),
            "currency": document.currency,
            "bill_date": document.document_date,
        },
    )


def _named(key: str, vendor_key: str, number: str) -> dict[str, str]:
    return {"ledger_key": key, "vendor_key": vendor_key, "number": number}


def _filters(scope: BillingScope) -> dict[str, Any]:
    return {
        "book": scope.book,
        "through": scope.through,
        "client": scope.client,
        "project": scope.project,
    }
