"""Deferred revenue: a line that is earned in equal parts over months.

A schedule is its total and its months. What is earned by the end of a month is the sum of the
parts up to it; what is still to be earned follows. So a credit changes the total, and the next
month makes good what earlier months earned too much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from hourbridge.common.book import DeferralRule
from hourbridge.common.book.references import LedgerReference
from hourbridge.common.messages.events import DocumentLine
from hourbridge.common.money import allocate

_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Schedule:
    """How a line is earned."""

    first_month: date
    """The first day of the first month."""
    months: int
    total: Decimal
    """In the book's currency, less what was credited."""


@dataclass(frozen=True)
class Earned:
    """What a month earns of a schedule; negative where earlier months earned too much."""

    month: date
    amount: Decimal

    @property
    def last_day(self) -> date:
        """Return the day on which it is earned."""
        return next_month(self.month) - timedelta(days=1)


def rule_for(
    rules: Iterable[DeferralRule],
    *,
    client: str,
    project: str | None,
    item: LedgerReference | None,
    day: date,
) -> DeferralRule | None:
    """Return the rule that names most of a line; of equals the one that began last."""
    fitting = [
        rule
        for rule in rules
        if rule.holds_on(day)
        and rule.client in (None, client)
        and rule.project in (None, project)
        and (rule.item is None or (item is not None and rule.item.key == item.key))
    ]
    return max(fitting, key=_precedence, default=None)


def _precedence(rule: DeferralRule) -> tuple[int, date]:
    named = sum(part is not None for part in (rule.client, rule.project, rule.item))
    return named, rule.effective_from or date.min


def schedule_of(rule: DeferralRule, total: Decimal, invoiced_on: date) -> Schedule:
    """Return the schedule of an invoiced amount."""
    first = invoiced_on.replace(day=1)
    if rule.begins == "next_month":
        first = next_month(first)
    return Schedule(first, rule.months, total)


def parts_of(schedule: Schedule, currency: str) -> list[Earned]:
    """Return what each month earns of the whole; the first months take the odd cents."""
    keys = [f"{number:04d}" for number in range(schedule.months)]
    shares = allocate(schedule.total, [(key, Decimal(1)) for key in keys], currency)
    month, parts = schedule.first_month, []
    for key in keys:
        parts.append(Earned(month, shares[key]))
        month = next_month(month)
    return parts


def due_by(
    schedule: Schedule, earned: Iterable[Earned], through: date, currency: str
) -> list[Earned]:
    """Return what is to be earned for months that end by ``through`` and have nothing yet.

    ``earned`` is what was earned so far, months in any order. A change of the total after the last
    month is made good in that month once more.
    """
    before = list(earned)
    done = {part.month for part in before}
    so_far = sum((part.amount for part in before), _NOTHING)
    wanted, due, last = _NOTHING, [], None
    for part in parts_of(schedule, currency):
        if part.last_day > through:
            break
        wanted, last = wanted + part.amount, part.month
        if part.month not in done:
            amount = wanted - so_far
            so_far = wanted
            if amount:
                due.append(Earned(part.month, amount))
    is_over = last is not None and last == parts_of(schedule, currency)[-1].month
    if is_over and last is not None and so_far != wanted:
        due.append(Earned(last, wanted - so_far))
    return due


def net_amount(line: DocumentLine, credits: Iterable[DocumentLine]) -> Decimal:
    """Return a line's amount in the book's currency, less what credit memos took back of it."""
    taken = (_base(credit) for credit in credits if credit.credits_line_id == line.line_id)
    return _base(line) - sum(taken, _NOTHING)


def next_month(month: date) -> date:
    """Return the first day of the month after the one of ``month``."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _base(line: DocumentLine) -> Decimal:
    return line.amount if line.base_amount is None else line.base_amount
