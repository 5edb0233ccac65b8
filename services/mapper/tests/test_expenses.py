"""From an expense to its charge."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.messages.events import MappingOutcome
from hourbridge.common.messages.records import Record
from tests.support.mapping import charge_of, codes, expense, mapped

HOTEL = [{"category": "Hotel", "account": {"id": "R1"}}]
MARKED_UP = [{"category": "Hotel", "item": {"id": "X"}, "markup_percent": "15"}]


def amount_of(given: Record, **options: Any) -> str:
    return str(charge_of(given, **{"expenses": HOTEL, **options}).amount)


def test_an_expense_is_billed_at_cost() -> None:
    charge = charge_of(expense(), expenses=HOTEL)
    assert (charge.kind, str(charge.amount), charge.currency) == ("expense", "123.45", "USD")
    assert charge.account is not None
    assert charge.item is None
    assert charge.flat_fee is None
    assert (charge.worked_seconds, charge.billable_seconds) == (0, 0)


def test_markup_of_the_category() -> None:
    assert amount_of(expense(amount_in="200.00"), expenses=MARKED_UP) == "230.00"


def test_markup_of_the_source_wins_over_the_categorys() -> None:
    given = expense(amount_in="200.00", markup_percent="10")
    assert amount_of(given, expenses=MARKED_UP) == "220.00"


def test_the_stated_billable_amount_holds_its_markup() -> None:
    given = expense(amount_in="200.00", amount_billable="250.00")
    assert amount_of(given, expenses=MARKED_UP) == "250.00"


def test_units_are_billed_at_their_sell_rate() -> None:
    given = expense(unit={"quantity": "3", "cost_rate": "0.485", "sell_rate": "0.625"})
    assert amount_of(given) == "1.875"


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({"amount_billable": "250.00"}, "200.00"),
        ({"amount_billable": "150.00"}, "150.00"),
        ({"markup_percent": "15"}, "200.00"),
    ],
)
def test_pass_through_pays_the_cost_and_no_more(changes: dict[str, str], amount: str) -> None:
    clients = [{"client": "Acme", "customer": {"id": "1"}, "workflow": "pass_through"}]
    given = expense(amount_in="200.00", **changes)
    assert amount_of(given, expenses=MARKED_UP, clients=clients) == amount


def test_a_refund_keeps_its_sign() -> None:
    assert amount_of(expense(amount_in="-45.00", is_refund=True)) == "-45.00"


def test_expense_gaps_are_all_named() -> None:
    result = mapped(expense(client_name="Nobody", category_name="Taxi"))
    assert result.waits_for == ("client:Nobody", "category:Taxi")


def test_an_expense_in_another_currency_waits_for_a_rate() -> None:
    result = mapped(expense(currency="EUR"), expenses=HOTEL)
    assert result.waits_for == ("rate:EUR->USD",)
    assert codes(result) == ["no_rate"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_in": "0"}, "zero_amount"),
        ({"billable_state": "non_billable"}, "non_billable"),
        ({"approval": {"state": "submitted"}}, "not_approved"),
        ({"deleted": {"how": "diff"}}, "deleted"),
    ],
)
def test_skipped_expenses(changes: dict[str, Any], code: str) -> None:
    result = mapped(expense(**changes), expenses=HOTEL)
    assert result.outcome is MappingOutcome.SKIPPED
    assert codes(result) == [code]


def test_a_category_may_be_never_billable() -> None:
    rules = [{"category": "Hotel", "account": {"id": "R1"}, "billable": False}]
    assert codes(mapped(expense(), expenses=rules)) == ["non_billable"]
