"""Scenarios A32-A41 and A59: rates, both currencies, gains and losses, revaluation, residues.

The rates are those that the ECB published. Each scenario runs twice: the second time changes
nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.faults import arm
from tests.scenarios.office import BOOK, CUSTOMERS, Office, configuration

pytestmark = [pytest.mark.broker, pytest.mark.database]

RATES = {
    "2026-01-30": {"USD": "1.1919", "JPY": "183.59", "GBP": "0.8662"},
    "2026-02-27": {"USD": "1.1805", "JPY": "184.13", "GBP": "0.8763"},
    "2026-03-31": {"USD": "1.1498", "JPY": "183.39", "GBP": "0.86833"},
}


def money(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def euro_office(office: Office, currency: str = "EUR", **changes: Any) -> None:
    """Let Acme be billed in another currency than the book's, at 1.00 an hour and exactly."""
    office.connect(customers=CUSTOMERS, customer_currencies={"Acme": currency})
    for day, rates in RATES.items():
        office.import_rates(day, **rates)
    office.configure(
        configuration(
            clients=[{"client": "Acme", "customer": {"name": "Acme"}, "currency": currency}],
            projects=[],
            invoicing={"grouping": "client_on_demand", "lines": "entry"},
            currencies={"revaluation": "reversing"},
            **changes,
        )
    )


def work(office: Office, *amounts: str, day: str = "2026-01-30", currency: str = "EUR") -> None:
    """Report an hour of work for each amount, and bill it on the day."""
    entries = [
        {
            "external_id": f"{day}-{number}",
            "staff_id": "ada",
            "client_id": "Acme",
            "work_date": day,
            "input": {"seconds": 3600},
            "billable_state": "billable",
            "approval": {"state": "approved"},
            "bill_rate": {"amount": amount, "currency": currency},
            "external_version": "1",
        }
        for number, amount in enumerate(amounts)
    ]
    office.report(*entries)
    office.bill(day)


def invoice(office: Office, number: str = "HB-1") -> Any:
    (row,) = (row for row in office.documents() if row["number"] == number)
    return office.client.get("poster", f"/v1/documents/{row['document_id']}")


def entries(office: Office, *purposes: str) -> list[tuple[str, str, str]]:
    """Return purpose, date and total of the documents made of postings, oldest first."""
    rows = [row for row in office.documents() if row.get("purpose") in purposes]
    return sorted((row["purpose"], row["document_date"], row["total"]) for row in rows)


def realized(office: Office) -> list[tuple[str, str]]:
    rows = office.client.get("poster", f"/v1/books/{BOOK}/exchange")["realized"]
    return sorted((row["day"], row["gain"]) for row in rows)


def test_a32_invoice_revaluation_and_payment_in_both_currencies(bare_office: Office) -> None:
    office = bare_office
    euro_office(office)
    for _ in range(2):
        work(office, "10000.00")
        assert office.balances() == {
            "receivable": Decimal("11919.00"),
            "revenue": Decimal("-11919.00"),
        }
        office.revalue("2026-02")
    assert entries(office, "revaluation", "revaluation_reversal") == [
        ("revaluation", "2026-02-28", "114.00"),
        ("revaluation_reversal", "2026-03-01", "114.00"),
    ]
    at_february = office.balances("2026-02-28")
    assert at_february["receivable_revaluation"] == Decimal("-114.00")
    assert at_february["fx_unrealized"] == Decimal("114.00")
    for _ in range(2):
        office.pay("p1", "10000.00", "2026-03-31", currency="EUR")
        office.revalue("2026-02")
        assert office.balances() == {
            "bank": Decimal("11498.00"),
            "fx_realized": Decimal("421.00"),
            "revenue": Decimal("-11919.00"),
        }
    assert realized(office) == [("2026-03-31", "-421.00")]
    assert (office.parked("poster"), office.reconcile()) == ([], [])
    assert len(entries(office, "revaluation", "revaluation_reversal")) == 2


def test_a33_partial_payments_realize_their_own_part(bare_office: Office) -> None:
    office = bare_office
    euro_office(office)
    work(office, "10000.00")
    for _ in range(2):
        office.pay("p1", "4000.00", "2026-02-27", currency="EUR")
        run = office.revalue("2026-02")
    assert office.balances("2026-02-27") == {
        "bank": Decimal("4722.00"),
        "fx_realized": Decimal("45.60"),
        "receivable": Decimal("7151.40"),
        "revenue": Decimal("-11919.00"),
    }
    ((item,),) = [ledger["items"] for ledger in run["result"]["ledgers"]]
    assert [item[name] for name in ("amount", "carried", "value", "difference")] == [
        "6000.00",
        "7151.40",
        "7083.00",
        "-68.40",
    ]
    assert entries(office, "revaluation", "revaluation_reversal") == [
        ("revaluation", "2026-02-28", "68.40"),
        ("revaluation_reversal", "2026-03-01", "68.40"),
    ]
    for _ in range(2):
        parts = [{"document_number": "HB-1", "amount": "6000.00"}]
        office.pay("p2", "6000.00", "2026-03-31", currency="EUR", applications=parts)
        office.revalue("2026-02")
    assert realized(office) == [("2026-02-27", "-45.60"), ("2026-03-31", "-252.60")]
    assert office.reconcile() == []
    assert office.balances()["bank"] == Decimal("11620.80")
    assert "receivable" not in office.balances()


def test_a34_a_revaluation_is_entered_once_whatever_dies(bare_office: Office) -> None:
    office = bare_office
    euro_office(office)
    work(office, "10000.00")
    for point in ("poster.revaluation_entered", "poster.revaluation_committed"):
        arm(f"{point}=raise")
        try:
            assert office.revalue("2026-02")["state"] == "completed"
            assert office.revalue("2026-02")["state"] == "completed"
        finally:
            arm("")
    assert entries(office, "revaluation", "revaluation_reversal") == [
        ("revaluation", "2026-02-28", "114.00"),
        ("revaluation_reversal", "2026-03-01", "114.00"),
    ]
    assert {len(ids) for ids in office.creates()["JournalEntry"].values()} == {1}


def test_a35_to_a38_which_rate_holds_and_what_it_makes_of_amounts(bare_office: Office) -> None:
    office = bare_office
    euro_office(office)
    for _ in range(2):
        work(office, "100.00", day="2026-02-01")
        on_sunday = invoice(office)
        assert on_sunday["base_total"] == "119.19"
        rate = on_sunday["exchange"]
        assert (rate["value"], rate["wanted_date"], rate["rate_date"], rate["is_fallback"]) == (
            "1.1919",
            "2026-02-01",
            "2026-01-30",
            True,
        )
        work(office, "33.33", "33.33", "33.33")
        in_three = invoice(office, "HB-2")
        assert in_three["base_total"] == "119.18"
        assert [line["base_amount"] for line in in_three["lines"]] == ["39.73", "39.73", "39.72"]
        work(office, "1000000.00", day="2026-01-31")
        assert invoice(office, "HB-3")["base_total"] == "1191900.00"
    assert office.balances()["receivable"] == Decimal("119.19") + Decimal("119.18") + Decimal(
        "1191900.00"
    )


def test_a38_a_cross_rate_goes_through_the_euro_unrounded(bare_office: Office) -> None:
    office = bare_office
    euro_office(office, "JPY")
    for _ in range(2):
        work(office, "1000000", currency="JPY")
        assert invoice(office)["base_total"] == "6492.18"
        assert office.balances()["receivable"] == Decimal("6492.18")
    legs = invoice(office)["exchange"]["legs"]
    assert {leg["currency"]: leg["value"] for leg in legs} == {"JPY": "183.59", "USD": "1.1919"}


def test_a39_a_corrected_rate_counts_for_new_documents_only(bare_office: Office) -> None:
    office = bare_office
    euro_office(office)
    work(office, "100.00")
    before = invoice(office)
    for _ in range(2):
        answer = office.import_rates("2026-01-30", USD="1.1920")
        assert office.import_rates("2026-01-30", USD="1.1919")["corrected"] == 0
    assert answer["known"] == 1
    work(office, "200.00", day="2026-01-31")
    after = invoice(office, "HB-2")
    assert invoice(office) == before
    assert (before["exchange"]["value"], before["exchange"]["rate_id"]) == (
        "1.1919",
        "ecb:EUR-USD:2026-01-30:1",
    )
    assert (after["base_total"], after["exchange"]["rate_id"]) == (
        "238.40",
        "ecb:EUR-USD:2026-01-30:2",
    )


def test_a40_without_a_rate_a_document_is_parked_until_one_arrives(bare_office: Office) -> None:
    office = bare_office
    euro_office(office, "RUB")
    for _ in range(2):
        work(office, "90000.00", currency="RUB")
        (parked,) = office.parked("poster")
        assert (parked["code"], parked["waits_for"]) == ("no_rate", "rate:RUB->USD:2026-01-30")
        assert (office.invoices(), office.balances()) == ([], {})
    office.import_rates("2026-01-29", RUB="90", USD="1.2")
    office.settle()
    assert office.parked("poster") == []
    assert invoice(office)["base_total"] == "1200.00"
    assert office.invoices() == money("90000.00")


def test_a41_residues_in_one_currency_are_cleared_by_an_entry_each(bare_office: Office) -> None:
    office = bare_office
    euro_office(office)
    acme = {"client": "Acme", "customer": {"name": "Acme"}, "currency": "EUR"}
    limit = {"residue_max": "1000.00"}
    office.configure(configuration(clients=[acme], projects=[], currencies=limit))
    path = f"/v1/books/{BOOK}"
    common = {"party": "Acme", "currency": "EUR", "day": "2025-12-31"}
    for _ in range(2):
        for reference, amounts in (
            ("OLD-1", {"amount": "0.00", "base_amount": "500.00"}),
            ("OLD-2", {"amount": "5.00", "base_amount": "0.00"}),
        ):
            body = {"reference": reference, **amounts, **common}
            office.client.post("poster", f"{path}/open-items", body)
    found = office.client.get("poster", f"{path}/residues")["residues"]
    assert sorted((Decimal(row["amount"]), Decimal(row["base_amount"])) for row in found) == [
        tuple(money("0.00", "500.00")),
        tuple(money("5.00", "0.00")),
    ]
    for _ in range(2):
        office.client.post("poster", f"{path}/residues/clear", {})
        office.settle()
    assert len(entries(office, "residue_clearing")) == 2
    assert office.client.get("poster", f"{path}/residues")["residues"] == []
    receivable = [row for row in office.account_balances() if row["role"] == "receivable"]
    assert all(Decimal(row["amount"]) == Decimal(row["base_amount"]) == 0 for row in receivable)


def test_a59_a_revaluation_into_closed_books_is_blocked_before_it_is_sent(
    bare_office: Office,
) -> None:
    office = bare_office
    euro_office(office)
    work(office, "10000.00")
    office.ledger_settings("preferences", AccountingInfoPrefs={"BookCloseDate": "2026-03-01"})
    for _ in range(2):
        run = office.revalue("2026-02")
        assert (run["state"], run["reason"]["code"]) == ("parked", "period_closed")
        assert entries(office, "revaluation", "revaluation_reversal") == []
    assert "JournalEntry" not in office.creates()
    office.ledger_settings("preferences", AccountingInfoPrefs={"BookCloseDate": "2026-01-31"})
    for _ in range(2):
        assert office.revalue("2026-02")["state"] == "completed"
    assert len(entries(office, "revaluation", "revaluation_reversal")) == 2
    assert office.parked("poster") == []
