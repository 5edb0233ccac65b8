"""What cells say, and what they can't."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.ingestor.imports import values
from hourbridge.ingestor.imports.values import ClockTime, DecimalMarkEvidence, ValueInvalid

FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%d-%b-%Y", "%b %d, %Y")


def code_of(parse: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(ValueInvalid) as caught:
        parse(*arguments)
    return caught.value.code


@pytest.mark.parametrize("text", ["2026-03-09", "03/09/2026", "09-Mar-2026", "Mar 09, 2026"])
def test_dates_in_any_declared_format(text: str) -> None:
    assert values.parse_date(text, FORMATS) == date(2026, 3, 9)


@pytest.mark.parametrize("text", ["13/15/2024", "2026-02-30", "yesterday", "20260309"])
def test_impossible_dates_are_refused(text: str) -> None:
    assert code_of(values.parse_date, text, FORMATS) == "date_invalid"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:23", time(10, 23)),
        ("10:23:52 AM", time(10, 23, 52)),
        ("12:00 am", time(0, 0)),
        ("12:30 p.m.", time(12, 30)),
        ("3:00pm", time(15, 0)),
        ("23:59:59", time(23, 59, 59)),
    ],
)
def test_clocks_of_12_and_24_hours(text: str, expected: time) -> None:
    assert values.parse_clock(text) == ClockTime(expected)


@pytest.mark.parametrize("text", ["24:00", "13:00 PM", "0:10 AM", "10:60", "ten", "1030"])
def test_times_that_no_clock_shows_are_refused(text: str) -> None:
    assert code_of(values.parse_clock, text) == "time_invalid"


def test_a_time_may_state_its_offset() -> None:
    found = values.parse_clock("01:30:00-04:00")
    assert found.offset is not None
    assert found.offset.utcoffset(None) == timedelta(hours=-4)
    assert values.parse_clock("09:23:52Z").offset is UTC


NEW_YORK = "America/New_York"


def test_wall_times_that_happen_twice_or_never_need_an_offset() -> None:
    autumn, spring = date(2026, 11, 1), date(2026, 3, 8)
    assert code_of(values.instant_of, autumn, ClockTime(time(1, 30)), NEW_YORK) == "ambiguous"
    nonexistent = code_of(values.instant_of, spring, ClockTime(time(2, 30)), NEW_YORK)
    assert nonexistent == "nonexistent_local_time"
    stated = values.parse_clock("01:30-05:00")
    assert values.instant_of(autumn, stated, NEW_YORK) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("1.50", "point", "1.50"),
        ("1,234.5", "point", "1234.5"),
        ("20,0", "comma", "20.0"),
        ("2.000,0", "comma", "2000.0"),
        ("-3", "point", "-3"),
        ("12'500.25", "point", "12500.25"),
        ("1\u00a0000,5", "comma", "1000.5"),
    ],
)
def test_numbers_in_both_notations(text: str, mark: Any, expected: str) -> None:
    assert values.parse_number(text, mark) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("1,5", "point"),
        ("1.5", "comma"),
        ("12,34,5", "point"),
        ("", "point"),
        ("1e3", "point"),
        ("NaN", "point"),
        ("١٢x", "point"),
    ],
)
def test_numbers_are_never_read_in_the_other_notation(text: str, mark: Any) -> None:
    assert code_of(values.parse_number, text, mark) == "number_invalid"


def test_amounts_may_carry_their_currency() -> None:
    assert values.parse_amount("$1,234.50", "point") == Decimal("1234.50")
    assert values.parse_amount("EUR 12,5", "comma") == Decimal("12.5")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("01:00:01", 3601),
        ("7:30", 27000),
        ("7.5", 27000),
        ("10 hrs", 36000),
        ("0.25h", 900),
        ("24:00:00", 86400),
    ],
)
def test_durations_as_clock_or_decimal_hours(text: str, seconds: int) -> None:
    assert values.parse_duration(text, "point") == seconds


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-1 hrs", "negative_hours"),
        ("-00:30:00", "negative_hours"),
        ("25", "over_24_hours"),
        ("24:00:01", "over_24_hours"),
        ("minus two", "duration_invalid"),
        ("1:75", "duration_invalid"),
    ],
)
def test_durations_that_no_day_has_are_refused(text: str, code: str) -> None:
    assert code_of(values.parse_duration, text, "point") == code


@given(st.integers(0, 86400))
def test_a_duration_is_read_to_the_second(seconds: int) -> None:
    minutes, rest = divmod(seconds, 60)
    text = f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"
    assert values.parse_duration(text, "point") == seconds


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["20,0", "0,01", "2.000,0"], "comma"),
        (["1.5", "1,234.50"], "point"),
        (["1,500"], "point"),
        (["1.5", "1,5"], "point"),
        ([], "point"),
    ],
)
def test_the_decimal_sign_is_told_from_unmistakable_numbers(cells: list[str], mark: str) -> None:
    evidence = DecimalMarkEvidence()
    evidence.look(cells)
    assert evidence.mark == mark


def test_flags_mean_yes_or_no_or_are_refused() -> None:
    assert values.parse_flag(" Yes ", ("yes",), ("no",))
    assert not values.parse_flag("NO", ("yes",), ("no",))
    assert code_of(values.parse_flag, "perhaps", ("yes",), ("no",)) == "flag_invalid"


def test_currencies_in_words() -> None:
    assert values.currency_in("Euro - EUR") == "EUR"
    assert values.currency_in("Dollars") is None
