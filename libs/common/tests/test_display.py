"""Values as people of a locale write them; money with the decimals of ISO 4217, not of CLDR."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.display import Display
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.money import minor_unit_digits

CLDR_DIFFERS = [
    "AFN",
    "ALL",
    "IRR",
    "IQD",
    "KPW",
    "LAK",
    "LBP",
    "MGA",
    "MMK",
    "RSD",
    "SOS",
    "SYP",
    "YER",
]


@pytest.mark.parametrize(
    ("locale", "day", "money", "number"),
    [
        ("en_US", "Mar 31, 2026", "$1,234.50", "-1,234.5"),
        ("en-GB", "31 Mar 2026", "US$1,234.50", "-1,234.5"),
        ("de_DE", "31.03.2026", "1.234,50\xa0$", "-1.234,5"),
        ("de_CH", "31.03.2026", "$ 1’234.50", "-1’234.5"),
        ("ja", "2026/03/31", "$1,234.50", "-1,234.5"),
    ],
)
def test_each_locale_writes_in_its_own_way(locale: str, day: str, money: str, number: str) -> None:
    display = Display(locale)
    assert display.day(date(2026, 3, 31)) == day
    assert display.money(Decimal("1234.50"), "USD").replace("\xa0", " ") == money.replace(
        "\xa0", " "
    )
    assert display.number(Decimal("-1234.5")) == number


def test_an_instant_is_shown_where_the_reader_is() -> None:
    at = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    assert Display("en_US", "Asia/Kathmandu").instant(at).replace("\u202f", " ") == (
        "Apr 1, 2026, 4:15:00 AM +05:45"
    )
    assert Display("de_DE", "Europe/Berlin").instant(at) == "01.04.2026, 00:30:00 +02:00"


@pytest.mark.parametrize("currency", CLDR_DIFFERS)
def test_money_has_the_decimals_of_iso_4217(currency: str) -> None:
    cldr = get_global("currency_fractions")[currency][0]
    assert cldr != minor_unit_digits(currency)
    shown = Display("en_US").money(Decimal(12), currency)
    assert shown.count("0") == minor_unit_digits(currency)


def test_all_other_currencies_agree() -> None:
    fractions = get_global("currency_fractions")
    default = fractions["DEFAULT"][0]
    for currency in ("USD", "EUR", "JPY", "KWD", "CLF", "CHF"):
        assert fractions.get(currency, (default,))[0] == minor_unit_digits(currency)


def test_no_digit_is_ever_dropped() -> None:
    assert Display().money(Decimal("0.125"), "USD") == "$0.125"
    assert Display().number(Decimal("0.10")) == "0.10"


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=5, min_value=-(10**12), max_value=10**12
    )
)
def test_digits_are_those_of_the_value(value: Decimal) -> None:
    shown = Display().number(value).replace(",", "")
    assert Decimal(shown) == value


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (3600, "1:00"), (421, "0:07:01"), (-5400, "-1:30")]
)
def test_durations(seconds: int, text: str) -> None:
    assert Display().duration(seconds) == text


def test_what_nobody_describes_is_refused() -> None:
    with pytest.raises(ConfigurationInvalid, match="locale"):
        Display("xx_YY").day(date(2026, 3, 31))
    with pytest.raises(ConfigurationInvalid, match="time zone"):
        Display(zone_name="Mars/Olympus").instant(datetime(2026, 3, 31, tzinfo=UTC))
