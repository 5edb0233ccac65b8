"""Links between credits and what they settle: payments without money, as the ledger has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hourbridge.common.errors import DocumentMissing
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.connectors.ledger import LedgerDocument, LedgerWrite, SettledInLedger
from hourbridge.connectors.quickbooks_online.faults import OBJECT_NOT_FOUND
from hourbridge.connectors.quickbooks_online.forms import FORMS
from hourbridge.connectors.quickbooks_online.journal_payload import DETAIL
from hourbridge.connectors.quickbooks_online.marker import link_note
from hourbridge.connectors.quickbooks_online.payments_payload import link_line
from hourbridge.connectors.quickbooks_online.payments_reading import settled_by
from hourbridge.connectors.quickbooks_online.reading import decimal_of
from hourbridge.connectors.quickbooks_online.references import References
from hourbridge.connectors.quickbooks_online.searching import DocumentSearch

Post = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""Sends a body to an entity under the write's operation key."""

_PAYMENT_LINKS = {
    "Payment": DocumentKind.PAYMENT,
    "BillPaymentCheck": DocumentKind.BILL_PAYMENT,
    "BillPayment": DocumentKind.BILL_PAYMENT,
}
_OF_VENDORS = (DocumentKind.VENDOR_BILL, DocumentKind.VENDOR_CREDIT)


class Linker:
    """Links a posted credit to what it settles, as far as both sides are open."""

    def __init__(self, search: DocumentSearch) -> None:
        self._search = search

    def apply(self, write: LedgerWrite, references: References, post: Post) -> LedgerDocument:
        """Link what isn't linked yet and return the credit; safe to repeat."""
        kind, credit_id = write.document.kind, str(write.ledger_id)
        row = self._credit(write.document.kind, credit_id)
        linked = self._linked_already(row)
        wanted = [each for each in write.settles if (each.kind, each.ledger_id) not in linked]
        parts = self._parts(wanted, _left_of(row))
        if not parts:
            return FORMS[kind].read(kind, row)
        total = sum((part.amount for part in parts), Decimal(0))
        used = SettledInLedger(kind, credit_id, total)
        body = {
            "TxnDate": write.document.document_date.isoformat(),
            "TotalAmt": Decimal("0.00"),
            **references.currency(write.document),
            "PrivateNote": link_note(write.document.document_id),
            "Line": [link_line(part) for part in (*parts, used)],
            **self._party(write.document, row, parts, references),
        }
        post("Payment" if "CustomerRef" in body else "BillPayment", body)
        return FORMS[kind].read(kind, self._credit(kind, credit_id))

    def _credit(self, kind: DocumentKind, ledger_id: str) -> dict[str, Any]:
        row = self._search.row(kind, ledger_id)
        if row is None:
            what = "the credit to link is not in the ledger any more"
            raise DocumentMissing(what, reason_code=OBJECT_NOT_FOUND, ledger_id=ledger_id)
        return row

    def _linked_already(self, row: Mapping[str, Any]) -> set[tuple[DocumentKind, str]]:
        found = set()
        for link in row.get("LinkedTxn", []):
            kind = _PAYMENT_LINKS.get(link.get("TxnType"))
            payment = self._search.row(kind, str(link["TxnId"])) if kind else None
            for line in (payment or {}).get("Line", []):
                found |= {(each.kind, each.ledger_id) for each in settled_by(line)}
        return found

    def _parts(self, wanted: list[SettledInLedger], left: Decimal | None) -> list[SettledInLedger]:
        """Return what to settle: never more than is open, on either side."""
        parts = []
        for each in wanted:
            target = self._search.read(each.kind, each.ledger_id)
            if target is None:
                continue
            limits = [each.amount, target.open_balance, left]
            amount = min(limit for limit in limits if limit is not None)
            if amount > 0:
                parts.append(replace(each, amount=amount))
                left = left - amount if left is not None else None
        return parts

    def _party(
        self,
        document: Document,
        row: Mapping[str, Any],
        parts: list[SettledInLedger],
        references: References,
    ) -> dict[str, Any]:
        if not any(part.kind in _OF_VENDORS for part in parts):
            reference = row.get("CustomerRef") or _entity_of(row, "Customer")
            return {"CustomerRef": reference or references.buyer(document)}
        reference = row.get("VendorRef") or _entity_of(row, "Vendor")
        bank = next(
            account.ledger_id
            for account in references.entities.all("account")
            if account.type == "Bank" and account.is_active and not account.is_header
        )
        return {
            "VendorRef": reference or references.vendor(document),
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": bank}},
        }


def _left_of(row: Mapping[str, Any]) -> Decimal | None:
    """Return how much of a credit is unused; a journal entry doesn't tell."""
    left = row.get("RemainingCredit", row.get("Balance"))
    return None if left is None else decimal_of(left)


def _entity_of(row: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    """Return the customer or vendor whose account a journal entry moves."""
    for line in row.get("Line", []):
        entity = line.get(DETAIL, {}).get("Entity", {})
        if entity.get("Type") == kind:
            return {"value": entity["EntityRef"]["value"]}
    return None
