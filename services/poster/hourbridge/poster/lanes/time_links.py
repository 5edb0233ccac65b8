"""Which posted time activities the lines of an invoice bill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.common.store.rows import statement
from hourbridge.connectors.ledger import LinkedTime

_POSTED = statement(
    """
    SELECT a.charge_id, d.payload #>> '{posted,ledger_id}' AS ledger_id
    FROM activity a JOIN document d ON d.document_id = a.document_id
    WHERE a.charge_id = ANY(:charges) AND d.status = 'posted'
    ORDER BY a.activity_id
    """
)
_UNDER_WAY = statement(
    """
    SELECT EXISTS (
        SELECT FROM activity a LEFT JOIN document d ON d.document_id = a.document_id
        WHERE a.charge_id = ANY(:charges) AND (a.due_at IS NOT NULL OR d.status = 'posting'))
    """
)


def posted(connection: Connection, document: Document) -> tuple[LinkedTime, ...]:
    """Return the links of an invoice; time that isn't in the ledger is not linked."""
    if document.kind is not DocumentKind.INVOICE:
        return ()
    places = {charge: line.position for line in document.lines for charge in line.charge_ids}
    if not places:
        return ()
    rows = connection.execute(_POSTED, {"charges": sorted(places)})
    return tuple(LinkedTime(places[row.charge_id], row.ledger_id) for row in rows)


def under_way(connection: Connection, payload: Mapping[str, Any]) -> bool:
    """Return whether time that an invoice is to be linked with is just being posted."""
    if payload["kind"] != DocumentKind.INVOICE:
        return False
    charges = [charge for line in payload["lines"] for charge in line.get("charge_ids", ())]
    return bool(connection.execute(_UNDER_WAY, {"charges": charges}).scalar_one())
