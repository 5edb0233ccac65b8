"""Month-end revaluation: what open foreign balances are worth on a day, against their carrying.

Only monetary balances (receivables, payables, refundable deposits) are revalued, each by itself.
The entry is reversed on the next day, so that what is realized later is measured from the rate of
the document, never from that of a close (IAS 21.23, 21.28; ASC 830-20-35-1, 35-2).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from hourbridge.billing.currencies.conversion import base_amount
from hourbridge.common.book import AccountRole
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import ExchangeRateUsed, Posting
from hourbridge.common.money import decimal_text

BalanceKind = Literal["receivable", "payable", "deposit"]
_NOTHING = Decimal(0)
_ROLES = {
    "receivable": AccountRole.RECEIVABLE_REVALUATION,
    "payable": AccountRole.PAYABLE_REVALUATION,
    "deposit": AccountRole.DEPOSITS_REVALUATION,
}


@dataclass(frozen=True)
class OpenBalance:
    """An open item in another currency. Positive: owed to us (receivable), by us (others)."""

    key: str
    """What it is, for good: a document's id, a retainer's name."""
    label: str
    kind: BalanceKind
    client: str
    currency: str
    amount: Decimal
    carried_base: Decimal


@dataclass(frozen=True)
class Revalued:
    """An open balance at the rate of a day."""

    balance: OpenBalance
    rate: ExchangeRateUsed
    value_base: Decimal

    @property
    def difference(self) -> Decimal:
        """Return how much more (or, negative, less) the balance is worth than it is carried at."""
        return self.value_base - self.balance.carried_base


def revalue(
    balances: Iterable[OpenBalance], rates: Mapping[str, ExchangeRateUsed]
) -> list[Revalued]:
    """Return open balances at the rates of their currencies, in a stable order."""
    found = [
        Revalued(
            balance,
            rates[balance.currency],
            base_amount(balance.amount, balance.currency, rates[balance.currency]),
        )
        for balance in balances
        if balance.amount != 0
    ]
    return sorted(found, key=lambda item: (item.balance.kind, item.balance.label, item.balance.key))


def revaluation_postings(revalued: Sequence[Revalued]) -> tuple[Posting, ...]:
    """Return the double entry of a revaluation, in the book's currency; empty for no change.

    One posting per balance on its revaluation account, their sum against unrealized FX: what is
    worth more to us is a gain (credit), what we owe more is a loss.
    """
    postings = [_posting(item) for item in revalued if item.difference != 0]
    counter = -sum((posting.amount for posting in postings), _NOTHING)
    if counter:
        unrealized = AccountRole.FX_UNREALIZED
        postings.append(Posting(role=unrealized, amount=counter, base_amount=counter))
    return tuple(postings)


def gain_of(revalued: Sequence[Revalued]) -> Decimal:
    """Return the unrealized gain (or, negative, loss) of a revaluation."""
    return sum(
        (_sign(item.balance) * item.difference for item in revalued),
        _NOTHING,
    )


def content_key(revalued: Sequence[Revalued]) -> str:
    """Return a key of what a revaluation says: equal for equal balances at equal rates."""
    parts = [
        f"{item.balance.key}|{item.rate.rate_id}|{decimal_text(item.difference)}"
        for item in revalued
        if item.difference != 0
    ]
    return derive_key("revaluation", *parts)


def last_day_of(month: str) -> date:
    """Return the last day of a month given as ``2026-02``; raises ValueError for anything else."""
    first = date.fromisoformat(f"{month}-01")
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def reversal_day(last_day: date) -> date:
    """Return the day on which a revaluation is taken back: the first of the next month."""
    return last_day + timedelta(days=1)


def _sign(balance: OpenBalance) -> int:
    return 1 if balance.kind == "receivable" else -1


def _posting(item: Revalued) -> Posting:
    balance = item.balance
    amount = _sign(balance) * item.difference
    return Posting(
        role=_ROLES[balance.kind],
        amount=amount,
        base_amount=amount,
        client=balance.client or None,
        memo=f"{balance.label} {decimal_text(balance.amount)} {balance.currency} "
        f"at {decimal_text(item.rate.value)}",
    )
