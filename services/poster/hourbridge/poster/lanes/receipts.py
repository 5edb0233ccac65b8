"""Receipts of a document as a ledger takes them: with their content, where we hold it."""

from __future__ import annotations

from sqlalchemy import Connection

from hourbridge.common.messages.events import Document
from hourbridge.common.messages.records import Attachment
from hourbridge.common.store import objects
from hourbridge.connectors.ledger import LedgerFile

_NAMELESS = "receipt"
_UNKNOWN_TYPE = "application/octet-stream"


def receipts_of(connection: Connection, document: Document) -> tuple[LedgerFile, ...]:
    """Return the files to attach; one whose content has gone is attached as a note only."""
    return tuple(_file(connection, attachment) for attachment in document.attachments)


def _file(connection: Connection, attachment: Attachment) -> LedgerFile:
    return LedgerFile(
        id=attachment.id,
        filename=attachment.filename or _NAMELESS,
        content_type=attachment.content_type or _UNKNOWN_TYPE,
        content=_content(connection, attachment.raw_ref),
        url=attachment.url,
    )


def _content(connection: Connection, reference: str | None) -> bytes | None:
    if reference is None:
        return None
    try:
        return objects.get(connection, reference)
    except objects.ObjectMissing:
        return None
