"""A document as the JSON of a bill or vendor credit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hourbridge.common.messages.events import Document, DocumentKind, DocumentLine
from hourbridge.common.money import EXACT, RoundingMode, round_digits
from hourbridge.connectors.ledger import LedgerWrite
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
_NOT_OURS = (
    "APAccountRef",
    "DepartmentRef",
    "DueDate",
    "ExchangeRate",
    "GlobalTaxCalculation",
    "SalesTermRef",
    "TxnTaxDetail",
)
"""Writable properties that an update keeps unless we state them: what it leaves out is cleared."""


@dataclass(frozen=True)
class PurchasesPayload:
    """Makes the JSON of bills and vendor credits."""

    references: References

    def for_create(self, write: LedgerWrite) -> dict[str, Any]:
        """Return the body of a create; raises LedgerRejected for what the ledger can't express."""
        document = write.document
        body: dict[str, Any] = {
            "DocNumber": number_in_ledger(document),
            "TxnDate": document.document_date.isoformat(),
            "VendorRef": self.references.vendor(document),
            **self.references.currency(document),
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
        return over(current, self.for_create(write), not_ours=_NOT_OURS)

    def _line(self, document: Document, line: DocumentLine) -> dict[str, Any]:
        self.references.check_amount(document, line.amount, line.position)
        kind, detail = (
            self._item_based(document, line)
            if line.item is not None and line.account is None
            else self._account_based(document, line)
        )
        if line.class_ref is not None:
            detail["ClassRef"] = self.references.to("class", line.class_ref)
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
