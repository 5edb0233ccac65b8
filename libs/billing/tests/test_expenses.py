"""What expenses cost, what clients pay for them, and through which accounts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.expenses import (
    Cost,
    Resold,
    cost_of,
    no_more_than,
    receipts_of,
    role_of,
    shared,
    split_markup,
    stated_in,
    with_markup,
)
from hourbridge.common.book import AccountRole
from hourbridge.common.messages.events import ChargedCost
from hourbridge.common.messages.records import Attachment
from tests.support.charges import make_charge, make_expense

D = Decimal


def cost(amount: str = "200.00", **changes: object) -> ChargedCost:
    return ChargedCost.model_validate({"amount": amount, "currency": "USD", **changes})


@pytest.mark.parametrize(
    ("amount", "tax", "included", "recoverable", "net", "contained"),
    [
        ("119.00", "19.00", True, True, "100.00", "19.00"),
        ("119.00", "19.00", True, False, "119.00", "0"),
        ("100.00", "19.00", False, True, "100.00", "19.00"),
        ("100.00", "19.00", False, False, "119.00", "0"),
        ("100.00", None, True, True, "100.00", "0"),
        ("-119.00", "-19.00", True, True, "-100.00", "-19.00"),
    ],
)
def test_cost_and_tax(
    amount: str, tax: str | None, included: bool, recoverable: bool, net: str, contained: str
) -> None:
    found = cost_of(
        D(amount), D(tax) if tax else None, tax_included=included, recoverable=recoverable
    )
    assert found == Cost(D(net), D(contained))
    assert found.gross == D(net) + D(contained)


def test_markup_is_exact_before_rounding() -> None:
    assert with_markup(D("33.33"), D("12.5")) == D("37.49625")
    assert with_markup(D("-80"), D("10")) == D("-88")


def test_at_cost_is_never_more_than_the_cost() -> None:
    assert no_more_than(D("80"), None) == D("80")
    assert no_more_than(D("80"), D("95")) == D("80")
    assert no_more_than(D("80"), D("60")) == D("60")
    assert no_more_than(D("-80"), D("-95")) == D("-80")


@pytest.mark.parametrize(
    ("amount", "spent", "passed_on", "markup"),
    [
        ("92.00", "80.00", "80.00", "12.00"),
        ("80.00", "80.00", "80.00", "0"),
        ("60.00", "80.00", "60.00", "0"),
        ("-92.00", "-80.00", "-80.00", "-12.00"),
        ("15.00", "-80.00", "0", "15.00"),
        ("15.00", "0", "0", "15.00"),
    ],
)
def test_markup_apart_from_cost(amount: str, spent: str, passed_on: str, markup: str) -> None:
    assert split_markup(D(amount), D(spent)) == Resold(D(passed_on), D(markup))


def test_shares_in_three_parts_of_a_currency_without_decimals() -> None:
    weights = [("b", D(1)), ("a", D(1)), ("c", D(2))]
    assert shared(D(1001), weights, "JPY") == {"a": D(250), "b": D(250), "c": D(501)}
    assert shared(D(1002), weights, "JPY") == {"a": D(251), "b": D(250), "c": D(501)}


@given(
    st.decimals("-100000", "100000", places=4),
    st.lists(st.decimals("0.01", "99", places=2), min_size=1, max_size=6),
)
def test_shares_sum_to_the_rounded_cost(total: Decimal, weights: list[Decimal]) -> None:
    keyed = [(f"c{at}", weight) for at, weight in enumerate(weights)]
    parts = shared(total, keyed, "EUR")
    assert abs(sum(parts.values()) - total) <= D("0.005")


def test_the_account_of_a_clients_line() -> None:
    assert role_of(make_charge()) is None
    assert role_of(make_expense()) is None
    assert role_of(make_expense(cost=cost())) is AccountRole.REIMBURSABLE
    assert role_of(make_expense(cost=cost("0"))) is AccountRole.MARKUP_REVENUE
    assert role_of(make_expense(cost=cost(treatment="principal"))) is None


def test_receipts_once_each() -> None:
    one, two = Attachment(id="r1"), Attachment(id="r2")
    charges = [
        make_expense("a", cost=cost(receipts=(one,))),
        make_expense("b", cost=cost(receipts=(one, two))),
        make_expense("c"),
    ]
    assert receipts_of(charges) == (one, two)


def test_amounts_are_stated_in_the_currency_of_the_cost() -> None:
    assert stated_in(make_expense(cost=cost(currency="GBP"))) == "GBP"
    assert stated_in(make_expense()) == "USD"
