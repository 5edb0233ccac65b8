"""What becomes of a purchase's lines and charges once the ledger took an update or a deletion."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.messages.events import DocumentKind
from hourbridge.poster import in_place_changes, line_store
from hourbridge.poster.document_store import HeldDocument
from hourbridge.poster.lanes.lane_store import Taken
from hourbridge.poster.review.aside import charges_on, set_aside


def apply(connection: Connection, held: HeldDocument, taken: Taken, now: datetime) -> None:
    """Let lines and charges be what the ledger now holds; time activities have neither."""
    if held.document.kind is not DocumentKind.TIME_ACTIVITY:
        in_place_changes.apply(connection, held, taken, now)


def end(connection: Connection, held: HeldDocument, taken: Taken, now: datetime) -> None:
    """Free the charges of a deleted purchase: those that still are wait for another one."""
    if held.document.kind is DocumentKind.TIME_ACTIVITY:
        return
    freed = charges_on(connection, held.document.document_id)
    line_store.end_document(connection, held, now)
    if taken.detail.get("set_aside"):
        set_aside(connection, freed)
