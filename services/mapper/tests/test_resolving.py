"""How rules and facts are found for a record."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.messages.events import MappingOutcome
from hourbridge.mapper.rules.subject import Fact, FactKey
from tests.support.mapping import SOURCE, charge_of, codes, mapped, time_entry


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
