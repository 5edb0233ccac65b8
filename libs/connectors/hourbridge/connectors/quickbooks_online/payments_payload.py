"""A document as the JSON of a customer's payment or of a payment to a vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hourbridge.common.book.accounts import AccountRole
from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.connectors.ledger import LedgerWrite, SettledInLedger
from hourbridge.connectors.quickbooks_online.marker import note_with
from hourbridge.connectors.quickbooks_online.references import References

LINK_TYPE = {
    DocumentKind.INVOICE: "Invoice",
    DocumentKind.CREDIT_MEMO: "CreditMemo",
    DocumentKind.JOURNAL_ENTRY: "JournalEntry",
    DocumentKind.VENDOR_BILL: "Bill",
    DocumentKind.VENDOR_CREDIT: "VendorCredit",
}
_MONEY = (AccountRole.BANK, AccountRole.TRUST_BANK)


@dataclass(frozen=True)
class PaymentsPayload:
    """Makes the JSON of payments. Exchange differences are the ledger's own: it books them."""

    references: References

    def for_create(self, write: LedgerWrite) -> dict[str, Any]:
        """Return the body of a create; raises LedgerRejected for what the ledger can't express."""
        document = write.document
        body: dict[str, Any] = {
            "TxnDate": document.document_date.isoformat(),
            "TotalAmt": document.total,
            **self.references.currency(document),
            "PrivateNote": note_with(document.document_id, document.memo),
            "Line": [link_line(settled) for settled in write.settles],
        }
        if document.kind is DocumentKind.PAYMENT:
            return body | self._received(document)
        return body | self._paid(document)

    def for_update(self, write: LedgerWrite, current: Mapping[str, Any]) -> dict[str, Any]:
        """Payments are not updated: what they settle has moved on since."""
        what = "a payment that differs in the ledger is corrected there"
        number = write.document.number
        raise LedgerRejected(
            what, reason_code="payment_fixed", number=number, ledger_id=current.get("Id")
        )

    def _received(self, document: Document) -> dict[str, Any]:
        body: dict[str, Any] = {
            "CustomerRef": self.references.buyer(document),
            "PaymentRefNum": document.number,
        }
        account = self._money_account(document)
        return body if account is None else body | {"DepositToAccountRef": account}

    def _paid(self, document: Document) -> dict[str, Any]:
        account = self._money_account(document)
        if account is None:
            what = "the book names no bank account of the ledger (accounts: role bank)"
            raise LedgerRejected(what, reason_code="account_unmapped", number=document.number)
        return {
            "VendorRef": self.references.vendor(document),
            "DocNumber": document.number,
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": account},
        }

    def _money_account(self, document: Document) -> dict[str, str] | None:
        for posting in document.postings:
            if posting.role in _MONEY and posting.account is not None:
                return self.references.to("account", posting.account)
        return None


def link_line(settled: SettledInLedger) -> dict[str, Any]:
    """Return the line that settles a document, or uses up a credit."""
    link = {"TxnId": settled.ledger_id, "TxnType": LINK_TYPE[settled.kind]}
    return {"Amount": settled.amount, "LinkedTxn": [link]}
