"""Vendor bills from their charges: pure; numbers and storage are somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from hourbridge.billing.expenses import receipts_of
from hourbridge.billing.payables import (
    BillLine,
    bill_date,
    bill_lines,
    bill_period,
    payable_of,
)
from hourbridge.common.book import Account, CustomFieldRule, LedgerReference, ledger_account
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    Charge,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
    Payable,
)
from hourbridge.poster.documents import NewDocument, NewLine
from hourbridge.poster.form_fields import common_fields

PAY_WHEN_PAID = "Pay when paid"
_PAID_KINDS = {
    "check": DocumentKind.CHECK,
    "cash": DocumentKind.CASH_PURCHASE,
    "card": DocumentKind.CREDIT_CARD_CHARGE,
}
_CREDITS = (DocumentKind.VENDOR_CREDIT, DocumentKind.CREDIT_CARD_CREDIT)
BILL_KINDS = (DocumentKind.VENDOR_BILL, DocumentKind.VENDOR_CREDIT)


@dataclass(frozen=True)
class BillGroup:
    """The charges that share a bill, and the request that makes it."""

    book: str
    engagement_key: str
    group_key: str
    charges: tuple[Charge, ...]
    through: date
    configuration_version: int
    accounts: tuple[Account, ...] = ()
    run_id: str | None = None
    custom_fields: tuple[CustomFieldRule, ...] = ()

    @property
    def number_prefix(self) -> str:
        """Return what the number begins with: the invoices' prefix, then B (bill) or P (paid)."""
        mark = "P" if payable_of(self.charges[0]).paid else "B"
        return f"{self.charges[0].invoicing.number_prefix}{mark}"


def is_bill(document: Document) -> bool:
    """Return whether a document is owed to a vendor."""
    return document.kind in BILL_KINDS


def build_bill(group: BillGroup, number: str) -> NewDocument:
    """Return the bill of a group; one that comes to less than nothing is a vendor credit."""
    charges = group.charges
    document_id = derive_id("bill", group.book, number, *sorted(c.charge_id for c in charges))
    lines = [
        new_line(line, document_id, position, group.accounts)
        for position, line in enumerate(bill_lines(charges), start=1)
    ]
    total = sum((line.amount for line in lines), Decimal(0))
    kind = _kind(charges[0], total)
    is_credit = kind in _CREDITS
    if is_credit:
        lines = [mirrored(line) for line in lines]
    document = _document(group, document_id, number, kind, -total if is_credit else total)
    return NewDocument(
        document=document.model_copy(update={"lines": tuple(line.line for line in lines)}),
        lines=tuple(lines),
        engagement_key=group.engagement_key,
        group_key=group.group_key,
        billed_through=group.through,
        run_id=group.run_id,
    )


def _document(
    group: BillGroup, document_id: str, number: str, kind: DocumentKind, total: Decimal
) -> Document:
    first = group.charges[0]
    owed, day = payable_of(first), bill_date(group.charges)
    period = bill_period(first)
    return Document(
        document_id=document_id,
        version=1,
        kind=kind,
        status=DocumentStatus.POSTING,
        number=number,
        ledger=first.ledger,
        **_party(owed),
        vendor_bill_number=owed.bill_number,
        client="",
        currency=first.currency,
        document_date=day,
        due_date=_due(owed, day),
        period=period.label if period else None,
        memo=PAY_WHEN_PAID if owed.pay_when_paid else None,
        lines=(),
        total=total,
        department=first.department,
        custom_fields=common_fields(group.charges, kind, group.custom_fields),
        attachments=receipts_of(group.charges),
        configuration_version=group.configuration_version,
        run_id=group.run_id,
    )


def _kind(charge: Charge, total: Decimal) -> DocumentKind:
    """Return what a group is posted as; only bills and card charges have a kind for credits."""
    paid = payable_of(charge).paid
    if paid is None:
        return DocumentKind.VENDOR_BILL if total >= 0 else DocumentKind.VENDOR_CREDIT
    if paid.by == "card" and total < 0:
        return DocumentKind.CREDIT_CARD_CREDIT
    return _PAID_KINDS[paid.by]


def _party(owed: Payable) -> dict[str, LedgerReference | None]:
    """Return who is owed, or who was paid and from what."""
    if owed.paid is None:
        return {"vendor": owed.vendor}
    return {
        "vendor": owed.vendor if owed.paid.payee == "vendor" else None,
        "employee": owed.vendor if owed.paid.payee == "employee" else None,
        "paid_from": owed.paid.account,
    }


def _due(owed: Payable, day: date) -> date | None:
    if owed.pay_when_paid or owed.paid is not None:
        return None
    return day + timedelta(days=owed.due_days)


def new_line(
    line: BillLine, document_id: str, position: int, accounts: Sequence[Account]
) -> NewLine:
    """Return a line to be stored; its account is the charge's, else that of its role."""
    shown = line.to_document_line(derive_id("line", document_id, line.key), position)
    if shown.account is None and shown.item is None:
        shown = shown.model_copy(update={"account": ledger_account(accounts, line.role)})
    return NewLine(shown, amount=shown.amount, seconds=0, basis=line.basis, charges=line.charges)


def mirrored(new: NewLine) -> NewLine:
    """Return the line as it stands on a vendor credit: its sign changes there, not in the books."""
    return replace(new, line=mirrored_line(new.line))


def mirrored_line(line: DocumentLine) -> DocumentLine:
    """Return a line with its price and amount in the other sign."""
    return line.model_copy(update={"unit_price": -line.unit_price, "amount": -line.amount})
