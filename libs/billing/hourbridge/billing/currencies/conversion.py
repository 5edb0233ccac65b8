"""Amounts in the book's currency: through the published rates, unrounded until the one rounding.

Half up at the minor unit, as Regulation (EC) 1103/97 has it for the euro (articles 4 and 5):
rates are neither rounded nor inverted, cross rates go through the pivot.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hourbridge.common.messages.events import ExchangeRateUsed
from hourbridge.common.money import (
    EXACT,
    RoundingMode,
    minor_unit_digits,
    round_money,
    round_to_step,
)

_ONE = Decimal(1)
_NOTHING = Decimal(0)


def exact_base(amount: Decimal, currency: str, rate: ExchangeRateUsed) -> Decimal:
    """Return an amount of ``currency`` in the rate's base currency, unrounded."""
    if currency == rate.base_currency:
        return amount
    if not rate.legs:
        return EXACT.multiply(amount, rate.value)
    legs = {leg.currency: leg.value for leg in rate.legs}
    above = EXACT.multiply(amount, legs.get(rate.base_currency, _ONE))
    return EXACT.divide(above, legs.get(currency, _ONE))


def base_amount(amount: Decimal, currency: str, rate: ExchangeRateUsed) -> Decimal:
    """Return an amount of ``currency`` in the rate's base currency, rounded once."""
    return round_money(exact_base(amount, currency, rate), rate.base_currency)


def spread(total: Decimal, exact: Sequence[tuple[str, Decimal]], currency: str) -> list[Decimal]:
    """Round unrounded parts, of either sign, so that they sum to ``total`` exactly.

    ``exact`` pairs a stable key with a part. Left-over minor units go to the largest remainders,
    ties by key; where ``total`` lies further from the sum than its rounding, all parts share the
    distance. The opposite parts of an opposite total are the opposite. Raises ValueError when
    there is no part to take what is left over.
    """
    if _is_negative(total, exact):
        mirrored = [(key, -part) for key, part in exact]
        return [-part for part in spread(-total, mirrored, currency)]
    unit = _ONE.scaleb(-minor_unit_digits(currency))
    parts = [round_to_step(part, unit, RoundingMode.FLOOR) for _, part in exact]
    missing = int(EXACT.divide(total - sum(parts, _NOTHING), unit))
    if not parts:
        if missing:
            raise ValueError(f"nothing takes {total}")
        return []
    each, rest = divmod(missing, len(parts))
    order = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at][1], exact[at][0]))
    return [
        part + unit * (each + (1 if at in order[:rest] else 0)) for at, part in enumerate(parts)
    ]


def _is_negative(total: Decimal, exact: Sequence[tuple[str, Decimal]]) -> bool:
    """Return which of two opposite ways of rounding parts is the mirror of the other.

    The total says it; where that is nothing the sum of the parts, else the first part.
    """
    by_key = [part for _, part in sorted(exact)]
    telling = (total, sum(by_key, _NOTHING), *by_key)
    return next((value < 0 for value in telling if value), False)
