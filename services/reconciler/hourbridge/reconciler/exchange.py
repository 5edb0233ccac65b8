"""Amounts in the book's currency as the ledger converted them, against ours: pure."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.common.money import EXACT, RoundingMode, minor_unit_digits, round_digits
from hourbridge.reconciler.causes import Cause
from hourbridge.reconciler.compare import (
    Difference,
    ExpectedDocument,
    FieldDifference,
    FoundDocument,
    differ,
)

_INVERSE_DECIMALS = range(4, 13)
_RATE_DECIMALS = range(2, 13)
_SAME_RATE = Decimal("0.000000005")
"""Rates closer to each other than this are one: ledgers show so many digits and no more."""


def exchange_difference(expected: ExpectedDocument, found: FoundDocument) -> Difference | None:
    """Return how the ledger's amounts in the book's currency differ, None if they agree.

    Documents in the book's own currency, and ledgers that don't say, have nothing to compare.
    """
    if expected.base_total is None or expected.base_currency is None:
        return None
    fields = tuple(_fields(expected, found))
    by_lines = _lines_difference(expected, found)
    by_total = Decimal(0)
    if found.base_total is not None:
        by_total = found.base_total - expected.base_total
    if not by_total and not by_lines:
        return None
    difference = by_total or by_lines
    cause, rules = _cause(expected, found, difference)
    return Difference(cause, difference, fields, rules, is_in_base=True)


def _fields(expected: ExpectedDocument, found: FoundDocument) -> list[FieldDifference]:
    fields: list[FieldDifference] = []
    if found.rate is not None:
        fields += differ("exchange_rate", expected.rate, found.rate)
    if found.base_total is not None:
        fields += differ("base_total", expected.base_total, found.base_total)
    for position, ours, theirs in _converted_lines(expected, found):
        fields += differ(f"lines.{position}.base_amount", ours, theirs)
    return fields


def _converted_lines(
    expected: ExpectedDocument, found: FoundDocument
) -> list[tuple[int, Decimal, Decimal]]:
    """Return the lines that both sides converted by themselves: position, our amount, theirs."""
    if not expected.is_ordered:
        return []
    return [
        (ours.position, ours.base_amount, theirs.base_amount)
        for ours, theirs in zip(expected.lines, found.lines, strict=True)
        if ours.base_amount is not None and theirs.base_amount is not None
    ]


def _lines_difference(expected: ExpectedDocument, found: FoundDocument) -> Decimal:
    """Return by how much the ledger's converted lines exceed ours in sum."""
    lines = _converted_lines(expected, found)
    return sum((theirs - ours for _, ours, theirs in lines), Decimal(0))


def _cause(
    expected: ExpectedDocument, found: FoundDocument, difference: Decimal
) -> tuple[Cause, tuple[str, ...]]:
    ours, theirs = expected.rate, found.rate
    if ours is not None and theirs is not None and not _is_same(ours, theirs):
        cut = _precision(ours, theirs)
        return (Cause.TARGET_RATE_PRECISION, cut) if cut else (Cause.TARGET_FX_RATE, ())
    if _is_small(expected, difference):
        return Cause.TARGET_FX_ROUNDING, ("line_by_line",)
    cut = _cut_rates(expected, found)
    return (Cause.TARGET_RATE_PRECISION, cut) if cut else (Cause.TARGET_FX_RATE, ())


def _is_small(expected: ExpectedDocument, difference: Decimal) -> bool:
    """Return whether converting each line by itself can lead to a difference of this size."""
    unit = Decimal(1).scaleb(-minor_unit_digits(str(expected.base_currency)))
    return abs(difference) <= unit * max(len(expected.lines), 1)


def _precision(ours: Decimal, theirs: Decimal) -> tuple[str, ...]:
    """Return the ways of keeping a rate that turn ours into theirs."""
    found = [
        f"inverse_{digits}_decimals"
        for digits in _INVERSE_DECIMALS
        if _is_same(_through_inverse(ours, digits), theirs)
    ]
    found += [
        f"rate_{digits}_decimals"
        for digits in _RATE_DECIMALS
        if _is_same(round_digits(ours, digits, RoundingMode.HALF_UP), theirs)
    ]
    return tuple(found[:1])


def _cut_rates(expected: ExpectedDocument, found: FoundDocument) -> tuple[str, ...]:
    """Return, for a ledger that shows no rate, the way of keeping it that gives its amount."""
    if expected.rate is None or found.base_total is None or expected.base_currency is None:
        return ()
    digits = minor_unit_digits(expected.base_currency)
    for decimals in _INVERSE_DECIMALS:
        rate = _through_inverse(expected.rate, decimals)
        exact = EXACT.multiply(found.total, rate)
        if round_digits(exact, digits, RoundingMode.HALF_UP) == found.base_total:
            return (f"inverse_{decimals}_decimals",)
    return ()


def _through_inverse(rate: Decimal, decimals: int) -> Decimal:
    inverse = round_digits(EXACT.divide(Decimal(1), rate), decimals, RoundingMode.HALF_UP)
    return EXACT.divide(Decimal(1), inverse) if inverse else rate


def _is_same(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= _SAME_RATE
