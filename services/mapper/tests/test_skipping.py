"""Which records are charged at all: by their own state, approval, and what the client pays."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.messages.events import MappingOutcome
from tests.support.mapping import charge_of, client, codes, mapped, time_entry


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
