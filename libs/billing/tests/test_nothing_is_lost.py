"""From worked time to the cent: what every step took or gave adds up to the whole difference."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.assembly import Assembly, assemble
from hourbridge.billing.caps import CapRules, Limits, Rooms
from hourbridge.billing.lines import PricedLine
from hourbridge.common.book import BookConfiguration
from hourbridge.common.messages.events import Charge
from hourbridge.common.money import EXACT
from tests.support.charges import LEDGER, make_charge

_TIME = ("minimum", "increment", "billable_part", "quantity")

policies = st.fixed_dictionaries(
    {
        "increment_seconds": st.sampled_from([1, 360, 600, 900]),
        "mode": st.sampled_from(["up", "down", "half_up", "half_even", "half_down"]),
        "scope": st.sampled_from(["entry", "day", "line"]),
        "minimum_seconds": st.sampled_from([0, 900]),
        "minimum_exempt_from_increment": st.booleans(),
        "minimum_of": st.sampled_from(["group", "entry"]),
        "billable_percent": st.sampled_from([None, "75", "33.33"]),
        "quantity_decimals": st.sampled_from([None, 1, 2]),
    }
)
discounts = st.sampled_from(
    [None, {"kind": "percent", "value": "7.5"}, {"kind": "amount", "value": "20.00"}]
)
entries = st.lists(
    st.tuples(
        st.integers(0, 20_000),
        st.sampled_from(["150.00", "99.99", "133.3333"]),
        st.sampled_from(["Anna", "Ben"]),
    ),
    min_size=1,
    max_size=8,
)


def charges_of(
    drawn: list[tuple[int, str, str]], policy: dict[str, Any], discount: Any, detail: str
) -> list[Charge]:
    return [
        make_charge(
            f"c{n}",
            seconds,
            rate=rate,
            staff=staff,
            rounding=policy,
            invoicing={"lines": detail, "discount": discount},
        )
        for n, (seconds, rate, staff) in enumerate(drawn)
    ]


@given(
    drawn=entries, policy=policies, discount=discounts, detail=st.sampled_from(["entry", "task"])
)
def test_the_steps_of_a_line_lead_from_worked_to_billed(
    drawn: list[tuple[int, str, str]], policy: dict[str, Any], discount: Any, detail: str
) -> None:
    assembly = assemble(charges_of(drawn, policy, discount, detail))
    for line in assembly.lines:
        check_time(line)
        check_money(line)
    check_places(assembly, len(drawn))


def check_time(line: PricedLine) -> None:
    """Billable seconds, less what each step took, are the billed seconds and the quantity."""
    worked = Decimal(sum(charge.billable_seconds for charge in line.charges))
    taken = {
        name: sum((s.residue for s in line.price.roundings if s.step == name), Decimal(0))
        for name in _TIME
    }
    billed = worked - taken["minimum"] - taken["increment"] - taken["billable_part"]
    assert billed == line.price.billed_seconds
    carried = line.price.carry_out_seconds - line.basis.carry_in_seconds
    if line.basis.rounding.quantity_decimals is not None:
        priced = EXACT.multiply(line.price.quantity, Decimal(3600))
        assert abs(billed - carried - priced) < Decimal("1e-40")


def check_money(line: PricedLine) -> None:
    """Time at the rate, less what rounding and the discount took, is the line's amount."""
    rate = line.basis.rate or Decimal(0)
    carried = line.price.carry_out_seconds - line.basis.carry_in_seconds
    exact = EXACT.divide(EXACT.multiply(line.price.billed_seconds - carried, rate), Decimal(3600))
    rounding = sum((s.residue for s in line.price.roundings if s.step == "money"), Decimal(0))
    assert abs(exact - rounding - line.price.amount) < Decimal("1e-11"), "as far as it is recorded"
    discount = line.discount.discount if line.discount else Decimal(0)
    assert line.price.amount - discount == line.amount


def check_places(assembly: Assembly, count: int) -> None:
    on_lines = sum(len(line.charges) for line in assembly.lines)
    left_out = sum(len(leak.charge_ids) for leak in assembly.leakage)
    assert on_lines + left_out == count
    assert assembly.total == sum((line.amount for line in assembly.lines), Decimal(0))


@given(
    drawn=entries,
    policy=policies,
    discount=discounts,
    detail=st.sampled_from(["entry", "task"]),
    room=st.integers(1, 2_000),
    seed=st.integers(0, 20),
)
def test_arrival_and_repetition_change_nothing_under_a_cap(
    drawn: list[tuple[int, str, str]],
    policy: dict[str, Any],
    discount: Any,
    detail: str,
    room: int,
    seed: int,
) -> None:
    charges = charges_of(drawn, policy, discount, detail)
    shuffled = list(charges)
    random.Random(seed).shuffle(shuffled)
    limits = Limits(CapRules(book(str(room)), 1), Rooms({}))
    first = assemble(charges, limits=limits)
    assert assemble(shuffled, limits=limits) == first
    assert assemble(charges, limits=limits) == first, "limits are not used up by asking"
    assert first.total <= room


def book(cap: str) -> BookConfiguration:
    return BookConfiguration.model_validate(
        {
            "book": "caps",
            "currency": "USD",
            "zone": "UTC",
            "ledger": LEDGER,
            "sources": [{"name": "toggl"}],
            "clients": [{"client": "Acme", "customer": {"name": "Acme"}, "cap": {"amount": cap}}],
        }
    )
