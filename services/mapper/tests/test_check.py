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


@pytest.mark.parametrize(
    ("workflow", "code"),
    [("retainer", "retainer_missing"), ("subcontractor", "subcontractor_missing")],
)
def test_workflows_need_their_policies(workflow: str, code: str) -> None:
    assert problems(clients=[acme(workflow=workflow)]) == [(code, "clients[0].workflow")]
    assert problems(projects=[{"project": "P", "workflow": workflow}]) == [
        (code, "projects[0].workflow")
    ]


RETAINER = {"engagement": "main"}
SUBCONTRACTOR = {"staff": "sub", "vendor": {"name": "Sub Ltd"}, "cost_rate": "75.00"}


def test_workflows_with_what_they_need() -> None:
    assert problems(clients=[acme(workflow="retainer", retainer=RETAINER)]) == []
    project = {"project": "P", "client": "Acme", "retainer": RETAINER, "workflow": "retainer"}
    assert problems(projects=[project]) == []
    assert problems(clients=[acme(workflow="retainer")], projects=[project]) == []
    options = {"clients": [acme(workflow="subcontractor")], "subcontractors": [SUBCONTRACTOR]}
    assert problems(**options) == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"retainer": RETAINER}, "retainer"),
        ({"workflow": "standard", "retainer": RETAINER}, "retainer"),
        ({"workflow": "pass_through", "flat_fee": {"amount": "1", "term": "month"}}, "flat_fee"),
        ({"workflow": "non_billable", "cap": {"amount": "1"}}, "cap"),
    ],
)
def test_workflows_are_not_mixed(changes: dict[str, Any], where: str) -> None:
    assert problems(clients=[acme(**changes)]) == [("workflow_mixed", f"clients[0].{where}")]


def test_a_projects_workflow_that_its_clients_hides_is_refused() -> None:
    project = {"project": "P", "client": "Acme", "workflow": "non_billable"}
    assert problems(clients=[acme(workflow="standard")], projects=[project]) == [
        ("workflow_mixed", "projects[0].workflow")
    ]
    assert problems(projects=[project]) == []


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"rounding": {"billable_percent": "0"}}, "billable_percent", "rounding.billable_percent"),
        ({"rounding": {"day_key": ["staff"]}}, "day_key_unused", "rounding.day_key"),
        ({"rounding": {"minimum_of": "entry"}}, "minimum_of_unused", "rounding.minimum_of"),
        (
            {"invoicing": {"discount": {"kind": "percent", "value": "100.5"}}},
            "discount_too_large",
            "invoicing.discount.value",
        ),
        (
            {"invoicing": {"discount": {"kind": "amount", "value": "0.005"}}},
            "amount_precision",
            "invoicing.discount.value",
        ),
        ({"cap": {"amount": "10.001"}}, "amount_precision", "cap.amount"),
        (
            {"cap": {"amount": "10", "already_billed": "1", "term": "month"}},
            "cap_already_billed",
            "cap.already_billed",
        ),
        (
            {"flat_fee": {"amount": "420.005", "term": "month"}},
            "amount_precision",
            "flat_fee.amount",
        ),
        (
            {"flat_fee": {"amount": "420", "term": "month"}, "cap": {"amount": "9"}},
            "cap_with_flat_fee",
            "cap",
        ),
    ],
)
def test_policies_that_cannot_be_applied_are_refused(
    changes: dict[str, Any], code: str, where: str
) -> None:
    assert problems(clients=[acme(**changes)]) == [(code, f"clients[0].{where}")]
    assert problems(projects=[{"project": "P", "client": "Acme", **changes}]) == [
        (code, f"projects[0].{where}")
    ]
    if not changes.keys() & {"cap", "flat_fee"}:
        assert problems(**changes) == [(code, where)]
        assert problems(policies=[changes]) == [(code, f"policies[0].{where}")]


def test_amounts_are_checked_in_the_clients_currency() -> None:
    no_rules: dict[str, Any] = {"rates": {"use_source_rate": True}}
    assert problems(clients=[acme(currency="KWD", cap={"amount": "10.001"})], **no_rules) == []
    assert problems(clients=[acme(currency="JPY", cap={"amount": "10.5"})], **no_rules) == [
        ("amount_precision", "clients[0].cap.amount")
    ]


def test_dated_policies_follow_each_other() -> None:
    april = {"effective_from": "2026-04-01", "rounding": {"increment_seconds": 900}}
    until = {"effective_to": "2026-03-31", "rounding": {"increment_seconds": 600}}
    assert problems(policies=[april, until]) == []
    assert problems(policies=[april, {**until, "effective_to": "2026-04-30"}]) == [
        ("overlapping_dates", "policies[0]")
    ]
    assert problems(policies=[april, april]) == [("duplicate_rule", "policies[1]")]
    assert problems(policies=[april, {"effective_from": "2026-04-01", "invoicing": {}}]) == []
    assert problems(policies=[{"effective_from": "2026-04-01"}]) == [
        ("policy_empty", "policies[0]")
    ]


def test_taxes_follow_each_other() -> None:
    old = {"code": "VAT", "percent": "19", "effective_to": "2026-06-30"}
    new = {"code": "VAT", "percent": "16", "effective_from": "2026-07-01"}
    assert problems(taxes=[old, new, {"code": "ZERO", "percent": "0"}]) == []
    assert problems(taxes=[new, new]) == [("duplicate_rule", "taxes[1]")]
    assert problems(taxes=[{**old, "effective_to": "2026-07-01"}, new]) == [
        ("overlapping_dates", "taxes[1]")
    ]
    assert warnings(taxes=[{**old, "effective_to": "2026-06-01"}, new]) == [("tax_gap", "taxes[1]")]


def test_a_tax_code_that_no_rule_knows_is_doubtful() -> None:
    taxes = [{"code": "VAT", "percent": "19"}]
    assert warnings(taxes=taxes, tax_code="VAT") == []
    assert warnings(taxes=taxes, clients=[acme(tax_code="VTA")]) == [
        ("unknown_tax_code", "clients[0].tax_code")
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


SUB = {"staff": "Ann", "vendor": {"name": "Sub Ltd"}, "cost_rate": "60"}


def test_subcontractors_need_accounts() -> None:
    """What a ledger may park is said when the configuration is saved."""
    assert warnings(subcontractors=[SUB]) == [("account_missing", "subcontractors[0].account")]
    own = {**SUB, "account": {"id": "80"}}
    assert warnings(subcontractors=[own]) == []
    held = {**own, "holdback_percent": "5"}
    assert warnings(subcontractors=[held]) == [
        ("account_missing", "subcontractors[0].holdback_percent")
    ]
    accounts = [
        {"role": "subcontractor_cost", "ledger": {"id": "80"}},
        {"role": "retainage_payable", "ledger": {"id": "90"}},
    ]
    assert warnings(subcontractors=[{**SUB, "holdback_percent": "5"}], accounts=accounts) == []


def test_terms_of_a_person_must_not_overlap() -> None:
    terms = [
        {**SUB, "account": {"id": "80"}, "effective_to": "2026-06-30"},
        {**SUB, "account": {"id": "80"}, "effective_from": "2026-06-01"},
    ]
    assert problems(subcontractors=terms) == [("overlapping_dates", "subcontractors[1]")]
    twice = [{"staff": "Ann", "cost_rate": "1"}, {"staff": "Ann", "cost_rate": "2"}]
    assert problems(staff=twice) == [("duplicate_rule", "staff[1]")]


def test_shared_expenses_name_mapped_clients_once_each() -> None:
    def shared(*names: str, **more: str) -> dict[str, Any]:
        parts = [{"client": name} for name in names]
        return {"projects": [{"project": "Fair", "shared_over": parts, **more}]}

    clients = {"clients": [acme(), {"client": "Birch", "customer": {"id": "18"}}]}
    assert problems(**clients, **shared("Acme", "Birch")) == []
    assert problems(**clients, **shared("Acme", "Nobody")) == [
        ("unknown_client", "projects[0].shared_over[1]")
    ]
    assert problems(**clients, **shared("Acme", "Birch", "Acme")) == [
        ("shared_twice", "projects[0].shared_over[2]")
    ]
    assert warnings(**clients, **shared("Birch", client="Acme")) == [
        ("shared_without_owner", "projects[0].shared_over")
    ]


def test_costs_without_a_clearing_account_are_doubtful() -> None:
    agent = {"expense_policy": {"bill_costs": True, "recoverable_tax": False}}
    assert warnings(**agent) == [("account_missing", "expense_policy")]
    clearing = [{"role": "reimbursable", "ledger": {"id": "1"}}]
    assert warnings(**agent, accounts=clearing) == []
    taxed = {"bill_costs": True, "treatment": "principal"}
    clients = [acme(expense_policy=taxed)]
    assert warnings(clients=clients) == [("account_missing", "clients[0].expense_policy")]
    projects = [{"project": "P", "expense_policy": taxed}]
    assert warnings(projects=projects) == [("account_missing", "projects[0].expense_policy")]


def test_nobody_is_in_two_places_at_once() -> None:
    twice = [{"staff": name, "zone": "Asia/Tokyo"} for name in ("Ann", "Bea", " Ann ")]
    assert problems(time={"staff_zones": twice}) == [
        ("duplicate_rule", "time.staff_zones[0]"),
        ("duplicate_rule", "time.staff_zones[2]"),
    ]


@pytest.mark.parametrize("whose", ["client", "project"])
def test_days_of_zones_that_nobody_names_are_doubtful(whose: str) -> None:
    time = {"work_day": whose}
    assert warnings(time=time) == [("no_zones", "time.work_day")]
    assert warnings(time=time, clients=[acme(zone="Asia/Tokyo")]) == []
    projects = [{"project": "P", "client": "Acme", "zone": "Asia/Tokyo"}]
    found = warnings(time=time, projects=projects)
    assert found == ([] if whose == "project" else [("no_zones", "time.work_day")])
