"""Cutting a line where a cap ends: what is billed now, what of it waits, what stays unbilled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hourbridge.billing.basis import LineBasis
from hourbridge.billing.caps import Cap
from hourbridge.billing.increments import SECONDS_PER_HOUR, plain, rounding_step
from hourbridge.billing.pricing import (
    NOTHING,
    LinePrice,
    as_product,
    in_order,
    price_line,
    rounding_groups,
)
from hourbridge.common.messages.events import Charge
from hourbridge.common.money import EXACT, RoundingMode, round_digits


@dataclass(frozen=True)
class Limit:
    """The cap that leaves a line the least, and up to which price it has room."""

    cap: Cap
    room: Decimal


@dataclass(frozen=True)
class Rest:
    """What a cap held back of a line that it cut."""

    amount: Decimal
    seconds: int


@dataclass(frozen=True)
class Fitted:
    """A line as far as there is room for it."""

    charges: tuple[Charge, ...]
    price: LinePrice
    rest: Rest | None = None
    left: tuple[Charge, ...] = ()
    """Charges that nothing is billed of."""


def fit(charges: Sequence[Charge], basis: LineBasis, limit: Limit | None) -> Fitted:
    """Return what of a line its limit leaves room for.

    Work is billed in its order. What is rounded as one is not torn apart: the group in which the
    room ends goes on the line whole, at what room there is, and the rest of its price waits.
    """
    price = price_line(charges, basis)
    if limit is None or price.amount <= limit.room:
        return Fitted(tuple(charges), price)
    room = limit.room
    groups = list(rounding_groups(in_order(charges), basis.rounding).values())
    fits = _groups_that_fit(groups, basis, room)
    now = _joined(groups[:fits])
    price = price_line(now, basis)
    if price.amount == room:
        return Fitted(now, price, left=_joined(groups[fits:]))
    now = _joined(groups[: fits + 1])
    price = price_line(now, basis)
    cut = _cut(price, basis, room, limit.cap)
    rest = Rest(price.amount - room, price.billed_seconds - cut.billed_seconds)
    return Fitted(now, cut, rest, _joined(groups[fits + 1 :]))


def _groups_that_fit(groups: Sequence[Sequence[Charge]], basis: LineBasis, room: Decimal) -> int:
    """Return how many of the first groups come to no more than ``room``; more cost more."""
    counts = range(len(groups) + 1)
    amounts = _Amounts(groups, basis)
    return bisect_right(counts, room, key=amounts.of) - 1


@dataclass(frozen=True)
class _Amounts:
    groups: Sequence[Sequence[Charge]]
    basis: LineBasis

    def of(self, count: int) -> Decimal:
        return price_line(_joined(self.groups[:count]), self.basis).amount


def _cut(price: LinePrice, basis: LineBasis, room: Decimal, cap: Cap) -> LinePrice:
    seconds = _seconds_for(room, basis, price.billed_seconds)
    quantity, unit_price = as_product(basis, room, seconds)
    unit = f"{plain(cap.policy.amount)} {basis.currency}"
    step = rounding_step("cap", "line", "cap", unit, price.amount, room, policy=cap.named)
    return replace(
        price,
        quantity=quantity,
        unit_price=unit_price,
        amount=room,
        billed_seconds=seconds,
        roundings=(*price.roundings, step),
    )


def _seconds_for(amount: Decimal, basis: LineBasis, seconds_max: int) -> int:
    """Return the whole seconds that ``amount`` pays for."""
    if not basis.rate:
        return 0
    exact = EXACT.divide(EXACT.multiply(amount, SECONDS_PER_HOUR), basis.rate)
    return min(int(round_digits(exact, 0, RoundingMode.DOWN)), seconds_max)


def rest_of_line(basis: LineBasis, billed: Decimal, rest: Rest) -> Rest:
    """Return what waits of a cut line that a discount was taken off: it is owed the same part."""
    if basis.list_amount is None:
        return rest
    due = basis.billed_of(basis.list_amount + rest.amount)
    return Rest(max(due - billed, NOTHING), rest.seconds)


def _joined(groups: Sequence[Sequence[Charge]]) -> tuple[Charge, ...]:
    return tuple(in_order([charge for group in groups for charge in group]))
