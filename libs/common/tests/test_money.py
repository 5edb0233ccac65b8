"""Rounding and allocation, with the numbers that the trade agrees on."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.money import (
    RoundingMode,
    allocate,
    decimal_text,
    minor_unit_digits,
    round_digits,
    round_money,
    round_to_step,
)

HALF_UP, HALF_EVEN, HALF_DOWN = RoundingMode.HALF_UP, RoundingMode.HALF_EVEN, RoundingMode.HALF_DOWN
UP, DOWN = RoundingMode.UP, RoundingMode.DOWN
amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=2)
fine_amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=7)


def money_for(minutes: Decimal, rate: str) -> Decimal:
    return round_money(minutes * Decimal(rate) / 60, "USD")


# --- billing increments ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "short", "long", "amount"),
    [
        (HALF_UP, 15, 30, "75.00"),
        (HALF_EVEN, 0, 30, "50.00"),
        (HALF_DOWN, 0, 15, "25.00"),
        (UP, 15, 30, "75.00"),
        (DOWN, 0, 15, "25.00"),
    ],
)
def test_exact_ties_of_a_quarter_hour(
    mode: RoundingMode, short: int, long: int, amount: str
) -> None:
    billed = [round_to_step(Decimal(text), Decimal(15), mode) for text in ("7.5", "22.5")]
    assert billed == [short, long]
    assert money_for(sum(billed, Decimal(0)), "100.00") == Decimal(amount)


@pytest.mark.parametrize(
    ("step", "mode", "per_entry", "entry_amount", "per_day", "day_amount"),
    [
        (6, HALF_UP, 30, "75.00", 36, "90.00"),
        (6, UP, 60, "150.00", 36, "90.00"),
        (10, HALF_UP, 50, "125.00", 40, "100.00"),
        (10, UP, 50, "125.00", 40, "100.00"),
        (15, HALF_UP, 0, "0.00", 30, "75.00"),
        (15, UP, 75, "187.50", 45, "112.50"),
    ],
)
def test_five_entries_of_seven_minutes(
    step: int, mode: RoundingMode, per_entry: int, entry_amount: str, per_day: int, day_amount: str
) -> None:
    entries = sum((round_to_step(Decimal(7), Decimal(step), mode) for _ in range(5)), Decimal(0))
    day = round_to_step(Decimal(35), Decimal(step), mode)
    assert (entries, day) == (per_entry, per_day)
    assert money_for(entries, "150.00") == Decimal(entry_amount)
    assert money_for(day, "150.00") == Decimal(day_amount)


@pytest.mark.parametrize("mode", list(RoundingMode))
@pytest.mark.parametrize("minutes", [0, 15, 60])
def test_what_fits_the_step_stays(mode: RoundingMode, minutes: int) -> None:
    assert round_to_step(Decimal(minutes), Decimal(15), mode) == minutes


def test_a_minimum_before_a_step_has_two_readings() -> None:
    six_up = [round_to_step(Decimal(minutes), Decimal(6), UP) for minutes in (15, 16)]
    assert six_up == [18, 18]


# --- quantity and money ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "digits", "rate", "amount"),
    [
        (50, None, "100.00", "83.33"),
        (50, 2, "100.00", "83.00"),
        (20, None, "99.99", "33.33"),
        (20, 2, "99.99", "33.00"),
        (20, 4, "99.99", "33.33"),
        (15, None, "27.50", "6.88"),
        (30, None, "27.50", "13.75"),
        (438, None, "133.3333", "973.33"),
    ],
)
def test_quantity_decimals(minutes: int, digits: int | None, rate: str, amount: str) -> None:
    hours = Decimal(minutes) / 60
    if digits is not None:
        hours = round_digits(hours, digits, HALF_UP)
    assert round_money(hours * Decimal(rate), "USD") == Decimal(amount)


ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE = "BHD IQD JOD KWD LYD OMR TND"
FOUR = "CLF UYW"
TWO_WHERE_CLDR_SAYS_ZERO = "USD EUR AFN ALL IRR KPW LAK LBP MGA MMK RSD SOS SYP YER"


@pytest.mark.parametrize(
    ("codes", "digits"),
    [(ZERO, 0), (THREE, 3), (FOUR, 4), (TWO_WHERE_CLDR_SAYS_ZERO, 2)],
)
def test_minor_units_are_those_of_iso_4217(codes: str, digits: int) -> None:
    assert {minor_unit_digits(code) for code in codes.split()} == {digits}


@pytest.mark.parametrize("code", ["XAU", "XTS", "XXX", "usd", "US", "ABC", ""])
def test_what_is_no_money_is_refused(code: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        minor_unit_digits(code)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [("1852.5", "JPY", "1853"), ("13.7165295", "KWD", "13.717"), ("0.125", "USD", "0.13")],
)
def test_money_is_rounded_at_its_minor_units(amount: str, currency: str, rounded: str) -> None:
    assert decimal_text(round_money(Decimal(amount), currency)) == rounded


@pytest.mark.parametrize(
    ("mode", "rounded"),
    [
        (HALF_UP, "-12.13"),
        (HALF_EVEN, "-12.12"),
        (RoundingMode.CEILING, "-12.12"),
        (RoundingMode.FLOOR, "-12.13"),
        (HALF_DOWN, "-12.12"),
    ],
)
def test_negative_ties(mode: RoundingMode, rounded: str) -> None:
    assert round_money(Decimal("-12.125"), "USD", mode) == Decimal(rounded)


@given(fine_amounts, st.sampled_from([HALF_UP, HALF_EVEN]))
def test_a_credit_mirrors_its_invoice(amount: Decimal, mode: RoundingMode) -> None:
    assert round_money(-amount, "USD", mode) == -round_money(amount, "USD", mode)


@given(fine_amounts, st.sampled_from(list(RoundingMode)), st.sampled_from(["JPY", "USD", "KWD"]))
def test_rounding_moves_less_than_a_unit_and_only_once(
    amount: Decimal, mode: RoundingMode, currency: str
) -> None:
    rounded = round_money(amount, currency, mode)
    assert abs(rounded - amount) < Decimal(1).scaleb(-minor_unit_digits(currency))
    assert round_money(rounded, currency, mode) == rounded


def test_texts_have_no_exponent() -> None:
    assert [decimal_text(Decimal(text)) for text in ("1E+3", "0E-7", "-1.50")] == [
        "1000",
        "0.0000000",
        "-1.50",
    ]


# --- allocation -----------------------------------------------------------------------------


def split(total: str, weights: str, currency: str = "USD") -> list[str]:
    pairs = [(f"line-{number}", Decimal(w)) for number, w in enumerate(weights.split(":"))]
    return [decimal_text(part) for part in allocate(Decimal(total), pairs, currency).values()]


@pytest.mark.parametrize(
    ("total", "weights", "currency", "parts"),
    [
        ("100.00", "1:1:1", "USD", ["33.34", "33.33", "33.33"]),
        ("10.00", "33.33:33.33:33.34", "USD", ["3.33", "3.33", "3.34"]),
        ("0.05", "1:1:1", "USD", ["0.02", "0.02", "0.01"]),
        ("5", "1:1:1", "JPY", ["2", "2", "1"]),
        ("100.00", "1:2:3", "USD", ["16.67", "33.33", "50.00"]),
        ("-100.00", "1:1:1", "USD", ["-33.34", "-33.33", "-33.33"]),
        ("10.00", "1:0", "USD", ["10.00", "0.00"]),
    ],
)
def test_largest_remainder(total: str, weights: str, currency: str, parts: list[str]) -> None:
    assert split(total, weights, currency) == parts


def test_ties_go_by_key_not_by_order_of_input() -> None:
    forwards = [("a", Decimal(1)), ("b", Decimal(1)), ("c", Decimal(1))]
    assert allocate(Decimal("100.00"), forwards, "USD") == allocate(
        Decimal("100.00"), forwards[::-1], "USD"
    )


def test_nothing_over_nothing_is_nothing() -> None:
    assert allocate(Decimal(0), [("a", Decimal(0))], "USD") == {"a": Decimal(0)}


@pytest.mark.parametrize(
    ("total", "weights"),
    [
        ("1.00", [("a", "0")]),
        ("1.00", []),
        ("1.005", [("a", "1")]),
        ("1.00", [("a", "1"), ("a", "1")]),
        ("1.00", [("a", "2"), ("b", "-1")]),
    ],
)
def test_what_cannot_be_split_exactly_is_refused(
    total: str, weights: list[tuple[str, str]]
) -> None:
    with pytest.raises(ValueError):
        allocate(Decimal(total), [(key, Decimal(weight)) for key, weight in weights], "USD")


@given(amounts, st.lists(st.decimals(min_value=0, max_value=10**6, places=4), min_size=1))
def test_parts_sum_to_the_whole_and_stay_near_their_share(
    total: Decimal, weights: list[Decimal]
) -> None:
    whole = sum(weights, Decimal(0))
    if whole == 0:
        return
    pairs = [(f"{number:03}", weight) for number, weight in enumerate(weights)]
    parts = allocate(total, pairs, "USD")
    assert sum(parts.values(), Decimal(0)) == total
    for key, weight in pairs:
        assert abs(parts[key] - total * weight / whole) < Decimal("0.0100001")
