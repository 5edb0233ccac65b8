"""Scenarios A11 to A17: what the terms of a client make of the prices of lines.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios.office import Office, configuration
from tests.scenarios.pricing import connect, lines, open_book, total, twice, worked
from tests.support.installation import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database]


def test_a11_tax_by_document_or_by_line_as_the_day_says(bare_office: Office) -> None:
    office = bare_office
    connect(office, ["Acme"], tax_codes={"SALES": "8.25"})
    rule = {"code": "SALES", "percent": "8.25"}
    taxes = [
        {**rule, "method": "document", "effective_to": "2026-03-31"},
        {**rule, "method": "line", "effective_from": "2026-04-01"},
    ]
    before = {"taxes": taxes[:1], "tax_code": "SALES"}
    open_book(office, {"Acme": {}}, {"Acme": "10.04"}, **before)

    def report(month: str) -> None:
        office.report(
            *(worked("Acme", int(f"{month}{n}"), 3600, day=f"2026-{month}-1{n}") for n in range(3))
        )

    def check_march() -> dict[str, Any]:
        march = office.documents_of("Acme")[0]
        assert (march["document_date"], march["total"]) == ("2026-03-31", "32.60")
        (tax,) = march["taxes"]
        assert (tax["method"], tax["taxable"], tax["amount"]) == ("document", "30.12", "2.48")
        assert [line["tax_amount"] for line in march["lines"]] == ["0.83", "0.83", "0.82"]
        return march

    report("03")
    office.bill("2026-03-31")
    posted = check_march()

    def play() -> None:
        open_book(office, {"Acme": {}}, {"Acme": "10.04"}, taxes=taxes, tax_code="SALES")
        report("03")
        report("04")
        office.bill("2026-04-30")

    def check() -> None:
        assert check_march() == posted
        april = office.documents_of("Acme")[1]
        assert (april["document_date"], april["total"]) == ("2026-04-30", "32.61")
        (tax,) = april["taxes"]
        assert (tax["method"], tax["amount"]) == ("line", "2.49")
        assert len(office.documents_of("Acme")) == 2
        balances = office.balances()
        assert balances["receivable"] == Decimal("65.21")
        assert balances["tax_payable"] == Decimal("-4.97")
        assert office.reconcile() == []

    twice(play, check)


def test_a12_four_hours_worked_three_billable(bare_office: Office) -> None:
    office = bare_office
    connect(office, ["Acme"])
    open_book(office, {"Acme": {}})

    def play() -> None:
        office.report(
            worked(
                "Acme",
                1,
                4 * 3600,
                billable={"seconds": 3 * 3600},
                billable_state="partially_billable",
                cost_rate={"amount": "60.00"},
                revision_note="second reviewer on training",
            )
        )
        office.bill()

    def check() -> None:
        assert total(office, "Acme") == Decimal("450.00")
        (line,) = lines(office, "Acme")
        assert (line["worked_seconds"], line["billed_seconds"]) == (4 * 3600, 3 * 3600)
        (charge,) = office.charges_on(office.documents_of("Acme")[0])
        cost = Decimal(charge["cost_rate"]["amount"]) * charge["worked_seconds"] / 3600
        assert cost == Decimal("240.00")
        down = charge["write_down"]
        assert (down["seconds"], down["reason"]) == (3600, "second reviewer on training")
        assert Decimal(charge["rate"]["amount"]) * down["seconds"] / 3600 == Decimal("150.00")
        unbilled = office.client.get("reconciler", "/v1/books/office/reports/unbilled")
        assert (unbilled["leakage"], unbilled["unbilled"]) == ([], [])
        assert office.reconcile() == []

    twice(play, check)


def test_a13_non_billable_work_is_no_leakage(bare_office: Office) -> None:
    office = bare_office
    connect(office, ["Acme"])
    open_book(office, {"Acme": {}})

    def play() -> None:
        office.report(
            worked("Acme", 1, 2 * 3600, billable_state="non_billable", day="2026-01-13"),
            worked("Acme", 2, 3600, day="2026-01-14"),
        )
        office.bill()

    def check() -> None:
        assert total(office, "Acme") == Decimal("150.00")
        unbilled = office.client.get("reconciler", "/v1/books/office/reports/unbilled")
        assert (unbilled["leakage"], unbilled["unbilled_hours"]) == ([], "0.00")
        assert [(row["code"], row["hours"]) for row in unbilled["skipped"]] == [
            ("non_billable", "2.00")
        ]
        assert office.passed_by() == []

    twice(play, check)


def test_a14_what_a_cap_leaves_no_room_for_waits(bare_office: Office) -> None:
    office = bare_office
    connect(office, ["Acme"])
    cap = {"amount": "10000.00", "already_billed": "9400.00"}
    open_book(office, {"Acme": {"cap": cap}})

    def play() -> None:
        office.report(worked("Acme", 1, 6 * 3600))
        office.bill()

    def check() -> None:
        (invoice,) = office.documents_of("Acme")
        assert invoice["total"] == "600.00"
        (line,) = invoice["lines"]
        assert (line["quantity"], line["billed_seconds"]) == ("4.00", 4 * 3600)
        assert (line["capped_seconds"], line["capped_amount"]) == (2 * 3600, "300.00")
        (held,) = office.passed_by()
        assert (held["cause"], held["seconds"], held["amount"]) == ("capped", 2 * 3600, "300.00")
        assert office.reconcile() == []

    twice(play, check)
    open_book(office, {"Acme": {"cap": {**cap, "amount": "10200.00"}}})
    for _ in range(2):
        office.bill()
        assert [each["total"] for each in office.documents_of("Acme")] == ["600.00", "200.00"]
        assert [row["amount"] for row in office.passed_by()] == ["100.00"]
    open_book(office, {"Acme": {}})
    for _ in range(2):
        office.bill()
        billed = [each["total"] for each in office.documents_of("Acme")]
        assert billed == ["600.00", "200.00", "100.00"]
        assert office.passed_by() == []


def test_a14_a_cap_that_invoices_filled(bare_office: Office) -> None:
    office = bare_office
    connect(office, ["Acme"])
    open_book(office, {"Acme": {"cap": {"amount": "10000.00"}}}, {"Acme": "100.00"})
    office.report(worked("Acme", 1, 94 * 3600, day="2026-01-05"))
    office.bill("2026-01-31")
    assert total(office, "Acme") == Decimal("9400.00")
    open_book(office, {"Acme": {"cap": {"amount": "10000.00"}}}, {"Acme": "150.00"})

    def play() -> None:
        office.report(*(worked("Acme", n, 2 * 3600, day=f"2026-02-0{n}") for n in (2, 3, 4)))
        office.bill("2026-02-28")

    def check() -> None:
        assert [each["total"] for each in office.documents_of("Acme")] == ["9400.00", "600.00"]
        (held,) = office.passed_by()
        assert (held["cause"], held["charges"]) == ("capped", 1)
        assert (held["seconds"], held["amount"]) == (2 * 3600, "300.00")

    twice(play, check)


def test_a15_one_invoice_per_project(bare_office: Office) -> None:
    office = bare_office
    office.connect(customers={"Acme": ["P1", "P2"]})
    projects = [
        {"project": name, "client": "Acme", "job": {"name": f"Acme:{name}"}}
        for name in ("P1", "P2")
    ]
    invoicing = {"grouping": "project_on_demand", "lines": "entry"}
    open_book(office, {"Acme": {}}, projects=projects, invoicing=invoicing)

    def billed(*wanted: str) -> bool:
        return sorted(each["total"] for each in office.documents_of("Acme")) == sorted(wanted)

    for _ in range(2):
        office.report(
            worked("Acme", 1, 6 * 3600, project_name="P1", day="2026-01-12"),
            worked("Acme", 2, 2 * 3600, project_name="P2", day="2026-01-14"),
        )
        office.bill(project="P1")
        assert billed("900.00")
        assert office.poster_status()["charges"] == {"billed": 1, "unbilled": 1}
    for _ in range(2):
        office.bill(project="P2")
        assert billed("900.00", "300.00")
    assert office.reconcile() == []


def test_a16_a_discount_is_shared_by_largest_remainder(bare_office: Office) -> None:
    office = bare_office
    connect(office, ["Acme"])
    rates = [
        {"task": f"T{n}", "amount": amount} for n, amount in enumerate(("33.33", "33.33", "33.34"))
    ]
    discount = {"kind": "amount", "value": "10.00", "reason": "agreed"}
    office.configure(
        configuration(
            clients=[{"client": "Acme", "customer": {"name": "Acme"}}],
            projects=[],
            tasks=[{"task": f"T{n}", "item": {"name": "Consulting"}} for n in range(3)],
            rates={"rules": rates},
            invoicing={"grouping": "client_month", "lines": "entry", "discount": discount},
        )
    )

    def play() -> None:
        office.report(
            *(worked("Acme", n, 3600, task_name=f"T{n}", day=f"2026-01-1{n}") for n in range(3))
        )
        office.bill()

    def check() -> None:
        (invoice,) = office.documents_of("Acme")
        assert invoice["total"] == "90.00"
        assert [line["discount"] for line in invoice["lines"]] == ["3.33", "3.33", "3.34"]
        assert [line["amount"] for line in invoice["lines"]] == ["30.00", "30.00", "30.00"]
        assert invoice["discount"] == discount
        assert office.invoices() == [Decimal("90.00")]
        assert office.reconcile() == []

    twice(play, check)


def test_a17_a_draft_is_written_down_with_a_reason(bare_office: Office) -> None:
    office = bare_office
    connect(office, ["Acme"])
    invoicing = {"grouping": "client_month", "lines": "entry", "status": "draft"}
    open_book(office, {"Acme": {}}, invoicing=invoicing)
    office.report(worked("Acme", 1, 6 * 3600), worked("Acme", 2, 4 * 3600, day="2026-01-16"))
    office.bill()
    (draft,) = office.documents_of("Acme")
    assert (draft["status"], draft["total"]) == ("draft", "1500.00")
    for _ in range(2):
        adjusted = office.decide("adjust", draft, amount="1200.00", reason="agreed ceiling")
        assert (adjusted["total"], adjusted["realisation_percent"]) == ("1200.00", "80.0")
        written = [line["adjustment"]["amount"] for line in adjusted["lines"]]
        assert written == ["-180.00", "-120.00"]
        assert {line["adjustment"]["reason"] for line in adjusted["lines"]} == {"agreed ceiling"}
    office.decide("release", draft)
    for _ in range(2):
        office.bill()
        wait_until(lambda: office.documents_of("Acme")[0]["status"] == "posted", "the release")
        assert office.invoices() == [Decimal("1200.00")]
        assert total(office, "Acme") == Decimal("1200.00")
        assert office.balances() == {
            "receivable": Decimal("1200.00"),
            "revenue": Decimal("-1200.00"),
        }
        assert office.reconcile() == []
