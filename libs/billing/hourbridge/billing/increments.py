"""Worked seconds to billed seconds and hours.

Order of operations: group by scope, minimum, increment, billable part, quantity decimals, times
rate, money. Nothing at all never becomes a minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from hourbridge.common.book import RoundingPolicy
from hourbridge.common.messages.events import RoundingStep
from hourbridge.common.money import EXACT, RoundingMode, round_digits, round_to_step

SECONDS_PER_HOUR = Decimal(3600)
_HUNDRED = Decimal(100)
_SECOND = Decimal(1)
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


@dataclass
class _Trail:
    """The roundings of one group that changed something."""

    of: str
    policy: str | None
    steps: list[RoundingStep] = field(default_factory=list)

    def note(
        self,
        step: Literal["minimum", "increment", "billable_part"],
        mode: str,
        unit: str,
        before: int,
        after: int,
    ) -> None:
        if before != after:
            self.steps.append(
                rounding_step(step, self.of, mode, unit, before, after, policy=self.policy)
            )


def bill_seconds(
    seconds: int, policy: RoundingPolicy, of: str, *, named: str | None = None
) -> tuple[int, tuple[RoundingStep, ...]]:
    """Return the billed seconds of one entry and the roundings that changed something."""
    return bill_group((seconds,), policy, of, named=named)


def bill_group(
    entries: Sequence[int], policy: RoundingPolicy, of: str, *, named: str | None = None
) -> tuple[int, tuple[RoundingStep, ...]]:
    """Return the billed seconds of entries that are rounded as one, and what changed them.

    A minimum that is exempt from the increment is charged as it stands, and no longer work is
    ever billed below it; one that is not exempt is rounded like any duration. ``named`` says
    whose policy it is, for the steps.
    """
    if not any(entries):
        return 0, ()
    trail = _Trail(of, named)
    exempt, rest = _raised(entries, policy, trail)
    billed = exempt + _incremented(rest, policy, trail)
    billed = _billable_part(billed, policy, trail)
    return billed, tuple(trail.steps)


def _raised(entries: Sequence[int], policy: RoundingPolicy, trail: _Trail) -> tuple[int, int]:
    """Return the seconds that are billed as minimums, and those still to be rounded."""
    minimum = policy.minimum_seconds
    parts = entries if policy.minimum_of == "entry" else (sum(entries),)
    short = [seconds for seconds in parts if 0 < seconds < minimum]
    rest = sum(parts) - sum(short)
    raised = minimum * len(short)
    trail.note("minimum", "up", f"{minimum} s", rest + sum(short), rest + raised)
    return (raised, rest) if policy.minimum_exempt_from_increment else (0, rest + raised)


def _incremented(seconds: int, policy: RoundingPolicy, trail: _Trail) -> int:
    if seconds == 0:
        return 0
    billed = int(round_to_step(Decimal(seconds), Decimal(policy.increment_seconds), policy.mode))
    if policy.minimum_exempt_from_increment:
        billed = max(billed, policy.minimum_seconds)
    trail.note("increment", policy.mode, f"{policy.increment_seconds} s", seconds, billed)
    return billed


def _billable_part(seconds: int, policy: RoundingPolicy, trail: _Trail) -> int:
    """Return the share that the client pays, to the second; the rest is written down."""
    percent = policy.billable_percent
    if percent is None:
        return seconds
    share = EXACT.divide(EXACT.multiply(Decimal(seconds), percent), _HUNDRED)
    billed = int(round_to_step(share, _SECOND, RoundingMode.HALF_UP))
    trail.note("billable_part", RoundingMode.HALF_UP, f"{plain(percent)} %", seconds, billed)
    return billed


def quantity_of(
    billed_seconds: int,
    policy: RoundingPolicy,
    carry_in_seconds: Decimal,
    *,
    named: str | None = None,
) -> Quantity:
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
        unit = f"{plain(unit_seconds)} s"
        steps = (rounding_step("quantity", "line", mode, unit, before, after, policy=named),)
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


def plain(value: Decimal) -> str:
    """Return a number without exponent and without zeros at its end."""
    return format(value.normalize(), "f")


def rounding_step(
    step: str,
    of: str,
    mode: str,
    unit: str,
    before: int | Decimal,
    after: int | Decimal,
    *,
    policy: str | None = None,
) -> RoundingStep:
    """Return one rounding as it is kept with its line."""
    return RoundingStep.model_validate(
        {
            "step": step,
            "of": of,
            "mode": str(mode),
            "unit": unit,
            "before": Decimal(before),
            "after": Decimal(after),
            "policy": policy,
        }
    )
