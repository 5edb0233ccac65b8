"""Scenarios A22 to A25: subcontractors, hold-backs, and the numbers of vendors' bills.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hourbridge.cli.client import ServiceRefused
from tests.scenarios.office import BOOK, Office, configuration, entry
from tests.scenarios.spending import (
    RATES,
    bravo,
    costs,
    expense,
    in_ledger,
    lines,
    money,
    of_kind,
    spend,
)

pytestmark = [pytest.mark.broker, pytest.mark.database]


def release(office: Office, day: str, **asked: str) -> list[Any]:
    path = f"/v1/books/{BOOK}/holdbacks/release"
    answer = office.client.post("poster", path, {"date": day, "vendor": "Bravo", **asked})
    office.settle()
    rows: list[Any] = answer["released"]
    return rows


def review(office: Office, quarter: str) -> Any:
    path = f"/v1/books/{BOOK}/reports/settlements"
    return office.client.get("poster", path, quarter=quarter)


# --- subcontractors -----------------------------------------------------------------------------


@pytest.mark.parametrize("workflow", ["standard", "subcontractor"])
def test_a22_a_subcontractor_is_paid_by_bill_and_rebilled(
    bare_office: Office, workflow: str
) -> None:
    office = bare_office
    office.connect()
    acme = {"client": "Acme", "customer": {"name": "Acme"}, "workflow": workflow}
    office.configure(configuration(clients=[acme], projects=[], **bravo()))
    for _ in range(2):
        office.report(entry("e1", "8.00", staff_id="bob"))
        office.bill("2026-01-31")
        [bill] = of_kind(office, "vendor_bill")
        [invoice] = of_kind(office, "invoice")
        assert lines(bill) == [("subcontractor_cost", Decimal("600.00"))]
        assert Decimal(invoice["total"]) == Decimal("1040.00")
        margin = Decimal(invoice["total"]) - Decimal(bill["total"])
        assert margin == Decimal("440.00")
    assert {row["kind"] for row in office.documents()} == {"vendor_bill", "invoice"}
    assert office.ledger("TimeActivity") == []
    [held] = office.ledger("Bill")
    assert (held["TotalAmt"], held["VendorRef"]["name"]) == (Decimal("600.00"), "Bravo")
    assert in_ledger(office, "Subcontractors", "Accounts Payable (A/P)", "Services") == [
        Decimal("600.00"),
        Decimal("-600.00"),
        Decimal("-1040.00"),
    ]
    assert office.balances() == money(
        subcontractor_cost="600.00",
        payable="-600.00",
        receivable="1040.00",
        revenue="-1040.00",
    )
    assert office.reconcile() == []


def test_a22_worked_time_is_paid_and_billable_time_is_billed(bare_office: Office) -> None:
    """The client is billed by the quarter of an hour; the vendor is paid to the second."""
    office = bare_office
    office.connect()
    quarter = {"increment_seconds": 900, "mode": "up"}
    office.configure(configuration(projects=[], rounding=quarter, **bravo()))
    for _ in range(2):
        office.report(entry("e1", "7.80", staff_id="bob"))
        office.bill("2026-01-31")
        assert [Decimal(b["total"]) for b in of_kind(office, "vendor_bill")] == [Decimal("585.00")]
        assert [Decimal(i["total"]) for i in of_kind(office, "invoice")] == [Decimal("1040.00")]
    assert office.reconcile() == []


def test_a23_a_tenth_is_held_back_until_its_release(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(configuration(projects=[], **bravo(holdback_percent="10")))
    for _ in range(2):
        office.report(entry("e1", "8.00", staff_id="bob"))
        office.bill("2026-01-31")
        [bill] = of_kind(office, "vendor_bill")
        assert lines(bill) == [
            ("subcontractor_cost", Decimal("600.00")),
            ("retainage_payable", Decimal("-60.00")),
        ]
        assert Decimal(bill["total"]) == Decimal("540.00")
    first = review(office, "2026-Q1")
    assert [(row["vendor"], row["open"], row["age_days"]) for row in first["open_holdbacks"]] == [
        ("Bravo", "60.00", 75)
    ]
    balances = office.balances()
    assert (balances["payable"], balances["retainage_payable"]) == (
        Decimal("-540.00"),
        Decimal("-60.00"),
    )
    assert [row["amount"] for row in release(office, "2026-05-04")] == ["60.00"]
    assert release(office, "2026-05-04") == []
    after = office.balances()
    assert after["payable"] == Decimal("-600.00")
    assert "retainage_payable" not in after
    payables = ("Accounts Payable (A/P)", "Retainage Payable")
    assert in_ledger(office, *payables) == [Decimal("-600.00"), Decimal(0)]
    assert review(office, "2026-Q1") == first
    assert review(office, "2026-Q2")["open_holdbacks"] == []
    assert office.reconcile() == []


def test_a24_a_bill_in_pounds_is_paid_at_a_gain(bare_office: Office) -> None:
    office = bare_office
    office.connect(vendor_currencies={"Bravo": "GBP"})
    for day, rates in RATES.items():
        office.import_rates(day, **rates)
    office.configure(configuration(projects=[], **bravo(currency="GBP", rebill=False)))
    for _ in range(2):
        office.report(entry("e1", "8.00", day="2026-01-30", staff_id="bob"))
        office.bill("2026-01-31")
        [bill] = of_kind(office, "vendor_bill")
        assert (bill["currency"], bill["total"], bill["base_total"]) == ("GBP", "600.00", "825.61")
        assert office.balances() == money(subcontractor_cost="825.61", payable="-825.61")
    for _ in range(2):
        payment = {
            "external_id": "p1",
            "purpose": "vendor_bill",
            "vendor_name": "Bravo",
            "payment_date": "2026-03-31",
            "amount": "600.00",
            "currency": "GBP",
            "applications": [{"document_number": bill["number"], "amount": "600.00"}],
            "external_version": "1",
        }
        office.report(payment, record_type="payment")
        office.settle()
    assert office.balances() == money(
        subcontractor_cost="825.61", bank="-794.49", fx_realized="-31.12"
    )
    assert office.reconcile() == []


# --- vendors' own numbers -----------------------------------------------------------------------


@pytest.mark.parametrize("again", ["another record", "the same record"])
def test_a25_a_vendors_number_is_good_for_one_bill(bare_office: Office, again: str) -> None:
    office = bare_office
    office.connect(arithmetic={"warns_of_similar": True})
    office.configure(costs())
    spend(office, expense("x1", "600.00", bill_number="B-17", payment_source="vendor_bill"))
    office.bill("2026-01-31")
    [bill] = of_kind(office, "vendor_bill")
    assert (bill["vendor_bill_number"], bill["total"]) == ("B-17", "600.00")
    changed = {"external_id": "x2"} if again == "another record" else {"external_version": "2"}
    delivered = expense("x1", "610.00", bill_number="B-17", payment_source="vendor_bill")
    for _ in range(2):
        spend(office, {**delivered, **changed})
        office.bill("2026-01-31")
        [waiting] = office.parked("poster")
        assert waiting["kind"] == "payable"
        assert (waiting["matched"]["standing"], waiting["matched"]["stated"]) == (
            "600.00 USD",
            "610.00 USD",
        )
        assert "600.00" in waiting["detail"]
        assert "610.00" in waiting["detail"]
        assert [row["TotalAmt"] for row in office.ledger("Bill")] == [Decimal("600.00")]
    path = f"/v1/parked/{waiting['id']}/release"
    with pytest.raises(ServiceRefused, match="kept"):
        office.client.post("poster", path, {"choice": "distinct"})
    office.client.post("poster", path, {"choice": "kept"})
    office.bill("2026-01-31")
    assert office.parked("poster") == []
    assert len(office.ledger("Bill")) == 1


def test_a25_a_ledgers_warning_is_never_waved_away(bare_office: Office) -> None:
    """Somebody entered the like; a ledger that only warns keeps our bill parked."""
    office = bare_office
    office.connect(arithmetic={"warns_of_similar": True})
    office.configure(configuration(projects=[], **bravo()))
    (vendor,) = (v for v in office.ledger("Vendor") if v["DisplayName"] == "Bravo")
    (account,) = (a for a in office.ledger("Account") if a["Name"] == "Subcontractors")
    detail = {"AccountRef": {"value": account["Id"]}}
    line = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": "600.00",
        "AccountBasedExpenseLineDetail": detail,
    }
    made = {"VendorRef": {"value": vendor["Id"]}, "TxnDate": "2026-01-15", "Line": [line]}
    office.person("add", "bill", changes=made)
    for _ in range(2):
        office.report(entry("e1", "8.00", staff_id="bob"))
        office.bill("2026-01-31")
        [waiting] = office.parked("poster")
        assert "similar" in waiting["detail"]
        assert len(office.ledger("Bill")) == 1
