"""What a payment or credit settles: as the ledger knows it, linked once both sides are there."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentStatus,
    Reason,
    Settlement,
)
from hourbridge.common.store.rows import statement
from hourbridge.connectors.ledger import SettledInLedger
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.operations import Intent

UNPOSTED = "settled_document_unposted"
"""Why a payment is parked until the ledger has what it pays; it goes on by itself then."""
PAYMENTS = (DocumentKind.PAYMENT, DocumentKind.BILL_PAYMENT)
_CREDITS = (DocumentKind.CREDIT_MEMO, DocumentKind.VENDOR_CREDIT, DocumentKind.JOURNAL_ENTRY)

_SETTLED = statement(
    """
    SELECT d.document_id, d.kind, d.payload #>> '{posted,ledger_id}' AS ledger_id,
        coalesce(CAST(d.payload ->> 'in_ledger' AS boolean), false) AS in_ledger
    FROM document d
    WHERE d.document_id IN (SELECT jsonb_array_elements_text(CAST(:document_ids AS jsonb)))
    """
)
_NOT_POSTED = statement(
    "SELECT number FROM document WHERE document_id = :document_id AND status <> 'posted'"
)
_WAITING = statement(
    """
    UPDATE ledger_operation SET state = 'pending', available_at = :now, attempts = 0,
        error_code = NULL, error_text = NULL
    WHERE state = 'parked' AND error_code = :code AND ledger_key = :ledger_key
        AND (payload -> 'settles' @> jsonb_build_array(
                jsonb_build_object('document_id', CAST(:document_id AS text)))
            OR payload ->> 'reverses_document_id' = :document_id)
    RETURNING document_id
    """
)


def settlements_of(document: Document) -> tuple[Settlement, ...]:
    """Return which documents this one settles; a credit memo settles the invoice it credits."""
    if document.kind is DocumentKind.CREDIT_MEMO and document.credits_document_id:
        credited = document.credits_document_id
        return (Settlement(document_id=credited, number=credited, amount=document.total),)
    return document.settles


def settled_in_ledger(
    connection: Connection, document: Document
) -> tuple[tuple[SettledInLedger, ...], tuple[str, ...]]:
    """Return what a document settles as the ledger knows it, and numbers it doesn't know yet.

    What was in the ledger before us has no position of ours there and can't be linked.
    """
    settlements = settlements_of(document)
    if not settlements:
        return (), _unposted_original(connection, document)
    wanted = json.dumps([settlement.document_id for settlement in settlements])
    rows = connection.execute(_SETTLED, {"document_ids": wanted}).mappings()
    known = {row["document_id"]: row for row in rows}
    found, unposted = [], []
    for settlement in settlements:
        row = known.get(settlement.document_id)
        if row is not None and row["ledger_id"] is not None:
            kind = DocumentKind(row["kind"])
            found.append(SettledInLedger(kind, row["ledger_id"], settlement.amount))
        elif row is None or not row["in_ledger"]:
            unposted.append(settlement.number)
    return tuple(found), (*unposted, *_unposted_original(connection, document))


def must_wait(document: Document) -> bool:
    """Return whether a document makes no sense in the ledger before those that it refers to.

    A payment is posted with what it pays; a reversal of what never arrives would stand alone.
    """
    return document.kind in PAYMENTS or document.reverses_document_id is not None


def _unposted_original(connection: Connection, document: Document) -> tuple[str, ...]:
    """Return the number of the entry that this one reverses, if the ledger doesn't have it."""
    if document.reverses_document_id is None:
        return ()
    reversed_one = {"document_id": document.reverses_document_id}
    return tuple(connection.execute(_NOT_POSTED, reversed_one).scalars())


def completion_intent(book: str, document: Document, payload_version: int) -> Intent | None:
    """Return the intent to complete a posted document, None where there is nothing to do.

    A credit is linked with what it settles; receipts are attached.
    """
    if not (_is_link(document) or document.attachments):
        return None
    return Intent(book, document, "apply", payload_version)


def _is_link(document: Document) -> bool:
    """Return whether a document is a credit of others; one that takes back settles nothing."""
    settlements = settlements_of(document)
    if document.kind not in _CREDITS or not settlements:
        return False
    return all(settlement.amount > 0 for settlement in settlements)


def go_on(
    connection: Connection,
    documents: DocumentStore,
    *,
    ledger_key: str,
    document_id: str,
    now: datetime,
) -> None:
    """Let go on what waited for this document to be posted."""
    wanted = {"document_id": document_id, "ledger_key": ledger_key, "code": UNPOSTED, "now": now}
    for waiting in sorted(connection.execute(_WAITING, wanted).scalars()):
        held = documents.lock(connection, waiting)
        if held.document.status is DocumentStatus.PARKED:
            documents.save(connection, held, status=DocumentStatus.POSTING, reason=None)


def waits_for(numbers: tuple[str, ...]) -> Reason:
    """Return why a payment is parked."""
    named = ", ".join(numbers)
    return Reason(code=UNPOSTED, detail=f"not in the ledger yet: {named}", waits_for=named)
