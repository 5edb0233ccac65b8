"""The whole way from the ECB's file to an amount, against another program's reading of it.

CurrencyConverter (PyPI) reads the same file and converts in decimals: code that nobody here wrote.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import as_file, files
from typing import Any

import pytest

from hourbridge.billing.currencies.choosing import RateTable, choose
from hourbridge.billing.currencies.conversion import base_amount, exact_base
from hourbridge.common.book import CurrencyPolicy
from hourbridge.common.exchange_rates import RateMissing, RateRecord
from hourbridge.common.money import round_money
from hourbridge.connectors.exchange_rates.ecb_file import EcbFile

LAST = date(2026, 10, 30)
CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF", "HUF", "IDR", "MXN", "RUB")
LAST_ROUBLE = date(2022, 3, 1)
# The other program divides before it multiplies, at 28 digits.
NEAR = Decimal("1E-18")


@pytest.fixture(scope="module")
def other() -> Iterator[Any]:
    package = files(pytest.importorskip("currency_converter"))
    from currency_converter import CurrencyConverter

    with as_file(package / "eurofxref-hist.zip") as path:
        yield CurrencyConverter(
            str(path),
            decimal=True,
            fallback_on_missing_rate=True,
            fallback_on_missing_rate_method="last_known",
            fallback_on_wrong_date=False,
        )


@pytest.fixture(scope="module")
def ours() -> RateTable:
    package = files(pytest.importorskip("currency_converter"))
    rates = EcbFile((package / "eurofxref-hist.zip").read_bytes()).rates()
    return RateTable(
        RateRecord("ecb", "EUR", rate.currency, rate.rate_date, 1, rate.value)
        for rate in rates
        if rate.rate_date >= date(2020, 1, 1) and rate.currency in CURRENCIES
    )


def test_two_thousand_amounts_on_days_of_all_kinds(other: Any, ours: RateTable) -> None:
    chance = random.Random(20260130)
    compared = fell_back = 0
    for _ in range(2000):
        day = LAST - timedelta(days=chance.randrange(2400))
        one, base = chance.sample(CURRENCIES, 2)
        amount = Decimal(chance.randrange(1, 10**10)) / 100
        if "RUB" in (one, base) and day > LAST_ROUBLE:
            continue
        used = choose(ours, one, base, day, CurrencyPolicy())
        theirs = other.convert(amount, one, base, date=day)
        exact = exact_base(amount, one, used)
        assert abs(exact - theirs) <= NEAR * amount * 20_000, (one, base, day)
        if abs(theirs * 1000 % 10 - 5) > Decimal("1E-6"):  # not on the edge of a rounding
            assert base_amount(amount, one, used) == round_money(theirs, base)
        compared += 1
        fell_back += used.is_fallback
    assert (compared > 1500, fell_back > 400) == (True, True)


@pytest.mark.parametrize(
    ("day", "published"),
    [
        (date(2025, 12, 25), date(2025, 12, 24)),  # Christmas
        (date(2024, 3, 31), date(2024, 3, 28)),  # Easter Sunday
        (date(2026, 2, 28), date(2026, 2, 27)),
    ],
)
def test_holidays_take_the_last_rate_before(ours: RateTable, day: date, published: date) -> None:
    assert choose(ours, "EUR", "USD", day, CurrencyPolicy()).rate_date == published


def test_a_currency_that_is_no_longer_published_has_no_rate(ours: RateTable) -> None:
    choose(ours, "RUB", "USD", date(2022, 3, 8), CurrencyPolicy())
    with pytest.raises(RateMissing):
        choose(ours, "RUB", "USD", date(2022, 3, 9), CurrencyPolicy())
