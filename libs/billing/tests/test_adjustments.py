"""Write-ups and write-downs of drafts, and what later corrections make of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.adjustments import (
    Adjusting,
    AdjustmentImpossible,
    adjust_document,
    adjust_line,
    unadjusted,
)
from hourbridge.billing.assembly import assemble
from hourbridge.billing.corrections import PostedLine, Sum, line_delta
from hourbridge.common.messages.events import DocumentLine, RoundingStep
from tests.support.charges import exact_time, hours, make_charge


def some_lines(*amounts: str, **changes: Any) -> tuple[DocumentLine, ...]:
    return tuple(
        DocumentLine(
            line_id=f"l{n}",
            position=n,
            description="work",
            quantity=Decimal(1),
            unit_price=Decimal(amount),
            amount=Decimal(amount),
            **changes,
        )
        for n, amount in enumerate(amounts, start=1)
    )


def to(amount: str, reason: str = "agreed") -> Adjusting:
    return Adjusting(Decimal(amount), reason, "ann")


def amounts(lines: tuple[DocumentLine, ...]) -> list[str]:
    return [str(line.amount) for line in lines]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("90.00", ["30.00", "30.00", "30.00"]),
        ("100.00", ["33.34", "33.33", "33.33"]),
        ("0.00", ["0.00", "0.00", "0.00"]),
        ("75.00", ["25.00", "25.00", "25.00"]),
    ],
)
def test_a_document_is_shared_over_its_lines(wanted: str, found: list[str]) -> None:
    lines = adjust_document(some_lines("25.00", "25.00", "25.00"), to(wanted), "USD")
    assert amounts(lines) == found
    for line in lines:
        assert unadjusted(line) == Decimal("25.00")
        if line.adjustment is not None:
            assert (line.adjustment.reason, line.adjustment.by) == ("agreed", "ann")
            assert line.amount == Decimal("25.00") + line.adjustment.amount
            assert line.roundings[-1].step == "adjustment"
            assert line.roundings[-1].policy == "person:ann"


def test_the_same_decision_twice_is_one_and_another_replaces_it() -> None:
    plain = some_lines("70.00", "30.00")
    once = adjust_document(plain, to("80.00"), "USD")
    assert adjust_document(once, to("80.00"), "USD") == once
    assert amounts(adjust_document(once, to("110.00"), "USD")) == ["77.00", "33.00"]
    assert adjust_document(once, to("100.00"), "USD") == plain


def test_one_line() -> None:
    lines = adjust_line(some_lines("70.00", "30.00"), 2, to("12.50", "goodwill"), "USD")
    assert amounts(lines) == ["70.00", "12.50"]
    assert lines[0].adjustment is None
    assert lines[1].adjustment is not None
    assert lines[1].adjustment.amount == Decimal("-17.50")


def test_what_continues_another_line_is_left_alone() -> None:
    (rest,) = some_lines("20.00", supplements_line_id="x")
    lines = adjust_document((*some_lines("50.00"), rest), to("60.00"), "USD")
    assert amounts(lines) == ["40.00", "20.00"]
    with pytest.raises(AdjustmentImpossible, match="no line of this document"):
        adjust_document((rest,), to("10.00"), "USD")
    assert adjust_document((rest,), to("20.00"), "USD") == (rest,)
    with pytest.raises(AdjustmentImpossible, match="no line 1"):
        adjust_line((rest,), 1, to("10.00"), "USD")
    (credit,) = some_lines("20.00", credits_line_id="x")
    with pytest.raises(AdjustmentImpossible):
        adjust_line((credit,), 1, to("10.00"), "USD")


@pytest.mark.parametrize(
    ("amount", "currency"), [("10.005", "USD"), ("-1.00", "USD"), ("1.5", "JPY")]
)
def test_amounts_that_nobody_can_bill(amount: str, currency: str) -> None:
    with pytest.raises(AdjustmentImpossible, match="is not an amount"):
        adjust_document(some_lines("10"), to(amount), currency)
    with pytest.raises(AdjustmentImpossible, match="there is no line 2"):
        adjust_line(some_lines("10"), 2, to("1"), currency)


@given(
    cents=st.lists(st.integers(1, 100_000), min_size=1, max_size=9), wanted=st.integers(0, 500_000)
)
def test_lines_come_to_exactly_what_was_asked(cents: list[int], wanted: int) -> None:
    lines = some_lines(*(str(Decimal(c) / 100) for c in cents))
    target = Decimal(wanted) / 100
    adjusted = adjust_document(lines, Adjusting(target, "r", "a"), "USD")
    assert sum(line.amount for line in adjusted) == target
    assert all(line.amount >= 0 for line in adjusted)


def adjusted_line(list_amount: str, net_amount: str) -> PostedLine:
    """Return a posted line of ten hours at 150.00 that was billed at less."""
    (line,) = assemble([make_charge("c", hours("10"), rounding=exact_time())]).lines
    kept = {"list_amount": Decimal(list_amount), "net_amount": Decimal(net_amount)}
    basis = line.basis.model_copy(update=kept)
    return PostedLine("l1", basis, Sum(Decimal(net_amount), hours("10")))


@pytest.mark.parametrize(
    ("now", "credited"), [("10", None), ("9", "120.00"), ("5", "600.00"), ("0", "1200.00")]
)
def test_a_corrected_line_keeps_the_share_that_was_billed(now: str, credited: str | None) -> None:
    charges = [make_charge("c", hours(now), rounding=exact_time())] if now != "0" else []
    delta = line_delta(adjusted_line("1500.00", "1200.00"), charges)
    assert (delta and str(delta.amount)) == credited


def test_more_work_on_a_written_down_line_is_billed_at_its_share() -> None:
    more = [make_charge("c", hours("12"), rounding=exact_time())]
    delta = line_delta(adjusted_line("1500.00", "1200.00"), more)
    assert delta is not None
    assert (delta.direction, delta.amount) == ("supplement", Decimal("240.00"))


def test_free_work_that_was_written_up_stays_as_it_was_decided() -> None:
    line = adjusted_line("0.00", "50.00")
    assert line.basis.billed_of(Decimal("0.00")) == 0
    assert line.basis.billed_of(Decimal("30.00")) == Decimal("50.00")


def test_an_adjustment_leaves_other_roundings_alone() -> None:
    steps = tuple(
        RoundingStep(
            step=name, of="line", mode="half_up", unit="x", before=Decimal(1), after=Decimal(2)
        )
        for name in ("increment", "money", "allocation")
    )
    (once,) = adjust_line(some_lines("25.00", roundings=steps), 1, to("20.00"), "USD")
    (twice,) = adjust_line((once,), 1, to("21.00"), "USD")
    assert twice.roundings[:3] == once.roundings[:3] == steps
    assert [step.step for step in twice.roundings[3:]] == ["adjustment"]
    (back,) = adjust_line((twice,), 1, to("25.00"), "USD")
    assert back.roundings == steps
