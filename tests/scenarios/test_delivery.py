"""Scenarios A50, A51, A53 and A63: delivery, missing mappings.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.scenarios.office import BOOK, Office, configuration, entry
from tests.support.installation import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database]


def money(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def disturb(office: Office, **faults: Any) -> None:
    answer = httpx.put(f"{office.sandbox.base_url}/_sandbox/faults", json=faults)
    assert answer.status_code == 200, answer.text


def test_a50_five_deliveries_of_an_approval_make_one_invoice(office: Office) -> None:
    for _ in range(5):
        office.report(entry("e1", "2.00"))
        office.bill()
    assert office.invoices() == money("300.00")
    assert all(len(ids) == 1 for ids in office.creates()["Invoice"].values())
    assert office.reconcile() == []


@pytest.mark.parametrize("memory_seconds", [86_400, 0])
def test_a51_a_create_whose_answer_is_lost_is_adopted(office: Office, memory_seconds: int) -> None:
    office.sandbox.world.settings.change({"requestid_memory_seconds": memory_seconds})
    disturb(office, lose_response={"next": 1})
    office.report(entry("e1", "2.00"))
    office.bill()
    assert office.invoices() == money("300.00")
    assert [len(ids) for ids in office.creates()["Invoice"].values()] == [1]
    office.bill()
    assert office.invoices() == money("300.00")


def test_a51_a_create_that_never_arrived_is_made_once(office: Office) -> None:
    disturb(office, lose_request={"next": 1})
    office.report(entry("e1", "2.00"))
    office.bill()
    assert office.invoices() == money("300.00")
    assert [len(ids) for ids in office.creates()["Invoice"].values()] == [1]


def test_a53_approvals_out_of_order_end_in_the_last_version(office: Office) -> None:
    approved = entry("e1", "2.00", external_version="1")
    withdrawn = entry("e1", "2.00", external_version="2", approval={"state": "withdrawn"})
    again = entry("e1", "3.00", external_version="3")
    for _ in range(2):
        for statement in (again, approved, withdrawn):
            office.report(statement)
        office.bill()
        assert office.invoices() == money("450.00")
        assert office.credit_memos() == []


def test_more_hours_after_posting_go_on_the_next_invoice(office: Office) -> None:
    office.report(entry("e1", "2.00"))
    office.bill()
    office.report(entry("e1", "3.00", external_version="2"))
    office.settle()
    for _ in range(2):
        office.bill()
        assert office.invoices() == money("150.00", "300.00")
        assert office.credit_memos() == []


def test_a63_a_missing_mapping_parks_and_its_arrival_releases(office: Office) -> None:
    office.report(entry("e1", "1.00"), entry("e2", "2.00", task_name="Audit"))
    office.bill()
    assert office.invoices() == money("150.00")
    assert [row["waits_for"] for row in office.parked()] == [["task:Audit"]]
    tasks = [
        {"task": "Consulting", "item": {"name": "Consulting"}},
        {"task": "Audit", "item": {"name": "Audit services"}},
    ]
    for _ in range(2):
        office.configure(configuration(tasks=tasks))
        wait_until(lambda: not office.parked(), "the parked entry to go on by itself")
        office.bill()
        assert office.invoices() == money("150.00", "300.00")
    assert office.reconcile(BOOK) == []
