"""Lines of a document: what shares one, what it costs, and that order of arrival is irrelevant."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.assembly import assemble
from hourbridge.billing.basis import LineBasis
from hourbridge.billing.pricing import price_line
from hourbridge.common.book import InvoicingPolicy, LedgerReference, RoundingPolicy
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.messages.events import Charge
from tests.support.charges import (
    exact_time,
    fee,
    hours,
    make_charge,
    make_expense,
    minutes,
    rounding,
)


def lines_by(detail: str, **more: str) -> InvoicingPolicy:
    return InvoicingPolicy.model_validate({"lines": detail, **more})


def test_three_entries_make_one_line() -> None:
    entries = [
        make_charge(f"c{i}", minutes(length), rate="120.00")
        for i, length in enumerate((60, 150, 45))
    ]
    (line,) = assemble(entries).lines
    assert (line.price.quantity, line.price.amount) == (Decimal("4.3"), Decimal("516.00"))
    exact = [entry.model_copy(update={"rounding": exact_time()}) for entry in entries]
    (line,) = assemble(exact).lines
    assert (line.price.quantity, line.price.amount) == (Decimal("4.25"), Decimal("510.00"))


def test_line_grouping_decides_a_cent() -> None:
    entries = [
        make_charge(c, minutes(15), rate="27.50", rounding=exact_time(), invoicing=lines_by(detail))
        for detail in ("entry",)
        for c in "ab"
    ]
    assert assemble(entries).total == Decimal("13.76")
    merged = [entry.model_copy(update={"invoicing": lines_by("task")}) for entry in entries]
    assert assemble(merged).total == Decimal("13.75")


def test_exact_seconds_are_priced_not_the_shown_quantity() -> None:
    entries = [
        make_charge(f"c{i}", seconds, rounding=exact_time())
        for i, seconds in enumerate((370, 371, 5400))
    ]
    assert assemble(entries).total == Decimal("255.88")


def test_billable_time_is_billed_worked_time_is_kept() -> None:
    charge = make_charge("c", hours("3"), worked_seconds=hours("4"))
    (line,) = assemble([charge]).lines
    assert (line.price.amount, line.price.billed_seconds, line.price.worked_seconds) == (
        Decimal("450.00"),
        hours("3"),
        hours("4"),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"rate": "140.00"},
        {"item": LedgerReference(name="Travel time")},
        {"job": LedgerReference(name="Acme:P1")},
        {"account": LedgerReference(name="Services")},
        {"class_ref": LedgerReference(name="West")},
        {"tax_code": "NON"},
        {"project": "P2"},
        {"rounding": rounding(15)},
    ],
    ids=str,
)
def test_a_line_never_mixes(change: dict[str, object]) -> None:
    entries = [make_charge("a", invoicing=lines_by("task"))]
    entries.append(make_charge("b", invoicing=lines_by("task"), **change))
    assert len(assemble(entries).lines) == 2


@pytest.mark.parametrize(("detail", "count"), [("entry", 4), ("staff_task", 3), ("task", 2)])
def test_line_detail(detail: str, count: int) -> None:
    who_does_what = [("Anna", "Audit"), ("Anna", "Audit"), ("Ben", "Audit"), ("Ben", "Tax")]
    entries = [
        make_charge(f"c{i}", staff=staff, task=task, invoicing=lines_by(detail))
        for i, (staff, task) in enumerate(who_does_what)
    ]
    assert len(assemble(entries).lines) == count


def test_a_day_rounded_as_one_stays_one_line() -> None:
    policy = rounding(6, scope="day")
    entries = [
        make_charge(f"c{i}", minutes(7), rounding=policy, invoicing=lines_by("entry"))
        for i in range(5)
    ]
    (line,) = assemble(entries).lines
    assert (line.price.billed_seconds, line.price.amount) == (minutes(36), Decimal("90.00"))


def test_expenses_are_their_own_lines_rounded_once() -> None:
    assembly = assemble([make_expense("a", "10.005"), make_expense("b", "10.00")])
    assert [line.price.amount for line in assembly.lines] == [Decimal("10.01"), Decimal("10.00")]
    (step,) = assembly.lines[0].price.roundings
    assert (step.step, step.before, step.after) == ("money", Decimal("10.005"), Decimal("10.01"))
    assert assembly.lines[0].description == "2026-03-02 Taxi"


@pytest.mark.parametrize(
    ("currency", "rate", "seconds", "amount"),
    [("JPY", "1235", hours("1.5"), "1853"), ("KWD", "12.345", 4000, "13.717")],
)
def test_money_is_rounded_at_the_currencys_minor_unit(
    currency: str, rate: str, seconds: int, amount: str
) -> None:
    charge = make_charge("c", seconds, currency=currency, rate=rate, rounding=exact_time())
    assert assemble([charge]).total == Decimal(amount)


def test_half_even_money() -> None:
    policy = RoundingPolicy.model_validate({"increment_seconds": 1, "money_mode": "half_even"})
    charge = make_charge("c", hours("0.125"), rate="1.00", rounding=policy)
    assert assemble([charge]).total == Decimal("0.12")


def test_a_flat_fee_covers_the_term_once() -> None:
    entries = [
        make_charge(f"c{i}", rate=None, flat_fee=fee(), project=f"P{i}", work_date=day)
        for i, day in enumerate((date(2026, 3, 2), date(2026, 3, 30), date(2026, 4, 1)))
    ]
    march, april = assemble(entries).lines
    assert (march.price.amount, march.description) == (Decimal("420.00"), "Fixed fee 2026-03")
    assert [charge.charge_id for charge in march.charges] == ["c0", "c1"]
    assert march.service_date == date(2026, 3, 31)
    assert april.price.amount == Decimal("420.00")
    assert march.to_document_line("d", 1).project is None


def test_a_projects_own_fee_is_once_per_project() -> None:
    item = LedgerReference(name="Retainer")
    entries = [
        make_charge(p, rate=None, project=p, flat_fee=fee(item=item), flat_fee_scope="project")
        for p in ("P1", "P2")
    ]
    lines = assemble(entries).lines
    assert [line.price.amount for line in lines] == [Decimal("420.00")] * 2
    assert {line.item for line in lines} == {item}


def test_work_of_a_term_billed_before_costs_nothing_more() -> None:
    (first,) = assemble([make_charge("a", rate=None, flat_fee=fee())]).lines
    late = make_charge("b", rate=None, flat_fee=fee())
    assembly = assemble([late], billed_fees={str(first.fee_key)})
    assert assembly.lines == ()
    assert assembly.covered == {first.fee_key: (late,)}


def test_lines_become_document_lines() -> None:
    charge = make_charge("c", invoicing=lines_by("entry"), description="Ledgers")
    (line,) = assemble([charge]).lines
    shown = line.to_document_line("doc", 3)
    assert (shown.position, shown.charge_ids, shown.project) == (3, ("c",), "P1")
    assert shown.description == "2026-03-02 Anna - Audit: Ledgers (1:00 h)"
    assert shown.line_id == line.to_document_line("doc", 1).line_id


def test_text_names_the_project_where_a_client_is_billed_as_one() -> None:
    by_client = lines_by("task", grouping="client_month")
    (line,) = assemble([make_charge("c", 3661, invoicing=by_client, rounding=exact_time())]).lines
    assert line.description == "P1: Audit (1:01:01 h)"


def test_time_without_a_rate_and_a_fee_without_price_are_defects() -> None:
    charge = make_charge("c")
    for kind in ("time", "flat_fee"):
        basis = LineBasis.model_validate(
            {"kind": kind, "currency": "USD", "rounding": charge.rounding}
        )
        with pytest.raises(InvariantViolated):
            price_line([charge], basis)


entries_of_a_client = st.lists(
    st.builds(
        make_charge,
        charge_id=st.uuids().map(str),
        seconds=st.integers(0, 30_000),
        rate=st.sampled_from(["150.00", "99.99", "133.3333"]),
        staff=st.sampled_from(["Anna", "Ben", None]),
        task=st.sampled_from(["Audit", "Tax", None]),
        project=st.sampled_from(["P1", "P2", None]),
        work_date=st.dates(date(2026, 3, 1), date(2026, 4, 5)),
        rounding=st.sampled_from(
            [
                rounding(6),
                rounding(15, scope="day"),
                rounding(10, scope="line", mode="up"),
                RoundingPolicy(increment_seconds=1, quantity_decimals=2),
            ]
        ),
        invoicing=st.sampled_from([lines_by(d) for d in ("entry", "staff_task", "task")]),
    ),
    max_size=25,
    unique_by=lambda charge: charge.charge_id,
)


@given(entries=entries_of_a_client, seed=st.integers(0, 1000))
def test_the_order_of_arrival_changes_nothing(entries: list[Charge], seed: int) -> None:
    shuffled = list(entries)
    random.Random(seed).shuffle(shuffled)
    assert assemble(shuffled) == assemble(entries)


@given(entries=entries_of_a_client)
def test_every_charge_has_one_place(entries: list[Charge]) -> None:
    assembly = assemble(entries)
    on_lines = [charge.charge_id for line in assembly.lines for charge in line.charges]
    leaked = [charge_id for leak in assembly.leakage for charge_id in leak.charge_ids]
    placed = set(on_lines) | set(leaked)
    assert len(on_lines) == len(set(on_lines))
    assert not set(on_lines) & set(leaked)
    assert placed == {charge.charge_id for charge in entries}
    assert assembly.total == sum((line.price.amount for line in assembly.lines), Decimal(0))
    assert all(line.price.quantity > 0 for line in assembly.lines)
