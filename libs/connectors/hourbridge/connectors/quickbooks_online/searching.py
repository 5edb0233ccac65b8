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
from hourbridge.connectors.quickbooks_online.forms import form_of
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
        entity = form_of(kind).entity
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
        return form_of(kind).read(kind, row) if row is not None else None

    def find(self, document: Document) -> LedgerDocument | None:
        """Return ours by number, else ours by marker around its date, else another's of the number.

        The private note can't be searched in the ledger, so markers are compared here.
        """
        numbered = self._numbered(document)
        ours = next((found for found in numbered if found.is_ours), None)
        if ours is not None:
            return ours
        marked = self._marked(document, document.document_date, document.document_date)
        if marked is not None:
            return marked
        margin = timedelta(days=SEARCH_DAYS)
        first, last = document.document_date - margin, document.document_date + margin
        return self._marked(document, first, last) or (numbered[0] if numbered else None)

    def _numbered(self, document: Document) -> list[LedgerDocument]:
        """Return the documents that have our number; none of kinds without numbers."""
        form = form_of(document.kind)
        if form.number_property is None:
            return []
        conditions = [equals(form.number_property, number_in_ledger(document))]
        rows = select(self._transport, form.entity, conditions)
        return [
            _as_asked(document, form.read(document.kind, row)) for row in rows if form.holds(row)
        ]

    def _marked(self, document: Document, first: date, last: date) -> LedgerDocument | None:
        """Return the document with our marker of these days."""
        for found in self.documents(document.kind, first, last):
            if found.marked_document_id == document.document_id:
                return replace(found, is_ours=True)
        return None

    def documents(self, kind: DocumentKind, first: date, last: date) -> Iterator[LedgerDocument]:
        """Yield every document dated within ``first`` to ``last``; our mere links are none."""
        form = form_of(kind)
        conditions = [
            f"TxnDate >= {quoted(first.isoformat())}",
            f"TxnDate <= {quoted(last.isoformat())}",
        ]
        if form.condition is not None:
            conditions.append(form.condition)
        for row in select_all(self._transport, form.entity, conditions):
            if form.holds(row) and not is_link(row.get("PrivateNote")):
                yield form.read(kind, row)


def _as_asked(document: Document, found: LedgerDocument) -> LedgerDocument:
    return replace(found, is_ours=found.marked_document_id == document.document_id)
