"""Work that counts as revenue when it is charged: a contract asset until it is invoiced.

Charged:  Dr unbilled / Cr revenue, at the price of the exact time.
Invoiced: the invoice credits revenue once more, so beside it Dr revenue, Dr write-down / Cr
unbilled: in sum the receivable replaces the asset, and what the client was let off is a write-down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hourbridge.billing.increments import SECONDS_PER_HOUR
from hourbridge.common.book import AccountRole
from hourbridge.common.messages.events import Charge, DocumentLine, Posting
from hourbridge.common.money import EXACT, RoundingMode, round_digits, round_money

_NOTHING = Decimal(0)
ToBase = Callable[[Decimal, str, date], Decimal]
"""An amount of a currency in the book's, at the rate of a day."""


def worth(charge: Charge, to_base: ToBase, base_currency: str) -> Decimal:
    """Return what a charge counts for before it is billed, in the book's currency.

    Hourly work at its exact time; fixed fees, costs passed on and what we owe count when invoiced.
    """
    if charge.payable is not None or charge.kind != "time" or charge.rate is None:
        return _NOTHING
    seconds = Decimal(charge.billable_seconds)
    exact = EXACT.divide(EXACT.multiply(seconds, charge.rate.amount), SECONDS_PER_HOUR)
    amount = round_money(exact, charge.currency)
    if charge.currency == base_currency:
        return amount
    return to_base(amount, charge.currency, charge.work_date)


@dataclass(frozen=True)
class Invoiced:
    """What an invoice made of recognized work, in the book's currency."""

    recognized: Decimal
    """What the work on it was carried at."""
    gross: Decimal
    """Its price, before discounts and adjustments."""
    billed: Decimal

    @property
    def written_down(self) -> Decimal:
        """Return what the client was let off; negative for a write-up."""
        return self.gross - self.billed


def invoiced(line: DocumentLine, recognized: Decimal, base_currency: str) -> Invoiced:
    """Return what a line made of the work on it."""
    billed = line.amount
    let_off = line.discount or _NOTHING
    if line.adjustment is not None:
        let_off -= line.adjustment.amount
    gross = billed + let_off
    if line.base_amount is None or billed == 0:
        return Invoiced(recognized, gross, billed)
    rate = EXACT.divide(line.base_amount, billed)
    base_gross = round_money(EXACT.multiply(gross, rate), base_currency)
    return Invoiced(recognized, base_gross, line.base_amount)


def recognition_postings(amount: Decimal, client: str) -> tuple[Posting, ...]:
    """Return the entry of work that is charged, negative where less of it is left."""
    return (
        _posting(AccountRole.UNBILLED, amount, client),
        _posting(AccountRole.REVENUE, -amount, client),
    )


def billing_postings(parts: list[Invoiced], client: str) -> tuple[Posting, ...]:
    """Return the entry beside an invoice: the asset goes, revenue stands once, at its price."""
    recognized = sum((part.recognized for part in parts), _NOTHING)
    written_down = sum((part.written_down for part in parts), _NOTHING)
    revenue = recognized - written_down
    postings = (
        _posting(AccountRole.REVENUE, revenue, client),
        _posting(AccountRole.WRITE_DOWN, written_down, client),
        _posting(AccountRole.UNBILLED, -recognized, client),
    )
    return tuple(posting for posting in postings if posting.amount)


def realisation_percent(parts: list[Invoiced]) -> Decimal | None:
    """Return billed in a hundred of the price, to one decimal; None for no price."""
    gross = sum((part.gross for part in parts), _NOTHING)
    billed = sum((part.billed for part in parts), _NOTHING)
    if gross == 0:
        return None
    return round_digits(EXACT.divide(billed * 100, gross), 1, RoundingMode.HALF_UP)


def _posting(role: AccountRole, amount: Decimal, client: str) -> Posting:
    return Posting(role=role, amount=amount, base_amount=amount, client=client or None)
