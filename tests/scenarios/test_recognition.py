"""Scenario A17 with recognition on performance, and revenue that is earned over months."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios.office import BOOK, Office, configuration, entry

pytestmark = [pytest.mark.broker, pytest.mark.database]

RECOGNITION = f"/v1/books/{BOOK}/recognition"


def money(text: str) -> Decimal:
    return Decimal(text)


def recognize(office: Office, through: str) -> None:
    office.client.post("poster", RECOGNITION, {"through": through})
    office.settle()


def entries(office: Office, purpose: str) -> list[list[tuple[str, Decimal]]]:
    """Return the postings of each entry of a purpose, in the order of their numbers."""
    rows = [row for row in office.documents() if row.get("purpose") == purpose]
    rows.sort(key=lambda row: (row["document_date"], row["number"]))
    return [[(p["role"], Decimal(p["amount"])) for p in row["postings"]] for row in rows]


def report(office: Office) -> dict[str, Any]:
    found: dict[str, Any] = office.client.get("poster", RECOGNITION)
    return found


def test_a17_unbilled_work_is_an_asset_until_it_is_invoiced(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(
        configuration(
            recognition={"unbilled": True},
            invoicing={"grouping": "client_month", "lines": "entry", "status": "draft"},
        )
    )
    office.report(entry("e1", "6.00"), entry("e2", "4.00", day="2026-01-20"))
    office.settle()
    for _ in range(2):
        recognize(office, "2026-01-31")
        assert office.balances("2026-01-31") == {
            "unbilled": money("1500.00"),
            "revenue": money("-1500.00"),
        }
    office.bill("2026-01-31")
    (draft,) = office.documents_of("Acme")
    office.decide("adjust", draft, amount="1200.00", reason="agreed ceiling")
    office.decide("release", draft)
    for _ in range(2):
        recognize(office, "2026-01-31")
        office.bill("2026-01-31")
        assert entries(office, "unbilled_recognition") == [
            [("unbilled", money("1500.00")), ("revenue", money("-1500.00"))]
        ]
        assert entries(office, "unbilled_invoiced") == [
            [
                ("revenue", money("1200.00")),
                ("write_down", money("300.00")),
                ("unbilled", money("-1500.00")),
            ]
        ]
        assert office.balances() == {
            "receivable": money("1200.00"),
            "write_down": money("300.00"),
            "revenue": money("-1500.00"),
        }
        assert office.ledger_balances() == {
            "Accounts Receivable (A/R)": money("1200.00"),
            "Write-Downs": money("300.00"),
            "Services": money("-1500.00"),
        }
    (realised,) = report(office)["realisation"]
    assert Decimal(realised["realisation_percent"]) == money("80.0")
    assert (report(office)["unbilled"], office.reconcile()) == ([], [])


def test_support_is_earned_month_by_month(bare_office: Office) -> None:
    """A year's support, 1,000.00 invoiced in January: 83.34 for four months, then 83.33."""
    office = bare_office
    office.connect()
    rule = {"client": "Acme", "months": 12, "begins": "invoice_month"}
    office.configure(configuration(recognition={"deferrals": [rule]}))
    rate = {"amount": "1000.00", "currency": "USD"}
    office.report(entry("e1", "1.00", bill_rate=rate))
    office.bill("2026-01-31")
    for _ in range(2):
        recognize(office, "2026-05-31")
        months = ("2026-01-31", "2026-02-28", "2026-05-31")
        earned = [office.balances(day)["revenue"] for day in months]
        assert earned == [money("-83.34"), money("-166.68"), money("-416.69")]
        assert office.balances("2026-05-31")["deferred_revenue"] == money("-583.31")
    less = entry("e1", "0.90", bill_rate=rate, external_version="2")
    office.report(less)
    office.bill("2026-01-31")
    (row,) = report(office)["deferrals"]
    assert (Decimal(row["total"]), row["last_month"]) == (money("900"), "2026-12")
    recognize(office, "2026-06-30")
    assert office.balances("2026-06-30")["revenue"] == money("-450.00")
