"""Scenarios A26 to A31: pass-through expenses, shared ones, and doubles of them.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.scenarios.office import BOOK, CUSTOMERS, Office
from tests.scenarios.spending import (
    RATES,
    costs,
    expense,
    in_ledger,
    lines,
    money,
    of_kind,
    spend,
)

pytestmark = [pytest.mark.broker, pytest.mark.database]


# --- expenses -----------------------------------------------------------------------------------


def test_a26_a_hotel_at_cost_is_no_revenue(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(costs())
    for _ in range(2):
        spend(office, expense("x1", "123.45", receipts=[{"id": "r1", "filename": "hotel.pdf"}]))
        office.bill("2026-01-31")
        [bill] = of_kind(office, "vendor_bill")
        [invoice] = of_kind(office, "invoice")
        assert lines(bill) == lines(invoice) == [("reimbursable", Decimal("123.45"))]
        assert [receipt["filename"] for receipt in invoice["attachments"]] == ["hotel.pdf"]
        assert invoice["attachments"] == bill["attachments"]
    assert office.balances() == money(receivable="123.45", payable="-123.45")
    accounts = ("Reimbursable Costs", "Accounts Payable (A/P)", "Services")
    assert in_ledger(office, *accounts) == [Decimal(0), Decimal("-123.45"), Decimal(0)]
    assert office.reconcile() == []


def test_a26_a_credited_expense_is_billed_again_once(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(costs({"bill_costs": False}))
    spend(office, expense("x1", "123.45"))
    office.bill("2026-01-31")
    for _ in range(2):
        spend(office, expense("x1", "123.45", billable_state="no_charge", external_version="2"))
        office.settle()
    for _ in range(2):
        spend(office, expense("x1", "123.45", external_version="3"))
        office.bill("2026-01-31")
    assert office.invoices() == [Decimal("123.45"), Decimal("123.45")]
    assert office.credit_memos() == [Decimal("123.45")]


@pytest.mark.parametrize("item", ["Reimbursable Costs", None])
def test_a27_markup_is_revenue_of_its_own(bare_office: Office, item: str | None) -> None:
    office = bare_office
    office.connect()
    target = {"item": {"name": item}} if item else {"account": {"name": "Reimbursable Costs"}}
    category = {"category": "Hotel", "markup_percent": "15", **target}
    office.configure(costs(expenses=[category]))
    for _ in range(2):
        spend(office, expense("x1", "200.00"))
        office.bill("2026-01-31")
        [invoice] = of_kind(office, "invoice")
        assert Decimal(invoice["total"]) == Decimal("230.00")
        assert lines(invoice) == [
            ("reimbursable", Decimal("200.00")),
            ("markup_revenue", Decimal("30.00")),
        ]
    assert office.balances() == money(
        receivable="230.00", payable="-200.00", markup_revenue="-30.00"
    )
    accounts = ("Reimbursable Costs", "Markup Revenue")
    assert in_ledger(office, *accounts) == [Decimal(0), Decimal("-30.00")]
    assert office.reconcile() == []


def test_a28_tax_is_recovered_and_charged_again(bare_office: Office) -> None:
    office = bare_office
    office.connect(tax_codes={"VAT20": "20"})
    office.configure(costs(taxes=[{"code": "VAT20", "percent": "20"}], tax_code="VAT20"))
    for _ in range(2):
        spend(office, expense("x1", "120.00", tax_amount="20.00", tax_included=True))
        office.bill("2026-01-31")
        [bill] = of_kind(office, "vendor_bill")
        [invoice] = of_kind(office, "invoice")
        assert lines(bill) == [
            ("reimbursable", Decimal("100.00")),
            ("input_tax", Decimal("20.00")),
        ]
        assert lines(invoice) == [("reimbursable", Decimal("100.00"))]
        assert [Decimal(tax["amount"]) for tax in invoice["taxes"]] == [Decimal("20.00")]
        assert (bill["total"], invoice["total"]) == ("120.00", "120.00")
    assert office.balances() == money(
        input_tax="20.00", payable="-120.00", receivable="120.00", tax_payable="-20.00"
    )
    assert office.reconcile() == []


@pytest.mark.parametrize(
    ("lock", "billed", "difference"),
    [("transaction_date", "100.81", "0"), ("invoice_date", "98.19", "2.62")],
)
def test_a29_a_foreign_cost_takes_the_rate_of_its_day_or_of_its_invoice(
    bare_office: Office, lock: str, billed: str, difference: str
) -> None:
    office = bare_office
    office.connect(vendor_currencies={"Hotel Ritz": "EUR"})
    for day, rates in RATES.items():
        office.import_rates(day, **rates)
    office.configure(costs(currencies={"lock": lock}))
    for _ in range(2):
        record = expense("x1", "85.40", currency="EUR", expense_date="2026-02-27")
        spend(office, record)
        office.bill("2026-03-31")
        [bill] = of_kind(office, "vendor_bill")
        [invoice] = of_kind(office, "invoice")
        assert (bill["total"], bill["base_total"]) == ("85.40", "100.81")
        assert (invoice["currency"], invoice["total"]) == ("USD", billed)
    assert office.balances().get("reimbursable", Decimal(0)) == Decimal(difference)
    [shown] = office.client.get("poster", f"/v1/books/{BOOK}/exchange")["costs"]
    assert (shown["cause"], shown["spent_base"], shown["billed_base"]) == (
        "fx_date",
        "100.81",
        billed,
    )
    assert Decimal(shown["difference"]) == Decimal(difference)
    assert office.reconcile() == []


# --- doubles ------------------------------------------------------------------------------------


def card_expense(office: Office, amount: str, day: str) -> None:
    """Let the ledger's card feed bring in an expense at Hotel Ritz."""
    accounts = {row["Name"]: row["Id"] for row in office.ledger("Account")}
    (vendor,) = (v for v in office.ledger("Vendor") if v["DisplayName"] == "Hotel Ritz")
    line = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": amount,
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": accounts["Project Costs"]}},
    }
    made = {
        "PaymentType": "CreditCard",
        "AccountRef": {"value": accounts["Company Card"]},
        "EntityRef": {"value": vendor["Id"], "type": "Vendor"},
        "TxnDate": day,
        "Line": [line],
    }
    office.person("add", "purchase", changes=made)


def test_a30_what_the_card_feed_has_waits_for_a_person(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(costs())
    card_expense(office, "45.00", "2026-01-15")
    for _ in range(2):
        spend(office, expense("x1", "45.00"))
        office.bill("2026-01-31")
        [waiting] = office.parked("poster")
        assert (waiting["code"], waiting["kind"]) == ("suspected_duplicate", "payable")
        assert office.ledger("Bill") == []
    path = f"/v1/parked/{waiting['id']}/release"
    office.client.post("poster", path, {"choice": "distinct", "note": "two nights"})
    for _ in range(2):
        office.settle()
        assert [row["TotalAmt"] for row in office.ledger("Bill")] == [Decimal("45.00")]
        spend(office, expense("x1", "45.00"))
        office.bill("2026-01-31")
    assert office.parked("poster") == []
    assert len(of_kind(office, "invoice")) == 1


def test_a31_a_shared_expense_sums_to_the_cent(bare_office: Office) -> None:
    office = bare_office
    clients = {"Cedar": [], **CUSTOMERS}
    office.connect(customers=clients)
    office.configure(
        costs(
            clients=[{"client": name, "customer": {"name": name}} for name in clients],
            projects=[{"project": "Fair", "shared_over": [{"client": name} for name in clients]}],
        )
    )
    for _ in range(2):
        spend(office, expense("x1", "100.00", client_id=None, project_id="Fair"))
        office.bill("2026-01-31")
        billed = {i["client"]: Decimal(i["total"]) for i in of_kind(office, "invoice")}
        assert billed == {
            "Acme": Decimal("33.34"),
            "Birch": Decimal("33.33"),
            "Cedar": Decimal("33.33"),
        }
        [bill] = of_kind(office, "vendor_bill")
        assert Decimal(bill["total"]) == sum(billed.values()) == Decimal("100.00")
    assert office.balances() == money(receivable="100.00", payable="-100.00")
    assert office.reconcile() == []
