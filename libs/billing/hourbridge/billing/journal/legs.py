"""What a document moves, account by account, in its own currency; the book's comes after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import AccountRole
from hourbridge.common.messages.events import Document, DocumentKind


@dataclass(frozen=True)
class Leg:
    """One movement: debits positive. ``base`` is absent where it follows from the document's."""

    role: AccountRole
    amount: Decimal
    base: Decimal | None = None
    account: LedgerReference | None = None

    def __neg__(self) -> Leg:
        base = None if self.base is None else -self.base
        return replace(self, amount=-self.amount, base=base)


def legs_of(document: Document) -> tuple[Leg, ...]:
    """Return the movements of a document made of lines; the first one is over its total.

    Kinds that have none (time activities) and documents over nothing give none.
    """
    rule = _RULES.get(document.kind)
    return () if rule is None else rule(document)


def _sale(document: Document) -> tuple[Leg, ...]:
    """Debit the customer; credit what the lines were for, and the tax owed to the state."""
    total = Leg(AccountRole.RECEIVABLE, document.total, document.base_total)
    sold = _lines(document, AccountRole.REVENUE)
    taxes = _taxes(document, AccountRole.TAX_PAYABLE)
    return (total, *(-leg for leg in (*sold, *taxes)))


def _purchase(document: Document) -> tuple[Leg, ...]:
    """Credit the vendor; debit costs, and the tax that the state gives back."""
    total = -Leg(AccountRole.PAYABLE, document.total, document.base_total)
    return (total, *_lines(document, AccountRole.EXPENSE), *_taxes(document, AccountRole.INPUT_TAX))


def _paid_from(role: AccountRole) -> Callable[[Document], tuple[Leg, ...]]:
    """Credit the bank or the card; debit costs, and the tax that the state gives back."""

    def rule(document: Document) -> tuple[Leg, ...]:
        paid = Leg(role, document.total, document.base_total, document.paid_from)
        costs = _lines(document, AccountRole.EXPENSE)
        return (-paid, *costs, *_taxes(document, AccountRole.INPUT_TAX))

    return rule


def _lines(document: Document, role: AccountRole) -> list[Leg]:
    """Return the lines; ``role`` is for those that name none."""
    return [
        Leg(line.role or role, line.amount, line.base_amount, line.account)
        for line in document.lines
    ]


def _taxes(document: Document, role: AccountRole) -> list[Leg]:
    return [Leg(role, tax.amount) for tax in document.taxes]


def _received(document: Document) -> tuple[Leg, ...]:
    """Debit the bank; the customer owes less."""
    total = Leg(AccountRole.BANK, document.total, document.base_total)
    return (total, replace(-total, role=AccountRole.RECEIVABLE))


def _paid(document: Document) -> tuple[Leg, ...]:
    """Credit the bank; we owe the vendor less."""
    total = -Leg(AccountRole.BANK, document.total, document.base_total)
    return (total, replace(-total, role=AccountRole.PAYABLE))


def _mirror(rule: Callable[[Document], tuple[Leg, ...]]) -> Callable[[Document], tuple[Leg, ...]]:
    return lambda document: tuple(-leg for leg in rule(document))


_RULES: dict[DocumentKind, Callable[[Document], tuple[Leg, ...]]] = {
    DocumentKind.INVOICE: _sale,
    DocumentKind.CREDIT_MEMO: _mirror(_sale),
    DocumentKind.VENDOR_BILL: _purchase,
    DocumentKind.VENDOR_CREDIT: _mirror(_purchase),
    DocumentKind.CHECK: _paid_from(AccountRole.BANK),
    DocumentKind.CASH_PURCHASE: _paid_from(AccountRole.BANK),
    DocumentKind.CREDIT_CARD_CHARGE: _paid_from(AccountRole.CREDIT_CARD),
    DocumentKind.CREDIT_CARD_CREDIT: _mirror(_paid_from(AccountRole.CREDIT_CARD)),
    DocumentKind.PAYMENT: _received,
    DocumentKind.BILL_PAYMENT: _paid,
}
