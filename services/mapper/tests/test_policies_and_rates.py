"""Policies, rates and flat fees of a charge."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import Grouping, Workflow
from tests.support.mapping import charge_of, codes, mapped, time_entry


def test_policies_resolve_client_over_project_over_book() -> None:
    book = {"rounding": {"increment_seconds": 60}}
    of_project = {"project": "Website", "rounding": {"increment_seconds": 300}}
    of_client = {
        "client": "Acme",
        "customer": {"id": "1"},
        "rounding": {"increment_seconds": 900},
    }
    assert charge_of(time_entry(), **book).rounding.increment_seconds == 60
    assert charge_of(time_entry(), **book, projects=[of_project]).rounding.increment_seconds == 300
    both = charge_of(time_entry(), **book, projects=[of_project], clients=[of_client])
    assert both.rounding.increment_seconds == 900


def test_a_policy_counts_as_a_whole() -> None:
    charge = charge_of(
        time_entry(),
        invoicing={"grouping": "client_quarter", "due_days": 60},
        projects=[{"project": "Website", "invoicing": {"grouping": "client_month"}}],
    )
    assert charge.invoicing.grouping is Grouping.CLIENT_MONTH
    assert charge.invoicing.due_days == 30


def test_the_charge_carries_what_posting_needs() -> None:
    clients = [
        {
            "client": "Acme",
            "customer": {"id": "17"},
            "tax_code": "TAX",
            "terms": {"id": "3"},
            "email": "ap@acme.example",
            "workflow": "standard",
        }
    ]
    charge = charge_of(time_entry(notes="Wireframes"), clients=clients)
    assert (charge.tax_code, charge.email, charge.description) == (
        "TAX",
        "ap@acme.example",
        "Wireframes",
    )
    assert charge.terms is not None
    assert charge.workflow is Workflow.STANDARD
    assert charge.ledger.connection == "main"
    assert (charge.staff, charge.task, charge.project) == ("Ann", "Design", "Website")


def test_a_client_matched_by_id_keeps_its_label_when_renamed() -> None:
    clients = [{"client": "77", "customer": {"id": "17", "name": "Acme Corp."}}]
    rates = {"rules": [{"client": "77", "amount": "1"}]}
    before = charge_of(time_entry(client_id="77", client_name="Acme"), clients=clients, rates=rates)
    after = charge_of(
        time_entry(client_id="77", client_name="ACME AG"), clients=clients, rates=rates
    )
    assert before.client == after.client == "Acme Corp."


def rate_text(**options: Any) -> tuple[str, str, str]:
    rate = charge_of(options.pop("entry", time_entry()), **options).rate
    assert rate is not None
    return str(rate.amount), rate.currency, rate.origin


def test_the_sources_own_rate_comes_first() -> None:
    entry = time_entry(bill_rate={"amount": "175.50", "currency": "USD", "origin": "project rate"})
    assert rate_text(entry=entry) == ("175.50", "USD", "source: project rate")
    rules = {"use_source_rate": False, "rules": [{"client": "Acme", "amount": "150.00"}]}
    assert rate_text(entry=entry, rates=rules)[0] == "150.00"


def test_a_source_rate_without_currency_is_in_the_clients() -> None:
    entry = time_entry(bill_rate={"amount": "175"})
    assert rate_text(entry=entry) == ("175", "USD", "source: bill_rate, in the client's currency")


@pytest.mark.parametrize(
    "stated",
    [
        {"amount": "0.00", "currency": "USD"},
        {"amount": "175", "currency": "EUR"},
        {"amount": "500", "currency": "USD", "unit": "fixed"},
    ],
)
def test_source_rates_that_cannot_be_billed_fall_to_the_rules(stated: dict[str, str]) -> None:
    assert rate_text(entry=time_entry(bill_rate=stated))[0] == "150.00"
    result = mapped(time_entry(bill_rate=stated), rates={"rules": []})
    assert codes(result) == ["no_rate"]
    assert f"the source states {stated['amount']}" in result.reasons[0].detail


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ((), "1"),
        (("staff",), "2"),
        (("staff", "task"), "3"),
        (("staff", "task", "client"), "4"),
        (("staff", "task", "client", "task+client"), "5"),
        (("staff", "client", "staff+client"), "6"),
        (("staff+client", "project"), "7"),
        (("project", "task+project"), "8"),
        (("task+project", "staff+project"), "9"),
        (("staff+project", "staff+task+project"), "10"),
    ],
)
def test_rates_follow_the_scope_order(scopes: tuple[str, ...], expected: str) -> None:
    names = {"client": "Acme", "project": "Website", "task": "Design", "staff": "Ann"}
    amounts = {
        "staff": "2",
        "task": "3",
        "client": "4",
        "task+client": "5",
        "staff+client": "6",
        "project": "7",
        "task+project": "8",
        "staff+project": "9",
        "staff+task+project": "10",
    }
    rules: list[dict[str, str]] = [{"amount": "1"}]
    for scope in scopes:
        parts = {part: names[part] for part in scope.split("+")}
        rules.append({**parts, "amount": amounts[scope]})
    assert rate_text(rates={"rules": rules})[0] == expected


def test_a_rate_has_its_dates_and_its_origin() -> None:
    rules = [
        {"client": "Acme", "amount": "150"},
        {"client": "Acme", "amount": "160", "effective_from": "2026-03-01"},
    ]
    assert rate_text(rates={"rules": rules}) == (
        "160",
        "USD",
        "rule client=Acme, from 2026-03-01",
    )
    old = time_entry(work_date=date(2026, 2, 28))
    assert rate_text(entry=old, rates={"rules": rules})[0] == "150"


def test_rates_apply_in_the_clients_currency_only() -> None:
    clients = [{"client": "Acme", "customer": {"id": "17"}, "currency": "EUR"}]
    rules = [
        {"task": "Design", "amount": "150"},
        {"task": "Design", "amount": "140", "currency": "EUR"},
    ]
    assert rate_text(clients=clients, rates={"rules": rules})[:2] == ("140", "EUR")
    result = mapped(time_entry(), clients=clients, rates={"rules": rules[:1]})
    assert codes(result) == ["no_rate"]
    assert "is in USD" in result.reasons[0].detail


def test_a_rule_may_say_zero() -> None:
    assert rate_text(rates={"rules": [{"amount": "0"}]})[0] == "0"


def test_a_flat_fee_needs_no_rate() -> None:
    fee = {"amount": "420.00", "term": "month"}
    clients = [{"client": "Acme", "customer": {"id": "17"}, "flat_fee": fee}]
    charge = charge_of(time_entry(), clients=clients, rates={"rules": []})
    assert charge.rate is None
    assert charge.flat_fee is not None
    assert charge.flat_fee.amount == Decimal("420.00")
    assert charge.flat_fee_scope == "client"


def test_a_fee_of_the_project_says_so() -> None:
    fee = {"amount": "420.00", "term": "month"}
    charge = charge_of(time_entry(), projects=[{"project": "Website", "flat_fee": fee}])
    assert charge.flat_fee_scope == "project"


def test_a_fees_own_item_serves_tasks_without_one() -> None:
    fee = {"amount": "420.00", "term": "month", "item": {"id": "F"}}
    clients = [{"client": "Acme", "customer": {"id": "17"}, "flat_fee": fee}]
    item = charge_of(time_entry(task_name="Audit"), clients=clients).item
    assert item is not None
    assert item.id == "F"
