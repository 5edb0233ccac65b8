"""Sharing amounts over lines, and discounts of documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.allocation import spread
from hourbridge.billing.assembly import assemble
from hourbridge.billing.discounts import (
    amount_before_discount,
    document_discount,
    net_exactly,
    share_discount,
)
from hourbridge.common.book import DiscountPolicy
from tests.support.charges import exact_time, make_charge, make_expense


def money(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def discount(kind: str, value: str, **more: Any) -> DiscountPolicy:
    return DiscountPolicy.model_validate({"kind": kind, "value": value, **more})


@pytest.mark.parametrize(
    ("total", "weights", "currency", "parts"),
    [
        ("10.00", ("1", "1", "1"), "USD", ("3.34", "3.33", "3.33")),
        ("0.05", ("1", "1", "1"), "USD", ("0.02", "0.02", "0.01")),
        ("5", ("1", "1", "1"), "JPY", ("2", "2", "1")),
        ("1.000", ("1", "2"), "KWD", ("0.333", "0.667")),
        ("-10.00", ("1", "1", "1"), "USD", ("-3.34", "-3.33", "-3.33")),
        ("10.00", ("30", "-10"), "USD", ("15.00", "-5.00")),
        ("0.00", ("10", "-10"), "USD", ("0", "0")),
        ("7.00", ("0", "3"), "USD", ("0.00", "7.00")),
    ],
)
def test_spread(
    total: str, weights: tuple[str, ...], currency: str, parts: tuple[str, ...]
) -> None:
    assert spread(Decimal(total), money(*weights), currency) == money(*parts)


@given(
    cents=st.integers(-100_000, 100_000),
    weights=st.lists(st.integers(-500, 5000), min_size=1, max_size=12),
)
def test_parts_sum_to_the_whole_and_are_never_far_off(cents: int, weights: list[int]) -> None:
    total, whole = Decimal(cents) / 100, sum(weights)
    parts = spread(total, [Decimal(w) for w in weights], "USD")
    assert sum(parts) == (total if whole else 0)
    for part, weight in zip(parts, weights, strict=True):
        exact = total * weight / whole if whole else Decimal(0)
        assert abs(part - exact) < Decimal("0.01")


@pytest.mark.parametrize(
    ("policy", "amount", "currency", "taken"),
    [
        (discount("percent", "12.5"), "99.99", "USD", "12.50"),
        (discount("percent", "150"), "80.00", "USD", "80.00"),
        (discount("percent", "7"), "1235", "JPY", "86"),
        (discount("amount", "25.00"), "80.00", "USD", "25.00"),
        (discount("amount", "100.00"), "80.00", "USD", "80.00"),
        (discount("amount", "100.00"), "-80.00", "USD", "0"),
        (discount("percent", "10"), "0", "USD", "0"),
    ],
)
def test_what_is_taken_off_a_document(
    policy: DiscountPolicy, amount: str, currency: str, taken: str
) -> None:
    assert document_discount(policy, Decimal(amount), currency) == Decimal(taken)


def test_shares_keep_their_residues() -> None:
    policy = discount("percent", "5")
    shares = share_discount(policy, money("10.05", "20.05", "30.05"), "USD", named="book v2")
    assert [part.discount for part in shares] == money("0.50", "1.00", "1.51")
    (step,) = shares[0].steps
    assert (step.step, step.before, step.after) == (
        "discount",
        Decimal("9.5475"),
        Decimal("9.55"),
    )
    assert (step.mode, step.policy) == ("largest_remainder", "book v2")
    residues = sum((s.residue for part in shares for s in part.steps), Decimal(0))
    assert residues == Decimal("60.15") * Decimal("0.95") - Decimal("57.14")


def test_an_even_share_needs_no_step() -> None:
    (part,) = share_discount(discount("amount", "5.00"), money("50.00"), "USD", named=None)
    assert (part.discount, part.steps) == (Decimal("5.00"), ())
    (nothing,) = share_discount(discount("percent", "10"), money("-5.00"), "USD", named=None)
    assert (nothing.discount, nothing.steps) == (0, ())


@pytest.mark.parametrize(
    ("policy", "net", "before"),
    [
        (discount("percent", "10"), "90.00", "100.00"),
        (discount("percent", "30"), "100.00", "142.85"),
        (discount("percent", "100"), "1.00", None),
        (discount("amount", "10.00"), "90.00", "90.00"),
    ],
)
def test_room_before_a_discount(policy: DiscountPolicy, net: str, before: str | None) -> None:
    found = amount_before_discount(policy, Decimal(net), "USD")
    assert found == (None if before is None else Decimal(before))
    if found is not None:
        assert net_exactly(policy, found) <= Decimal(net)


def charges(policy: DiscountPolicy) -> list[Any]:
    invoicing = {"lines": "entry", "discount": policy.model_dump()}
    return [
        make_charge("a", rate="200.00", rounding=exact_time(), invoicing=invoicing),
        make_charge("b", rate="50.00", rounding=exact_time(), invoicing=invoicing),
        make_expense("c", "30.00", invoicing=invoicing),
    ]


@pytest.mark.parametrize(
    ("of", "amounts"),
    [("lines", ("180.00", "45.00", "27.00")), ("services", ("180.00", "45.00", "30.00"))],
)
def test_lines_bear_the_discount(of: str, amounts: tuple[str, ...]) -> None:
    assembly = assemble(charges(discount("percent", "10", of=of)), versions={"c": 4})
    assert [line.amount for line in assembly.lines] == money(*amounts)
    assert assembly.total == sum(money(*amounts))
    first = assembly.lines[0]
    assert (first.basis.list_amount, first.basis.net_amount) == (Decimal(200), Decimal(180))
    shown = first.to_document_line("d", 1)
    assert (shown.discount, shown.amount) == (Decimal("20.00"), Decimal("180.00"))
    assert (shown.quantity, shown.unit_price) == (1, Decimal("200.00"))


def test_services_alone_leave_expenses_alone() -> None:
    only = charges(discount("percent", "10", of="services"))[2:]
    (line,) = assemble(only).lines
    assert (line.amount, line.discount) == (Decimal("30.00"), None)


def test_a_line_of_nothing_bears_nothing() -> None:
    free = make_charge("z", rate="0.00", invoicing=charges(discount("amount", "5.00"))[0].invoicing)
    (line,) = assemble([free]).lines
    assert (line.amount, line.to_document_line("d", 1).discount) == (0, None)
