"""The one place where the amount of a line is rounded."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.billing.increments import SECONDS_PER_HOUR, rounding_step
from hourbridge.common.messages.events import RoundingStep
from hourbridge.common.money import (
    EXACT,
    RoundingMode,
    minor_unit_digits,
    round_digits,
    round_money,
)

_RECORDED_DIGITS_MAX = 12


def time_amount(
    priced_seconds: Decimal, rate: Decimal, currency: str, mode: str, *, named: str | None = None
) -> tuple[Decimal, tuple[RoundingStep, ...]]:
    """Return seconds times hourly rate in money, rounded once."""
    exact = EXACT.divide(EXACT.multiply(priced_seconds, rate), SECONDS_PER_HOUR)
    return money_amount(exact, currency, mode, named=named)


def money_amount(
    exact: Decimal, currency: str, mode: str, *, named: str | None = None
) -> tuple[Decimal, tuple[RoundingStep, ...]]:
    """Return ``exact`` at the currency's minor units, with the step if it changed anything."""
    rounded = round_money(exact, currency, RoundingMode(mode))
    if rounded == exact:
        return rounded, ()
    return rounded, (money_step("money", "line", mode, currency, exact, rounded, policy=named),)


def money_step(
    step: str,
    of: str,
    mode: str,
    currency: str,
    before: Decimal,
    after: Decimal,
    *,
    policy: str | None = None,
) -> RoundingStep:
    """Return a rounding of money; what has no short decimal form is recorded to 12 digits."""
    unit = f"{minor_unit(currency):f} {currency}"
    return rounding_step(step, of, mode, unit, _recorded(before), after, policy=policy)


def minor_unit(currency: str) -> Decimal:
    """Return the smallest amount of a currency (ISO 4217)."""
    return Decimal(1).scaleb(-minor_unit_digits(currency))


def _recorded(exact: Decimal) -> Decimal:
    return min(
        exact.normalize(),
        round_digits(exact, _RECORDED_DIGITS_MAX, RoundingMode.HALF_UP),
        key=lambda value: len(format(value, "f")),
    )
