"""Worked time in the ledger: one time activity per approved entry, put right and taken back.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios.office import BOOK, Office, configuration, entry

pytestmark = [pytest.mark.broker, pytest.mark.database]

ADA = {"staff": "ada", "employee": {"name": "Ada"}}
BOB = {"staff": "bob", "vendor": {"name": "Bravo"}}


def open_books(office: Office, *, time: dict[str, Any] | None = None, **changes: Any) -> None:
    office.connect(employees=["Ada", "Eve"])
    posting = {"time": {"time_activities": "worked", **(time or {})}}
    rules = {"staff": [ADA, BOB], "posting": posting, **changes}
    office.configure(configuration(**rules))


def held(office: Office) -> list[tuple[str, str, int, int, str]]:
    """Return who worked when and how long, as the ledger holds it."""
    return sorted(
        (
            row.get("EmployeeRef", row.get("VendorRef"))["name"],
            row["TxnDate"],
            row["Hours"],
            row["Minutes"],
            row["BillableStatus"],
        )
        for row in office.ledger("TimeActivity")
    )


def creates(office: Office) -> int:
    """Return how many time activities the ledger ever created."""
    return sum(len(ids) for ids in office.creates().get("TimeActivity", {}).values())


def test_each_approved_entry_becomes_one_time_activity(bare_office: Office) -> None:
    office = bare_office
    open_books(office)
    for _ in range(2):
        office.report(
            entry("e1", "1.25", notes="Design", project_id="Rocket"),
            entry("e2", "0.51", staff_id="bob", day="2026-01-16"),
            entry("e3", "2.00", day="2026-01-17", billable_state="non_billable"),
            entry("e4", "3.00", approval={"state": "submitted"}),
        )
        office.settle()
        # 0.51 h are 30.6 minutes; the client's billing has no part in it
        assert held(office) == [
            ("Ada", "2026-01-15", 1, 15, "NotBillable"),
            ("Ada", "2026-01-17", 2, 0, "NotBillable"),
            ("Bravo", "2026-01-16", 0, 31, "NotBillable"),
        ]
    by_day = {row["TxnDate"]: row for row in office.ledger("TimeActivity")}
    design = by_day["2026-01-15"]
    assert design["CustomerRef"]["name"] == "Acme:Rocket"
    assert design["ItemRef"]["name"] == "Consulting"
    assert design["Description"].startswith("Design [HBT-")
    (rounded,) = [d for d in office.documents() if d["document_date"] == "2026-01-16"]
    document = office.client.get("poster", f"/v1/documents/{rounded['document_id']}")
    (step,) = document["lines"][0]["roundings"]
    assert (step["before"], step["after"], step["step"]) == ("1836", "1860", "quantity")
    assert creates(office) == 3
    assert office.invoices() == []
    assert office.balances() == {}
    assert office.reconcile() == []


def test_billing_and_time_do_not_meet(bare_office: Office) -> None:
    """The invoice bills billable time; the ledger's time is what was worked."""
    office = bare_office
    open_books(office)
    for _ in range(2):
        office.report(
            entry("e1", "2.00", billable={"seconds": 3600}, billable_state="partially_billable")
        )
        office.bill("2026-01-31")
        assert held(office) == [("Ada", "2026-01-15", 2, 0, "NotBillable")]
        assert office.invoices() == [Decimal("150.00")]
    assert office.reconcile() == []


def test_changes_and_deletions_follow_into_the_ledger(bare_office: Office) -> None:
    office = bare_office
    open_books(office)
    first = entry("e1", "1.00", notes="Draft")
    office.report(first, entry("e2", "2.00", day="2026-01-16"))
    office.settle()
    changed = {**entry("e1", "1.50", day="2026-01-14", notes="Final"), "external_version": "2"}
    gone = entry(
        "e2", "2.00", day="2026-01-16", approval={"state": "rejected"}, external_version="2"
    )
    for _ in range(2):
        office.report(changed, gone)
        office.settle()
        assert held(office) == [("Ada", "2026-01-14", 1, 30, "NotBillable")]
        assert office.ledger("TimeActivity")[0]["Description"].startswith("Final [HBT-")
    again = entry("e2", "2.00", day="2026-01-16", external_version="3")
    deleted = {**changed, "external_version": "3", "deleted": {"how": "feed"}}
    for _ in range(2):
        office.report(again, deleted)
        office.settle()
        assert held(office) == [("Ada", "2026-01-16", 2, 0, "NotBillable")]
    assert creates(office) == 3
    assert office.reconcile() == []


def test_what_somebody_changed_in_the_ledger_is_not_overwritten(bare_office: Office) -> None:
    office = bare_office
    open_books(office)
    office.report(entry("e1", "1.00"), entry("e2", "2.00", day="2026-01-16"))
    office.settle()
    rows = {row["TxnDate"]: row["Id"] for row in office.ledger("TimeActivity")}
    for identity in rows.values():
        office.person("edit", "timeactivity", id=identity, changes={"Hours": 7})
    (drift,) = {row["cause"] for row in office.reconcile()}
    assert drift == "target_edit"
    changed = {**entry("e1", "1.50"), "external_version": "2"}
    gone = {
        **entry("e2", "2.00", day="2026-01-16"),
        "external_version": "2",
        "deleted": {"how": "feed"},
    }
    for _ in range(2):
        office.report(changed, gone)
        office.settle()
        assert [row[2] for row in held(office)] == [7, 7]
        parked = office.parked("poster")
        assert [row["code"] for row in parked] == ["edit_token_stale"] * 2
    for row in office.documents():
        office.decide("release", row)
    assert held(office) == [("Ada", "2026-01-15", 1, 30, "NotBillable")]
    assert office.parked("poster") == []
    assert office.reconcile() == []


def test_linked_time_counts_as_billed(bare_office: Office) -> None:
    office = bare_office
    open_books(office, time={"billable_link": True})
    for _ in range(2):
        office.report(entry("e1", "1.00"), entry("e2", "2.00", day="2026-01-16"))
        office.bill("2026-01-31")
        assert [row[4] for row in held(office)] == ["HasBeenBilled"] * 2
        assert office.invoices() == [Decimal("450.00")]
    (invoice,) = office.ledger("Invoice")
    assert sorted(link["TxnType"] for link in invoice["LinkedTxn"]) == ["TimeActivity"] * 2
    linked = [line["LinkedTxn"] for line in invoice["Line"] if "LinkedTxn" in line]
    assert [len(links) for links in linked] == [1, 1]
    assert office.reconcile() == []


def test_time_of_nobody_known_waits(bare_office: Office) -> None:
    office = bare_office
    open_books(office, staff=[])
    office.report(entry("e1", "1.00"))
    office.settle()
    (waiting,) = office.parked()
    assert waiting["waits_for"] == ["staff:ada"]
    assert office.ledger("TimeActivity") == []
    posting = {"time": {"time_activities": "worked"}}
    for _ in range(2):
        office.configure(configuration(staff=[ADA], posting=posting))
        office.client.get("mapper", "/v1/parked", book=BOOK)
        office.settle()
    assert held(office) == [("Ada", "2026-01-15", 1, 0, "NotBillable")]
    assert office.reconcile() == []
