"""What time policies can say besides step and mode: whose minimum, whose day, which part."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.assembly import assemble
from hourbridge.billing.increments import bill_group
from hourbridge.common.book import RoundingPolicy
from tests.support.charges import hours, make_charge, minutes, rounding


def billed(lengths: list[int], **policy: Any) -> int:
    seconds, steps = bill_group([minutes(m) for m in lengths], rounding(**policy), "line")
    moved = sum((step.after - step.before for step in steps), Decimal(0))
    assert seconds == sum(map(minutes, lengths)) + moved, "the steps explain the whole way"
    return seconds // 60


@pytest.mark.parametrize(
    ("lengths", "policy", "expected"),
    [
        ([3, 3], {"minimum_seconds": 600}, 10),
        ([3, 3], {"minimum_seconds": 600, "minimum_of": "entry"}, 20),
        ([3, 3], {"minimum_seconds": 600, "minimum_of": "group"}, 10),
        ([3, 13], {"minimum_seconds": 600, "minimum_of": "entry", "mode": "up"}, 28),
        ([3, 0], {"minimum_seconds": 600, "minimum_of": "entry"}, 10),
        ([0, 0], {"minimum_seconds": 600, "minimum_of": "entry"}, 0),
        ([11, 14], {"minimum_seconds": 600, "minimum_of": "entry", "mode": "down"}, 24),
        (
            [3, 4],
            {
                "minimum_seconds": 600,
                "minimum_of": "entry",
                "minimum_exempt_from_increment": False,
                "mode": "up",
            },
            24,
        ),
        ([11], {"step_minutes": 15, "minimum_seconds": 600, "mode": "down"}, 10),
    ],
)
def test_whose_minimum(lengths: list[int], policy: dict[str, Any], expected: int) -> None:
    assert billed(lengths, **policy) == expected


@pytest.mark.parametrize(
    ("length", "percent", "seconds"),
    [(60, "75", 2700), (60, "33.33", 1200), (6, "12.5", 45), (6, "0", 0), (50, "100", 3240)],
)
def test_the_client_pays_a_part_of_the_rounded_time(
    length: int, percent: str, seconds: int
) -> None:
    policy = RoundingPolicy.model_validate({"billable_percent": percent, "mode": "up"})
    found, steps = bill_group([minutes(length)], policy, "line", named="project:P v2")
    assert found == seconds
    parts = [step for step in steps if step.step == "billable_part"]
    assert len(parts) == (0 if percent == "100" else 1)
    assert all(step.unit == f"{percent} %" and step.policy == "project:P v2" for step in parts)


def test_a_part_of_the_time_is_priced() -> None:
    half = RoundingPolicy.model_validate({"billable_percent": "50", "quantity_decimals": 1})
    (line,) = assemble([make_charge("c", hours("1.5"), rounding=half)]).lines
    assert [step.step for step in line.price.roundings] == ["billable_part", "quantity"]
    assert (line.price.quantity, line.price.amount) == (Decimal("0.8"), Decimal("120.00"))


WHO_AND_WHAT = [("Anna", "Audit"), ("Anna", "Tax"), ("Ben", "Audit"), ("Ben", "Tax")]


@pytest.mark.parametrize(
    ("day_key", "detail", "amounts"),
    [
        (None, "entry", ["30.00", "30.00", "30.00", "30.00"]),
        (("staff", "task"), "task", ["60.00", "60.00"]),
        (("staff",), "entry", ["45.00", "45.00"]),
        (("staff",), "staff_task", ["45.00", "45.00"]),
        (("task",), "task", ["45.00", "45.00"]),
        (("project",), "entry", ["75.00"]),
        ((), "staff_task", ["75.00"]),
    ],
)
def test_whose_day_is_added_up(
    day_key: tuple[str, ...] | None, detail: str, amounts: list[str]
) -> None:
    policy = rounding(6, scope="day", mode="up", day_key=day_key)
    entries = [
        make_charge(
            f"c{n}",
            minutes(7),
            staff=staff,
            task=task,
            rounding=policy,
            invoicing={"lines": detail},
        )
        for n, (staff, task) in enumerate(WHO_AND_WHAT)
    ]
    assert [str(line.amount) for line in assemble(entries).lines] == amounts


def test_days_and_prices_are_never_added_up() -> None:
    policy = rounding(6, scope="day", mode="up", day_key=())
    entries = [
        make_charge("a", minutes(1), rounding=policy),
        make_charge("b", minutes(1), rounding=policy, work_date=date(2026, 3, 3)),
        make_charge("c", minutes(1), rounding=policy, rate="90.00"),
    ]
    assert sum(line.price.billed_seconds for line in assemble(entries).lines) == 3 * 360


def test_steps_name_the_policy_and_its_version() -> None:
    charge = make_charge("c", minutes(7), rounding_origin="client:Acme")
    (line,) = assemble([charge], versions={"c": 12}).lines
    assert {step.policy for step in line.price.roundings} == {"client:Acme v12"}
    (line,) = assemble([make_charge("c", minutes(7))]).lines
    assert {step.policy for step in line.price.roundings} == {"book"}


@given(
    lengths=st.lists(st.integers(0, 40_000), min_size=1, max_size=6),
    minimum=st.integers(0, 3_600),
    of=st.sampled_from(["group", "entry", None]),
    step=st.sampled_from([1, 6, 15]),
    mode=st.sampled_from(["up", "down", "half_up", "half_even", "half_down"]),
    exempt=st.booleans(),
    percent=st.sampled_from([None, "80", "37.5"]),
)
def test_the_steps_always_lead_from_worked_to_billed(
    lengths: list[int],
    minimum: int,
    of: str | None,
    step: int,
    mode: str,
    exempt: bool,  # noqa: FBT001 - drawn by name
    percent: str | None,
) -> None:
    policy = RoundingPolicy.model_validate(
        {
            "increment_seconds": step * 60,
            "mode": mode,
            "minimum_seconds": minimum,
            "minimum_of": of,
            "minimum_exempt_from_increment": exempt,
            "billable_percent": percent,
        }
    )
    seconds, steps = bill_group(lengths, policy, "line")
    moved = sum((taken.after - taken.before for taken in steps), Decimal(0))
    assert seconds == sum(lengths) + moved
    assert seconds >= 0
    order = ["minimum", "increment", "billable_part"]
    assert [order.index(taken.step) for taken in steps] == sorted(
        order.index(taken.step) for taken in steps
    )
