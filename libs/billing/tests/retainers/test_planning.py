"""What a retainer pays: in the order of the invoices, up to both sides, back when credited."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.retainers.lots import (
    Lot,
    LotPart,
    Movement,
    MovementKind,
    balance,
    give_back,
)
from hourbridge.billing.retainers.planning import (
    OpenInvoice,
    apply_to,
    plan_applications,
    plan_returns,
    top_up_needed,
    without,
)
from hourbridge.common.book import RetainerPolicy

JAN_8, FEB_2, MAR_2 = date(2026, 1, 8), date(2026, 2, 2), date(2026, 3, 2)


def lots(*amounts: str, day: date = JAN_8) -> list[Lot]:
    return [
        Lot(f"lot{n}", day, day, Decimal(amount), Decimal(amount))
        for n, amount in enumerate(amounts)
    ]


def invoice(number: str, total: str, day: date = FEB_2, **changes: Any) -> OpenInvoice:
    values: dict[str, Any] = {"credited": "0", "credited_for_good": "0", "paid": "0"}
    values = {**values, "applied": "0", **changes}
    underway = values.pop("is_underway", False)
    amounts = {name: Decimal(value) for name, value in values.items()}
    return OpenInvoice(number, number, day, Decimal(total), **amounts, is_underway=underway)


def planned(*args: Any) -> list[tuple[str, Decimal]]:
    return [(a.invoice.number, a.amount) for a in plan_applications(*args, "USD")]


def test_the_earlier_invoice_is_paid_first_and_numbers_count_as_numbers() -> None:
    invoices = [invoice("HB-10", "60.00"), invoice("HB-9", "60.00"), invoice("HB-2", "5", MAR_2)]
    assert planned(lots("30.00", "50.00"), invoices) == [
        ("HB-9", Decimal("60.00")),
        ("HB-10", Decimal("20.00")),
    ]


def test_numbers_of_another_form_have_an_order_too() -> None:
    found = planned(lots("3"), [invoice("Z", "2"), invoice("A", "2")])
    assert [number for number, _ in found] == ["A", "Z"]


def test_an_invoice_on_its_way_holds_back_the_later_ones() -> None:
    invoices = [
        invoice("HB-1", "10.00"),
        invoice("HB-2", "10.00", is_underway=True),
        invoice("HB-3", "10.00"),
    ]
    assert planned(lots("100.00"), invoices) == [("HB-1", Decimal("10.00"))]


@pytest.mark.parametrize(
    ("changes", "open_amount", "overpaid"),
    [
        ({}, "100", "0"),
        ({"credited": "30", "credited_for_good": "0"}, "70", "0"),
        ({"paid": "60", "applied": "40"}, "0", "0"),
        ({"applied": "100", "credited": "25", "credited_for_good": "25"}, "0", "25"),
        ({"applied": "100", "credited": "25", "credited_for_good": "0"}, "0", "0"),
        ({"applied": "40", "paid": "60", "credited": "80", "credited_for_good": "80"}, "0", "40"),
        ({"credited": "30", "credited_for_good": "30", "paid": "90"}, "0", "0"),
    ],
)
def test_what_is_open_and_what_was_paid_too_much(
    changes: dict[str, str], open_amount: str, overpaid: str
) -> None:
    found = invoice("HB-1", "100", **changes)
    assert (found.open_amount, found.overpaid) == (Decimal(open_amount), Decimal(overpaid))


def test_an_application_is_made_when_both_sides_are_there() -> None:
    late = [*lots("10", day=JAN_8), *lots("10", day=MAR_2)]
    late[1] = Lot("late", MAR_2, MAR_2, Decimal(10), Decimal(10))
    assert apply_to(invoice("HB-1", "10"), late, Decimal(10), "USD").day == FEB_2
    assert apply_to(invoice("HB-1", "20"), late, Decimal(20), "USD").day == MAR_2
    april = date(2026, 4, 1)
    assert apply_to(invoice("HB-1", "20"), late, Decimal(1), "USD", april).day == april


def test_lots_shrink_by_what_is_taken() -> None:
    before = lots("10", "20")
    parts = apply_to(invoice("HB-1", "15"), before, Decimal(15), "USD").parts
    assert [(lot.lot_id, lot.amount) for lot in without(before, parts)] == [("lot1", Decimal(15))]


def movement(name: str, *amounts: str, reverses: str | None = None) -> Movement:
    parts = tuple(
        LotPart(lot_id=f"{name}{n}", received_on=JAN_8, amount=Decimal(a), base_amount=Decimal(a))
        for n, a in enumerate(amounts)
    )
    return Movement(name, MovementKind.APPLICATION, FEB_2, parts, Decimal(0), reverses)


def returned(from_movement: Movement, amount: str, name: str) -> Movement:
    parts = give_back(from_movement.parts, Decimal(amount), name, "USD")
    kind = MovementKind.APPLICATION
    return Movement(name, kind, MAR_2, parts, Decimal(0), from_movement.movement_id)


def test_the_last_application_gives_back_first() -> None:
    first, second = movement("m1", "30"), movement("m2", "50")
    credited = invoice("HB-1", "80", applied="80", credited="60", credited_for_good="60")
    found = plan_returns([credited], {"HB-1": [first, second]})
    assert [(r.application.movement_id, r.amount) for r in found] == [
        ("m2", Decimal(50)),
        ("m1", Decimal(10)),
    ]


def test_what_came_back_does_not_come_back_again() -> None:
    first, second = movement("m1", "30"), movement("m2", "50")
    earlier = returned(second, "45", "m3")
    credited = invoice("HB-1", "80", applied="35", credited="60", credited_for_good="60")
    found = plan_returns([credited], {"HB-1": [first, second, earlier]})
    assert [(r.application.movement_id, r.amount) for r in found] == [
        ("m2", Decimal(5)),
        ("m1", Decimal(10)),
    ]
    assert plan_returns([invoice("HB-1", "80", applied="80")], {"HB-1": [first, second]}) == []
    gone = returned(second, "50", "m3")
    back_to_first = plan_returns([credited], {"HB-1": [first, second, gone]})
    assert [r.application.movement_id for r in back_to_first] == ["m1"]


@pytest.mark.parametrize(
    ("held", "asked"),
    [("999.99", "2000.01"), ("1000.00", None), ("1000.01", None), ("0", "3000.00")],
)
def test_top_ups(held: str, asked: str | None) -> None:
    policy = RetainerPolicy(engagement="e", top_up_below=Decimal(1000), top_up_to=Decimal(3000))
    assert top_up_needed(Decimal(held), policy) == (None if asked is None else Decimal(asked))
    assert top_up_needed(Decimal(held), RetainerPolicy(engagement="e")) is None


@given(
    st.lists(st.integers(1, 900), max_size=4),
    st.lists(st.integers(1, 900), max_size=6),
    st.randoms(use_true_random=False),
)
def test_any_order_of_arrival_gives_the_same_applications(
    received: list[int], billed: list[int], chance: random.Random
) -> None:
    there = lots(*map(str, received))
    invoices = [invoice(f"HB-{n}", str(total)) for n, total in enumerate(billed)]
    expected = planned(there, invoices)
    chance.shuffle(invoices)
    assert planned(there, invoices) == expected
    paid = sum((amount for _, amount in expected), Decimal(0))
    assert paid == min(balance(there), Decimal(sum(billed)))
