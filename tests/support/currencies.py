"""Published rates, documents and payments for the tests of currencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from hourbridge.billing.currencies.choosing import RateTable
from hourbridge.common.book import CurrencyPolicy, LedgerReference
from hourbridge.common.bus.consumer import Received
from hourbridge.common.exchange_rates import RateRecord
from hourbridge.common.messages.events import (
    ChargeSetChanged,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
    ExchangeRateUsed,
    MappedPayment,
    MappingOutcome,
)
from hourbridge.common.messages.publishing import new_event
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import CHARGE_SET_CHANGED
from hourbridge.connectors.exchange_rates.ecb_file import EcbFile
from hourbridge.poster.currencies import rate_store
from hourbridge.poster.currencies.waiting import note_arrival
from tests.support.charges import LEDGER
from tests.support.posting import ACCEPTED_AT, BOOK, Poster, received

FRIDAY = date(2026, 5, 15)
"""Rates in these tests are made up, but have the digits of real ones."""


def record(currency: str, value: str, day: date = FRIDAY, revision: int = 1) -> RateRecord:
    return RateRecord("ecb", "EUR", currency, day, revision, Decimal(value))


def table(*records: RateRecord) -> RateTable:
    return RateTable(records)


def rate(value: str, base: str = "USD", rate_id: str = "r1", **changes: Any) -> ExchangeRateUsed:
    values: dict[str, Any] = {
        "rate_id": rate_id,
        "source": "ecb",
        "base_currency": base,
        "value": Decimal(value),
        "wanted_date": FRIDAY,
        "rate_date": FRIDAY,
        **changes,
    }
    return ExchangeRateUsed(**values)


def line(position: int, amount: str, day: date | None = None) -> DocumentLine:
    return DocumentLine(
        line_id=f"line-{position}",
        position=position,
        description="work",
        service_date=day,
        quantity=Decimal(1),
        unit_price=Decimal(amount),
        amount=Decimal(amount),
    )


def document(
    amounts: Sequence[str], currency: str = "EUR", days: Sequence[date] = (), **changes: Any
) -> Document:
    lines = tuple(
        line(at + 1, amount, days[at] if days else None) for at, amount in enumerate(amounts)
    )
    values: dict[str, Any] = {
        "document_id": "d1",
        "version": 1,
        "kind": DocumentKind.INVOICE,
        "status": DocumentStatus.POSTING,
        "number": "HB-1",
        "ledger": LEDGER,
        "client": "Acme",
        "currency": currency,
        "document_date": FRIDAY,
        "lines": lines,
        "total": sum((each.amount for each in lines), Decimal(0)),
        "configuration_version": 1,
        **changes,
    }
    return Document(**values)


POLICY = CurrencyPolicy()


def stated_payment(
    poster: Poster, record_id: str, revision: int = 1, mapping: int = 1, **changes: Any
) -> Received:
    """Return a payment of Acme's as the mapper states it; ``amount=None``: no payment any more."""
    payment = None
    if changes.get("amount", "") is not None:
        values: dict[str, Any] = {
            "purpose": "invoice",
            "customer": LedgerReference(name="Acme"),
            "client": "Acme",
            "currency": "EUR",
            "payment_date": FRIDAY,
            "ledger": LEDGER,
            **changes,
        }
        payment = MappedPayment.model_validate(values)
    poster.sequence += 1
    data = ChargeSetChanged(
        record_id=record_id,
        record_type=RecordType.PAYMENT,
        source="bank",
        record_revision=revision,
        mapping_version=mapping,
        covers=(poster.sequence,),
        outcome=MappingOutcome.CHARGED if payment else MappingOutcome.SKIPPED,
        accepted_at=ACCEPTED_AT,
        client="Acme",
        work_date=payment.payment_date if payment else None,
        payment=payment,
    )
    identity = f"{record_id}-{revision}-{mapping}"
    return received(new_event(CHARGE_SET_CHANGED, data, book=BOOK, source="/test", id=identity))


def publish(
    poster: Poster, days: Mapping[date, Mapping[str, str]], **options: Any
) -> rate_store.Imported:
    """Import the rates of some days, and let go on what waits for them."""
    lines = []
    currencies = sorted({currency for rates in days.values() for currency in rates})
    for day, rates in days.items():
        lines.append(",".join([day.isoformat(), *(rates.get(name, "") for name in currencies)]))
    table = "\n".join([",".join(["Date", *currencies]), *lines])
    with poster.store.transaction() as connection:
        found = rate_store.import_rates(
            connection, EcbFile(table.encode()), now=poster.clock.now(), **options
        )
        if found.is_change:
            note_arrival(connection, "ecb", poster.clock.now())
    poster.parts.currencies.waiters.run_due()
    return found
