"""Scenarios A54 to A58: what is done when posted work changes.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.scenarios.office import BOOK, REALM, Office, configuration, entry
from tests.support.installation import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database]


def acme(**terms: Any) -> list[dict[str, Any]]:
    return [{"client": "Acme", "customer": {"name": "Acme"}, **terms}]


def billed(office: Office) -> list[str]:
    return [each["total"] for each in office.documents_of("Acme")]


def credited(office: Office) -> list[str]:
    return [each["total"] for each in office.documents_of("Acme", kind="credit_memo")]


def receivable(office: Office) -> Decimal:
    return office.balances(client="Acme").get("receivable", Decimal(0))


def test_a54_fewer_hours_become_a_linked_credit(office: Office) -> None:
    office.report(entry("e1", "5.00"))
    office.bill()
    assert billed(office) == ["750.00"]
    for _ in range(2):
        office.report(entry("e1", "4.00", external_version="2"))
        office.settle()
        wait_until(lambda: credited(office), "the credit memo")
        office.bill()
        office.settle()
        (invoice,) = office.documents_of("Acme")
        (memo,) = office.documents_of("Acme", kind="credit_memo")
        assert (invoice["total"], memo["total"]) == ("750.00", "150.00")
        assert memo["credits_document_id"] == invoice["document_id"]
        (line,) = memo["lines"]
        assert line["credits_line_id"] == invoice["lines"][0]["line_id"]
        assert line["billed_seconds"] == 3600
        assert receivable(office) == Decimal("600.00")
        assert invoice["posted"]["edit_token"] == "0"  # never edited in place
        assert office.poster_status()["charges"] == {"billed": 1}


def test_a55_a_deleted_entry_is_credited_in_full(office: Office) -> None:
    office.report(entry("e1", "2.00"))
    office.bill()
    for _ in range(2):
        office.report(entry("e1", "2.00", external_version="2", deleted={"how": "webhook"}))
        office.settle()
        wait_until(lambda: credited(office), "the credit memo")
        office.bill()
        assert (billed(office), credited(office)) == (["300.00"], ["300.00"])
        assert receivable(office) == 0
        assert office.poster_status()["charges"] == {}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
def test_a56_the_last_credit_takes_the_residue(bare_office: Office, order: tuple[int, ...]) -> None:
    office = bare_office
    office.connect(customers={"Acme": []}, tax_codes={"VAT": "20"})
    prices = ("68.33", "68.33", "57.50", "85.00")
    office.configure(
        configuration(
            clients=acme(),
            projects=[],
            tasks=[{"task": f"T{n}", "item": {"name": "Consulting"}} for n in range(4)],
            rates={"rules": [{"task": f"T{n}", "amount": p} for n, p in enumerate(prices)]},
            taxes=[{"code": "VAT", "percent": "20"}],
            tax_code="VAT",
        )
    )
    office.report(*(entry(f"e{n}", "1.00", task_name=f"T{n}") for n in range(4)))
    office.bill()
    assert billed(office) == ["334.99"]
    at_20_percent = ("82.00", "82.00", "69.00", "102.00")
    expected = [at_20_percent[n] for n in order[:3]]
    rest = Decimal("334.99") - sum(map(Decimal, expected))
    for number, n in enumerate(order, start=1):
        for _ in range(2):
            deleted = {"external_version": "2", "deleted": {"how": "feed"}}
            office.report(entry(f"e{n}", "1.00", task_name=f"T{n}", **deleted))
            office.settle()
            wait_for_credits(office, number)
    for _ in range(2):
        office.bill()
        assert credited(office) == [*expected, str(rest)]
        assert sum(map(Decimal, credited(office))) == Decimal("334.99")
        assert office.balances() == {}
    assert rest == Decimal("101.99") if order[3] == 3 else rest == Decimal("68.99")


def wait_for_credits(office: Office, number: int) -> None:
    wait_until(lambda: len(credited(office)) == number, "the credit memo")


def at_140(office: Office) -> None:
    rates = {"use_source_rate": True, "rules": [{"amount": "140.00"}]}
    office.configure(configuration(rates=rates))


@pytest.mark.parametrize("remapped_first", [False, True])
def test_a57_hours_of_a_credited_invoice_are_billed_again_once(
    office: Office, *, remapped_first: bool
) -> None:
    office.report(entry("e1", "5.00"), entry("e2", "1.00", day="2026-01-16"))
    office.bill()
    assert billed(office) == ["900.00"]
    (invoice,) = office.documents_of("Acme")
    if remapped_first:
        at_140(office)
        office.bill()
        assert (billed(office), credited(office)) == (["900.00"], [])
    office.decide("credit", invoice, note="agreed rate was 140")
    wait_until(lambda: credited(office) == ["900.00"], "the credit memo")
    for _ in range(2):
        at_140(office)
        wait_until(lambda: rates_of_unbilled(office) <= {"140.00"}, "the new rate to arrive")
        office.bill()
        assert (billed(office), credited(office)) == (["900.00", "840.00"], ["900.00"])
        second = office.documents_of("Acme")[1]
        assert {line["unit_price"] for line in second["lines"]} == {"140.00"}
        assert receivable(office) == Decimal("840.00")
    with pytest.raises(Exception, match="credited already"):
        office.decide("credit", invoice, note="again")


def rates_of_unbilled(office: Office) -> set[str]:
    """Return the hourly rates at which what is unbilled would be billed now."""
    request = {"through": "2026-12-31", "dry_run": True}
    answer = office.client.post("poster", f"/v1/books/{BOOK}/bill", request)
    by_total = {"840.00": "140.00", "900.00": "150.00"}
    return {by_total[draft["total"]] for draft in answer["would_bill"]}


def test_a57_by_policy_a_change_credits_and_bills_again(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    policy = {"mode": "credit_and_rebill"}
    office.configure(configuration(clients=acme(corrections=policy), projects=[]))
    office.report(entry("e1", "5.00"), entry("e2", "1.00", day="2026-01-16"))
    office.bill()
    for _ in range(2):
        cheaper = {"bill_rate": {"amount": "140.00"}, "external_version": "2"}
        office.report(entry("e1", "5.00", **cheaper))
        office.settle()
        wait_until(lambda: len(billed(office)) == 2, "the second invoice")
        office.bill()
        assert (billed(office), credited(office)) == (["900.00", "850.00"], ["900.00"])
        assert receivable(office) == Decimal("850.00")
        assert office.poster_status()["charges"] == {"billed": 2}


def test_a58_a_late_entry_for_a_closed_month_waits_for_approval(office: Office) -> None:
    close(office, "2026-01-31")
    for _ in range(2):
        office.report(entry("late", "2.00", day="2026-01-15"))
        office.bill("2026-01-31")
        (invoice,) = office.documents_of("Acme")
        assert (invoice["status"], invoice["reason"]["code"]) == ("parked", "period_closed")
        assert invoice["reason"]["waits_for"] == "approval:2026-02-01"
        (waiting,) = office.client.get("poster", "/v1/operations", book=BOOK)["operations"]
        assert (waiting["state"], waiting["attempts"]) == ("parked", 1)
        assert office.creates() == {}
    office.decide("release", invoice, note="approved")
    for _ in range(2):
        office.bill("2026-01-31")
        (invoice,) = office.documents_of("Acme")
        assert (invoice["status"], invoice["document_date"]) == ("posted", "2026-02-01")
        assert invoice["lines"][0]["service_date"] == "2026-01-15"
        assert office.invoices() == [Decimal("300.00")]
    (posted,) = office.ledger("Invoice")
    assert posted["TxnDate"] == "2026-02-01"


def close(office: Office, through: str) -> None:
    url = f"{office.sandbox.base_url}/_sandbox/companies/{REALM}/preferences"
    answer = httpx.put(url, json={"AccountingInfoPrefs": {"BookCloseDate": through}})
    assert answer.status_code < 300, answer.text
