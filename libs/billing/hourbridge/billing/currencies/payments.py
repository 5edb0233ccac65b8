"""What a payment does in both currencies: money at its own rate, the item at what it is carried at.

The difference is realized on the day of the payment, part by part (IAS 21.28, ASC 830-20-35-1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from hourbridge.billing.currencies.conversion import base_amount, exact_base, spread
from hourbridge.common.book import AccountRole, LedgerReference
from hourbridge.common.messages.events import ExchangeRateUsed, Posting

Side = Literal["receivable", "payable"]
_NOTHING = Decimal(0)
_ROLES = {"receivable": AccountRole.RECEIVABLE, "payable": AccountRole.PAYABLE}


@dataclass(frozen=True)
class SettledPart:
    """Which part of an item a payment settles, and what that part is carried at."""

    document_id: str
    number: str
    amount: Decimal
    carried_base: Decimal


@dataclass(frozen=True)
class Party:
    """Whose item it is."""

    client: str | None = None
    customer: LedgerReference | None = None
    vendor: LedgerReference | None = None


def payment_postings(
    parts: Sequence[SettledPart],
    *,
    side: Side,
    currency: str,
    rate: ExchangeRateUsed | None,
    party: Party,
) -> tuple[Posting, ...]:
    """Return the double entry of a payment that settles ``parts``; balanced in both currencies.

    ``rate`` is that of the payment's date, None where it is in the book's currency. Money received
    debits the bank; money paid credits it. Gains are credited, losses debited, one posting per
    item whose value changed.
    """
    sign = 1 if side == "receivable" else -1
    total = sum((part.amount for part in parts), _NOTHING)
    money = money_bases(parts, currency, rate)
    postings = [_posting(AccountRole.BANK, party, sign * total, sign * sum(money, _NOTHING))]
    for part, base in zip(parts, money, strict=True):
        carried = -sign * part.carried_base
        postings.append(
            _posting(_ROLES[side], party, -sign * part.amount, carried, memo=part.number)
        )
        realized = -(sign * base + carried)
        if realized:
            fx = _posting(AccountRole.FX_REALIZED, party, _NOTHING, realized, memo=part.number)
            postings.append(fx)
    return tuple(postings)


def money_bases(
    parts: Sequence[SettledPart], currency: str, rate: ExchangeRateUsed | None
) -> list[Decimal]:
    """Return what the money of each part is worth on its day; the parts sum to the payment's."""
    if rate is None:
        return [part.amount for part in parts]
    total = sum((part.amount for part in parts), _NOTHING)
    exact = [
        (f"{at:06d}", exact_base(part.amount, currency, rate)) for at, part in enumerate(parts)
    ]
    return spread(base_amount(total, currency, rate), exact, rate.base_currency)


def reversed_postings(postings: Sequence[Posting]) -> tuple[Posting, ...]:
    """Return the double entry that takes another one back."""
    return tuple(
        posting.model_copy(update={"amount": -posting.amount, "base_amount": -posting.base_amount})
        for posting in postings
    )


def _posting(
    role: AccountRole,
    party: Party,
    amount: Decimal,
    base: Decimal,
    *,
    memo: str | None = None,
) -> Posting:
    return Posting(
        role=role,
        amount=amount,
        base_amount=base,
        client=party.client,
        customer=party.customer,
        vendor=party.vendor,
        memo=memo,
    )
