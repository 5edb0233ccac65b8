"""Open balances in other currencies at the end of a day, document by document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from sqlalchemy import Connection

from hourbridge.billing.currencies.revaluation import OpenBalance
from hourbridge.common.book import AccountRole, LedgerBinding
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.common.store.rows import statement
from hourbridge.poster.open_items import OpenItem, read_items
from hourbridge.poster.retainers.store import of_book

_ITEMS_AT_ONCE = 500
_FOREIGN = statement(
    """
    SELECT document_id FROM document
    WHERE book = :book AND status = 'posted' AND payload ? 'base_total'
        AND payload ->> 'currency' <> :base
        AND CAST(payload ->> 'document_date' AS date) <= :day
        AND (kind IN ('invoice', 'vendor_bill')
            OR (kind IN ('credit_memo', 'vendor_credit') AND NOT payload ? 'credits_document_id')
            OR (kind = 'journal_entry' AND payload ->> 'purpose' = 'opening_item'))
    ORDER BY document_id
    """
)
Side = Literal["receivable", "payable"]
_SIDES: dict[DocumentKind, tuple[Side, int]] = {
    DocumentKind.INVOICE: ("receivable", 1),
    DocumentKind.CREDIT_MEMO: ("receivable", -1),
    DocumentKind.VENDOR_BILL: ("payable", 1),
    DocumentKind.VENDOR_CREDIT: ("payable", -1),
}


@dataclass(frozen=True)
class LedgerBalance:
    """An open balance, and the ledger that its document is in."""

    ledger: LedgerBinding
    balance: OpenBalance


def side_of(document: Document) -> tuple[Side, int]:
    """Return whose money a document is over, and whether it adds to it or takes from it."""
    known = _SIDES.get(document.kind)
    if known is not None:
        return known
    is_payable = any(posting.role is AccountRole.PAYABLE for posting in document.postings)
    return ("payable" if is_payable else "receivable"), 1


def foreign_items(connection: Connection, book: str, base: str, day: date) -> Iterator[OpenItem]:
    """Yield every posted document in another currency up to a day, open or not."""
    parameters = {"book": book, "base": base, "day": day}
    ids = list(connection.execute(_FOREIGN, parameters).scalars())
    for first in range(0, len(ids), _ITEMS_AT_ONCE):
        yield from read_items(connection, ids[first : first + _ITEMS_AT_ONCE]).values()


def open_balances(connection: Connection, book: str, base: str, day: date) -> list[LedgerBalance]:
    """Return what was open at the end of ``day`` in other currencies than the book's."""
    found = []
    for item in foreign_items(connection, book, base, day):
        side, sign = side_of(item.document)
        amount, carried = item.open_on(day, base)
        if amount == 0:
            continue
        document = item.document
        balance = OpenBalance(
            key=document.document_id,
            label=document.number,
            kind=side,
            client=document.client,
            currency=document.currency,
            amount=sign * amount,
            carried_base=sign * carried,
        )
        found.append(LedgerBalance(document.ledger, balance))
    return found


def deposit_balances(
    connection: Connection, book: str, base: str, day: date
) -> list[LedgerBalance]:
    """Return refundable retainers in other currencies at the end of ``day``.

    What can't be refunded is no monetary item: it is never revalued (IFRIC 22).
    """
    found = []
    for sub in of_book(connection, book):
        retainer = sub.retainer
        if retainer.currency == base or retainer.kind == "non_refundable":
            continue
        moved = [m for m in sub.movements if m.is_posted and m.day <= day]
        balance = OpenBalance(
            key=retainer.retainer_id,
            label=retainer.engagement,
            kind="deposit",
            client=retainer.client,
            currency=retainer.currency,
            amount=sum((m.effect for m in moved), Decimal(0)),
            carried_base=sum(
                (m.base_amount if m.is_inward else -m.base_amount for m in moved), Decimal(0)
            ),
        )
        found.append(LedgerBalance(retainer.ledger, balance))
    return [each for each in found if each.balance.amount]
