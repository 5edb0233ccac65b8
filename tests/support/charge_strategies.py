"""Strategies for charges of one client and currency, under every kind of policy."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from hourbridge.common.book import (
    DiscountPolicy,
    InvoicingPolicy,
    LineDetail,
    RoundingPolicy,
    RoundingScope,
)
from hourbridge.common.messages.events import Charge, WriteDown
from hourbridge.common.money import RoundingMode, minor_unit_digits
from tests.support.charges import make_charge, make_expense

CURRENCIES = ("USD", "JPY", "KWD", "CLF")
MARCH_1, APRIL_5 = date(2026, 3, 1), date(2026, 4, 5)

currencies = st.sampled_from(CURRENCIES)
rates = st.sampled_from(["150.00", "99.99", "133.3333", "0.01", "12345"])


def amounts(currency: str, low: str = "0", high: str = "100000") -> st.SearchStrategy[Decimal]:
    """Return amounts at the currency's minor unit."""
    digits = minor_unit_digits(currency)
    return st.decimals(Decimal(low), Decimal(high), places=digits, allow_nan=False)


rounding_policies = st.builds(
    RoundingPolicy,
    increment_seconds=st.sampled_from([1, 60, 360, 600, 900, 1800]),
    mode=st.sampled_from(list(RoundingMode)),
    scope=st.sampled_from(list(RoundingScope)),
    minimum_seconds=st.sampled_from([0, 0, 900, 1000]),
    minimum_exempt_from_increment=st.booleans(),
    minimum_of=st.sampled_from([None, "group", "entry"]),
    billable_percent=st.sampled_from([None, None, Decimal("33.3"), Decimal(100), Decimal(0)]),
    money_mode=st.sampled_from([RoundingMode.HALF_UP, RoundingMode.HALF_EVEN]),
)
carrying_policies = st.builds(
    RoundingPolicy,
    increment_seconds=st.sampled_from([1, 360]),
    quantity_decimals=st.integers(0, 3),
)
percentages = st.decimals(Decimal("0.01"), Decimal(100), places=2, allow_nan=False)
discounts = st.builds(DiscountPolicy, kind=st.just("percent"), value=percentages)


@st.composite
def charges(
    draw: st.DrawFn,
    policies: st.SearchStrategy[RoundingPolicy] = rounding_policies,
    *,
    discounted: bool = False,
    expenses: bool = True,
) -> list[Charge]:
    """Draw the charges of one document: one policy, several people, tasks, days and rates."""
    currency, policy = draw(currencies), draw(policies)
    invoicing = InvoicingPolicy(
        lines=draw(st.sampled_from(list(LineDetail))),
        discount=draw(st.none() | discounts) if discounted else None,
    )
    common = {"currency": currency, "rounding": policy, "invoicing": invoicing}
    found = []
    for number in range(draw(st.integers(0, 12))):
        day = draw(st.dates(MARCH_1, APRIL_5))
        if expenses and draw(st.integers(0, 4)) == 0:
            amount = draw(amounts(currency, "-50", "900"))
            found.append(make_expense(f"e{number}", str(amount), work_date=day, **common))
        else:
            found.append(_time(draw, number, day, common))
    return found


def _time(draw: st.DrawFn, number: int, day: date, common: dict[str, object]) -> Charge:
    """Draw an entry; some of its time may be written down before it is ever rounded."""
    worked = draw(st.integers(0, 30_000))
    left_out = draw(st.integers(0, worked)) if draw(st.booleans()) else 0
    return make_charge(
        f"c{number}",
        worked,
        billable_seconds=worked - left_out,
        write_down=WriteDown(seconds=left_out, reason="agreed") if left_out else None,
        rate=draw(rates),
        staff=draw(st.sampled_from(["Anna", "Ben", None])),
        task=draw(st.sampled_from(["Audit", "Tax", None])),
        project=draw(st.sampled_from(["P1", "P2", None])),
        work_date=day,
        **common,
    )
