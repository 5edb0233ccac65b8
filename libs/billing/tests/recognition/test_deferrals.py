"""Deferral schedules: equal parts that sum to the whole, also when the whole changes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.recognition.deferrals import (
    Earned,
    Schedule,
    due_by,
    net_amount,
    next_month,
    parts_of,
    rule_for,
    schedule_of,
)
from hourbridge.common.book import DeferralRule, LedgerReference
from hourbridge.common.messages.events import DocumentLine

JULY = date(2026, 7, 1)
SUPPORT, OTHER = LedgerReference(name="Support"), LedgerReference(name="Other")


def line(line_id: str, amount: str, **changes: Any) -> DocumentLine:
    return DocumentLine(
        line_id=line_id,
        position=1,
        description="x",
        quantity=Decimal(1),
        unit_price=Decimal(amount),
        amount=Decimal(amount),
        **changes,
    )


def test_the_first_months_take_the_odd_cents() -> None:
    parts = parts_of(Schedule(date(2026, 11, 1), 3, Decimal("100.00")), "USD")
    assert [(part.month, part.amount) for part in parts] == [
        (date(2026, 11, 1), Decimal("33.34")),
        (date(2026, 12, 1), Decimal("33.33")),
        (date(2027, 1, 1), Decimal("33.33")),
    ]
    assert parts[1].last_day == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("begins", "first"), [("invoice_month", JULY), ("next_month", date(2026, 8, 1))]
)
def test_where_a_schedule_begins(begins: Any, first: date) -> None:
    rule = DeferralRule(months=12, begins=begins)
    schedule = schedule_of(rule, Decimal(1200), date(2026, 7, 17))
    assert schedule == Schedule(first, 12, Decimal(1200))
    assert next_month(date(2026, 12, 31)) == date(2027, 1, 1)


def test_a_month_is_earned_when_it_is_over() -> None:
    schedule = Schedule(JULY, 3, Decimal(90))
    assert due_by(schedule, [], date(2026, 7, 30), "USD") == []
    july = due_by(schedule, [], date(2026, 7, 31), "USD")
    assert july == [Earned(JULY, Decimal(30))]
    rest = due_by(schedule, july, date(2027, 1, 1), "USD")
    assert [part.amount for part in rest] == [30, 30]
    assert due_by(schedule, [*july, *rest], date(2027, 1, 1), "USD") == []


def test_a_credit_is_made_good_in_the_next_month() -> None:
    """90 over three months, 60 of it credited after the first: the second earns 20 - 30."""
    july = [Earned(JULY, Decimal(30))]
    credited = Schedule(JULY, 3, Decimal(30))
    rest = due_by(credited, july, date(2026, 9, 30), "USD")
    assert [part.amount for part in rest] == [Decimal(-10), Decimal(10)]


def test_a_credit_after_the_end_is_made_good_at_once() -> None:
    earned = [Earned(date(2026, month, 1), Decimal(30)) for month in (7, 8, 9)]
    credited = Schedule(JULY, 3, Decimal(60))
    again = due_by(credited, earned, date(2026, 12, 31), "USD")
    assert again == [Earned(date(2026, 9, 1), Decimal(-30))]
    assert due_by(credited, [*earned, *again], date(2026, 12, 31), "USD") == []


def test_months_that_earn_nothing_are_left_out() -> None:
    assert due_by(Schedule(JULY, 3, Decimal(0)), [], date(2026, 12, 31), "USD") == []
    cents = due_by(Schedule(JULY, 3, Decimal("0.01")), [], date(2026, 12, 31), "USD")
    assert [part.month for part in cents] == [JULY]


@pytest.mark.parametrize(
    ("wanted", "months"),
    [
        ({"client": "Acme", "project": "P", "item": SUPPORT}, 4),
        ({"client": "Acme", "project": "P", "item": OTHER}, 3),
        ({"client": "Acme", "project": None, "item": None}, 2),
        ({"client": "Birch", "project": "P", "item": SUPPORT}, 6),
        ({"client": "Birch", "project": "P", "item": None}, None),
    ],
)
def test_the_rule_that_names_most_wins(wanted: dict[str, Any], months: int | None) -> None:
    rules = [
        DeferralRule(client="Acme", months=2),
        DeferralRule(client="Acme", project="P", months=3),
        DeferralRule(client="Acme", project="P", item=SUPPORT, months=4),
        DeferralRule(item=SUPPORT, months=5),
        DeferralRule(item=SUPPORT, months=6, effective_from=date(2026, 2, 1)),
        DeferralRule(client="Acme", months=9, effective_to=date(2026, 6, 30)),
    ]
    found = rule_for(rules, day=JULY, **wanted)
    assert (found.months if found else None) == months


def test_credits_come_off_their_line() -> None:
    credits = [
        line("c1", "10", credits_line_id="a"),
        line("c2", "5", credits_line_id="b"),
        line("c3", "1", credits_line_id="a", base_amount=Decimal("1.20")),
    ]
    assert net_amount(line("a", "100", base_amount=Decimal(110)), credits) == Decimal("98.80")


@given(
    st.integers(-(10**8), 10**8),
    st.integers(2, 36),
    st.lists(st.tuples(st.integers(0, 40), st.integers(-(10**6), 10**6)), max_size=6),
)
def test_in_the_end_all_is_earned(cents: int, months: int, changes: list[tuple[int, int]]) -> None:
    """Whatever the total becomes on the way, the months earn exactly what it is at the end."""
    total = Decimal(cents) / 100
    earned: list[Earned] = []
    for passed, change in sorted(changes):
        through = date(2026 + passed // 12, passed % 12 + 1, 28)
        earned += due_by(Schedule(JULY, months, total), earned, through, "USD")
        total += Decimal(change) / 100
    earned += due_by(Schedule(JULY, months, total), earned, date(2035, 1, 1), "USD")
    assert sum(part.amount for part in earned) == total
