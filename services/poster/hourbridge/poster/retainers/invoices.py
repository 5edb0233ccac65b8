"""The invoices that a retainer may pay: of its client, engagement, currency and ledger."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection

from hourbridge.billing.grouping import ledger_key
from hourbridge.billing.retainers.planning import OpenInvoice
from hourbridge.common.messages.events import DocumentStatus
from hourbridge.common.store.rows import statement
from hourbridge.poster.open_items import OpenItem, lock_items, read_items
from hourbridge.poster.retainers.store import Retainer, SubLedger

_CANDIDATES = statement(
    """
    SELECT document_id FROM document
    WHERE book = :book AND payload ->> 'engagement' = :engagement AND payload ? 'engagement'
        AND kind = 'invoice' AND status IN ('posted', 'posting') AND ledger_key = :ledger_key
        AND payload ->> 'client' = :client AND payload ->> 'currency' = :currency
    ORDER BY document_id
    """
)


def invoices_of(
    connection: Connection, sub: SubLedger, *, lock: bool
) -> list[tuple[OpenInvoice, OpenItem]]:
    """Return the invoices of a retainer's engagement, locked if something is to be settled."""
    asked = {
        "book": sub.retainer.book,
        "engagement": sub.retainer.engagement,
        "client": sub.retainer.client,
        "currency": sub.retainer.currency,
        "ledger_key": ledger_key(sub.retainer.ledger),
    }
    ids = list(connection.execute(_CANDIDATES, asked).scalars())
    items = (lock_items if lock else read_items)(connection, ids)
    return [(open_invoice(sub.retainer, item), item) for item in items.values()]


def open_invoice(retainer: Retainer, item: OpenItem) -> OpenInvoice:
    """Return an invoice as the retainer sees it."""
    applied = item.settled_from(retainer.engagement)
    return OpenInvoice(
        document_id=item.document.document_id,
        number=item.document.number,
        document_date=item.document.document_date,
        total=item.document.total,
        credited=item.credited,
        credited_for_good=item.credited_for_good,
        paid=item.settled - applied,
        applied=applied,
        is_underway=item.document.status is DocumentStatus.POSTING,
    )


def projects_of(item: OpenItem) -> list[tuple[str, Decimal]]:
    """Return the lines of an invoice as projects and amounts."""
    return [(line.project or "", line.amount) for line in item.document.lines]
