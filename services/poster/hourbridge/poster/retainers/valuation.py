"""What a retainer's money is worth in the book's currency on a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal

from sqlalchemy import Connection

from hourbridge.billing.currencies.conversion import base_amount
from hourbridge.billing.retainers.lots import LotPart, root_of
from hourbridge.common.book import BookConfiguration
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import ExchangeRateUsed
from hourbridge.common.money import EXACT, round_money
from hourbridge.common.store.rows import statement
from hourbridge.poster.currencies.rates import BookRates

_SHOWN = Context(prec=28)
_EXCHANGE = statement("SELECT payload -> 'exchange' FROM document WHERE document_id = :document_id")


@dataclass(frozen=True)
class Valuation:
    """A base amount, and the rate that made it; none where the currencies agree."""

    base_amount: Decimal
    exchange: ExchangeRateUsed | None


def value_on(
    connection: Connection,
    configuration: BookConfiguration,
    currency: str,
    amount: Decimal,
    day: date,
) -> Valuation:
    """Return what an amount is worth on a day. Raises RateMissing: without a rate it waits."""
    if currency == configuration.currency:
        return Valuation(amount, None)
    rate = BookRates(connection, configuration).on(currency, day)
    return Valuation(base_amount(amount, currency, rate), rate)


def carrying_rate(
    connection: Connection, parts: Sequence[LotPart], base_currency: str, source: str
) -> ExchangeRateUsed | None:
    """Return the rate at which parts of lots are carried, None in the book's own currency.

    Parts of one receipt have that receipt's rate; several have what makes their sum.
    """
    amount = sum((part.amount for part in parts), Decimal(0))
    base = sum((part.base_amount for part in parts), Decimal(0))
    roots = sorted({root_of(part.lot_id) for part in parts})
    rates = [_rate_of(connection, root) for root in roots]
    known = [rate for rate in rates if rate is not None]
    if not known and amount == base:
        return None
    if len(known) == len(roots) == 1 and _makes(known[0], amount, base):
        return known[0]
    return ExchangeRateUsed(
        rate_id=f"retainer:{derive_key(*roots, length=16)}",
        source=source,
        base_currency=base_currency,
        value=_SHOWN.divide(base, amount),
        wanted_date=min(part.received_on for part in parts),
        rate_date=max(part.received_on for part in parts),
    )


def _makes(rate: ExchangeRateUsed, amount: Decimal, base: Decimal) -> bool:
    """Return whether the rate alone makes the base amount; a residue needs one of its own."""
    return round_money(EXACT.multiply(amount, rate.value), rate.base_currency) == base


def _rate_of(connection: Connection, movement_id: str) -> ExchangeRateUsed | None:
    payload = connection.execute(_EXCHANGE, {"document_id": movement_id}).scalar()
    return None if payload is None else ExchangeRateUsed.model_validate(payload)
