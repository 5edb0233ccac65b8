"""A document as the JSON of a journal entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import AccountRole
from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import Document, Posting
from hourbridge.connectors.ledger import LedgerWrite
from hourbridge.connectors.quickbooks_online.full_update import over
from hourbridge.connectors.quickbooks_online.marker import note_with
from hourbridge.connectors.quickbooks_online.references import (
    DESCRIPTION_CHARACTERS_MAX,
    References,
)

DETAIL = "JournalEntryLineDetail"
_NOT_OURS = ("Adjustment", "ExchangeRate", "GlobalTaxCalculation", "TxnTaxDetail")


@dataclass(frozen=True)
class JournalPayload:
    """Makes the JSON of journal entries."""

    references: References

    def for_create(self, write: LedgerWrite) -> dict[str, Any]:
        """Return the body of a create; raises LedgerRejected for what the ledger can't express."""
        document = write.document
        postings = [(n, each) for n, each in enumerate(document.postings, 1) if each.amount]
        if len(postings) < 2 or any(_is_base_only(document, each) for each in document.postings):
            what = "the ledger has no entries in home currency alone within a foreign one"
            raise LedgerRejected(what, reason_code="base_only_posting", number=document.number)
        return {
            "DocNumber": document.number,
            "TxnDate": document.document_date.isoformat(),
            **self.references.currency(document),
            "PrivateNote": note_with(document.document_id, document.memo),
            "Line": [self._line(document, posting, position) for position, posting in postings],
        }

    def for_update(self, write: LedgerWrite, current: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of a full update: our statement over the fields that we don't own."""
        return over(current, self.for_create(write), not_ours=_NOT_OURS)

    def _line(self, document: Document, posting: Posting, position: int) -> dict[str, Any]:
        self.references.check_amount(document, posting.amount, position)
        detail: dict[str, Any] = {
            "PostingType": "Debit" if posting.amount > 0 else "Credit",
            "AccountRef": self.references.account(posting.role, posting.account, document),
        }
        party = self._party(document, posting)
        if party is not None:
            detail["Entity"] = party
        text = posting.memo or document.memo or ""
        return {
            "DetailType": DETAIL,
            "Amount": abs(posting.amount),
            "Description": text[:DESCRIPTION_CHARACTERS_MAX],
            DETAIL: detail,
        }

    def _party(self, document: Document, posting: Posting) -> dict[str, Any] | None:
        """Return whom a line concerns: always stated for receivables and payables."""
        customer = posting.customer or document.customer
        vendor = posting.vendor or document.vendor
        if posting.role is AccountRole.PAYABLE:
            return self._entity("Vendor", vendor, document)
        if posting.role is AccountRole.RECEIVABLE or posting.customer is not None:
            return self._entity("Customer", customer, document)
        if posting.vendor is not None:
            return self._entity("Vendor", vendor, document)
        return None

    def _entity(
        self, kind: str, reference: LedgerReference | None, document: Document
    ) -> dict[str, Any]:
        if reference is None:
            what = f"a line of the entry concerns a {kind.lower()} and names none"
            raise LedgerRejected(
                what, reason_code=f"{kind.lower()}_missing", number=document.number
            )
        return {"Type": kind, "EntityRef": self.references.to(kind.lower(), reference)}


def _is_base_only(document: Document, posting: Posting) -> bool:
    """Return whether a posting can't be told: home currency alone, in a foreign entry.

    The exchange difference of what the entry settles is found by the ledger itself, once the two
    are linked.
    """
    if posting.amount or not posting.base_amount:
        return False
    return not (document.settles and posting.role is AccountRole.FX_REALIZED)
