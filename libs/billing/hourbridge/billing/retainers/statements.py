"""The log of a retainer by month: opening + receipts - applications - refunds - forfeits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from hourbridge.billing.retainers.lots import NOTHING, Movement, MovementKind
from hourbridge.common.money import allocate


@dataclass
class Flows:
    """What moved in a month, in one currency."""

    opening: Decimal = NOTHING
    """The balance at the month's beginning; includes what other books handed over."""
    receipts: Decimal = NOTHING
    applications: Decimal = NOTHING
    """Less what came back from invoices that were credited."""
    refunds: Decimal = NOTHING
    forfeits: Decimal = NOTHING

    @property
    def closing(self) -> Decimal:
        """Return the balance at the month's end."""
        out = self.applications + self.refunds + self.forfeits
        return self.opening + self.receipts - out

    def add(self, kind: MovementKind, amount: Decimal) -> None:
        """Count a movement; reversals are negative."""
        name = _COLUMNS[kind]
        setattr(self, name, getattr(self, name) + amount)


_COLUMNS = {
    MovementKind.OPENING: "opening",
    MovementKind.RECEIPT: "receipts",
    MovementKind.APPLICATION: "applications",
    MovementKind.REFUND: "refunds",
    MovementKind.FORFEIT: "forfeits",
}


@dataclass
class Month:
    """One month of a retainer, in the retainer's currency and in the book's."""

    month: str
    amounts: Flows = field(default_factory=Flows)
    base_amounts: Flows = field(default_factory=Flows)


def monthly_log(movements: Sequence[Movement], through: date) -> list[Month]:
    """Return every month from the first movement to ``through``, also those without any."""
    counted = sorted((m for m in movements if m.day <= through), key=lambda m: m.day)
    months: list[Month] = []
    for movement in counted:
        _extend(months, movement.day)
        sign = 1 if movement.reverses is None else -1
        months[-1].amounts.add(movement.kind, sign * movement.amount)
        months[-1].base_amounts.add(movement.kind, sign * movement.base_amount)
    if months:
        _extend(months, through)
    return months


def _extend(months: list[Month], day: date) -> None:
    """Add months up to the one of ``day``; each opens with what the one before closed with."""
    wanted = f"{day:%Y-%m}"
    if not months:
        months.append(Month(wanted))
    while months[-1].month < wanted:
        last = months[-1]
        year, number = map(int, last.month.split("-"))
        year, number = (year + 1, 1) if number == 12 else (year, number + 1)
        following = Month(f"{year:04d}-{number:02d}")
        following.amounts.opening = last.amounts.closing
        following.base_amounts.opening = last.base_amounts.closing
        months.append(following)


def by_project(
    amount: Decimal, lines: Sequence[tuple[str, Decimal]], currency: str
) -> dict[str, Decimal]:
    """Return how an applied amount is spread over the projects of its invoice.

    ``lines`` are projects with their amounts; by largest remainder, so that the parts sum to the
    whole. Lines that come to nothing or less take no part.
    """
    weights: dict[str, Decimal] = {}
    for project, line_amount in lines:
        weights[project] = weights.get(project, NOTHING) + line_amount
    positive = [(project, weight) for project, weight in sorted(weights.items()) if weight > 0]
    return allocate(amount, positive, currency) if positive else {}
