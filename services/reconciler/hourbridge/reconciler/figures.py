"""How hours and money are written in reports: seconds exact, hours and estimates rounded last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from hourbridge.common.money import EXACT, RoundingMode, decimal_text, round_digits, round_money

HOUR_SECONDS = Decimal(3600)


def hours(seconds: int | Decimal) -> str:
    """Return seconds as decimal hours with two decimals."""
    exact = EXACT.divide(Decimal(seconds), HOUR_SECONDS)
    return decimal_text(round_digits(exact, 2, RoundingMode.HALF_UP))


def money(amount: Decimal, currency: str) -> str:
    """Return an exact amount at the minor units of its currency."""
    return decimal_text(round_money(amount, currency))


def percent(part: Decimal | int, whole: Decimal | int) -> str:
    """Return ``part`` of ``whole`` in percent with two decimals; of nothing, nothing."""
    if not whole:
        return "0.00"
    exact = EXACT.divide(Decimal(part) * 100, Decimal(whole))
    return decimal_text(round_digits(exact, 2, RoundingMode.HALF_UP))


def summed(
    rows: Iterable[Mapping[str, Any]], *, by: tuple[str, ...], of: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return rows grouped by ``by`` with the sums of ``of``; groups in the order of their keys."""
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in by)
        group = groups.setdefault(key, {**dict(zip(by, key, strict=True)), **dict.fromkeys(of, 0)})
        for name in of:
            group[name] += row[name]
    return [groups[key] for key in sorted(groups, key=lambda key: tuple(map(_sortable, key)))]


def _sortable(value: Any) -> tuple[bool, str]:
    return value is not None, str(value)
