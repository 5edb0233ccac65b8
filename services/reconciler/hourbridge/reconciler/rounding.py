"""Which known way of rounding leads from our lines to another total: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.common.money import EXACT, RoundingMode, minor_unit_digits, round_digits


@dataclass(frozen=True)
class PricedLine:
    """What a line charges: a quantity of an item at a price."""

    item: str
    quantity: Decimal
    unit_price: Decimal


def explain_total(lines: Sequence[PricedLine], total: Decimal, currency: str) -> tuple[str, ...]:
    """Return the names of the rounding rules under which ``lines`` come to exactly ``total``.

    Several can fit; none fits when the ledger did something else.
    """
    digits = minor_unit_digits(currency)
    return tuple(name for name, compute in _RULES.items() if compute(lines, digits) == total)


def _half_up(value: Decimal, digits: int) -> Decimal:
    return round_digits(value, digits, RoundingMode.HALF_UP)


def _product(line: PricedLine) -> Decimal:
    return EXACT.multiply(line.quantity, line.unit_price)


def _line_half_even(lines: Sequence[PricedLine], digits: int) -> Decimal:
    rounded = (round_digits(_product(line), digits, RoundingMode.HALF_EVEN) for line in lines)
    return sum(rounded, Decimal(0))


def _whole_document(lines: Sequence[PricedLine], digits: int) -> Decimal:
    return _half_up(sum((_product(line) for line in lines), Decimal(0)), digits)


def _two_decimal_quantities(lines: Sequence[PricedLine], digits: int) -> Decimal:
    cut = [PricedLine(line.item, _half_up(line.quantity, 2), line.unit_price) for line in lines]
    return sum((_half_up(_product(line), digits) for line in cut), Decimal(0))


def _two_decimal_money(lines: Sequence[PricedLine], _digits: int) -> Decimal:
    return sum((_half_up(_product(line), 2) for line in lines), Decimal(0))


def _merged_lines(lines: Sequence[PricedLine], digits: int) -> Decimal:
    merged: defaultdict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for line in lines:
        merged[line.item, line.unit_price] += line.quantity
    products = (quantity * price for (_, price), quantity in merged.items())
    return sum((_half_up(product, digits) for product in products), Decimal(0))


_RULES: dict[str, Callable[[Sequence[PricedLine], int], Decimal]] = {
    "half_even": _line_half_even,
    "document_rounding": _whole_document,
    "line_grouping": _merged_lines,
    "quantity_decimals": _two_decimal_quantities,
    "currency_precision": _two_decimal_money,
}
