"""A document as the JSON of a bill, vendor credit, check, cash or card purchase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import Document, DocumentKind, DocumentLine
from hourbridge.common.money import EXACT, RoundingMode, round_digits
from hourbridge.connectors.ledger import LedgerWrite
from hourbridge.connectors.quickbooks_online.custom_fields import custom_fields, with_others
from hourbridge.connectors.quickbooks_online.full_update import over
from hourbridge.connectors.quickbooks_online.marker import note_with
from hourbridge.connectors.quickbooks_online.references import (
    AMOUNT_DECIMALS,
    DESCRIPTION_CHARACTERS_MAX,
    References,
)
from hourbridge.connectors.statements import number_in_ledger

ACCOUNT_DETAIL = "AccountBasedExpenseLineDetail"
ITEM_DETAIL = "ItemBasedExpenseLineDetail"
PAYMENT_TYPES = {
    DocumentKind.CHECK: "Check",
    DocumentKind.CASH_PURCHASE: "Cash",
    DocumentKind.CREDIT_CARD_CHARGE: "CreditCard",
    DocumentKind.CREDIT_CARD_CREDIT: "CreditCard",
}
"""What was paid at once: one entity of the ledger for all of them."""
_NOT_OURS = (
    "APAccountRef",
    "CustomField",
    "DepartmentRef",
    "DueDate",
    "ExchangeRate",
    "GlobalTaxCalculation",
    "PaymentMethodRef",
    "PrintStatus",
    "SalesTermRef",
    "TxnTaxDetail",
)
"""Writable properties that an update keeps unless we state them: what it leaves out is cleared."""


@dataclass(frozen=True)
class PurchasesPayload:
    """Makes the JSON of bills and vendor credits, and of what was paid at once."""

    references: References

    def for_create(self, write: LedgerWrite) -> dict[str, Any]:
        """Return the body of a create; raises LedgerRejected for what the ledger can't express."""
        document = write.document
        body: dict[str, Any] = {
            "DocNumber": number_in_ledger(document),
            "TxnDate": document.document_date.isoformat(),
            **self._party(document),
            **self.references.currency(document),
            **self.references.department(document),
            **custom_fields(self.references, document),
            "PrivateNote": note_with(document.document_id, _note(document)),
            "Line": [self._line(document, line) for line in document.lines],
        }
        if document.kind is DocumentKind.VENDOR_BILL:
            if document.due_date is not None:
                body["DueDate"] = document.due_date.isoformat()
            if document.terms is not None:
                body["SalesTermRef"] = self.references.to("term", document.terms)
        return body

    def for_update(self, write: LedgerWrite, current: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of a full update: our statement over the fields that we don't own."""
        ours = with_others(self.for_create(write), current)
        return over(current, ours, not_ours=_NOT_OURS)

    def _party(self, document: Document) -> dict[str, Any]:
        """Return who is owed, or who was paid and from which account."""
        payment_type = PAYMENT_TYPES.get(document.kind)
        if payment_type is None:
            return {"VendorRef": self.references.vendor(document)}
        if document.total < 0:
            what = f"a {document.kind.value.replace('_', ' ')} can't be over less than nothing"
            raise LedgerRejected(what, reason_code="negative_total", number=document.number)
        if not self.references.preferences.has_own_purchase_numbers:
            what = (
                "the company numbers its expenses itself, so ours can't be found by number: "
                "turn on custom transaction numbers (Account and settings, Expenses)"
            )
            raise LedgerRejected(what, reason_code="numbers_not_ours", number=document.number)
        body: dict[str, Any] = {
            "PaymentType": payment_type,
            "AccountRef": self.references.account(None, document.paid_from, document),
        }
        if document.employee is not None:
            payee = self.references.to("employee", document.employee)
            body["EntityRef"] = {**payee, "type": "Employee"}
        elif document.vendor is not None:
            body["EntityRef"] = {**self.references.vendor(document), "type": "Vendor"}
        if document.kind is DocumentKind.CREDIT_CARD_CREDIT:
            body["Credit"] = True
        return body

    def _line(self, document: Document, line: DocumentLine) -> dict[str, Any]:
        self.references.check_amount(document, line.amount, line.position)
        kind, detail = (
            self._item_based(document, line)
            if line.item is not None and line.account is None
            else self._account_based(document, line)
        )
        detail |= self.references.line_class(line)
        if document.customer is not None or document.job is not None:
            detail["CustomerRef"] = self.references.buyer(document)
        # What is rebilled stands on an invoice of ours: the ledger must not offer it a second time.
        detail["BillableStatus"] = "NotBillable"
        return {
            "DetailType": kind,
            "Amount": line.amount,
            "Description": line.description[:DESCRIPTION_CHARACTERS_MAX],
            kind: detail,
        }

    def _account_based(self, document: Document, line: DocumentLine) -> tuple[str, dict[str, Any]]:
        account = self.references.account(line.role, line.account, document)
        return ACCOUNT_DETAIL, {"AccountRef": account}

    def _item_based(self, document: Document, line: DocumentLine) -> tuple[str, dict[str, Any]]:
        del document
        detail: dict[str, Any] = {}
        if line.item is not None:
            detail["ItemRef"] = self.references.to("item", line.item)
        product = EXACT.multiply(line.quantity, line.unit_price)
        if round_digits(product, AMOUNT_DECIMALS, RoundingMode.HALF_UP) == line.amount:
            detail |= {"Qty": line.quantity, "UnitPrice": line.unit_price}
        return ITEM_DETAIL, detail


def _note(document: Document) -> str | None:
    """Return what is said on the bill: its memo, and a vendor's number too long for its field."""
    own = document.vendor_bill_number
    if own is not None and number_in_ledger(document) != own:
        return f"bill {own} {document.memo or ''}".strip()
    return document.memo
