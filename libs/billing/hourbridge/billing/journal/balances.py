"""Balances of the journal's accounts, and what must be true of any journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.billing.journal.entries import JournalEntry
from hourbridge.billing.journal.presentation import amounts_of

_NOTHING = Decimal(0)


@dataclass(frozen=True, order=True)
class BalanceKey:
    """One account in one currency."""

    account: str
    role: str
    currency: str
    base_currency: str


@dataclass(frozen=True)
class Balance:
    """What an account holds: as owed, and as carried in the book's currency."""

    amount: Decimal = _NOTHING
    base_amount: Decimal = _NOTHING


def balances_of(entries: Iterable[JournalEntry]) -> dict[BalanceKey, Balance]:
    """Return the balance of every account and currency, in order; settled ones at zero."""
    sums: dict[BalanceKey, Balance] = {}
    for entry in entries:
        for shown in amounts_of(entry):
            key = BalanceKey(shown.account, shown.posting.role, shown.currency, entry.base_currency)
            held = sums.get(key, Balance())
            sums[key] = Balance(held.amount + shown.amount, held.base_amount + shown.base_amount)
    return dict(sorted(sums.items()))


def imbalances(entries: Iterable[JournalEntry]) -> list[tuple[str, str, Decimal]]:
    """Return entry id, currency and sum of every entry that doesn't come to zero."""
    found = []
    for entry in entries:
        for currency, amounts in (
            (entry.currency, [posting.amount for posting in entry.postings]),
            (entry.base_currency, [posting.base_amount for posting in entry.postings]),
        ):
            total = sum(amounts, _NOTHING)
            if total != 0:
                found.append((entry.entry_id, currency, total))
    return found
