"""Updates in place: proposed as an intent, applied when the ledger took them, else dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.messages.events import Document, DocumentStatus
from hourbridge.common.store.rows import bulk, statement
from hourbridge.poster import correction_requests, line_store
from hourbridge.poster.correction_plan import LinePlan
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.lanes.lane_store import Taken
from hourbridge.poster.operations import Intent, add_intents

_CREDITS = ("credit_memo", "vendor_credit", "credit_card_credit")
"""Kinds whose lines stand with the other sign than they have in our sums."""
_REFUSE = statement(
    "UPDATE document SET in_place_refused = :refused WHERE document_id = :document_id"
)
_UPDATE_LINES = statement(
    """
    UPDATE document_line l SET amount = r.amount, tax_amount = r.tax_amount,
        billed_seconds = r.billed_seconds, position = r.position, is_live = r.is_live
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        line_id text, amount numeric, tax_amount numeric, billed_seconds bigint,
        position integer, is_live boolean)
    WHERE l.line_id = r.line_id
    """
)


def propose(
    connection: Connection,
    documents: DocumentStore,
    held: HeldDocument,
    proposal: Document,
    plans: Sequence[LinePlan],
    now: datetime,
) -> None:
    """Store the intent to update; our own rows change only when the ledger has taken it."""
    documents.save(connection, held, content_changed=True, status=DocumentStatus.POSTING)
    detail = {
        "staying": [charge.to_json() for plan in plans for charge in plan.staying],
        "leaving": [charge.charge_id for plan in plans for charge in plan.leaving],
    }
    version = held.payload_version + 1
    intent = Intent(held.book, proposal, "update", payload_version=version, detail=detail)
    add_intents(connection, [intent], now)


def apply(
    connection: Connection, held: HeldDocument, taken: Taken, now: datetime
) -> Mapping[str, Any]:
    """Let lines and charges be what the ledger now holds; return the document's new content."""
    line_store.take_off(connection, taken.detail["leaving"], now)
    line_store.reflect(connection, taken.detail["staying"], line_rewritten=True)
    kept = {line.line_id: line for line in taken.document.lines}
    sign = -1 if taken.document.kind in _CREDITS else 1
    rows = [
        {
            "line_id": line.line_id,
            "amount": str(sign * kept.get(line.line_id, line).amount),
            "tax_amount": str(sign * (kept.get(line.line_id, line).tax_amount or 0)),
            "billed_seconds": kept.get(line.line_id, line).billed_seconds,
            "position": kept.get(line.line_id, line).position,
            "is_live": line.line_id in kept,
        }
        for line in held.document.lines
    ]
    bulk(connection, _UPDATE_LINES, rows)
    connection.execute(_REFUSE, {"document_id": held.document.document_id, "refused": False})
    return {
        "lines": taken.document.lines,
        "taxes": taken.document.taxes,
        "total": taken.document.total,
    }


def decline(
    connection: Connection, documents: DocumentStore, held: HeldDocument, now: datetime
) -> None:
    """Go back to the posted state and let the correction be made by credit memo."""
    document_id = held.document.document_id
    connection.execute(_REFUSE, {"document_id": document_id, "refused": True})
    correction_requests.request(connection, [document_id], now)
    documents.save(connection, held, status=DocumentStatus.POSTED)
