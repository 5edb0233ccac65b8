"""What a posted line should be now: credits and supplements."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.assembly import PricedLine, assemble
from hourbridge.billing.corrections import (
    LineDelta,
    PostedLine,
    Sum,
    delta_description,
    line_delta,
    stays_on_line,
)
from hourbridge.billing.pricing import price_line
from hourbridge.common.book import LedgerReference, RoundingPolicy
from hourbridge.common.messages.events import Charge
from tests.support.charges import exact_time, fee, hours, make_charge, make_expense, rounding


def posted(line: PricedLine) -> PostedLine:
    return PostedLine("l1", line.basis, Sum(line.price.amount, line.price.billed_seconds))


def line_of(*charges: Charge) -> PricedLine:
    (line,) = assemble(charges).lines
    return line


def test_five_hours_corrected_to_four() -> None:
    line = line_of(make_charge("c", hours("5")))
    assert line.price.amount == Decimal("750.00")
    delta = line_delta(posted(line), [make_charge("c", hours("4"))])
    assert delta == LineDelta(
        "l1", "credit", Decimal("1.00"), Decimal("150.00"), Decimal("150.00"), 3600
    )
    text = delta_description(delta, number="HB-1", description="Anna - Audit (5:00 h)")
    assert text == "Credit to HB-1: Anna - Audit (5:00 h) (1:00 h)"


def test_a_deleted_entry_is_credited_in_full_and_only_once() -> None:
    line = posted(line_of(make_charge("c", hours("5"))))
    delta = line_delta(line, [])
    assert delta is not None
    assert (delta.direction, delta.amount) == ("credit", Decimal("750.00"))
    credited = PostedLine("l1", line.basis, line.standing - Sum(delta.amount, delta.seconds))
    assert line_delta(credited, []) is None


def test_more_work_is_supplemented() -> None:
    line = line_of(make_charge("c", hours("5")))
    delta = line_delta(posted(line), [make_charge("c", hours("6"))])
    assert delta is not None
    assert (delta.direction, delta.amount, delta.seconds) == (
        "supplement",
        Decimal("150.00"),
        3600,
    )
    assert delta_description(delta, number="HB-1", description="x").startswith("Addition to HB-1")


def test_equal_money_needs_nothing() -> None:
    line = line_of(make_charge("c", hours("5")))
    assert line_delta(posted(line), [make_charge("c", hours("5") + 60)]) is None


def test_a_line_keeps_the_rounding_it_was_posted_with() -> None:
    line = line_of(make_charge("c", hours("5")))
    changed = make_charge("c", hours("4") + 60, rounding=rounding(15, mode="up"))
    delta = line_delta(posted(line), [changed])
    assert delta is not None
    assert delta.amount == Decimal("150.00")


def test_money_that_no_quantity_gives_goes_as_one_amount() -> None:
    entries = [
        make_charge(c, 1000, rate="27.77", rounding=exact_time(), invoicing={"lines": "task"})
        for c in ("a", "b", "c")
    ]
    delta = line_delta(posted(line_of(*entries)), entries[:1])
    assert delta is not None
    assert delta.quantity * delta.unit_price - delta.amount < Decimal("0.005")
    expense = line_delta(posted(line_of(make_expense("e", "45.00"))), [make_expense("e", "40.00")])
    assert expense is not None
    assert (expense.quantity, expense.unit_price, expense.seconds) == (1, Decimal("5.00"), 0)
    assert delta_description(expense, number="HB-1", description="Taxi") == "Credit to HB-1: Taxi"


def test_a_fee_stands_while_any_work_of_its_term_does() -> None:
    entries = [make_charge(c, rate=None, flat_fee=fee()) for c in ("a", "b")]
    line = posted(line_of(*entries))
    assert line_delta(line, entries[:1]) is None
    delta = line_delta(line, [])
    assert delta is not None
    assert delta.amount == Decimal("420.00")


def test_an_amount_off_by_rounding_is_not_given_a_wrong_quantity() -> None:
    basis = line_of(make_charge("c", hours("5"))).basis
    delta = line_delta(PostedLine("l1", basis, Sum(Decimal("750.01"), hours("5"))), [])
    assert delta is not None
    assert (delta.quantity, delta.unit_price) == (1, Decimal("750.01"))


def test_what_stays_on_its_line() -> None:
    charge = make_charge("c")
    assert stays_on_line(charge, make_charge("c", hours("3"), staff="Ben", project="P9"))
    assert not stays_on_line(charge, make_charge("c", rate="140.00"))
    assert stays_on_line(charge, make_charge("c", rate="150.0"))
    for change in (
        {"customer": LedgerReference(name="Bolt")},
        {"job": LedgerReference(name="J")},
        {"item": LedgerReference(name="I")},
    ):
        assert not stays_on_line(charge, make_charge("c", **change))
    march, april = (
        make_charge("c", rate=None, flat_fee=fee(), work_date=day)
        for day in (date(2026, 3, 31), date(2026, 4, 1))
    )
    assert not stays_on_line(march, april)


@given(
    lengths=st.lists(st.integers(1, 30_000), min_size=1, max_size=8),
    rate=st.sampled_from(["150.00", "27.50", "133.3333"]),
    decimals=st.sampled_from([None, 2]),
    seed=st.integers(0, 99),
)
def test_crediting_in_parts_takes_back_exactly_what_was_billed(
    lengths: list[int], rate: str, decimals: int | None, seed: int
) -> None:
    policy = RoundingPolicy(increment_seconds=60, mode="up", quantity_decimals=decimals)
    entries = [
        make_charge(f"c{i}", length, rate=rate, rounding=policy, invoicing={"lines": "task"})
        for i, length in enumerate(lengths)
    ]
    line = line_of(*entries)
    standing = posted(line)
    random.Random(seed).shuffle(entries)
    taken_back = Decimal(0)
    while entries:
        entries.pop()
        delta = line_delta(standing, entries)
        if delta is None:
            continue
        sign = 1 if delta.direction == "credit" else -1
        taken_back += sign * delta.amount
        assert taken_back <= line.price.amount
        after = price_line(entries, line.basis)
        standing = PostedLine("l1", line.basis, Sum(after.amount, after.billed_seconds))
    assert taken_back == line.price.amount
