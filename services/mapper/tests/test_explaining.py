"""Which rules decided, by name: in pure form, and as the route tells it of stored records."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.messages.records import Expense, TimeEntry
from hourbridge.common.runtime.admin import NotFound
from hourbridge.mapper.explaining import Explainer
from hourbridge.mapper.rules.decided import decided
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.record import map_record
from hourbridge.mapper.rules.subject import NO_FACTS
from tests.support.mapping import BOOK, SOURCE, MapperBench, configuration, expense, time_entry


def rules_of(record: TimeEntry | Expense, **changes: Any) -> dict[str, tuple[str, str]]:
    book = CompiledBook(configuration(**changes), 3)
    mapped = map_record(book, book_name=BOOK, source=SOURCE, record_id="r", record=record)
    found = decided(book, SOURCE, record, mapped.charges, NO_FACTS)
    return {each.what: (each.rule, each.gives) for each in found}


def test_every_decision_names_its_rule() -> None:
    rules = rules_of(time_entry(), projects=[{"project": "Website", "job": {"id": "31"}}])
    assert rules["client"] == ("clients[0] 'Acme'", "customer Acme Corp.")
    assert rules["project"] == ("projects[0] 'Website'", "job 31")
    assert rules["task"] == ("tasks[0] 'Design'", "item 5")
    assert rules["rate"] == ("rule client=Acme", "150.00 USD/h")
    assert rules["approval"][1] == "approved"
    assert rules["rounding"] == (
        "the default",
        "per entry; 6 min half_up; exact hours; money half_up",
    )


def test_a_rule_matched_by_id_or_holding_for_a_time_says_so() -> None:
    clients = [
        {"client": "c-9", "customer": {"name": "Old"}, "effective_to": "2026-02-28"},
        {"client": "c-9", "customer": {"name": "New"}, "effective_from": "2026-03-01"},
    ]
    rules = rules_of(
        time_entry(client_id="c-9", client_name="Acme"),
        clients=clients,
        rates={"rules": [{"amount": "99.00"}]},
    )
    assert rules["client"] == ("clients[1] 'c-9', by id, from 2026-03-01", "customer New")
    assert rules["rate"] == ("rule for everything", "99.00 USD/h")


@pytest.mark.parametrize(
    ("changes", "scope"),
    [
        ({"rounding": {"increment_seconds": 900}}, "the book"),
        (
            {
                "clients": [
                    {
                        "client": "Acme",
                        "customer": {"id": "17"},
                        "rounding": {"increment_seconds": 900},
                    }
                ]
            },
            "client 'Acme'",
        ),
        (
            {
                "projects": [
                    {"project": "Website", "rounding": {"increment_seconds": 900}},
                ]
            },
            "project 'Website'",
        ),
        (
            {
                "policies": [
                    {"effective_from": "2026-03-01", "rounding": {"increment_seconds": 900}}
                ]
            },
            "policies[0] from 2026-03-01",
        ),
    ],
)
def test_policies_name_the_scope_that_set_them(changes: dict[str, Any], scope: str) -> None:
    assert rules_of(time_entry(), **changes)["rounding"][0] == scope


def test_the_words_of_a_rounding_policy_follow_its_order() -> None:
    policy = {
        "increment_seconds": 900,
        "mode": "up",
        "scope": "day",
        "minimum_seconds": 1800,
        "minimum_exempt_from_increment": False,
        "quantity_decimals": 2,
    }
    assert rules_of(time_entry(), rounding=policy)["rounding"][1] == (
        "per day; at least 30 min, then to the increment; 15 min up; hours at 2 decimals; "
        "money half_up"
    )


def test_an_expense_names_its_category_and_amount() -> None:
    rules = rules_of(
        expense(), expenses=[{"category": "Hotel", "account": {"name": "Travel costs"}}]
    )
    assert rules["category"] == ("expenses[0] 'Hotel'", "account Travel costs")
    assert rules["amount"] == ("expense", "123.45 USD")


def test_the_work_day_and_the_subcontractor_are_named() -> None:
    entry = time_entry(
        start_at="2026-03-03T06:30:00Z",
        end_at="2026-03-03T07:30:00Z",
        zone={"iana": "America/Los_Angeles", "source": "entry"},
    )
    terms = {"staff": "Ann", "vendor": {"name": "Bravo"}, "cost_rate": "70.00", "rebill": False}
    rules = rules_of(
        entry,
        time={"work_day": "worker"},
        subcontractors=[{**terms, "holdback_percent": "5"}],
    )
    assert rules["owed (subcontractor)"] == (
        "gathered by month",
        "vendor Bravo, due in 30 days, 5 % held back",
    )
    assert rules["cost rate"] == ("subcontractor:Ann", "70.00 USD/h")


def test_what_is_not_mapped_names_what_was_found() -> None:
    rules = rules_of(time_entry(task_name="Unheard of"))
    assert "client" in rules
    assert "task" not in rules
    assert "rate" not in rules


@pytest.mark.database
def test_a_record_is_explained_under_the_version_that_mapped_it(bench: MapperBench) -> None:
    bench.apply()
    (change,) = bench.feed(bench.accept(time_entry()))
    told = Explainer(bench.store, bench.configurations).explain(BOOK, change.record_id)
    assert (told["mapping_version"], told["outcome"]) == (1, "charged")
    assert told["is_reproduced"]
    assert told["configuration"]["applied_by"]
    assert {rule["what"] for rule in told["rules"]} >= {"client", "task", "rate", "rounding"}
    assert told["charges"][0]["rate"]["amount"] == "150.00"


@pytest.mark.database
def test_a_record_without_a_configuration_has_no_rules(bench: MapperBench) -> None:
    (change,) = bench.feed(bench.accept(time_entry()))
    told = Explainer(bench.store, bench.configurations).explain(BOOK, change.record_id)
    assert (told["mapping_version"], told["outcome"], told["rules"]) == (0, "parked", [])


@pytest.mark.database
def test_an_unknown_record_is_refused(bench: MapperBench) -> None:
    with pytest.raises(NotFound):
        Explainer(bench.store, bench.configurations).explain(BOOK, "nothing")
