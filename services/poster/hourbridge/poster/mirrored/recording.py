"""What the ledger's answer to an update or deletion makes of a mirrored document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.messages.events import Document, DocumentStatus, Reason
from hourbridge.connectors.statements import MIRRORED_KINDS
from hourbridge.poster.document_store import HeldDocument
from hourbridge.poster.lanes.lane_store import Taken
from hourbridge.poster.mirrored import purchase_lines

DELETED = Reason(code="deleted_with_source", detail="what it said did not happen: taken back")
_CONTENT = (
    "customer",
    "job",
    "vendor",
    "employee",
    "department",
    "client",
    "document_date",
    "lines",
    "taxes",
    "total",
    "attachments",
    "activity",
)
"""What an update may change: everything but its identity and its place in the ledger."""


def is_mirrored(document: Document) -> bool:
    """Return whether a document is put right where it stands."""
    return document.kind in MIRRORED_KINDS


def updated(
    connection: Connection, held: HeldDocument, taken: Taken, now: datetime
) -> Mapping[str, Any]:
    """Return what a document says now that the ledger took the update."""
    purchase_lines.apply(connection, held, taken, now)
    return {name: getattr(taken.document, name) for name in _CONTENT}


def deleted(
    connection: Connection, held: HeldDocument, taken: Taken, now: datetime
) -> Mapping[str, Any]:
    """Return the state of a document that the ledger doesn't have any more."""
    purchase_lines.end(connection, held, taken, now)
    return {"status": DocumentStatus.WITHDRAWN, "reason": DELETED}
