"""Increments, minima and quantities, with the exact numbers of the accounting reference."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.assembly import Assembly, assemble
from hourbridge.billing.increments import bill_seconds, exact_hours, quantity_of
from hourbridge.common.book import RoundingPolicy
from hourbridge.common.money import RoundingMode
from tests.support.charges import exact_time, make_charge, minutes, rounding


def amounts(assembly: Assembly) -> list[Decimal]:
    return [line.price.amount for line in assembly.lines]


@pytest.mark.parametrize(
    ("mode", "first", "second", "total"),
    [
        ("half_up", 15, 30, "75.00"),
        ("half_even", 0, 30, "50.00"),
        ("half_down", 0, 15, "25.00"),
        ("up", 15, 30, "75.00"),
        ("down", 0, 15, "25.00"),
    ],
)
def test_exact_ties_of_a_quarter_hour(mode: str, first: int, second: int, total: str) -> None:
    policy = rounding(15, mode=mode)
    assert bill_seconds(minutes(7.5), policy, "x")[0] == minutes(first)
    assert bill_seconds(minutes(22.5), policy, "x")[0] == minutes(second)
    entries = [
        make_charge("a", minutes(7.5), rate="100.00", rounding=policy),
        make_charge("b", minutes(22.5), rate="100.00", rounding=policy),
    ]
    assert assemble(entries).total == Decimal(total)


@pytest.mark.parametrize("mode", list(RoundingMode))
def test_exact_multiples_stay_as_they_are_in_every_mode(mode: RoundingMode) -> None:
    policy = rounding(15, mode=mode)
    for length in (minutes(60), minutes(15)):
        assert bill_seconds(length, policy, "x") == (length, ())


@pytest.mark.parametrize("scope", ["day", "line"])
@pytest.mark.parametrize(
    ("step", "mode", "per_entry", "together"),
    [
        (6, "half_up", "75.00", "90.00"),
        (6, "up", "150.00", "90.00"),
        (10, "half_up", "125.00", "100.00"),
        (10, "up", "125.00", "100.00"),
        (15, "half_up", "0", "75.00"),
        (15, "up", "187.50", "112.50"),
    ],
)
def test_five_entries_of_seven_minutes(
    step: int, mode: str, per_entry: str, together: str, scope: str
) -> None:
    def total(scope: str) -> Decimal:
        policy = rounding(step, mode=mode, scope=scope)
        entries = [make_charge(f"c{i}", minutes(7), rounding=policy) for i in range(5)]
        return assemble(entries).total

    assert total("entry") == Decimal(per_entry)
    assert total(scope) == Decimal(together)


def test_what_rounds_to_nothing_is_leakage_not_a_line() -> None:
    policy = rounding(15, scope="entry")
    assembly = assemble([make_charge(f"c{i}", minutes(7), rounding=policy) for i in range(5)])
    assert assembly.lines == ()
    (leaked,) = assembly.leakage
    assert (leaked.seconds, leaked.amount, leaked.cause) == (
        minutes(35),
        Decimal("87.50"),
        "below_step",
    )


def test_a_line_leaves_out_the_entries_that_round_to_nothing() -> None:
    policy = rounding(15)
    assembly = assemble(
        [make_charge("a", minutes(7), rounding=policy), make_charge("b", 3600, rounding=policy)]
    )
    (line,) = assembly.lines
    assert [charge.charge_id for charge in line.charges] == ["b"]
    assert line.price.worked_seconds == 3600
    assert [leaked.charge_ids for leaked in assembly.leakage] == [("a",)]


@pytest.mark.parametrize(
    ("worked_minutes", "exempt", "quantity", "amount"),
    [
        (3, True, "0.25", "37.50"),
        (16, True, "0.30", "45.00"),
        (3, False, "0.30", "45.00"),
        (16, False, "0.30", "45.00"),
    ],
)
def test_minimum_increment(worked_minutes: int, exempt: bool, quantity: str, amount: str) -> None:
    policy = rounding(6, mode="up", minimum_seconds=900, minimum_exempt_from_increment=exempt)
    (line,) = assemble([make_charge("c", minutes(worked_minutes), rounding=policy)]).lines
    assert (line.price.quantity, line.price.amount) == (Decimal(quantity), Decimal(amount))


def test_nothing_never_becomes_a_minimum() -> None:
    assembly = assemble([make_charge("c", 0, rounding=rounding(6, minimum_seconds=900))])
    assert assembly.lines == ()
    assert [(leak.cause, leak.amount) for leak in assembly.leakage] == [("no_time", 0)]


def test_more_work_is_never_billed_below_an_exempt_minimum() -> None:
    policy = rounding(6, mode="down", minimum_seconds=900)
    assert bill_seconds(minutes(16), policy, "x")[0] == 900


def test_steps_say_what_happened() -> None:
    policy = rounding(6, mode="up", minimum_seconds=900, minimum_exempt_from_increment=False)
    billed, steps = bill_seconds(180, policy, "charge c1")
    assert billed == 1080
    assert [(s.step, s.of, s.before, s.after) for s in steps] == [
        ("minimum", "charge c1", 180, 900),
        ("increment", "charge c1", 900, 1080),
    ]


@pytest.mark.parametrize(
    ("decimals", "length", "rate", "amount"),
    [
        (None, 50, "100.00", "83.33"),
        (2, 50, "100.00", "83.00"),
        (None, 20, "99.99", "33.33"),
        (2, 20, "99.99", "33.00"),
        (4, 20, "99.99", "33.33"),
        (None, 438, "133.3333", "973.33"),
    ],
)
def test_quantity_decimals(decimals: int | None, length: int, rate: str, amount: str) -> None:
    policy = RoundingPolicy(increment_seconds=1, quantity_decimals=decimals)
    (line,) = assemble([make_charge("c", minutes(length), rate=rate, rounding=policy)]).lines
    assert line.price.amount == Decimal(amount)


def test_the_text_of_a_line_shows_its_basis() -> None:
    exact, cut = (
        assemble([make_charge("c", minutes(50), rounding=policy)]).lines[0].description
        for policy in (exact_time(), RoundingPolicy(increment_seconds=1, quantity_decimals=2))
    )
    assert exact == "Anna - Audit (0:50 h)"
    assert cut == "Anna - Audit (0:50 h billed as 0.83 h)"


def test_residues_of_few_decimals_are_carried_over_documents() -> None:
    """Five invoices, one per entry, come to what one invoice over all of them would."""
    policy = RoundingPolicy(increment_seconds=1, quantity_decimals=2)
    carries: dict[str, Decimal] = {}
    quantities, total = [], Decimal(0)
    for number, length in enumerate((15, 50, 225, 75, 35)):
        charge = make_charge(f"c{number}", minutes(length), rate="100.00", rounding=policy)
        (line,) = assemble([charge], carries=carries).lines
        carries[line.basis.carry_key] = line.price.carry_out_seconds
        quantities.append(str(line.price.quantity))
        total += line.price.amount
    assert quantities == ["0.25", "0.83", "3.75", "1.25", "0.59"]
    assert total == Decimal("667.00")


def test_residues_are_carried_between_the_lines_of_one_document() -> None:
    policy = RoundingPolicy(increment_seconds=1, quantity_decimals=2)
    entries = [
        make_charge(f"c{i}", minutes(length), rate="100.00", rounding=policy, task=f"T{i}")
        for i, length in enumerate((15, 50, 225, 75, 35))
    ]
    assert assemble(entries).total == Decimal("667.00")


def test_a_quantity_below_its_smallest_unit_is_leakage() -> None:
    policy = RoundingPolicy(increment_seconds=1, quantity_decimals=1)
    assembly = assemble([make_charge("c", 60, rounding=policy)])
    assert assembly.lines == ()
    assert [leaked.cause for leaked in assembly.leakage] == ["below_quantity_unit"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3600, "1.00"), (15300, "4.25"), (450, "0.125"), (9, "0.0025"), (3000, "0.8333333333")],
)
def test_hours_have_as_many_decimals_as_they_need(seconds: int, text: str) -> None:
    assert str(exact_hours(seconds)) == text


@given(
    seconds=st.integers(0, 100_000),
    increment=st.integers(1, 7200),
    minimum=st.integers(0, 7200),
    mode=st.sampled_from(list(RoundingMode)),
    exempt=st.booleans(),
)
def test_billed_time_stays_near_the_worked_time(
    seconds: int, increment: int, minimum: int, mode: RoundingMode, exempt: bool
) -> None:
    policy = RoundingPolicy(
        increment_seconds=increment,
        minimum_seconds=minimum,
        mode=mode,
        minimum_exempt_from_increment=exempt,
    )
    billed, steps = bill_seconds(seconds, policy, "x")
    if seconds == 0:
        assert billed == 0
        return
    assert abs(billed - max(seconds, minimum)) < increment or billed == minimum
    assert billed == (int(steps[-1].after) if steps else seconds)


@given(parts=st.lists(st.integers(1, 20_000), min_size=1, max_size=20), decimals=st.integers(0, 4))
def test_carried_quantities_sum_to_the_quantity_of_the_whole(
    parts: list[int], decimals: int
) -> None:
    policy = RoundingPolicy(increment_seconds=1, quantity_decimals=decimals)
    carry, total = Decimal(0), Decimal(0)
    for part in parts:
        quantity = quantity_of(part, policy, carry)
        carry, total = quantity.carry_out_seconds, total + quantity.hours
    assert total == quantity_of(sum(parts), policy, Decimal(0)).hours
