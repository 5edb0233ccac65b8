"""Items that were open before the book began: taken over once, so that payments can settle them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from hourbridge.billing.currencies.payments import Side
from hourbridge.common.book import AccountRole, BookConfiguration, LedgerReference
from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import Document, Posting
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry

PURPOSE = "opening_item"
_ITEMS = {"receivable": AccountRole.RECEIVABLE, "payable": AccountRole.PAYABLE}


@dataclass(frozen=True)
class OpeningItem:
    """What a client owed, or a vendor was owed, as the books before carried it."""

    reference: str
    """Its number there; taken over once per party and reference."""
    side: Side
    party: str
    """The client, or the vendor's name in the ledger."""
    currency: str
    amount: Decimal
    base_amount: Decimal
    day: date


class OpeningItems:
    """Takes over open items; the ledger has them already, so nothing is sent."""

    def __init__(
        self, store: Store, documents: DocumentStore, clock: Clock, announced: Callable[[], None]
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._announced = announced

    def take_over(self, book: str, item: OpeningItem, actor: str) -> Document | None:
        """Book an item against opening balances; None when it was taken over before.

        Raises NotFound for a book or client that isn't configured.
        """
        with self._store.transaction() as connection:
            configured = configuration_of(connection, book)
            if configured is None:
                raise NotFound("the book has no configuration", book=book)
            entry = _entry(book, configured.configuration, item)
            document = add_entry(connection, self._documents, self._clock, entry)
            if document is not None:
                _audit(connection, book, actor, document)
        self._announced()
        return document


def _entry(book: str, configuration: BookConfiguration, item: OpeningItem) -> Entry:
    if item.currency == configuration.currency and item.amount != item.base_amount:
        raise RequestInvalid("amount and base amount differ, but the currency is the book's")
    if item.amount == 0 and item.base_amount == 0:
        raise RequestInvalid("an open item is over something")
    is_client = item.side == "receivable"
    customer = _customer(configuration, item.party) if is_client else None
    vendor = None if is_client else LedgerReference(name=item.party)
    client = item.party if is_client else ""
    sign = 1 if is_client else -1
    amount, base = sign * item.amount, sign * item.base_amount
    own = Posting(
        role=_ITEMS[item.side],
        amount=amount,
        base_amount=base,
        client=client or None,
        customer=customer,
        vendor=vendor,
        memo=item.reference,
    )
    opening = Posting(role=AccountRole.OPENING_BALANCES, amount=-amount, base_amount=-base)
    return Entry(
        book=book,
        ledger=configuration.ledger,
        key=(PURPOSE, item.side, item.party, item.reference),
        purpose=PURPOSE,
        document_date=item.day,
        currency=item.currency,
        postings=(own, opening),
        memo=item.reference,
        client=client,
        customer=customer,
        vendor=vendor,
        in_ledger=True,
    )


def _customer(configuration: BookConfiguration, client: str) -> LedgerReference:
    for rule in configuration.clients:
        if client in (rule.client, rule.customer.name):
            return rule.customer
    raise NotFound("no client of this name is mapped", client=client)


def _audit(connection: Connection, book: str, actor: str, document: Document) -> None:
    audit.write(
        connection,
        actor=actor,
        action="open_item.taken_over",
        subject=document.document_id,
        book=book,
        detail={"number": document.number, "reference": document.memo},
    )
