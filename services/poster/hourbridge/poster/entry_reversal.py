"""Taking an entry back: dropped where the ledger never had it, reversed by another where it has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from hourbridge.billing.currencies.payments import reversed_postings
from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import Document, DocumentStatus, Reason
from hourbridge.poster import operations
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry


@dataclass(frozen=True)
class Undoing:
    """Which entry is taken back, under which key, on which day at the earliest."""

    book: str
    document_id: str
    key: tuple[str, ...]
    day: date
    purpose: str | None = None
    """Of the reversal; by default the entry's own, and ``_reversal``."""


def take_back(
    connection: Connection, documents: DocumentStore, clock: Clock, undoing: Undoing
) -> Reason | None:
    """Undo an entry, once; return why it must wait while it is on its way to the ledger."""
    held = documents.lock(connection, undoing.document_id)
    operation = operations.lock_open(connection, undoing.document_id)
    document = held.document
    if document.status is DocumentStatus.WITHDRAWN:
        return None
    if document.status is DocumentStatus.POSTED:
        add_entry(connection, documents, clock, reversal_of(undoing, document))
        return None
    if operation is not None and operation.may_be_in_ledger:
        detail = f"{document.number} is on its way to the ledger"
        return Reason(code="on_its_way", detail=detail, waits_for=f"document:{document.number}")
    if operation is not None:
        operations.cancel(connection, operation, clock.now())
    reason = Reason(code="taken_back", detail="what it was made from is stated otherwise now")
    documents.save(connection, held, status=DocumentStatus.WITHDRAWN, reason=reason)
    return None


def reversal_of(undoing: Undoing, document: Document) -> Entry:
    """Return the entry that reverses a document; what it had settled is open again."""
    return Entry(
        book=undoing.book,
        ledger=document.ledger,
        key=undoing.key,
        purpose=undoing.purpose or f"{document.purpose}_reversal",
        document_date=max(undoing.day, document.document_date),
        currency=document.currency,
        postings=reversed_postings(document.postings),
        memo=f"Reversal of {document.number}",
        client=document.client,
        customer=document.customer,
        vendor=document.vendor,
        engagement=document.engagement,
        reverses_document_id=document.document_id,
        settles=tuple(
            settled.model_copy(update={"amount": -settled.amount}) for settled in document.settles
        ),
        exchange=document.exchange,
        in_ledger=document.in_ledger,
    )
