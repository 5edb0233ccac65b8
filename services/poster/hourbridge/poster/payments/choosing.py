"""Which open documents a payment settles: those that it names, else the oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from hourbridge.billing.grouping import ledger_key
from hourbridge.common.book import LedgerReference
from hourbridge.common.messages.events import Document, DocumentKind, MappedPayment, Reason
from hourbridge.common.store.rows import statement
from hourbridge.poster.currencies.balances import side_of
from hourbridge.poster.open_items import OpenItem, is_open, lock_items

_NOTHING = Decimal(0)
_NAMED = statement(
    """
    SELECT document_id FROM document
    WHERE book = :book AND ledger_key = :ledger_key AND status <> 'withdrawn'
        AND (kind = :kind OR payload ->> 'purpose' = 'opening_item')
        AND (number = ANY(CAST(:numbers AS text[]))
            OR payload ->> 'vendor_bill_number' = ANY(CAST(:numbers AS text[])))
    """
)
_OF_PARTY = statement(
    """
    SELECT document_id FROM document
    WHERE book = :book AND ledger_key = :ledger_key AND status = 'posted'
        AND (kind = :kind OR payload ->> 'purpose' = 'opening_item')
        AND (CAST(:client AS text) = '' OR payload ->> 'client' = :client)
        AND payload ->> 'currency' = :currency
    """
)


@dataclass(frozen=True)
class Chosen:
    """A document, and how much of it is settled."""

    item: OpenItem
    amount: Decimal


def choose_items(
    connection: Connection, book: str, payment: MappedPayment, kind: DocumentKind
) -> list[Chosen] | Reason:
    """Lock the documents that a payment settles and return them; or why it must wait.

    A payment waits as a whole: for documents that aren't in the ledger yet, and for a person's
    decision where it is over more than is open.
    """
    if payment.parts:
        return _named(connection, book, payment, kind)
    return _oldest(connection, book, payment, kind)


def _named(
    connection: Connection, book: str, payment: MappedPayment, kind: DocumentKind
) -> list[Chosen] | Reason:
    numbers = [part.number for part in payment.parts]
    parameters = {
        "book": book,
        "ledger_key": ledger_key(payment.ledger),
        "kind": kind,
        "numbers": numbers,
    }
    ids = connection.execute(_NAMED, parameters).scalars()
    items = [item for item in lock_items(connection, ids).values() if _is_partys(item, payment)]
    chosen: list[Chosen] = []
    for part in payment.parts:
        item = next((i for i in items if part.number in _numbers(i.document)), None)
        if item is None or not is_open(item.document):
            detail = f"there is no open {kind.value.replace('_', ' ')} {part.number}"
            return _waits("no_document", detail, f"document:{part.number}")
        if item.document.currency != payment.currency:
            return _other_currency(payment, item.document)
        chosen.append(Chosen(item, part.amount))
    return _checked(payment, chosen)


def _oldest(
    connection: Connection, book: str, payment: MappedPayment, kind: DocumentKind
) -> list[Chosen] | Reason:
    parameters = {
        "book": book,
        "ledger_key": ledger_key(payment.ledger),
        "kind": kind,
        "client": payment.client,
        "currency": payment.currency,
    }
    ids = connection.execute(_OF_PARTY, parameters).scalars()
    items = [
        item
        for item in lock_items(connection, ids).values()
        if item.open_amount > 0 and is_open(item.document) and _is_partys(item, payment)
    ]
    left = payment.amount
    chosen = []
    for item in sorted(items, key=_age):
        amount = min(left, item.open_amount)
        if amount > 0:
            chosen.append(Chosen(item, amount))
            left -= amount
    return _checked(payment, chosen)


def _checked(payment: MappedPayment, chosen: Sequence[Chosen]) -> list[Chosen] | Reason:
    """Return what was chosen unless the payment is over more, or less, than that."""
    for each in chosen:
        named = [other.amount for other in chosen if other.item is each.item]
        if sum(named, _NOTHING) > each.item.open_amount:
            return _too_much(
                f"{each.item.document.number} is open by {each.item.open_amount}, "
                f"the payment names {sum(named, _NOTHING)}",
                payment,
            )
    settled = sum((each.amount for each in chosen), _NOTHING)
    if settled < payment.amount:
        detail = f"{payment.amount} were paid, only {settled} {payment.currency} are open for it"
        return _too_much(detail, payment)
    if settled > payment.amount:
        detail = f"the parts sum to {settled}, the payment is over {payment.amount}"
        return _waits("parts_exceed_payment", detail, _party(payment))
    return list(chosen)


def _is_partys(item: OpenItem, payment: MappedPayment) -> bool:
    """Return whether a document is of the client who pays, or of the vendor who is paid."""
    side, _ = side_of(item.document)
    if payment.purpose != "vendor_bill":
        return side == "receivable" and item.document.client == payment.client
    return side == "payable" and _same(item.document.vendor, payment.vendor)


def _same(one: LedgerReference | None, other: LedgerReference | None) -> bool:
    if one is None or other is None:
        return False
    if one.id is not None and other.id is not None:
        return one.id == other.id
    return one.name is not None and one.name == other.name


def _numbers(document: Document) -> tuple[str | None, ...]:
    return (document.number, document.vendor_bill_number)


def _age(item: OpenItem) -> tuple[object, ...]:
    document = item.document
    return (document.document_date, len(document.number), document.number)


def _too_much(detail: str, payment: MappedPayment) -> Reason:
    return _waits("exceeds_open", detail, _party(payment))


def _other_currency(payment: MappedPayment, document: Document) -> Reason:
    detail = f"{document.number} is in {document.currency}, the payment in {payment.currency}"
    return _waits("other_currency", detail, _party(payment))


def _party(payment: MappedPayment) -> str:
    vendor = payment.vendor.key if payment.vendor is not None else ""
    return f"open_item:{payment.client or vendor}"


def _waits(code: str, detail: str, waits_for: str) -> Reason:
    return Reason(code=code, detail=detail, waits_for=waits_for)
