"""What we owe for expenses, and expenses that several clients share."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.messages.events import Charge, MappingOutcome
from hourbridge.common.messages.records import Expense
from tests.support.mapping import codes, expense, mapped

BILLED: dict[str, Any] = {
    "expenses": [
        {"category": "Hotel", "item": {"id": "X"}, "vendor": {"name": "Agency"}},
        {"category": "Flight", "item": {"id": "Y"}, "markup_percent": "15"},
    ],
    "staff": [{"staff": "Ann", "vendor": {"name": "Ann (employee)"}}],
    "expense_policy": {"bill_costs": True},
    "accounts": [{"role": "reimbursable", "ledger": {"id": "R"}}],
}


def owed(given: Expense, **options: Any) -> list[Charge]:
    result = mapped(given, **{**BILLED, **options})
    assert result.outcome is MappingOutcome.CHARGED, result.reasons
    return [charge for charge in result.charges if charge.payable is not None]


def payees(given: Expense, **options: Any) -> list[str | None]:
    return [c.payable.vendor.name for c in owed(given, **options) if c.payable]


def sums(charges: list[Charge]) -> list[tuple[str, str]]:
    return [(str(c.amount), c.cost.treatment) for c in charges if c.cost is not None]


def test_costs_are_not_billed_unless_the_book_says_so() -> None:
    assert owed(expense(), expense_policy={}) == []


def test_what_the_client_pays_is_owed_to_whoever_paid() -> None:
    [cost] = owed(expense(payment_source="employee", bill_number="R-9", due_date="2026-03-12"))
    assert sums([cost]) == [("123.45", "agent")]
    assert cost.account is not None
    assert (cost.account.id, cost.item, cost.tax_code) == ("R", None, None)
    assert cost.payable is not None
    assert cost.payable.vendor.name == "Ann (employee)"
    assert (cost.payable.bill_number, cost.payable.due_days) == ("R-9", 10)


@pytest.mark.parametrize(
    ("changes", "payee"),
    [
        ({"payment_source": "employee"}, "Ann (employee)"),
        ({"reimbursable": True, "vendor_name": "Inn"}, "Ann (employee)"),
        ({"vendor_name": "Inn"}, "Inn"),
        ({"vendor_name": "Inn", "payment_source": "vendor_bill"}, "Inn"),
        ({"payment_source": "vendor_bill"}, "Agency"),
        ({"category_name": "Flight"}, "Ann (employee)"),
    ],
)
def test_who_is_paid(changes: dict[str, Any], payee: str) -> None:
    assert payees(expense(**changes)) == [payee]


@pytest.mark.parametrize(
    "changes",
    [
        {"payment_source": "company_card"},
        {"payment_source": "company_cash"},
        {"posting_intent": "none"},
        {"posting_intent": "credit_card_charge"},
    ],
)
def test_what_the_company_paid_at_once_is_owed_to_nobody(changes: dict[str, Any]) -> None:
    assert owed(expense(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "waits_for"),
    [
        ({"payment_source": "employee", "staff_id": "Bob", "staff_name": "Bob"}, "staff:Bob"),
        ({"vendor_id": "v7"}, "vendor:v7"),
        ({"category_name": "Flight", "staff_id": None, "staff_name": None}, "vendor:(none)"),
    ],
)
def test_nobody_is_paid_by_guessing(changes: dict[str, Any], waits_for: str) -> None:
    result = mapped(expense(**changes), **BILLED)
    assert result.waits_for == (waits_for,)
    assert result.charges == ()


def test_only_the_cost_is_cleared_not_the_markup() -> None:
    given = expense(category_name="Flight", amount_in="80.00")
    assert sums(owed(given)) == [("80.00", "agent")]


def test_what_the_client_does_not_pay_is_our_own_cost() -> None:
    less = expense(amount_in="80.00", amount_billable="55.00")
    assert sums(owed(less)) == [("55.00", "agent"), ("25.00", "principal")]
    free = expense(amount_in="80.00", billable_state="non_billable")
    assert sums(owed(free)) == [("80.00", "principal")]
    ruled_out = [{**BILLED["expenses"][0], "billable": False}]
    assert sums(owed(expense(), expenses=ruled_out)) == [("123.45", "principal")]


def test_a_principals_cost_is_all_expense() -> None:
    policy = {"treatment": "principal", "bill_costs": True}
    [cost] = owed(expense(), expense_policy=policy)
    assert sums([cost]) == [("123.45", "principal")]
    assert (cost.account, cost.item and cost.item.id) == (None, "X")


def test_recoverable_tax_is_owed_too() -> None:
    given = expense(amount_in="59.50", tax_amount="9.50", tax_included=True)
    [cost] = owed(given)
    assert cost.cost is not None
    assert (str(cost.amount), str(cost.cost.tax)) == ("50.00", "9.50")


def test_less_is_owed_where_the_source_says_so() -> None:
    given = expense(amount_in="80.00", amount_payable="30.00", payment_source="employee")
    assert sums(owed(given)) == [("30.00", "agent")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"approval": {"state": "submitted"}}, "not_approved"),
        ({"deleted": {"how": "feed"}}, "deleted"),
        ({"billable_state": "non_billable", "client_name": None}, "non_billable"),
        ({"amount_in": "0"}, "zero_amount"),
    ],
)
def test_nothing_is_owed(changes: dict[str, Any], code: str) -> None:
    assert codes(mapped(expense(**changes), **BILLED)) == [code]


SHARED: dict[str, Any] = {
    "clients": [{"client": name, "customer": {"id": name}} for name in ("Acme", "Birch", "Cedar")],
    "projects": [
        {
            "project": "Fair",
            "shared_over": [
                {"client": "Cedar", "weight": "2"},
                {"client": "Acme"},
                {"client": "Birch"},
            ],
        }
    ],
}
FAIR: dict[str, Any] = {"client_name": None, "project_name": "Fair"}


def shares_of(given: Expense, **options: Any) -> dict[str, str]:
    result = mapped(given, **{**BILLED, "expense_policy": {}, **SHARED, **options})
    assert result.outcome is MappingOutcome.CHARGED, result.reasons
    return {charge.client: str(charge.amount) for charge in result.charges}


def test_shares_sum_to_the_expense() -> None:
    assert shares_of(expense(amount_in="70.01", **FAIR)) == {
        "Acme": "17.50",
        "Birch": "17.50",
        "Cedar": "35.01",
    }
    assert shares_of(expense(amount_in="70.02", **FAIR)) == {
        "Acme": "17.51",
        "Birch": "17.50",
        "Cedar": "35.01",
    }


def test_each_share_is_a_charge_of_its_own_that_names_its_part() -> None:
    result = mapped(expense(**FAIR), **{**BILLED, **SHARED})
    billed = [c for c in result.charges if c.payable is None]
    owed_for = [c for c in result.charges if c.payable is not None]
    assert len({charge.charge_id for charge in result.charges}) == 6
    assert [c.cost.share for c in billed if c.cost] == ["2/4", "1/4", "1/4"]
    assert sum(c.amount or 0 for c in owed_for) == sum(c.amount or 0 for c in billed)


def test_each_client_has_its_own_terms() -> None:
    clients = [
        {"client": "Acme", "customer": {"id": "1"}, "expense_policy": {"markup_percent": "50"}},
        {"client": "Birch", "customer": {"id": "2"}, "workflow": "non_billable"},
        {"client": "Cedar", "customer": {"id": "3"}, "expense_policy": {"treatment": "principal"}},
    ]
    result = mapped(expense(amount_in="80.00", **FAIR), **{**BILLED, **SHARED, "clients": clients})
    found = [(c.client, str(c.amount)) for c in result.charges if c.payable is None]
    assert found == [("Cedar", "40.00"), ("Acme", "20.00"), ("Acme", "10.00")]


def test_a_shared_expense_waits_as_a_whole() -> None:
    options = {**BILLED, **SHARED, "clients": SHARED["clients"][:2]}
    result = mapped(expense(**FAIR), **options)
    assert result.outcome is MappingOutcome.PARKED
    assert result.waits_for == ("client:Cedar",)
    assert result.charges == ()


def test_a_shared_expense_that_nobody_pays_is_skipped() -> None:
    given = expense(billable_state="no_charge", **FAIR)
    result = mapped(given, **{**BILLED, **SHARED, "expense_policy": {}})
    assert codes(result) == ["non_billable"]
    assert result.outcome is MappingOutcome.SKIPPED
