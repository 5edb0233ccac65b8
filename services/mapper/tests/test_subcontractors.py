"""A subcontractor's time: owed by bill for worked time, rebilled where that is agreed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import Workflow
from hourbridge.common.messages.events import Charge, MappingOutcome
from hourbridge.common.messages.records import TimeEntry
from hourbridge.mapper.rules.outcome import Mapped
from tests.support.mapping import codes, mapped, time_entry

TERMS: dict[str, Any] = {
    "staff": "Ann",
    "vendor": {"id": "56", "name": "Sub Ltd"},
    "cost_rate": "62.40",
    "holdback_percent": "5",
    "due_days": 14,
}


def of_sub(entry: TimeEntry, terms: dict[str, Any] | None = None, **options: Any) -> Mapped:
    return mapped(entry, subcontractors=[{**TERMS, **(terms or {})}], **options)


def sides(result: Mapped) -> tuple[list[Charge], list[Charge]]:
    """Return what is owed, and what the client pays."""
    assert result.outcome is MappingOutcome.CHARGED, result.reasons
    owed = [charge for charge in result.charges if charge.payable is not None]
    return owed, [charge for charge in result.charges if charge.payable is None]


def test_worked_time_is_owed_and_billable_time_is_billed() -> None:
    entry = time_entry(input={"seconds": 9000}, billable={"seconds": 7200})
    [owed], [billed] = sides(of_sub(entry))
    assert (owed.worked_seconds, owed.billable_seconds, owed.rate) == (9000, 0, None)
    assert owed.cost_rate is not None
    assert (owed.cost_rate.amount, owed.cost_rate.origin) == (
        Decimal("62.40"),
        "subcontractor:Ann",
    )
    assert owed.workflow is Workflow.SUBCONTRACTOR
    assert owed.payable is not None
    assert (owed.payable.vendor.id, owed.payable.due_days) == ("56", 14)
    assert owed.payable.holdback_percent == 5
    assert (billed.billable_seconds, billed.workflow) == (7200, Workflow.STANDARD)
    assert billed.cost_rate == owed.cost_rate
    assert owed.charge_id != billed.charge_id


def test_without_rebill_only_the_vendor_is_concerned() -> None:
    result = of_sub(time_entry(task_name="Unmapped"), {"rebill": False}, rates={"rules": []})
    owed, billed = sides(result)
    assert (len(owed), billed) == (1, [])
    assert (result.worked_seconds, result.billable_seconds) == (3600, 0)


@pytest.mark.parametrize(
    ("entry", "options"),
    [
        ({"billable_state": "non_billable"}, {}),
        ({"billable": {"seconds": 0}}, {}),
        ({}, {"projects": [{"project": "Website", "billable": False}]}),
    ],
)
def test_the_vendor_is_owed_for_work_that_no_client_pays(
    entry: dict[str, Any], options: dict[str, Any]
) -> None:
    owed, billed = sides(of_sub(time_entry(**entry), **options))
    assert (len(owed), billed) == (1, [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"approval": {"state": "submitted"}}, "not_approved"),
        ({"deleted": {"how": "feed"}}, "deleted"),
        ({"running": True}, "running"),
        ({"entry_type": "holiday"}, "not_work"),
    ],
)
def test_nothing_is_owed_for_what_is_no_approved_work(changes: dict[str, Any], code: str) -> None:
    assert codes(of_sub(time_entry(**changes))) == [code]


def test_what_the_clients_side_lacks_holds_up_both() -> None:
    result = of_sub(time_entry(task_name="Unmapped"))
    assert (result.outcome, result.charges) == (MappingOutcome.PARKED, ())


def test_costs_belong_to_a_known_client() -> None:
    result = of_sub(time_entry(client_name="Nobody"), {"rebill": False})
    assert result.waits_for == ("client:Nobody",)


def test_terms_hold_while_they_hold() -> None:
    ended = of_sub(time_entry(), {"effective_to": "2026-03-01"})
    assert [charge.payable for charge in ended.charges] == [None]


def test_costs_have_their_own_currency_and_account() -> None:
    accounts = [{"role": "subcontractor_cost", "ledger": {"id": "S"}}]
    [owed], _ = sides(of_sub(time_entry(), {"currency": "GBP"}, accounts=accounts))
    assert (owed.currency, owed.account and owed.account.id) == ("GBP", "S")
    [owed], _ = sides(of_sub(time_entry(), {"account": {"id": "T"}}, accounts=accounts))
    assert (owed.currency, owed.account and owed.account.id) == ("USD", "T")


def test_each_part_of_cut_work_is_owed_on_its_day() -> None:
    entry = time_entry(
        input={"seconds": 7200},
        start_at="2026-04-01T03:00:00Z",
        end_at="2026-04-01T05:00:00Z",
        work_date="2026-03-31",
        zone={"iana": "America/New_York"},
    )
    owed, billed = sides(of_sub(entry, time={"work_day": "worker", "split_at": "midnight"}))
    days = [(str(charge.work_date), charge.worked_seconds) for charge in owed]
    assert days == [("2026-03-31", 3600), ("2026-04-01", 3600)]
    assert [charge.work_date for charge in billed] == [charge.work_date for charge in owed]
    assert len({charge.charge_id for charge in (*owed, *billed)}) == 4


def test_a_subcontractors_template_takes_no_employees_time() -> None:
    clients = [{"client": "Acme", "customer": {"id": "1"}, "workflow": "subcontractor"}]
    result = mapped(time_entry(), clients=clients)
    assert (result.outcome, result.waits_for) == (MappingOutcome.PARKED, ("subcontractor:Ann",))
    owed, billed = sides(of_sub(time_entry(), clients=clients))
    assert (len(owed), len(billed)) == (1, 1)
