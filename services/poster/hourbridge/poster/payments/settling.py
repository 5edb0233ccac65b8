"""Payments of invoices and of vendors' bills: posted, and taken back when they were no payments."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hourbridge.billing.currencies.choosing import missing_key
from hourbridge.billing.currencies.payments import (
    Party,
    SettledPart,
    Side,
    payment_postings,
)
from hourbridge.billing.grouping import ledger_key
from hourbridge.common.book import BookConfiguration
from hourbridge.common.clock import Clock
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.exchange_rates import RateMissing
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    DocumentKind,
    ExchangeRateUsed,
    MappedPayment,
    Reason,
    Settlement,
)
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.currencies.rates import BookRates
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry
from hourbridge.poster.entry_reversal import Undoing, take_back
from hourbridge.poster.payments.choosing import Chosen, choose_items
from hourbridge.poster.payments.stated import StatedPayment

_PREFIX = "HBP"
_KINDS: dict[str, tuple[Side, DocumentKind, DocumentKind]] = {
    "invoice": ("receivable", DocumentKind.INVOICE, DocumentKind.PAYMENT),
    "vendor_bill": ("payable", DocumentKind.VENDOR_BILL, DocumentKind.BILL_PAYMENT),
}


class DocumentPayments:
    """Posts payments that settle documents, with what they realize in foreign exchange."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    def post(
        self, connection: Connection, stated: StatedPayment, payment: MappedPayment
    ) -> Reason | None:
        """Settle the documents that are paid; or return why the payment waits."""
        configuration = _configuration(connection, stated.book)
        side, settled_kind, _ = _KINDS[payment.purpose]
        chosen = choose_items(connection, stated.book, payment, settled_kind)
        if isinstance(chosen, Reason):
            return chosen
        try:
            rate = _rate(connection, configuration, payment)
        except RateMissing as error:
            key = missing_key(payment.currency, configuration.currency, payment.payment_date)
            return Reason(code=error.code, detail=error.what, waits_for=key)
        entry = _entry(stated, payment, side, chosen, rate, configuration)
        add_entry(connection, self._documents, self._clock, entry)
        return None

    def take_back(
        self, connection: Connection, stated: StatedPayment, posted: MappedPayment
    ) -> Reason | None:
        """Undo a payment: drop what never reached the ledger, reverse what did."""
        document_id = derive_id("entry", stated.book, ledger_key(posted.ledger), *stated.posted_key)
        configuration = _configuration(connection, stated.book)
        today = self._clock.now().astimezone(ZoneInfo(configuration.zone)).date()
        return take_back(
            connection,
            self._documents,
            self._clock,
            Undoing(stated.book, document_id, (*stated.posted_key, "reversal"), today),
        )


def _configuration(connection: Connection, book: str) -> BookConfiguration:
    configured = configuration_of(connection, book)
    if configured is None:
        raise InvariantViolated("a payment of a book that is not configured", book=book)
    return configured.configuration


def _rate(
    connection: Connection, configuration: BookConfiguration, payment: MappedPayment
) -> ExchangeRateUsed | None:
    if payment.currency == configuration.currency:
        return None
    return BookRates(connection, configuration).on(payment.currency, payment.payment_date)


def _entry(
    stated: StatedPayment,
    payment: MappedPayment,
    side: Side,
    chosen: Sequence[Chosen],
    rate: ExchangeRateUsed | None,
    configuration: BookConfiguration,
) -> Entry:
    party = Party(payment.client or None, payment.customer, payment.vendor)
    parts = _parts(chosen, configuration.currency)
    purpose: Literal["payment", "bill_payment"]
    purpose = "payment" if side == "receivable" else "bill_payment"
    return Entry(
        book=stated.book,
        ledger=payment.ledger,
        key=stated.key,
        purpose=purpose,
        document_date=payment.payment_date,
        currency=payment.currency,
        postings=payment_postings(
            parts, side=side, currency=payment.currency, rate=rate, party=party
        ),
        memo=payment.reference,
        client=payment.client,
        customer=payment.customer,
        vendor=payment.vendor,
        settles=tuple(
            Settlement(document_id=part.document_id, number=part.number, amount=part.amount)
            for part in parts
        ),
        exchange=rate,
        kind=_KINDS[payment.purpose][2],
        number_prefix=_PREFIX,
        is_draft="payment" in configuration.review.kinds and not payment.in_ledger,
        in_ledger=payment.in_ledger,
    )


def _parts(chosen: Sequence[Chosen], base_currency: str) -> list[SettledPart]:
    """Return each document once, with all that is settled of it and what that is carried at."""
    amounts: dict[str, Decimal] = {}
    items = {each.item.document.document_id: each.item for each in chosen}
    for each in chosen:
        document_id = each.item.document.document_id
        amounts[document_id] = amounts.get(document_id, Decimal(0)) + each.amount
    return [
        SettledPart(
            document_id,
            items[document_id].document.number,
            amount,
            items[document_id].share_of_open(amount, base_currency),
        )
        for document_id, amount in amounts.items()
    ]
