"""The one place where the amount of a line is rounded."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.billing.increments import SECONDS_PER_HOUR
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
    priced_seconds: Decimal, rate: Decimal, currency: str, mode: str
) -> tuple[Decimal, tuple[RoundingStep, ...]]:
    """Return seconds times hourly rate in money, rounded once."""
    exact = EXACT.divide(EXACT.multiply(priced_seconds, rate), SECONDS_PER_HOUR)
    return money_amount(exact, currency, mode)


def money_amount(
    exact: Decimal, currency: str, mode: str
) -> tuple[Decimal, tuple[RoundingStep, ...]]:
    """Return ``exact`` at the currency's minor units, with the step if it changed anything."""
    rounded = round_money(exact, currency, RoundingMode(mode))
    if rounded == exact:
        return rounded, ()
    unit = f"{Decimal(1).scaleb(-minor_unit_digits(currency)):f} {currency}"
    before = min(
        exact.normalize(),
        round_digits(exact, _RECORDED_DIGITS_MAX, RoundingMode.HALF_UP),
        key=lambda value: len(format(value, "f")),
    )
    step = RoundingStep(
        step="money", of="line", mode=str(mode), unit=unit, before=before, after=rounded
    )
    return rounded, (step,)
