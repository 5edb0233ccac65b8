"""Which published rate holds on a day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.currencies.choosing import choose, missing_key
from hourbridge.billing.currencies.conversion import base_amount
from hourbridge.common.exchange_rates import RateMissing
from tests.support.currencies import FRIDAY, POLICY, record, table

MONDAY = FRIDAY + timedelta(days=3)


def test_a_days_own_rate_from_the_pivot_is_taken_as_published() -> None:
    used = choose(table(record("USD", "1.0873")), "EUR", "USD", FRIDAY, POLICY)
    assert (used.value, used.legs, used.is_fallback) == (Decimal("1.0873"), (), False)
    assert used.rate_id == "ecb:EUR-USD:2026-05-15:1"
    assert used.base_currency == "USD"


def test_into_the_pivot_it_is_divided_never_inverted() -> None:
    used = choose(table(record("USD", "1.0873")), "USD", "EUR", FRIDAY, POLICY)
    assert [(leg.currency, leg.value) for leg in used.legs] == [("USD", Decimal("1.0873"))]
    assert base_amount(Decimal("1087300.00"), "USD", used) == Decimal("1000000.00")


def test_a_cross_rate_names_both_of_its_legs() -> None:
    rates = table(record("USD", "1.0873"), record("CHF", "0.9311"))
    used = choose(rates, "CHF", "USD", FRIDAY, POLICY)
    assert {leg.currency for leg in used.legs} == {"CHF", "USD"}
    assert used.rate_id == "ecb:EUR-CHF:2026-05-15:1+ecb:EUR-USD:2026-05-15:1"
    assert base_amount(Decimal("931.10"), "CHF", used) == Decimal("1087.30")


@pytest.mark.parametrize("days", [1, 2, 7])
def test_the_last_one_before_counts_and_says_so(days: int) -> None:
    used = choose(
        table(record("USD", "1.0873")), "EUR", "USD", FRIDAY + timedelta(days=days), POLICY
    )
    assert (used.rate_date, used.wanted_date) == (FRIDAY, FRIDAY + timedelta(days=days))
    assert used.is_fallback


@pytest.mark.parametrize(("days", "days_back_max"), [(8, 7), (1, 0), (-1, 7)])
def test_older_or_later_ones_do_not(days: int, days_back_max: int) -> None:
    policy = POLICY.model_copy(update={"days_back_max": days_back_max})
    day = FRIDAY + timedelta(days=days)
    with pytest.raises(RateMissing) as missing:
        choose(table(record("USD", "1.0873")), "EUR", "USD", day, policy)
    assert missing.value.ids == {"currency": "EUR", "base": "USD", "day": day.isoformat()}


def test_both_legs_are_of_one_day() -> None:
    rates = table(record("USD", "1.1", MONDAY), record("USD", "1.0"), record("CHF", "0.9"))
    used = choose(rates, "CHF", "USD", MONDAY, POLICY)
    assert used.rate_date == FRIDAY
    assert {leg.value for leg in used.legs} == {Decimal("1.0"), Decimal("0.9")}


@pytest.mark.parametrize(("choice", "value"), [("newest", "1.3"), ("first_published", "1.1")])
def test_of_corrected_rates_the_policys_one_holds(choice: str, value: str) -> None:
    corrected = [record("USD", f"1.{n}", revision=n) for n in (3, 1, 2)]
    policy = POLICY.model_copy(update={"corrected_rates": choice})
    assert choose(table(*corrected), "EUR", "USD", FRIDAY, policy).value == Decimal(value)


def test_another_pivot() -> None:
    policy = POLICY.model_copy(update={"pivot": "USD"})
    used = choose(table(record("JPY", "150")), "JPY", "USD", FRIDAY, policy)
    assert base_amount(Decimal(3000), "JPY", used) == Decimal("20.00")


def test_what_a_document_waits_for() -> None:
    assert missing_key("RUB", "USD", date(2026, 5, 15)) == "rate:RUB->USD:2026-05-15"


@given(st.permutations(range(5)), st.integers(0, 9))
def test_the_order_in_which_rates_arrive_does_not_matter(order: list[int], ahead: int) -> None:
    records = [record("USD", f"1.{n + 1}", FRIDAY + timedelta(days=n // 2), n) for n in range(5)]
    day = FRIDAY + timedelta(days=ahead)
    first = choose(table(*records), "EUR", "USD", day, POLICY)
    assert choose(table(*(records[at] for at in order)), "EUR", "USD", day, POLICY) == first
