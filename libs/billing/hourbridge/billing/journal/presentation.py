"""What an entry looks like in a plain-text journal, whichever program reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hourbridge.billing.journal.entries import JournalEntry, JournalPosting
from hourbridge.common.book.accounts import AccountRole
from hourbridge.common.money import EXACT, decimal_text, minor_unit_digits, round_money

_MONETARY = {
    AccountRole.RECEIVABLE,
    AccountRole.PAYABLE,
    AccountRole.CUSTOMER_DEPOSITS,
    AccountRole.RETAINAGE_PAYABLE,
}
"""What is owed stays in the currency in which it is owed; all else is the book's money. A bank
account is the book's too: what comes in is exchanged when it comes."""
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class ShownAmount:
    """An amount as written; ``total_price`` is what it stands for in the book's currency."""

    account: str
    amount: Decimal
    currency: str
    posting: JournalPosting
    total_price: Decimal | None = None
    price_currency: str = ""

    @property
    def base_amount(self) -> Decimal:
        """What the amount counts for in the book's currency."""
        if self.total_price is None:
            return self.amount
        return self.total_price if self.amount > 0 else -self.total_price


@dataclass(frozen=True)
class Price:
    """What one unit of a currency was worth on a day."""

    day: date
    currency: str
    price_currency: str
    value: Decimal


@dataclass(frozen=True)
class Declarations:
    """What a journal must declare before its first entry."""

    book: str
    accounts: tuple[str, ...]
    currencies: tuple[str, ...]
    first_day: date
    base_currency: str | None = None
    prices: tuple[Price, ...] = ()
    """Rates besides those that entries were made with: at the ends of months."""

    @classmethod
    def of(
        cls,
        book: str,
        entries: Iterable[JournalEntry],
        base_currency: str | None = None,
        prices: Iterable[Price] = (),
    ) -> Declarations:
        """Return what ``entries`` need; a journal without entries needs nothing."""
        accounts: set[str] = set()
        currencies = {base_currency} if base_currency else set()
        first_day = date.max
        for entry in entries:
            accounts |= {posting.account for posting in entry.postings}
            currencies |= {entry.currency, entry.base_currency}
            price = price_of(entry)
            first_day = min(first_day, entry.entry_date, price.day if price else date.max)
        return cls(
            book=book,
            accounts=tuple(sorted(accounts)),
            currencies=tuple(sorted(currencies)),
            first_day=first_day,
            base_currency=base_currency,
            prices=tuple(prices),
        )


def amounts_of(entry: JournalEntry) -> Iterator[ShownAmount]:
    """Yield the lines of an entry; at their total prices they sum to zero exactly."""
    for posting in entry.postings:
        amount, base = posting.amount, posting.base_amount
        if entry.currency == entry.base_currency or posting.role not in _MONETARY:
            if base:
                yield ShownAmount(posting.account, base, entry.base_currency, posting)
            continue
        agrees = amount != 0 and (base == 0 or (amount > 0) == (base > 0))
        if amount:
            price = abs(base) if agrees else _NOTHING
            yield ShownAmount(
                posting.account, amount, entry.currency, posting, price, entry.base_currency
            )
        if base and not agrees:
            yield ShownAmount(posting.account, base, entry.base_currency, posting)


def price_of(entry: JournalEntry) -> Price | None:
    """Return the rate that an entry was made with, under the day on which it was published."""
    rate = entry.exchange
    if rate is None or entry.currency == rate.base_currency:
        return None
    return Price(rate.rate_date, entry.currency, rate.base_currency, rate.value)


def told_in_order(
    entries: Iterable[JournalEntry],
    declared: Iterable[Price],
    tell_price: Callable[[Price], str],
    tell_entry: Callable[[JournalEntry], str],
) -> Iterator[str]:
    """Yield the text of prices and entries: each rate once, before the first entry made with it."""
    told: set[Price] = set()
    for price in declared:
        told.add(price)
        yield tell_price(price)
    for entry in entries:
        of_entry = price_of(entry)
        if of_entry is not None and of_entry not in told:
            told.add(of_entry)
            yield tell_price(of_entry)
        yield tell_entry(entry)


def posting_lines(entry: JournalEntry, indent: str) -> Iterator[str]:
    """Yield the lines of an entry, amounts in other currencies at their total price."""
    for shown in amounts_of(entry):
        line = f"{indent}{shown.account}  {amount_text(shown.amount, shown.currency)}"
        line += f" {shown.currency}"
        if shown.total_price is not None:
            price = amount_text(shown.total_price, shown.price_currency)
            line += f" @@ {price} {shown.price_currency}"
        yield line


def amount_text(amount: Decimal, currency: str) -> str:
    """Return an amount at its currency's minor units; finer ones, which none should be, as is."""
    shown = round_money(amount, currency)
    return decimal_text(shown if shown == amount else amount)


def sample_text(currency: str) -> str:
    """Return how a thousand of a currency is written, as hledger wants currencies declared."""
    digits = minor_unit_digits(currency)
    return "1000." + "0" * digits


def half_unit_text(currency: str) -> str:
    """Return half of a currency's smallest unit: what sums may be off without being wrong."""
    unit = Decimal(1).scaleb(-minor_unit_digits(currency))
    return decimal_text(EXACT.divide(unit, Decimal(2)))


def one_line(text: str | None) -> str:
    """Return text without line ends, control characters and runs of spaces."""
    kept = "".join(c if c.isprintable() else " " for c in text or "")
    return " ".join(kept.split())


def facts_of(entry: JournalEntry) -> dict[str, str]:
    """Return our ids and words for an entry, for tags and metadata; absent ones left out."""
    facts = {
        "entry": entry.entry_id,
        "document": entry.document_id,
        "version": str(entry.document_version),
        "number": entry.number,
        "kind": entry.kind.value,
        "purpose": entry.purpose or "",
        "client": entry.client,
        "reverses": entry.reverses_entry_id or "",
        "rates": " ".join(entry.rate_ids),
        "settles": " ".join(entry.settles),
    }
    return {name: value for name, value in facts.items() if value}


def title_of(entry: JournalEntry) -> str:
    """Return what an entry is about, in a few words."""
    what = entry.purpose or entry.kind.value
    words = what.replace("_", " ")
    reversal = "reversal of " if entry.is_reversal else ""
    return f"{reversal}{words} {entry.number}"
