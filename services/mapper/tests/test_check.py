"""Semantic checks: rules that contradict each other, and promises that can't be kept."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.mapper.rules.check import check
from tests.support.mapping import configuration


def problems(**changes: Any) -> list[tuple[str, str]]:
    return [
        (finding.code, finding.where)
        for finding in check(configuration(**changes))
        if finding.severity == "problem"
    ]


def warnings(**changes: Any) -> list[tuple[str, str]]:
    return [
        (finding.code, finding.where)
        for finding in check(configuration(**changes))
        if finding.severity == "warning"
    ]


def acme(**changes: Any) -> dict[str, Any]:
    return {"client": "Acme", "customer": {"id": "17"}, **changes}


def test_a_sound_configuration_has_no_findings() -> None:
    assert check(configuration()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"clients": [acme(), acme()]},
        {"clients": [acme(), {**acme(), "client": " Acme "}]},
        {"projects": [{"project": "P"}, {"project": "P"}]},
        {"tasks": [{"task": "T", "item": {"id": "1"}}] * 2},
        {"expenses": [{"category": "C", "item": {"id": "1"}}] * 2},
        {"rates": {"rules": [{"amount": "1"}, {"amount": "2"}]}},
        {"rates": {"rules": [{"amount": "1"}, {"amount": "2", "currency": "USD"}]}},
    ],
)
def test_duplicates_are_refused(changes: dict[str, Any]) -> None:
    found = problems(**changes)
    group = next(iter(changes))
    where = "rates.rules[1]" if group == "rates" else f"{group}[1]"
    assert found == [("duplicate_rule", where)]


@pytest.mark.parametrize(
    "changes",
    [
        {"clients": [acme(), acme(source="toggl")]},
        {"projects": [{"project": "P", "client": "Acme"}, {"project": "P"}]},
        {"tasks": [{"task": "T", "item": {"id": "1"}, "project": p} for p in ("A", "B")]},
        {"rates": {"rules": [{"amount": "1"}, {"amount": "2", "currency": "EUR"}]}},
    ],
)
def test_rules_of_different_scope_are_no_duplicates(changes: dict[str, Any]) -> None:
    assert problems(**changes) == []


def test_a_successor_ends_an_open_rule() -> None:
    assert problems(clients=[acme(), acme(effective_from="2026-04-01")]) == []
    assert (
        problems(
            clients=[acme(effective_to="2026-03-31"), acme(effective_from="2026-04-01")],
        )
        == []
    )


def test_a_stated_end_must_not_reach_into_the_successor() -> None:
    rules = [acme(effective_from="2026-04-01"), acme(effective_to="2026-04-30")]
    assert problems(clients=rules) == [("overlapping_dates", "clients[0]")]


def test_a_project_must_not_name_an_unmapped_client() -> None:
    projects = [{"project": "P", "client": "Nobody"}]
    assert problems(projects=projects) == [("unknown_client", "projects[0].client")]


def test_rates_for_strangers_are_doubtful() -> None:
    rules = [{"client": "Nobody", "amount": "1"}, {"task": "Nothing", "amount": "1"}]
    assert warnings(rates={"rules": rules}) == [
        ("unknown_client", "rates.rules[0]"),
        ("unknown_task", "rates.rules[1]"),
    ]


@pytest.mark.parametrize(
    ("rule", "project"),
    [
        ({"client": "Acme", "amount": "1"}, None),
        ({"project": "P", "amount": "1"}, {"project": "P", "client": "Acme"}),
    ],
)
def test_a_rate_must_be_in_its_clients_currency(
    rule: dict[str, str], project: dict[str, str] | None
) -> None:
    options: dict[str, Any] = {
        "clients": [acme(currency="EUR")],
        "projects": [project] if project else [],
    }
    assert problems(**options, rates={"rules": [rule]}) == [("rate_currency", "rates.rules[0]")]
    assert problems(**options, rates={"rules": [{**rule, "currency": "EUR"}]}) == []


def test_a_rate_whose_scope_is_not_in_the_order_is_refused() -> None:
    rule = {"client": "Acme", "project": "P", "amount": "1"}
    assert problems(rates={"rules": [rule]}) == [("rate_unreachable", "rates.rules[0]")]
    order = [["client", "project"]]
    assert problems(rates={"rules": [rule], "order": order}) == []


@pytest.mark.parametrize("workflow", ["retainer", "subcontractor"])
def test_workflows_without_a_template_are_refused(workflow: str) -> None:
    assert problems(clients=[acme(workflow=workflow)]) == [
        ("workflow_not_available", "clients[0].workflow")
    ]
    assert problems(projects=[{"project": "P", "workflow": workflow}]) == [
        ("workflow_not_available", "projects[0].workflow")
    ]


@pytest.mark.parametrize("workflow", ["standard", "non_billable", "pass_through"])
def test_workflows_with_a_template(workflow: str) -> None:
    assert problems(clients=[acme(workflow=workflow)]) == []


@pytest.mark.parametrize(
    ("term", "grouping", "fits"),
    [
        ("month", "client_month", True),
        ("month", "client_quarter", True),
        ("quarter", "client_quarter", True),
        ("quarter", "client_month", False),
        ("year", "client_quarter", False),
        ("year", "client_on_demand", True),
        ("day", "client_month", True),
        ("week", "client_month", False),
        ("week", "client_on_demand", True),
        ("month", "project_month", True),
        ("month", "entry", False),
    ],
)
def test_a_fees_term_fits_into_its_documents_period(term: str, grouping: str, fits: bool) -> None:
    fee = {"amount": "420", "term": term}
    policy = {"grouping": grouping}
    of_client = problems(clients=[acme(flat_fee=fee, invoicing=policy)])
    by_book = problems(clients=[acme(flat_fee=fee)], invoicing=policy)
    of_project = problems(projects=[{"project": "P", "flat_fee": fee, "invoicing": policy}])
    assert of_client == by_book == ([] if fits else [("flat_fee_term", "clients[0].flat_fee")])
    assert of_project == ([] if fits else [("flat_fee_term", "projects[0].flat_fee")])


def test_a_projects_grouping_counts_for_its_clients_fee() -> None:
    fee = {"amount": "420", "term": "quarter"}
    projects = [{"project": "P", "client": "Acme", "invoicing": {"grouping": "project_month"}}]
    book = {"grouping": "client_quarter"}
    assert problems(clients=[acme(flat_fee=fee)], projects=projects, invoicing=book) == [
        ("flat_fee_term", "clients[0].flat_fee")
    ]


def test_a_configuration_that_maps_nothing_is_doubtful() -> None:
    found = warnings(clients=[], tasks=[], rates={"use_source_rate": False})
    assert [where for _, where in found] == ["clients", "tasks", "rates"]
