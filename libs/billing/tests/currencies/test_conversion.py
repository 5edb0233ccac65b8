"""Amounts in the book's currency, and parts that sum to a whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.currencies.conversion import base_amount, exact_base, spread
from hourbridge.common.messages.events import RateLeg
from tests.support.currencies import rate

PARTS = st.lists(
    st.decimals(-(10**6), 10**6, places=6, allow_nan=False, allow_infinity=False), max_size=8
)


def leg(currency: str, value: str) -> RateLeg:
    return RateLeg(currency=currency, value=Decimal(value))


@pytest.mark.parametrize(
    ("amount", "value", "base", "expected"),
    [
        ("77.77", "1.0873", "USD", "84.56"),  # 84.559...
        ("0.50", "1.01", "USD", "0.51"),  # 0.505: half up
        ("-0.50", "1.01", "USD", "-0.51"),  # and away from zero
        ("100.00", "161.37", "JPY", "16137"),
        ("10.00", "0.30745", "KWD", "3.075"),  # 3.0745
    ],
)
def test_an_amount_is_rounded_once_at_the_bases_minor_unit(
    amount: str, value: str, base: str, expected: str
) -> None:
    assert base_amount(Decimal(amount), "EUR", rate(value, base)) == Decimal(expected)


def test_the_books_own_currency_stays_as_it_is() -> None:
    assert exact_base(Decimal("1.23"), "USD", rate("9", "USD")) == Decimal("1.23")


def test_a_cross_rate_is_never_rounded_on_the_way() -> None:
    used = rate("0.0064", legs=(leg("USD", "1.0873"), leg("JPY", "169.95")))
    assert base_amount(Decimal(2_000_000), "JPY", used) == Decimal("12795.53")


def test_from_and_into_the_pivot() -> None:
    assert exact_base(Decimal(3), "USD", rate("1", "EUR", legs=(leg("USD", "1.5"),))) == 2
    assert exact_base(Decimal(2), "GBP", rate("1", "EUR", legs=(leg("GBP", "0.8"),))) == Decimal(
        "2.5"
    )


def test_left_over_units_go_to_the_largest_remainders_then_by_key() -> None:
    exact = [("b", Decimal("1.333")), ("a", Decimal("1.333")), ("c", Decimal("1.334"))]
    assert spread(Decimal("4.00"), exact, "USD") == [Decimal(t) for t in ("1.33", "1.33", "1.34")]
    ties = [("b", Decimal("1.005")), ("a", Decimal("1.005"))]
    assert spread(Decimal("2.01"), ties, "USD") == [Decimal("1.00"), Decimal("1.01")]


def test_a_total_far_from_its_parts_is_shared() -> None:
    exact = [(key, Decimal("1.00")) for key in "abc"]
    assert spread(Decimal("3.05"), exact, "USD") == [Decimal(t) for t in ("1.02", "1.02", "1.01")]
    assert spread(Decimal("2.95"), exact, "USD") == [Decimal(t) for t in ("0.99", "0.98", "0.98")]


def test_nothing_can_be_shared_by_nobody() -> None:
    assert spread(Decimal(0), [], "USD") == []
    with pytest.raises(ValueError, match="nothing takes"):
        spread(Decimal("0.01"), [], "USD")


@given(PARTS, st.sampled_from(["USD", "JPY", "KWD"]))
def test_parts_sum_to_the_whole_and_lie_within_a_unit(parts: list[Decimal], currency: str) -> None:
    exact = [(f"{at}", part) for at, part in enumerate(parts)]
    unit = {"USD": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    total = base_amount(sum(parts, Decimal(0)), "EUR", rate("1", currency))
    rounded = spread(total, exact, currency) if parts else []
    assert sum(rounded, Decimal(0)) == (total if parts else 0)
    assert all(abs(one - other) <= unit for one, other in zip(rounded, parts, strict=True))


@given(PARTS.filter(bool))
def test_a_negative_total_mirrors_the_positive_one(parts: list[Decimal]) -> None:
    total = base_amount(sum(parts, Decimal(0)), "EUR", rate("1"))
    exact = [(f"{at}", part) for at, part in enumerate(parts)]
    mirrored = [(key, -part) for key, part in exact]
    if total != 0:
        assert spread(-total, mirrored, "USD") == [-part for part in spread(total, exact, "USD")]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("0.25", "-0.75"), ("0", "0")),
        (("0.5", "-0.5"), ("1", "-1")),
        (("0.4", "-0.2", "-0.2"), ("0", "0", "0")),
        (("0.2", "0.2"), ("0", "0")),
    ],
)
def test_parts_of_nothing_have_a_mirror_too(
    parts: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    keyed = [(str(at), Decimal(part)) for at, part in enumerate(parts)]
    found = spread(Decimal(0), keyed, "JPY")
    assert found == [Decimal(part) for part in expected]
    opposite = [(key, -part) for key, part in keyed]
    assert spread(Decimal(0), opposite, "JPY") == [-part for part in found]
