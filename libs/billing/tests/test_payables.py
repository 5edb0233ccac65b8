"""Vendor bills: what is worked or spent, less what is held back."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.payables import (
    bill_date,
    bill_lines,
    bill_period,
    cost_identity,
    cost_price,
    held_back,
    payable_keys,
    payable_of,
    released_base,
    tax_of,
)
from hourbridge.common.book import AccountRole, LedgerReference
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.messages.events import Charge, PaidAtOnce
from tests.support.charges import hours, make_charge, minutes
from tests.support.payables import owed_expense, owed_time

COST, TAX, HELD = (
    AccountRole.SUBCONTRACTOR_COST,
    AccountRole.INPUT_TAX,
    AccountRole.RETAINAGE_PAYABLE,
)


def amounts(*charges: Charge) -> list[tuple[AccountRole, Decimal]]:
    return [(line.role, line.price.amount) for line in bill_lines(charges)]


def test_time_costs_what_was_worked_to_the_second() -> None:
    """Neither the client's increment nor what it is billed decides: 100 min at 62.40."""
    [line] = bill_lines([owed_time(seconds=minutes(100), cost="62.40")])
    assert (line.role, line.price.amount) == (COST, Decimal("104.00"))
    assert line.price.seconds == 6000
    assert line.description == "Acme / P1 - Anna - Audit (1:40 h)"


def test_a_person_and_rate_share_a_line_that_is_rounded_once() -> None:
    parts = [owed_time(f"p{n}", 20, cost="70.00") for n in range(3)]  # 0.3888... each
    assert amounts(*parts) == [(COST, Decimal("1.17"))]
    other = owed_time("p9", 20, cost="70.00", staff="Ben")
    assert amounts(*parts, other) == [(COST, Decimal("1.17")), (COST, Decimal("0.39"))]


def test_holdback_is_a_share_of_the_work_only() -> None:
    work = owed_time(seconds=hours("3.5"), cost="90.10", holdback_percent="7.5")
    assert amounts(work) == [(COST, Decimal("315.35")), (HELD, Decimal("-23.65"))]


def test_each_percentage_is_held_back_by_itself() -> None:
    found = amounts(
        owed_time("a", hours("2"), holdback_percent="5"),
        owed_time("b", hours("4"), holdback_percent="10.0"),
        owed_time("c", hours("1")),
    )
    assert [amount for role, amount in found if role is HELD] == [
        Decimal("-7.50"),
        Decimal("-30.00"),
    ]


def test_nothing_is_held_back_of_next_to_nothing() -> None:
    assert amounts(owed_time(seconds=1, cost="3.60", holdback_percent="10")) == [
        (COST, Decimal("0.00"))
    ]


def test_expenses_stand_alone_and_recovered_tax_is_one_line() -> None:
    found = amounts(
        owed_expense("a", "83.33", tax="16.67"),
        owed_expense("b", "40.00", treatment="principal", tax="3.605"),
    )
    assert found == [
        (AccountRole.REIMBURSABLE, Decimal("83.33")),
        (AccountRole.EXPENSE, Decimal("40.00")),
        (TAX, Decimal("20.28")),
    ]


def test_lines_name_what_they_are_for() -> None:
    [line] = bill_lines([owed_expense(description="Two nights")])
    shown = line.to_document_line("l1", 4)
    assert shown.description == "2026-03-02 Two nights"
    assert (shown.position, shown.client, shown.project) == (4, "Acme", "P1")
    assert shown.charge_ids == ("x1",)
    assert shown.cost is not None
    [unnamed] = bill_lines([owed_expense(description=None, task=None)])
    assert unnamed.description == "2026-03-02 Expense"
    held = bill_lines([owed_time(holdback_percent="10", seconds=hours("8"))])[-1]
    bare = held.to_document_line("l2", 2)
    assert (bare.service_date, bare.client, bare.account, bare.charge_ids) == (None, None, None, ())


def test_zero_digit_currencies_are_rounded_to_whole_units() -> None:
    work = owed_time(seconds=minutes(50), cost="7777", currency="JPY", holdback_percent="10")
    assert amounts(work) == [(COST, Decimal(6481)), (HELD, Decimal(-648))]


def test_bills_gather_by_vendor_number_or_month() -> None:
    plain = owed_expense("a")
    assert payable_keys(plain) == payable_keys(
        owed_expense("b", "9.00", work_date=date(2026, 5, 1))
    )
    different = [
        owed_expense("c", vendor="Taxi"),
        owed_expense("c", currency="EUR"),
        owed_expense("c", number="R-1"),
        owed_time("c", vendor="Hotel Post"),
    ]
    keys = {payable_keys(charge).group for charge in [plain, *different]}
    assert len(keys) == 5
    vendors = {payable_keys(charge).engagement for charge in [plain, *different]}
    assert len(vendors) == 2
    waiting = payable_keys(owed_time("d", pay_when_paid=True))
    assert waiting.group != payable_keys(owed_time("d")).group
    period = bill_period(plain)
    assert period is not None
    assert period.label == "2026-03"
    assert bill_period(owed_expense(number="R-1")) is None


def changed(charge: Charge, **changes: Any) -> Charge:
    """Return a charge that is owed on other terms."""
    return charge.model_copy(update={"payable": payable_of(charge).model_copy(update=changes)})


def test_an_expense_report_is_one_bill_whatever_its_months() -> None:
    plain = owed_expense("a")
    first, second = changed(plain, report="R1"), changed(owed_expense("b"), report="R1")
    assert payable_keys(first) == payable_keys(second)
    assert (
        len({payable_keys(each).group for each in (plain, first, changed(plain, report="R2"))}) == 3
    )
    assert (bill_period(plain) is None, bill_period(first)) == (False, None)


def test_what_was_paid_at_once_shares_a_purchase_by_its_transaction() -> None:
    plain = owed_expense("a")
    paid = PaidAtOnce(by="card", payee="vendor", transaction="t1")
    purchases = [
        changed(plain, paid=paid.model_copy(update=update))
        for update in (
            {},
            {"transaction": "t2"},
            {"by": "cash"},
            {"payee": "employee"},
            {"account": LedgerReference(name="Visa")},
        )
    ]
    assert payable_keys(purchases[0]) == payable_keys(changed(owed_expense("b"), paid=paid))
    groups = [payable_keys(each) for each in (plain, *purchases)]
    assert len({keys.group for keys in groups}) == len(groups)
    payers = [keys.engagement for keys in groups[1:]]
    assert payers[0] == payers[1] == payers[3]
    assert len(set(payers)) == 3
    assert bill_period(purchases[0]) is None
    unnamed = changed(plain, paid=paid.model_copy(update={"transaction": ""}))
    assert bill_period(unnamed) == bill_period(plain)


def test_a_bill_is_dated_by_its_last_work() -> None:
    days = [date(2026, 3, 2), date(2026, 3, 19), date(2026, 3, 5)]
    assert bill_date(owed_time(f"p{day.day}", work_date=day) for day in days) == days[1]


@pytest.mark.parametrize(
    "change",
    [
        {"cost": "80.00"},
        {"holdback_percent": "10"},
        {"client": "Birch"},
        {"vendor": "Other"},
        {"due_days": 10},
    ],
)
def test_what_takes_a_charge_off_its_line(change: dict[str, Any]) -> None:
    assert cost_identity(owed_time(**change)) != cost_identity(owed_time())


def test_what_leaves_a_charge_on_its_line() -> None:
    billed, now = owed_time(), owed_time(seconds=7200, cost="75.0", description="more")
    assert cost_identity(billed) == cost_identity(now)
    assert cost_identity(owed_expense()) == cost_identity(owed_expense(amount="50.00"))
    assert cost_identity(owed_expense()) != cost_identity(owed_expense(tax="2.00"))
    assert cost_identity(owed_expense()) != cost_identity(owed_expense(treatment="principal"))


def test_no_charges_cost_nothing() -> None:
    assert cost_price([]).amount == 0
    assert tax_of([], "USD") == 0


def test_charges_that_cannot_be_owed() -> None:
    with pytest.raises(InvariantViolated, match="no payable"):
        payable_of(make_charge())
    unpriced = owed_time().model_copy(update={"cost_rate": None})
    with pytest.raises(InvariantViolated, match="no cost rate"):
        cost_price([unpriced])


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=6), st.integers(0, 100))
def test_a_bill_is_its_work_less_the_holdback(seconds: list[int], percent: int) -> None:
    charges = [
        owed_time(f"p{at}", worked, holdback_percent=str(percent))
        for at, worked in enumerate(seconds)
    ]
    lines = bill_lines(charges)
    work = sum(line.price.amount for line in lines if line.role is COST)
    held = -sum((line.price.amount for line in lines if line.role is HELD), Decimal(0))
    assert held == held_back(Decimal(work), Decimal(percent), "USD")
    for order in itertools.islice(itertools.permutations(charges), 6):
        assert [x.key for x in bill_lines(order)] == [x.key for x in lines]


@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=5),
    st.integers(1, 10_000_000),
)
def test_releases_in_parts_take_all_of_what_was_held(parts: list[int], base: int) -> None:
    cents = [Decimal(part).scaleb(-2) for part in parts]
    held, held_base = sum(cents, Decimal(0)), Decimal(base).scaleb(-2)
    released, taken = Decimal(0), Decimal(0)
    for part in cents:
        taken += released_base(held, held_base, released, part, "USD")
        released += part
    assert taken == held_base
