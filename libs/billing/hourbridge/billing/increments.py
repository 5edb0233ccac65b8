"""Worked seconds to billed seconds and hours.

Order of operations: group by scope, minimum, increment, quantity decimals, times rate, money. The
minimum applies to each group of the scope; nothing at all never becomes a minimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hourbridge.common.book import RoundingPolicy
from hourbridge.common.messages.events import RoundingStep
from hourbridge.common.money import EXACT, RoundingMode, round_digits, round_to_step

SECONDS_PER_HOUR = Decimal(3600)
_SHOWN_DIGITS_MAX = 10
_EXACT_DIGITS = 4
"""A third of an hour has no decimal form; what has one needs at most four digits."""


@dataclass(frozen=True)
class Quantity:
    """Hours as they stand on a line."""

    hours: Decimal
    """As shown; rounded for display when no decimal form is exact."""
    priced_seconds: Decimal
    """What is multiplied by the rate: exact, or what the shown decimals stand for."""
    carry_out_seconds: Decimal
    steps: tuple[RoundingStep, ...]


def bill_seconds(
    seconds: int, policy: RoundingPolicy, of: str
) -> tuple[int, tuple[RoundingStep, ...]]:
    """Return the billed seconds of one group and the roundings that changed something.

    A minimum that is exempt from the increment is charged as it stands, and no longer work is
    ever billed below it; one that is not exempt is rounded like any duration.
    """
    if seconds == 0:
        return 0, ()
    steps: list[RoundingStep] = []
    raised = max(seconds, policy.minimum_seconds)
    if raised != seconds:
        steps.append(_step("minimum", of, "up", f"{policy.minimum_seconds} s", seconds, raised))
        if policy.minimum_exempt_from_increment:
            return raised, tuple(steps)
    billed = int(round_to_step(Decimal(raised), Decimal(policy.increment_seconds), policy.mode))
    if policy.minimum_exempt_from_increment:
        billed = max(billed, policy.minimum_seconds)
    if billed != raised:
        unit = f"{policy.increment_seconds} s"
        steps.append(_step("increment", of, policy.mode, unit, raised, billed))
    return billed, tuple(steps)


def quantity_of(billed_seconds: int, policy: RoundingPolicy, carry_in_seconds: Decimal) -> Quantity:
    """Return billed seconds as hours, exact or at the policy's decimals.

    With few decimals the residue is not lost: it is carried to the next line of the same price.
    """
    if policy.quantity_decimals is None:
        return Quantity(exact_hours(billed_seconds), Decimal(billed_seconds), Decimal(0), ())
    unit_seconds = SECONDS_PER_HOUR.scaleb(-policy.quantity_decimals)
    before = Decimal(billed_seconds) + carry_in_seconds
    mode = RoundingMode(policy.money_mode)
    after = round_to_step(before, unit_seconds, mode)
    hours = round_digits(EXACT.divide(after, SECONDS_PER_HOUR), policy.quantity_decimals, mode)
    steps: tuple[RoundingStep, ...] = ()
    if after != Decimal(billed_seconds):
        unit = f"{_plain(unit_seconds)} s"
        steps = (_step("quantity", "line", mode, unit, before, after),)
    return Quantity(hours, after, before - after, steps)


def exact_hours(seconds: int | Decimal) -> Decimal:
    """Return seconds as hours: two to four decimals where exact, else ten rounded half up."""
    hours = EXACT.divide(Decimal(seconds), SECONDS_PER_HOUR)
    shown = round_digits(hours, _SHOWN_DIGITS_MAX, RoundingMode.HALF_UP)
    shortest = round_digits(hours, _EXACT_DIGITS, RoundingMode.HALF_UP)
    if EXACT.multiply(shortest, SECONDS_PER_HOUR) != seconds:
        return shown
    for digits in (2, 3):
        shorter = round_digits(hours, digits, RoundingMode.HALF_UP)
        if shorter == shortest:
            return shorter
    return shortest


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _step(
    step: str, of: str, mode: str, unit: str, before: int | Decimal, after: int | Decimal
) -> RoundingStep:
    return RoundingStep.model_validate(
        {
            "step": step,
            "of": of,
            "mode": str(mode),
            "unit": unit,
            "before": Decimal(before),
            "after": Decimal(after),
        }
    )
