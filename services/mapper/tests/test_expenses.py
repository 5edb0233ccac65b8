"""From an expense to its charge."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hourbridge.common.messages.events import MappingOutcome
from hourbridge.common.messages.records import Record
from tests.support.mapping import DAY, charge_of, codes, expense, mapped

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


PRINCIPAL: dict[str, Any] = {"expense_policy": {"treatment": "principal"}}


def paid_by_client(given: Record, **options: Any) -> list[str]:
    """Return what the client pays: the cost that is passed on, then the markup."""
    result = mapped(given, **{"expenses": MARKED_UP, **options})
    return [str(c.amount) for c in result.charges if c.payable is None]


def test_markup_of_the_category() -> None:
    assert paid_by_client(expense(amount_in="200.00")) == ["200.00", "30.00"]
    assert paid_by_client(expense(amount_in="200.00"), **PRINCIPAL) == ["230.00"]


def test_markup_of_the_source_wins_over_all_others() -> None:
    given = expense(amount_in="200.00", markup_percent="10")
    policy = {"expense_policy": {"markup_percent": "25"}}
    assert paid_by_client(given, **policy) == ["200.00", "20.00"]
    assert paid_by_client(expense(amount_in="200.00"), **policy) == ["200.00", "50.00"]


def test_the_stated_billable_amount_holds_its_markup() -> None:
    given = expense(amount_in="200.00", amount_billable="250.00")
    assert paid_by_client(given) == ["200.00", "50.00"]
    assert paid_by_client(expense(amount_in="200.00", amount_billable="150.00")) == ["150.00"]


def test_markup_is_a_charge_of_its_own() -> None:
    passed_on, markup = mapped(expense(notes="Two nights"), expenses=MARKED_UP).charges
    assert passed_on.charge_id != markup.charge_id
    assert passed_on.cost is not None
    assert markup.cost is not None
    assert (str(passed_on.cost.amount), str(markup.cost.amount)) == ("123.45", "0")
    assert markup.description == "Markup 15%: Two nights"


def test_what_cost_nothing_is_all_markup() -> None:
    [markup] = mapped(expense(amount_in="0", amount_billable="15.00"), expenses=MARKED_UP).charges
    assert markup.cost is not None
    assert (str(markup.amount), str(markup.cost.amount)) == ("15.00", "0")


def test_recoverable_tax_is_no_cost() -> None:
    given = expense(amount_in="59.50", tax_amount="9.50", tax_included=True)
    charge = charge_of(given, expenses=HOTEL)
    assert str(charge.amount) == "50.00"
    assert charge.cost is not None
    assert str(charge.cost.tax) == "9.50"
    lost = {"expense_policy": {"recoverable_tax": False}}
    assert amount_of(given, **lost) == "59.50"


def test_units_are_billed_at_their_sell_rate() -> None:
    given = expense(
        amount_in="1.455", unit={"quantity": "3", "cost_rate": "0.485", "sell_rate": "0.625"}
    )
    assert paid_by_client(given) == ["1.455", "0.420"]
    assert paid_by_client(given, **PRINCIPAL) == ["1.875"]


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


@pytest.mark.parametrize(
    ("lock", "converted_at"), [("invoice_date", None), ("transaction_date", DAY)]
)
def test_an_expense_in_another_currency_is_converted_when_it_is_billed(
    lock: str, converted_at: date | None
) -> None:
    charge = charge_of(expense(currency="EUR"), expenses=HOTEL, currencies={"lock": lock})
    assert charge.cost is not None
    assert (charge.currency, charge.cost.currency) == ("USD", "EUR")
    assert (str(charge.amount), charge.cost.converted_at) == ("123.45", converted_at)


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


@pytest.mark.parametrize(
    ("policy", "fields", "warnings"),
    [
        ({}, {"notes": None}, None),
        ({"receipt_required_above": "100"}, {}, ("receipt_missing",)),
        ({"receipt_required_above": "123.45"}, {}, None),
        ({"receipt_required_above": "0"}, {"receipts": [{"id": "r1"}]}, None),
        ({"description_characters_min": 8}, {"notes": " Hotel  "}, ("description_thin",)),
        ({"description_characters_min": 5}, {"notes": "Hotel"}, None),
        (
            {"receipt_required_above": "1", "description_characters_min": 1},
            {"notes": None},
            ("receipt_missing", "description_thin"),
        ),
    ],
)
def test_what_is_doubtful_is_pointed_out(
    policy: dict[str, Any], fields: dict[str, Any], warnings: tuple[str, ...] | None
) -> None:
    result = mapped(expense(**fields), expense_policy=policy, expenses=HOTEL)
    assert {charge.warnings for charge in result.charges} == {warnings}
