"""Decimal money in ISO 4217 currencies, and the rounding and allocation primitives.

Minor units come from ISO 4217 list one (through the ``iso4217`` package), not from CLDR, which
differs for a dozen currencies. No binary floating point appears here or near it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)
from enum import StrEnum
from functools import cache

from iso4217 import Currency as IsoCurrency

from hourbridge.common.errors import ConfigurationInvalid

EXACT = Context(prec=60)
"""Context for intermediate results: wide enough that no step before the rounding point rounds."""


class RoundingMode(StrEnum):
    """How a tie or a remainder is resolved; the names of the decimal standard, in our words."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    HALF_DOWN = "half_down"
    UP = "up"
    DOWN = "down"
    CEILING = "ceiling"
    FLOOR = "floor"


_DECIMAL_MODES = {
    RoundingMode.HALF_UP: ROUND_HALF_UP,
    RoundingMode.HALF_EVEN: ROUND_HALF_EVEN,
    RoundingMode.HALF_DOWN: ROUND_HALF_DOWN,
    RoundingMode.UP: ROUND_UP,
    RoundingMode.DOWN: ROUND_DOWN,
    RoundingMode.CEILING: ROUND_CEILING,
    RoundingMode.FLOOR: ROUND_FLOOR,
}


@cache
def minor_unit_digits(currency: str) -> int:
    """Return how many decimals ``currency`` (ISO 4217 alphabetic code) has.

    Raises ConfigurationInvalid for unknown codes and for those without minor units (XAU, XTS).
    """
    try:
        digits = IsoCurrency(currency).exponent
    except ValueError:
        raise ConfigurationInvalid(f"{currency!r} is not an ISO 4217 currency") from None
    if digits is None:
        raise ConfigurationInvalid(f"{currency!r} has no minor unit; it is not money to invoice in")
    return int(digits)


def round_to_step(value: Decimal, step: Decimal, mode: RoundingMode) -> Decimal:
    """Return the multiple of ``step`` (> 0) that ``mode`` chooses for ``value``."""
    count = EXACT.divide(value, step).quantize(
        Decimal(1), rounding=_DECIMAL_MODES[mode], context=EXACT
    )
    return EXACT.multiply(count, step)


def round_digits(value: Decimal, digits: int, mode: RoundingMode) -> Decimal:
    """Return ``value`` with exactly ``digits`` decimals."""
    return value.quantize(Decimal(1).scaleb(-digits), rounding=_DECIMAL_MODES[mode], context=EXACT)


def round_money(
    amount: Decimal, currency: str, mode: RoundingMode = RoundingMode.HALF_UP
) -> Decimal:
    """Return ``amount`` at the minor units of ``currency``."""
    return round_digits(amount, minor_unit_digits(currency), mode)


def allocate(
    total: Decimal, weights: Sequence[tuple[str, Decimal]], currency: str
) -> dict[str, Decimal]:
    """Split ``total`` over weights so that the parts sum to it exactly (largest remainder).

    ``weights`` pairs a stable business key with a weight >= 0. Left-over minor units go to the
    largest remainders, ties by key. Negative totals mirror positive ones. Raises ValueError for a
    total finer than the currency, repeated keys, negative weights, and weights that sum to zero
    while ``total`` is not.
    """
    if round_money(total, currency) != total:
        raise ValueError(f"{total} is finer than the minor unit of {currency}")
    if len({key for key, _ in weights}) != len(weights) or any(w < 0 for _, w in weights):
        raise ValueError("weights need distinct keys and must not be negative")
    if total < 0:
        return {key: -part for key, part in allocate(-total, weights, currency).items()}
    whole = sum((weight for _, weight in weights), Decimal(0))
    if whole == 0:
        if total == 0:
            return {key: Decimal(0) for key, _ in weights}
        raise ValueError("cannot allocate an amount over weights that sum to zero")
    unit = Decimal(1).scaleb(-minor_unit_digits(currency))
    exact = {key: EXACT.divide(EXACT.multiply(total, weight), whole) for key, weight in weights}
    parts = {key: round_to_step(value, unit, RoundingMode.DOWN) for key, value in exact.items()}
    missing = int((total - sum(parts.values(), Decimal(0))) / unit)
    by_remainder = sorted(exact, key=lambda key: (parts[key] - exact[key], key))
    for key in by_remainder[:missing]:
        parts[key] += unit
    return parts


def decimal_text(value: Decimal) -> str:
    """Return plain notation (no exponent) for messages and documents."""
    return format(value, "f")
