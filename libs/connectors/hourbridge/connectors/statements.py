"""What a document states in any ledger: its number there and the amounts of its lines."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.common.messages.events import Document, DocumentKind

VENDOR_NUMBER_CHARACTERS_MAX = 21
MIRRORED_KINDS = frozenset(
    {
        DocumentKind.TIME_ACTIVITY,
        DocumentKind.CHECK,
        DocumentKind.CASH_PURCHASE,
        DocumentKind.CREDIT_CARD_CHARGE,
        DocumentKind.CREDIT_CARD_CREDIT,
    }
)
"""Kinds that say what happened: put right where they stand, deleted when it did not happen."""
_SECONDS_PER_MINUTE = 60
_BY_POSTINGS = (DocumentKind.JOURNAL_ENTRY,)
_BY_SETTLEMENTS = (DocumentKind.PAYMENT, DocumentKind.BILL_PAYMENT)
_VENDORS_OWN = (DocumentKind.VENDOR_BILL, DocumentKind.VENDOR_CREDIT)


def number_in_ledger(document: Document) -> str:
    """Return the number that the ledger shows: a vendor's bill carries the vendor's own."""
    own = document.vendor_bill_number
    if document.kind in _VENDORS_OWN and own and len(own) <= VENDOR_NUMBER_CHARACTERS_MAX:
        return own
    return document.number


def posted_minutes(seconds: int) -> int:
    """Return worked time as ledgers keep it: whole minutes, half up, and at least one."""
    return max(1, (seconds + _SECONDS_PER_MINUTE // 2) // _SECONDS_PER_MINUTE)


def stated_amounts(document: Document) -> list[Decimal]:
    """Return the amounts of the lines that a document has in a ledger, in ascending order.

    Journal entries have their postings, debits positive; payments what they settle; time
    activities no amounts but minutes, so that two of them can be told apart.
    """
    if document.kind is DocumentKind.TIME_ACTIVITY:
        return [Decimal(posted_minutes(document.activity.seconds))] if document.activity else []
    if document.kind in _BY_POSTINGS:
        return sorted(posting.amount for posting in document.postings if posting.amount)
    if document.kind in _BY_SETTLEMENTS:
        return sorted(settlement.amount for settlement in document.settles)
    return sorted(line.amount for line in document.lines)
