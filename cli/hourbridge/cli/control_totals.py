"""The totals report as people compare it: one row per period and client, the levels side by side.

Charged money is exact and unrounded; documents and ledger are what was billed. The level
``pricing`` of the report leads from the one to the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hourbridge.common.money import EXACT, RoundingMode, decimal_text, round_digits, round_money

LEVELS = ("source", "records", "outcomes", "charges", "documents", "ledger", "pricing")
_ZERO = Decimal(0)
_HOUR_SECONDS = Decimal(3600)
_SECONDS = (
    ("worked_hours", "records", "worked_seconds"),
    ("charged_hours", "charges", "billable_seconds"),
    ("billed_hours", "documents", "billed_seconds"),
)
_SALES = ("invoice", "credit_memo")
"""What clients are billed; bills of vendors and entries are no part of it."""
_MONEY = (("charged", "charges"), ("billed", "documents"), ("in_ledger", "ledger"))


@dataclass
class _Sums:
    seconds: Counter[str] = field(default_factory=Counter)
    money: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """By column and currency: nothing is ever added across currencies."""

    def add_money(self, column: str, currency: str, amount: str) -> None:
        key = (column, currency)
        self.money[key] = self.money.get(key, _ZERO) + Decimal(amount)

    def row(self, *, with_currency: bool) -> dict[str, str]:
        columns = {name: _hours(seconds) for name, seconds in self.seconds.items()}
        for (name, currency), amount in sorted(self.money.items()):
            text = decimal_text(round_money(amount, currency))
            text += f" {currency}" if with_currency else ""
            columns[name] = f"{columns[name]}\n{text}" if name in columns else text
        return columns


def currencies(report: Mapping[str, Any]) -> list[str]:
    """Return the currencies of all money in the report."""
    return sorted({row["currency"] for _, level in _MONEY for row in report[level]})


def side_by_side(report: Mapping[str, Any], *, by_project: bool) -> list[dict[str, str]]:
    """Return rows by period and client (and project) with a sum of all as the last one."""
    names = ("period", "client", "project") if by_project else ("period", "client")
    groups: dict[tuple[str, ...], _Sums] = {}
    whole = _Sums()

    def sums_of(row: Mapping[str, Any]) -> tuple[_Sums, _Sums]:
        key = tuple(str(row[name] or "-") for name in names)
        return groups.setdefault(key, _Sums()), whole

    for column, level, seconds in _SECONDS:
        for row in report[level]:
            for sums in sums_of(row):
                sums.seconds[column] += row[seconds] or 0
    for column, level in _MONEY:
        for row in report[level]:
            if row.get("kind", "invoice") not in _SALES:
                continue
            for sums in sums_of(row):
                sums.add_money(column, row["currency"], row["amount"] or "0")
    several = len(currencies(report)) > 1
    rows = [
        {**dict(zip(names, key, strict=True)), **groups[key].row(with_currency=several)}
        for key in sorted(groups)
    ]
    if not rows:
        return []
    return [*rows, {"period": "all", **whole.row(with_currency=several)}]


def _hours(seconds: int) -> str:
    """Return seconds as hours; rounded once, after everything was added."""
    exact = EXACT.divide(Decimal(seconds), _HOUR_SECONDS)
    return decimal_text(round_digits(exact, 2, RoundingMode.HALF_UP))
