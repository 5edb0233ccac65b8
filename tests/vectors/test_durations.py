"""Durations and rates that others published: Kimai, Invoice Ninja, Odoo, Kill Bill."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.billing.amounts import time_amount
from hourbridge.billing.increments import bill_seconds, quantity_of
from hourbridge.common.book import RoundingPolicy
from hourbridge.common.calendar import Term, period_of
from hourbridge.common.local_time import resolve_local, wall_of
from hourbridge.common.money import RoundingMode, round_digits, round_to_step
from hourbridge.common.zones import zone_of
from tests.vectors.data import cases

_KIMAI_MODES = {
    "default": (RoundingMode.DOWN, RoundingMode.UP, RoundingMode.UP),
    "closest": (RoundingMode.HALF_DOWN,) * 3,
    "ceil": (RoundingMode.UP,) * 3,
    "floor": (RoundingMode.DOWN,) * 3,
}
"""Of begin, end and duration. What Kimai calls closest rounds an exact tie down."""


def seconds_of(clock: str) -> int:
    moment = datetime.strptime(clock, "%H:%M:%S")  # noqa: DTZ007 - a clock, no moment
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def stepped(seconds: int, step_minutes: int, mode: RoundingMode) -> int:
    if step_minutes == 0:
        return seconds
    return int(round_to_step(Decimal(seconds), Decimal(step_minutes * 60), mode))


@pytest.mark.parametrize(
    ("name", "begin", "end", "duration", "started", "ended", "begins", "ends", "billed"),
    cases("kimai", "rounding"),
)
def test_kimai_rounds_alike(
    name: str,
    begin: int,
    end: int,
    duration: int,
    started: str,
    ended: str,
    begins: str,
    ends: str,
    billed: int,
) -> None:
    modes = _KIMAI_MODES[name]
    first = stepped(seconds_of(started), begin, modes[0])
    last = stepped(seconds_of(ended), end, modes[1])
    assert (first, last) == (seconds_of(begins), seconds_of(ends))
    policy = RoundingPolicy(increment_seconds=max(duration * 60, 1), mode=modes[2])
    assert bill_seconds(last - first, policy, "entry")[0] == billed


@pytest.mark.parametrize(("rate", "seconds", "amount"), cases("kimai", "decimal_rate"))
def test_kimai_prices_two_decimals_of_hours_alike(rate: str, seconds: int, amount: str) -> None:
    policy = RoundingPolicy(increment_seconds=1, quantity_decimals=2)
    quantity = quantity_of(seconds, policy, Decimal(0))
    found, _ = time_amount(quantity.priced_seconds, Decimal(rate), "EUR", "half_up")
    assert found == Decimal(amount)


@pytest.mark.parametrize(("seconds", "counted"), cases("kimai", "decimal_duration"))
def test_kimai_counts_two_decimals_of_hours_alike(seconds: int, counted: int) -> None:
    policy = RoundingPolicy(increment_seconds=1, quantity_decimals=2)
    assert quantity_of(seconds, policy, Decimal(0)).priced_seconds == counted


@pytest.mark.parametrize(("rate", "seconds", "amount"), cases("kimai", "classic_rate"))
def test_kimai_prices_exact_hours_alike(rate: str, seconds: int, amount: str) -> None:
    """Theirs has four decimals in every currency; Uruguay's unidad previsional has them too."""
    found, _ = time_amount(Decimal(seconds), Decimal(rate), "UYW", "half_up")
    assert found == Decimal(amount)


@pytest.mark.parametrize(
    ("seconds", "step", "mode", "billed"), cases("invoiceninja", "task_rounding")
)
def test_invoice_ninja_rounds_alike(seconds: int, step: int, mode: str, billed: int) -> None:
    policy = RoundingPolicy(increment_seconds=step, mode=RoundingMode(mode))
    assert bill_seconds(seconds, policy, "entry")[0] == billed


@pytest.mark.parametrize("case", cases("invoiceninja", "otherwise"))
def test_where_invoice_ninja_loses_a_step_ours_keeps_it(case: dict[str, Any]) -> None:
    policy = RoundingPolicy(increment_seconds=case["step"], mode=RoundingMode(case["mode"]))
    assert bill_seconds(case["seconds"], policy, "entry")[0] == case["ours"] != case["theirs"]


@pytest.mark.parametrize(("value", "digits", "mode", "rounded"), cases("odoo", "round"))
def test_odoo_rounds_alike(value: str, digits: int, mode: str, rounded: str) -> None:
    found = round_digits(Decimal(value), digits, RoundingMode(mode))
    assert found == Decimal(rounded)
    assert -found.as_tuple().exponent == digits


@pytest.mark.parametrize(("fraction", "digits", "rounded"), cases("odoo", "fractions"))
def test_odoo_rounds_large_numbers_alike(fraction: str, digits: int, rounded: str) -> None:
    for magnitude in range(7):
        for whole in range(0, 10_000, 97):
            for sign in ("-", ""):
                number = f"{sign}{whole * 10**magnitude}"
                found = round_digits(Decimal(number + fraction), digits, RoundingMode.HALF_UP)
                assert found == Decimal(number + rounded)


@pytest.mark.parametrize(("value", "coin", "rounded"), cases("odoo", "coins"))
def test_odoo_rounds_to_coins_alike(value: str, coin: str, rounded: str) -> None:
    found = round_to_step(Decimal(value), Decimal(coin), RoundingMode.HALF_UP)
    assert found == Decimal(rounded)


@pytest.mark.parametrize("case", cases("odoo", "hours_together"))
def test_hours_rounded_apart_lose_what_a_carry_keeps(case: dict[str, Any]) -> None:
    policy = RoundingPolicy(increment_seconds=1, quantity_decimals=2)
    whole = quantity_of(sum(case["minutes"]) * 60, policy, Decimal(0)).hours
    apart, carried, residue = Decimal(0), Decimal(0), Decimal(0)
    for minutes in case["minutes"]:
        apart += quantity_of(minutes * 60, policy, Decimal(0)).hours
        quantity = quantity_of(minutes * 60, policy, residue)
        carried, residue = carried + quantity.hours, quantity.carry_out_seconds
    assert whole == carried == Decimal(case["together"])
    assert apart != whole and abs(apart - Decimal(case["apart"])) <= Decimal("0.02")


@pytest.mark.parametrize("case", cases("killbill", "dst"))
def test_kill_bill_s_months_over_the_change_of_clocks(case: dict[str, Any]) -> None:
    zone = zone_of(case["zone"])
    months: Counter[str] = Counter()
    for stamp in case["stamps"]:
        instant = resolve_local(datetime.fromisoformat(stamp), case["zone"])
        assert isinstance(instant, datetime)
        day = wall_of(instant, zone).date()
        months[period_of(day, Term.MONTH).label] += 1
        assert wall_of(instant + timedelta(0), zone) == datetime.fromisoformat(stamp)
    assert months == case["months"]
