"""The book's currency for every movement of a document, so that both currencies sum to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hourbridge.billing.allocation import spread
from hourbridge.billing.journal.legs import Leg
from hourbridge.common.errors import InvariantViolated

_NOTHING = Decimal(0)


def with_base(legs: Sequence[Leg], currency: str) -> tuple[Leg, ...]:
    """Return movements with amounts in ``currency``, the book's.

    What the document states for its total and its lines stands; the rest (tax, above all) gets
    what is left, by largest remainder. Raises InvariantViolated where nothing is left to take it.
    """
    known = sum((leg.base for leg in legs if leg.base is not None), _NOTHING)
    shares = iter(spread(-known, [leg.amount for leg in legs if leg.base is None], currency))
    based = tuple(leg if leg.base is not None else replace(leg, base=next(shares)) for leg in legs)
    off_by = sum((leg.base or _NOTHING for leg in based), _NOTHING)
    if off_by != 0:
        raise InvariantViolated(
            "a document's lines don't sum to its total in the book's currency", off_by=off_by
        )
    return based
