"""What a document states in any ledger: its number there and the amounts of its lines."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.common.messages.events import Document, DocumentKind

VENDOR_NUMBER_CHARACTERS_MAX = 21
_BY_POSTINGS = (DocumentKind.JOURNAL_ENTRY,)
_BY_SETTLEMENTS = (DocumentKind.PAYMENT, DocumentKind.BILL_PAYMENT)
_VENDORS_OWN = (DocumentKind.VENDOR_BILL, DocumentKind.VENDOR_CREDIT)


def number_in_ledger(document: Document) -> str:
    """Return the number that the ledger shows: a vendor's bill carries the vendor's own."""
    own = document.vendor_bill_number
    if document.kind in _VENDORS_OWN and own and len(own) <= VENDOR_NUMBER_CHARACTERS_MAX:
        return own
    return document.number


def stated_amounts(document: Document) -> list[Decimal]:
    """Return the amounts of the lines that a document has in a ledger, in ascending order.

    Journal entries have their postings, debits positive; payments what they settle.
    """
    if document.kind in _BY_POSTINGS:
        return sorted(posting.amount for posting in document.postings if posting.amount)
    if document.kind in _BY_SETTLEMENTS:
        return sorted(settlement.amount for settlement in document.settles)
    return sorted(line.amount for line in document.lines)
