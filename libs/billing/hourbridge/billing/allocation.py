"""Sharing an amount over the lines of a document so that the parts sum to it exactly."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hourbridge.billing.amounts import minor_unit
from hourbridge.common.money import EXACT, RoundingMode, round_to_step


def spread(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split ``total`` over the lines of a document by largest remainder, ties to earlier lines.

    Unlike ``allocate`` it takes weights of both signs, as refunds on an invoice have them: each
    share is cut down to the minor unit, and what is left over goes to the largest remainders.
    Credits mirror invoices. Weights that sum to zero share nothing, whatever ``total`` is.
    """
    whole = sum(weights, Decimal(0))
    if whole == 0:
        return [Decimal(0) for _ in weights]
    if total < 0:
        return [-part for part in spread(-total, weights, currency)]
    unit = minor_unit(currency)
    exact = [share(total, weight, whole) for weight in weights]
    parts = [round_to_step(value, unit, RoundingMode.FLOOR) for value in exact]
    missing = int((total - sum(parts, Decimal(0))) / unit)
    by_remainder = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in by_remainder[:missing]:
        parts[at] += unit
    return parts


def share(total: Decimal, weight: Decimal, whole: Decimal) -> Decimal:
    """Return the exact part of ``total`` that ``weight`` has in ``whole``."""
    return EXACT.divide(EXACT.multiply(total, weight), whole)
