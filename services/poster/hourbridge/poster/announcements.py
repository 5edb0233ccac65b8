"""What the poster tells the others: the full state of a document at each version."""

from __future__ import annotations

from datetime import datetime

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import Document, DocumentChanged
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.registry import DOCUMENT_CHANGED

EVENT_SOURCE = "/hourbridge/poster"


def announce(book: str, document: Document, now: datetime) -> Outgoing:
    """Return the message that states ``document``; equal states give equal ids."""
    return outgoing(
        new_event(
            DOCUMENT_CHANGED,
            DocumentChanged(document=document),
            book=book,
            source=EVENT_SOURCE,
            id=derive_id(DOCUMENT_CHANGED, document.document_id, str(document.version)),
            subject=document.document_id,
            time=now,
        )
    )
