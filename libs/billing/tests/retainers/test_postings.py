"""What movements do to the accounts: balanced in both currencies, gains where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.retainers.lots import LotPart
from hourbridge.billing.retainers.postings import Books, MovementPostings, RetainerKind
from hourbridge.common.book import LedgerReference
from hourbridge.common.messages.events import Posting

JAN_8, FEB_2, MAR_2 = date(2026, 1, 8), date(2026, 2, 2), date(2026, 3, 2)


def books(kind: RetainerKind = "standard") -> Books:
    return Books(kind, "USD", client="Acme", customer=LedgerReference(name="Acme"))


def part(amount: str, base: str, day: date = JAN_8, name: str = "a") -> LotPart:
    return LotPart(lot_id=name, received_on=day, amount=Decimal(amount), base_amount=Decimal(base))


def said(made: MovementPostings | Sequence[Posting]) -> list[str]:
    if isinstance(made, MovementPostings):
        return said(made.own) + [f"and {line}" for line in said(made.in_base)]
    postings = made
    if not postings:
        return []
    assert sum(posting.amount for posting in postings) == 0
    assert sum(posting.base_amount for posting in postings) == 0
    assert {posting.client for posting in postings} == {"Acme"}
    return [f"{p.role} {p.amount} {p.base_amount}" for p in postings]


def test_in_the_books_currency() -> None:
    parts = [part("70.00", "70.00")]
    assert said(books().receipt(Decimal("90.00"), Decimal("90.00"))) == [
        "bank 90.00 90.00",
        "customer_deposits -90.00 -90.00",
    ]
    assert said(books().opening(Decimal(9), Decimal(9))) == [
        "opening_balances 9 9",
        "customer_deposits -9 -9",
    ]
    assert said(books().application(parts, Decimal("70.00"), FEB_2)) == [
        "customer_deposits 70.00 70.00",
        "receivable -70.00 -70.00",
    ]
    assert said(books().refund(parts, Decimal("70.00"))) == [
        "customer_deposits 70.00 70.00",
        "bank -70.00 -70.00",
    ]
    assert said(books().forfeit(parts, Decimal("70.00"))) == [
        "customer_deposits 70.00 70.00",
        "forfeited_revenue -70.00 -70.00",
    ]


def test_trust_money_has_its_own_bank_and_moves_when_it_is_earned() -> None:
    trust = books("trust")
    assert said(trust.receipt(Decimal(5), Decimal(5)))[0] == "trust_bank 5 5"
    assert said(trust.application([part("4", "4")], Decimal(4), FEB_2)) == [
        "customer_deposits 4 4",
        "receivable -4 -4",
        "bank 4 4",
        "trust_bank -4 -4",
    ]
    assert said(trust.refund([part("1", "1")], Decimal(1)))[1] == "trust_bank -1 -1"


@pytest.mark.parametrize(
    ("kind", "received", "earned"),
    [
        ("standard", JAN_8, False),
        ("non_refundable", JAN_8, True),
        ("non_refundable", FEB_2, True),
        ("non_refundable", MAR_2, False),
    ],
)
def test_an_advance_is_earned_at_its_receipts_rate(
    kind: RetainerKind, received: date, *, earned: bool
) -> None:
    """GBP 200 paid at 1.3000, an invoice carried at 1.2500: ten dollars gained, or more revenue."""
    made = books(kind).application([part("200", "260.00", received)], Decimal("250.00"), FEB_2)
    revenue = ["and fx_realized 10.00 10.00", "and revenue -10.00 -10.00"]
    assert said(made) == [
        "customer_deposits 200 260.00",
        "receivable -200 -250.00",
        "fx_realized 0 -10.00",
        *(revenue if earned else []),
    ]
    assert all(posting.customer is None for posting in made.in_base)


def test_each_lot_has_its_own_difference() -> None:
    parts = [part("100", "130.00", JAN_8, "a"), part("50", "60.00", MAR_2, "b")]
    made = books("non_refundable").application(parts, Decimal("187.50"), FEB_2)
    assert said(made)[2:] == [
        "fx_realized 0 -2.50",
        "and fx_realized 5.00 5.00",
        "and revenue -5.00 -5.00",
    ]


def test_what_is_paid_back_costs_what_it_costs_that_day() -> None:
    assert said(books().refund([part("100", "130.00")], Decimal("118.00"))) == [
        "customer_deposits 100 118.00",
        "bank -100 -118.00",
        "and customer_deposits 12.00 12.00",
        "and fx_realized -12.00 -12.00",
    ]


def test_the_mirror_takes_everything_back() -> None:
    made = books("non_refundable").application([part("4", "5")], Decimal(6), FEB_2)
    back = made.mirrored()
    both = [*made.own, *made.in_base, *back.own, *back.in_base]
    for role in {posting.role for posting in both}:
        assert sum(p.amount for p in both if p.role == role) == 0
        assert sum(p.base_amount for p in both if p.role == role) == 0


@given(
    st.sampled_from(["standard", "trust", "non_refundable"]),
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1, max_size=5),
    st.integers(0, 10**7),
)
def test_always_balanced(
    kind: RetainerKind, amounts: list[tuple[int, int]], receivable: int
) -> None:
    parts = [
        part(str(Decimal(amount) / 100), str(Decimal(base) / 100), name=str(n))
        for n, (amount, base) in enumerate(amounts)
    ]
    said(books(kind).application(parts, Decimal(receivable) / 100, FEB_2))
    said(books(kind).refund(parts, Decimal(receivable) / 100))
