"""Every rule of mapping, one record at a time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import Grouping, Workflow
from hourbridge.common.messages.events import Charge, MappingOutcome
from hourbridge.common.messages.records import Record
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.outcome import Mapped
from hourbridge.mapper.rules.record import map_record
from hourbridge.mapper.rules.subject import Fact, FactKey, Facts
from tests.support.mapping import BOOK, SOURCE, client, configuration, expense, time_entry


def mapped(
    record: Record,
    *,
    source: str = SOURCE,
    facts: Facts | None = None,
    configured: bool = True,
    **changes: Any,
) -> Mapped:
    book = CompiledBook(configuration(**changes), 7) if configured else None
    return map_record(
        book, book_name=BOOK, source=source, record_id="r1", record=record, facts=facts or {}
    )


def charge_of(record: Record, **options: Any) -> Charge:
    result = mapped(record, **options)
    assert result.outcome is MappingOutcome.CHARGED, result.reasons
    [charge] = result.charges
    return Charge.model_validate(charge.model_dump())


def codes(result: Mapped) -> list[str]:
    return [reason.code for reason in result.reasons]


# --- outcomes that need no mapping ------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"deleted": {"how": "feed"}}, "deleted"),
        ({"running": True}, "running"),
        ({"entry_type": "break"}, "not_work"),
        ({"entry_type": "holiday"}, "not_work"),
        ({"entry_type": "time_off"}, "not_work"),
        ({"input": {"seconds": 0}}, "zero_time"),
        ({"billable": {"seconds": 0}}, "zero_time"),
        ({"billable_state": "non_billable"}, "non_billable"),
        ({"billable_state": "no_charge"}, "non_billable"),
        ({"approval": {"state": "submitted"}}, "not_approved"),
        ({"approval": {"state": "rejected"}}, "not_approved"),
        ({"approval": {"state": "unknown"}}, "not_approved"),
    ],
)
def test_skipped(changes: dict[str, Any], code: str) -> None:
    result = mapped(time_entry(**changes))
    assert result.outcome is MappingOutcome.SKIPPED
    assert codes(result) == [code]
    assert result.charges == ()
    assert result.billable_seconds == 0


@pytest.mark.parametrize("entry_type", ["work", "travel", "other"])
def test_work_is_charged(entry_type: str) -> None:
    assert charge_of(time_entry(entry_type=entry_type)).billable_seconds == 3600


@pytest.mark.parametrize("state", ["approved", "not_required"])
def test_approved_states(state: str) -> None:
    assert charge_of(time_entry(approval={"state": state}))


def test_a_book_may_do_without_approvals() -> None:
    entry = time_entry(approval={"state": "draft"})
    assert charge_of(entry, billable={"approved_only": False})


def test_unconfigured_book() -> None:
    result = mapped(time_entry(), configured=False)
    assert result.outcome is MappingOutcome.PARKED
    assert result.waits_for == ("configuration:acme-books",)
    assert result.billable_seconds == 3600


def test_what_is_never_charged_does_not_wait_for_a_configuration() -> None:
    result = mapped(time_entry(billable_state="non_billable"), configured=False)
    assert result.outcome is MappingOutcome.SKIPPED
    assert result.worked_seconds == 3600


def test_unknown_source() -> None:
    result = mapped(time_entry(), source="stranger")
    assert result.waits_for == ("source:stranger",)
    assert codes(result) == ["unknown_source"]


def test_master_data_is_noted() -> None:
    assert mapped(client("1", "Acme")).outcome is MappingOutcome.NOTED


# --- finding rules ----------------------------------------------------------------------------


def test_all_missing_mappings_are_named_at_once() -> None:
    result = mapped(time_entry(client_name="Nobody", task_name="Audit"))
    assert result.outcome is MappingOutcome.PARKED
    assert result.waits_for == ("client:Nobody", "task:Audit")
    assert codes(result) == ["no_mapping", "no_mapping"]


def test_missing_task_and_missing_rate_are_named_together() -> None:
    result = mapped(time_entry(task_name="Audit"), rates={"rules": []})
    assert result.waits_for == ("task:Audit", "rate:Acme/Website/Audit/Ann")
    assert codes(result) == ["no_mapping", "no_rate"]


def test_names_match_after_strip_and_unicode_normalisation() -> None:
    clients = [{"client": "Caf\u00e9", "customer": {"id": "1"}}]
    rates = {"rules": [{"amount": "10"}]}
    entry = time_entry(client_name="  Cafe\u0301 ")
    assert charge_of(entry, clients=clients, rates=rates).customer.id == "1"


def test_names_match_case_sensitively() -> None:
    assert mapped(time_entry(client_name="ACME")).waits_for == ("client:ACME",)


def test_the_id_wins_over_the_name() -> None:
    clients = [
        {"client": "Acme", "customer": {"id": "by-name"}},
        {"client": "77", "customer": {"id": "by-id"}},
    ]
    entry = time_entry(client_id="77")
    assert charge_of(entry, clients=clients, rates={"rules": [{"amount": "1"}]}).customer.id == (
        "by-id"
    )


def test_the_sources_own_rule_wins_over_the_general_one() -> None:
    clients = [
        {"client": "Acme", "customer": {"id": "general"}},
        {"client": "Acme", "source": SOURCE, "customer": {"id": "own"}},
    ]
    assert charge_of(time_entry(), clients=clients).customer.id == "own"
    assert charge_of(time_entry(), source="harvest", clients=clients).customer.id == "general"


@pytest.mark.parametrize(
    ("day", "customer"),
    [("2025-12-31", "old"), ("2026-01-01", "new"), ("2026-06-30", "new"), ("2026-07-01", "old")],
)
def test_effective_dates_count_by_work_date(day: str, customer: str) -> None:
    clients = [
        {"client": "Acme", "customer": {"id": "old"}},
        {
            "client": "Acme",
            "customer": {"id": "new"},
            "effective_from": "2026-01-01",
            "effective_to": "2026-06-30",
        },
    ]
    assert charge_of(time_entry(work_date=day), clients=clients).customer.id == customer


def test_a_rule_that_does_not_hold_yet_is_missing() -> None:
    clients = [{"client": "Acme", "customer": {"id": "1"}, "effective_from": "2026-03-03"}]
    result = mapped(time_entry(), clients=clients)
    assert result.waits_for == ("client:Acme",)
    assert "2026-03-02" in result.reasons[0].detail


def test_a_project_without_a_rule_bills_to_the_customer() -> None:
    assert charge_of(time_entry()).job is None


def test_a_project_with_a_rule_bills_to_its_job() -> None:
    projects = [{"project": "Website", "job": {"id": "J1"}, "class_ref": {"id": "C1"}}]
    charge = charge_of(time_entry(), projects=projects)
    assert charge.job is not None
    assert charge.job.id == "J1"
    assert charge.class_ref is not None


def test_a_project_rule_names_the_client_that_the_source_does_not() -> None:
    projects = [{"project": "Website", "client": "Acme", "job": {"id": "J1"}}]
    charge = charge_of(time_entry(client_name=None), projects=projects)
    assert (charge.client, charge.customer.id) == ("Acme", "17")
    assert str(charge.rate and charge.rate.origin) == "rule client=Acme"


def test_projects_of_the_same_name_belong_to_their_clients() -> None:
    options: dict[str, Any] = {
        "clients": [
            {"client": "Acme", "customer": {"id": "1"}},
            {"client": "Beta", "customer": {"id": "2"}},
        ],
        "projects": [
            {"project": "Website", "client": "Acme", "job": {"id": "JA"}},
            {"project": "Website", "client": "Beta", "job": {"id": "JB"}},
        ],
        "rates": {"rules": [{"amount": "1"}]},
    }
    beta = charge_of(time_entry(client_name="Beta"), **options)
    assert beta.job is not None
    assert beta.job.id == "JB"
    unclear = mapped(time_entry(client_name=None), **options)
    assert codes(unclear) == ["ambiguous_mapping"]
    assert unclear.waits_for == ("project:Website",)


def test_work_that_is_nobodys() -> None:
    result = mapped(time_entry(client_name=None, project_name=None))
    assert result.waits_for == ("client:(none)",)
    result = mapped(time_entry(client_name=None))
    assert result.waits_for == ("project:Website",)


def test_the_default_item_serves_work_without_a_task_only() -> None:
    default: dict[str, Any] = {"default_item": {"id": "99"}}
    charge = charge_of(time_entry(task_name=None), **default)
    assert charge.item is not None
    assert charge.item.id == "99"
    assert mapped(time_entry(task_name="Audit"), **default).waits_for == ("task:Audit",)
    assert mapped(time_entry(task_name=None)).waits_for == ("task:(none)",)


def test_a_task_rule_of_the_project_wins() -> None:
    tasks = [
        {"task": "Design", "item": {"id": "5"}},
        {"task": "Design", "project": "Website", "item": {"id": "55"}},
    ]
    item = charge_of(time_entry(), tasks=tasks).item
    assert item is not None
    assert item.id == "55"
    item = charge_of(time_entry(project_name="Other"), tasks=tasks).item
    assert item is not None
    assert item.id == "5"


def test_a_labor_code_stands_in_for_the_task() -> None:
    tasks = [{"task": "L7", "item": {"id": "7"}}]
    item = charge_of(time_entry(task_name=None, labor_code_id="L7"), tasks=tasks).item
    assert item is not None
    assert item.id == "7"


# --- facts of the source ----------------------------------------------------------------------


def test_the_client_of_a_project_comes_from_master_data() -> None:
    entry = time_entry(client_name=None, project_id="p1", project_name=None)
    facts = {
        FactKey("project", "p1"): Fact("Website", client_id="c1"),
        FactKey("client", "c1"): Fact("Acme"),
    }
    result = mapped(entry, facts=facts)
    assert result.outcome is MappingOutcome.CHARGED
    assert result.client == "Acme"
    assert result.project == "Website"
    assert set(result.consulted) == set(facts)


def test_a_record_waits_for_master_data_that_has_not_arrived() -> None:
    entry = time_entry(client_name=None, project_id="p1", project_name=None)
    result = mapped(entry)
    assert result.waits_for == ("project:p1",)
    assert FactKey("project", "p1") in result.consulted


def test_complete_records_depend_on_no_master_data() -> None:
    assert mapped(time_entry(client_id="c1", project_id="p1")).consulted == ()


# --- billable ---------------------------------------------------------------------------------


def test_billable_hours_may_be_fewer_or_more_than_worked() -> None:
    part = time_entry(
        input={"seconds": 14400}, billable={"seconds": 10800}, billable_state="partially_billable"
    )
    charge = charge_of(part)
    assert (charge.worked_seconds, charge.billable_seconds) == (14400, 10800)
    more = charge_of(time_entry(billable={"seconds": 5400}, write_up=True))
    assert (more.worked_seconds, more.billable_seconds) == (3600, 5400)


def test_a_book_may_bill_what_was_worked() -> None:
    part = time_entry(billable={"seconds": 1800}, billable_state="partially_billable")
    assert charge_of(part, billable={"hours": "input"}).billable_seconds == 3600


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [
        ("billable", MappingOutcome.CHARGED),
        ("non_billable", MappingOutcome.SKIPPED),
        ("park", MappingOutcome.PARKED),
    ],
)
def test_unknown_billable_state_is_policy(policy: str, outcome: MappingOutcome) -> None:
    entry = time_entry(billable_state="unknown")
    assert mapped(entry, billable={"unknown_state": policy}).outcome is outcome


def test_a_rule_answers_an_unknown_billable_state() -> None:
    entry = time_entry(billable_state="unknown")
    tasks = [{"task": "Design", "item": {"id": "5"}, "billable": True}]
    assert charge_of(entry, tasks=tasks, billable={"unknown_state": "park"})


@pytest.mark.parametrize(
    "changes",
    [
        {"tasks": [{"task": "Design", "item": {"id": "5"}, "billable": False}]},
        {"projects": [{"project": "Website", "billable": False}]},
        {"clients": [{"client": "Acme", "customer": {"id": "1"}, "workflow": "non_billable"}]},
        {"projects": [{"project": "Website", "workflow": "non_billable"}]},
    ],
)
def test_any_no_suffices(changes: dict[str, Any]) -> None:
    result = mapped(time_entry(), **changes)
    assert result.outcome is MappingOutcome.SKIPPED
    assert codes(result) == ["non_billable"]


def test_an_internal_project_needs_no_customer() -> None:
    projects = [{"project": "Website", "billable": False}]
    result = mapped(time_entry(client_name="Nobody", task_name="Nothing"), projects=projects)
    assert codes(result) == ["non_billable"]


def test_a_rule_cannot_overrule_the_sources_no() -> None:
    tasks = [{"task": "Design", "item": {"id": "5"}, "billable": True}]
    assert codes(mapped(time_entry(billable_state="no_charge"), tasks=tasks)) == ["non_billable"]


# --- policies ---------------------------------------------------------------------------------


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


# --- rates ------------------------------------------------------------------------------------


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


# --- flat fees --------------------------------------------------------------------------------


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


# --- expenses ---------------------------------------------------------------------------------

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
