"""Reading documents: by id, by number, by marker, by date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.connectors.ledger import LedgerDocument
from hourbridge.connectors.quickbooks_online.faults import OBJECT_NOT_FOUND
from hourbridge.connectors.quickbooks_online.forms import readable
from hourbridge.connectors.quickbooks_online.marker import is_link
from hourbridge.connectors.quickbooks_online.queries import equals, quoted, select, select_all
from hourbridge.connectors.quickbooks_online.transport import Transport
from hourbridge.connectors.statements import number_in_ledger

SEARCH_DAYS = 31
"""How far from its date a document is searched by its marker when its number is not found."""


class DocumentSearch:
    """Finds documents of one company."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def row(self, kind: DocumentKind, ledger_id: str) -> dict[str, Any] | None:
        """Return a document as the ledger's JSON, or None when there is none of this id."""
        entity = readable(kind).entity
        try:
            row: dict[str, Any] = self._transport.get(f"{entity.lower()}/{ledger_id}")[entity]
        except LedgerRejected as error:
            if error.reason_code != OBJECT_NOT_FOUND:
                raise
            return None
        return row

    def read(self, kind: DocumentKind, ledger_id: str) -> LedgerDocument | None:
        """Return a document, or None when there is none of this id."""
        row = self.row(kind, ledger_id)
        return readable(kind).read(kind, row) if row is not None else None

    def find(self, document: Document) -> LedgerDocument | None:
        """Return ours by number, else ours by marker around its date, else another's of the number.

        The private note can't be searched in the ledger, so markers are compared here.
        """
        form = readable(document.kind)
        condition = equals(form.number_property, number_in_ledger(document))
        rows = select(self._transport, form.entity, [condition])
        numbered = [_as_asked(document, form.read(document.kind, row)) for row in rows]
        ours = next((found for found in numbered if found.is_ours), None)
        if ours is not None:
            return ours
        margin = timedelta(days=SEARCH_DAYS)
        first, last = document.document_date - margin, document.document_date + margin
        for found in self.documents(document.kind, first, last):
            if found.marked_document_id == document.document_id:
                return found
        return numbered[0] if numbered else None

    def documents(self, kind: DocumentKind, first: date, last: date) -> Iterator[LedgerDocument]:
        """Yield every document dated within ``first`` to ``last``; our mere links are none."""
        form = readable(kind)
        conditions = [
            f"TxnDate >= {quoted(first.isoformat())}",
            f"TxnDate <= {quoted(last.isoformat())}",
        ]
        if form.condition is not None:
            conditions.append(form.condition)
        for row in select_all(self._transport, form.entity, conditions):
            if not is_link(row.get("PrivateNote")):
                yield form.read(kind, row)


def _as_asked(document: Document, found: LedgerDocument) -> LedgerDocument:
    return replace(found, is_ours=found.marked_document_id == document.document_id)
