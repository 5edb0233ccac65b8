"""Discounts: what a document costs less than its lines, shared over them to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.billing.allocation import share, spread
from hourbridge.billing.amounts import minor_unit, money_step
from hourbridge.common.book import DiscountPolicy
from hourbridge.common.messages.events import RoundingStep
from hourbridge.common.money import EXACT, RoundingMode, round_money, round_to_step

_HUNDRED = Decimal(100)
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Discounted:
    """A line's part of a discount, and how it was rounded."""

    discount: Decimal
    steps: tuple[RoundingStep, ...] = ()


def is_discounted(policy: DiscountPolicy, kind: str) -> bool:
    """Return whether lines of a kind (time, expense, flat_fee) are discounted."""
    return policy.of != "services" or kind != "expense"


def document_discount(policy: DiscountPolicy, amount: Decimal, currency: str) -> Decimal:
    """Return what is taken off lines that sum to ``amount``; never more than that.

    A document that comes to nothing or less (refunds) has no discount.
    """
    if amount <= 0:
        return NOTHING
    if policy.kind == "amount":
        return min(policy.value, amount)
    exact = EXACT.divide(EXACT.multiply(amount, min(policy.value, _HUNDRED)), _HUNDRED)
    return round_money(exact, currency)


def share_discount(
    policy: DiscountPolicy, amounts: Sequence[Decimal], currency: str, *, named: str | None
) -> list[Discounted]:
    """Return the part of the discount that each line bears, by largest remainder."""
    whole = sum(amounts, NOTHING)
    total = document_discount(policy, whole, currency)
    if total == 0:
        return [Discounted(NOTHING) for _ in amounts]
    rounded = spread(total, amounts, currency)
    exact = [_exact_part(policy, total, amount, whole) for amount in amounts]
    return [
        Discounted(part, _steps(amount, value, part, currency, named))
        for amount, value, part in zip(amounts, exact, rounded, strict=True)
    ]


def amount_before_discount(policy: DiscountPolicy, net: Decimal, currency: str) -> Decimal | None:
    """Return up to which amount lines come to no more than ``net`` after a percentage.

    None: any amount does. A discount of an amount makes no room: it belongs to one document,
    whatever is on it.
    """
    if policy.kind == "amount":
        return net
    left = _HUNDRED - min(policy.value, _HUNDRED)
    if left == 0:
        return None
    exact = EXACT.divide(EXACT.multiply(net, _HUNDRED), left)
    return round_to_step(exact, minor_unit(currency), RoundingMode.DOWN)


def net_exactly(policy: DiscountPolicy, amount: Decimal) -> Decimal:
    """Return what is left of ``amount`` after a percentage, unrounded."""
    if policy.kind == "amount":
        return amount
    left = _HUNDRED - min(policy.value, _HUNDRED)
    return EXACT.divide(EXACT.multiply(amount, left), _HUNDRED)


def _exact_part(policy: DiscountPolicy, total: Decimal, amount: Decimal, whole: Decimal) -> Decimal:
    if policy.kind == "percent":
        return amount - net_exactly(policy, amount)
    return share(total, amount, whole)


def _steps(
    amount: Decimal, exact: Decimal, part: Decimal, currency: str, named: str | None
) -> tuple[RoundingStep, ...]:
    if exact == part:
        return ()
    before, after = amount - exact, amount - part
    step = money_step(
        "discount", "document", "largest_remainder", currency, before, after, policy=named
    )
    return (step,)
