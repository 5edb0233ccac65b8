"""A document as the JSON of an invoice or credit memo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import Document, DocumentKind, DocumentLine
from hourbridge.common.money import EXACT, RoundingMode, decimal_text, round_digits
from hourbridge.connectors.ledger import LedgerWrite
from hourbridge.connectors.quickbooks_online.custom_fields import custom_fields, with_others
from hourbridge.connectors.quickbooks_online.full_update import over
from hourbridge.connectors.quickbooks_online.marker import note_for
from hourbridge.connectors.quickbooks_online.references import (
    AMOUNT_DECIMALS,
    DESCRIPTION_CHARACTERS_MAX,
    References,
)
from hourbridge.connectors.quickbooks_online.taxes import line_tax_code, tax_detail
from hourbridge.connectors.quickbooks_online.time_linking import linked

QUANTITY_DECIMALS_MAX = 5
UNIT_PRICE_DECIMALS_MAX = 7
_MEMO_CHARACTERS_MAX = 1000
_SALES = "SalesItemLineDetail"
_SENT = "EmailSent"
_NOT_OURS = (
    "AllowOnlineACHPayment",
    "AllowOnlineCreditCardPayment",
    "ApplyTaxAfterDiscount",
    "BillAddr",
    "BillEmail",
    "BillEmailBcc",
    "BillEmailCc",
    "ClassRef",
    "CustomField",
    "CustomerMemo",
    "DepartmentRef",
    "Deposit",
    "DepositToAccountRef",
    "DueDate",
    "EmailStatus",
    "ExchangeRate",
    "GlobalTaxCalculation",
    "PaymentMethodRef",
    "PrintStatus",
    "ProjectRef",
    "SalesTermRef",
    "ShipAddr",
    "ShipDate",
    "ShipFromAddr",
    "ShipMethodRef",
    "TrackingNum",
)
"""Writable properties that an update keeps unless we state them ourselves: what a full update
leaves out is cleared, and read-only ones (DeliveryInfo, balances) must not be echoed."""
_WRITABLE_LINKS = ("Estimate", "TimeActivity")


@dataclass(frozen=True)
class SalesPayload:
    """Makes the JSON of invoices and credit memos."""

    references: References

    def for_create(self, write: LedgerWrite) -> dict[str, Any]:
        """Return the body of a create; raises LedgerRejected for what the ledger can't express."""
        document = write.document
        body = {
            **self._header(document),
            "PrivateNote": note_for(document.document_id, write.applies_to_ledger_id),
            "Line": [self._line(document, line) for line in document.lines],
            **tax_detail(self.references, document),
        }
        return body if document.kind is not DocumentKind.INVOICE else linked(write, body)

    def for_update(self, write: LedgerWrite, current: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of a full update: our statement over the fields that we don't own."""
        ours = with_others(self.for_create(write), current)
        if current.get("EmailStatus") == _SENT:
            ours.pop("EmailStatus", None)  # asked for once; stating it again would send it again
        kept = [
            link
            for link in current.get("LinkedTxn", [])
            if link.get("TxnType") in _WRITABLE_LINKS and link not in ours.get("LinkedTxn", [])
        ]
        links = [*kept, *ours.get("LinkedTxn", [])]
        ours |= {"LinkedTxn": links} if links else {}
        return over(current, ours, not_ours=_NOT_OURS, is_line_of_ours=lambda line: _SALES in line)

    def _header(self, document: Document) -> dict[str, Any]:
        header: dict[str, Any] = {
            "DocNumber": document.number,
            "TxnDate": document.document_date.isoformat(),
            **self.references.customer_or_project(document),
            **self.references.department(document),
            **self.references.transaction_class(document),
            **custom_fields(self.references, document),
            **self.references.currency(document),
        }
        if document.kind is DocumentKind.INVOICE:
            if document.due_date is not None:
                header["DueDate"] = document.due_date.isoformat()
            if document.terms is not None:
                header["SalesTermRef"] = self.references.to("term", document.terms)
        if document.email:
            header["BillEmail"] = {"Address": document.email}
        if document.email_wanted and document.email:
            header["EmailStatus"] = "NeedToSend"
        if document.memo:
            header["CustomerMemo"] = {"value": document.memo[:_MEMO_CHARACTERS_MAX]}
        return header

    def _line(self, document: Document, line: DocumentLine) -> dict[str, Any]:
        self.references.check_amount(document, line.amount, line.position)
        quantity, price, description = _as_product(line)
        detail: dict[str, Any] = {
            "ItemRef": self._item(document, line),
            "Qty": quantity,
            "UnitPrice": price,
        }
        if line.service_date is not None:
            detail["ServiceDate"] = line.service_date.isoformat()
        detail |= self.references.line_class(line)
        code = line_tax_code(self.references, document, line)
        if code is not None:
            detail["TaxCodeRef"] = code
        return {
            "DetailType": _SALES,
            "Amount": line.amount,
            "Description": description[:DESCRIPTION_CHARACTERS_MAX],
            _SALES: detail,
        }

    def _item(self, document: Document, line: DocumentLine) -> dict[str, str]:
        """Return the line's item; the ledger sells items only, so an account needs one of its own.

        It is the first active item, by name, whose sales post to the account.
        """
        if line.item is not None:
            return self.references.to("item", line.item)
        if line.account is None:
            what = "QuickBooks Online sells items only; the line names neither item nor account"
            raise LedgerRejected(what, reason_code="item_required", line=line.position)
        account = self.references.account(line.role, line.account, document)["value"]
        items = [
            item
            for item in self.references.entities.all("item")
            if item.income_account_id == account and item.is_active and not item.is_header
        ]
        if not items:
            what = (
                f"QuickBooks Online sells items only, and none posts to the account "
                f"{line.account.key}: make a service item with it as its income account"
            )
            raise LedgerRejected(what, reason_code="item_required", line=line.position)
        return {"value": min(items, key=lambda item: (item.name, item.ledger_id)).ledger_id}


def _as_product(line: DocumentLine) -> tuple[Decimal, Decimal, str]:
    """Return quantity, price and text whose product is the line's amount.

    The ledger refuses any other amount (code 6070). Where ours is not the rounded product at the
    ledger's precision, one unit is sold at the amount and the text tells the hours.
    """
    fits = _fits(line.quantity, QUANTITY_DECIMALS_MAX) and _fits(
        line.unit_price, UNIT_PRICE_DECIMALS_MAX
    )
    product = EXACT.multiply(line.quantity, line.unit_price)
    if fits and round_digits(product, AMOUNT_DECIMALS, RoundingMode.HALF_UP) == line.amount:
        return line.quantity, line.unit_price, line.description
    unit = " h" if line.billed_seconds or line.worked_seconds else ""
    basis = f"({decimal_text(line.quantity)}{unit} x {decimal_text(line.unit_price)})"
    room = DESCRIPTION_CHARACTERS_MAX - len(basis) - 1
    return Decimal(1), line.amount, f"{line.description[:room]} {basis}".strip()


def _fits(value: Decimal, decimals: int) -> bool:
    return round_digits(value, decimals, RoundingMode.DOWN) == value
