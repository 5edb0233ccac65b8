"""Expenses by who paid them: bills, checks, cash, and the company's cards.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios.office import Office
from tests.scenarios.spending import costs, expense, in_ledger, money, of_kind, spend

pytestmark = [pytest.mark.broker, pytest.mark.database]

ADA = {"staff": "ada", "employee": {"name": "Ada"}}
EVE = {"staff": "eve", "vendor": {"name": "Eve Adams"}}
BOTH = {"staff": "bob", "employee": {"name": "Bob"}, "vendor": {"name": "Bravo"}}
VISA = {"card": "1234", "account": {"name": "Visa 1234"}}


def open_books(office: Office, **expenses: Any) -> None:
    """Open books that post purchases: two cards, the bank's account for the rest."""
    office.connect(
        employees=["Ada", "Bob"],
        vendors=["Bravo", "Hotel Ritz", "Eve Adams"],
        accounts={"Visa 1234": "Credit Card"},
    )
    rules = {"company_card": "purchase", "company_cash": "purchase", "cards": [VISA], **expenses}
    office.configure(costs(staff=[ADA, EVE, BOTH], posting={"expenses": rules}))


def own(external_id: str, amount: str, **fields: Any) -> dict[str, Any]:
    """Return an expense that somebody paid for the firm."""
    record = expense(external_id, amount, reimbursable=True, payment_source="employee", **fields)
    del record["vendor_name"]
    return record


def card(external_id: str, amount: str, **fields: Any) -> dict[str, Any]:
    """Return a charge on the company's card; a credit where it is below nothing."""
    is_refund = amount.startswith("-")
    return expense(
        external_id, amount, payment_source="company_card", is_refund=is_refund, **fields
    )


def purchases(office: Office) -> list[tuple[str, str, str, str, Decimal, int]]:
    """Return the ledger's purchases: how, from what, to whom, when, how much, how many lines."""
    return sorted(
        (
            f"{row['PaymentType']}{' credit' if row.get('Credit') else ''}",
            row["AccountRef"]["name"],
            row.get("EntityRef", {}).get("type", "nobody"),
            row["TxnDate"],
            row["TotalAmt"],
            len(row["Line"]),
        )
        for row in office.ledger("Purchase")
    )


def creates(office: Office) -> int:
    return sum(len(ids) for ids in office.creates().get("Purchase", {}).values())


def test_who_paid_decides_what_is_posted(bare_office: Office) -> None:
    office = bare_office
    open_books(office)
    trip = {"id": "R1", "name": "Trip"}
    for _ in range(2):
        spend(
            office,
            own("c1", "30.00", report=trip),
            own("c2", "12.50", report=trip, expense_date="2026-01-20"),
            own("b1", "80.00", staff_id="eve"),
            own("b2", "5.00", staff_id="bob"),
            card("k1", "99.90", card_mask="1234"),
            card("k2", "20.00", card_mask="9999", expense_date="2026-01-18"),
            card("k3", "-19.90", card_mask="1234", expense_date="2026-01-19"),
            expense("m1", "7.25", payment_source="company_cash", merchant_text="Kiosk"),
            expense("s1", "40.00", payment_source="service_fee"),
            expense("v1", "250.00", payment_source="vendor_bill", bill_number="R-77"),
        )
        office.bill("2026-01-31")
        assert purchases(office) == [
            ("Cash", "Checking", "Vendor", "2026-01-15", Decimal("7.25"), 1),
            ("Check", "Checking", "Employee", "2026-01-20", Decimal("42.50"), 2),
            ("CreditCard", "Company Card", "Vendor", "2026-01-18", Decimal("20.00"), 1),
            ("CreditCard", "Visa 1234", "Vendor", "2026-01-15", Decimal("99.90"), 1),
            ("CreditCard credit", "Visa 1234", "Vendor", "2026-01-19", Decimal("19.90"), 1),
        ]
        bills = sorted((b["VendorRef"]["name"], b["TotalAmt"]) for b in office.ledger("Bill"))
        assert bills == [
            ("Bravo", Decimal("5.00")),
            ("Eve Adams", Decimal("80.00")),
            ("Hotel Ritz", Decimal("250.00")),
        ]
    statuses = [
        line["AccountBasedExpenseLineDetail"]["BillableStatus"]
        for row in office.ledger("Purchase")
        for line in row["Line"]
    ]
    assert set(statuses) == {"NotBillable"}
    assert creates(office) == 5
    assert in_ledger(office, "Visa 1234", "Company Card", "Checking") == [
        Decimal("-80.00"),
        Decimal("-20.00"),
        Decimal("-49.75"),
    ]
    ours = office.balances()
    assert (ours["credit_card"], ours["bank"]) == (Decimal("-100.00"), Decimal("-49.75"))
    assert office.reconcile() == []


def test_parts_of_one_card_transaction_are_one_purchase(bare_office: Office) -> None:
    office = bare_office
    open_books(office)
    one = {"bank_transaction_id": "T9", "card_mask": "1234"}
    for _ in range(2):
        spend(office, card("k1", "60.00", **one), card("k2", "40.00", client_id="Birch", **one))
        office.bill("2026-01-31")
        [(how, account, _, _, total, lines)] = purchases(office)
        assert (how, account, total, lines) == (
            "CreditCard",
            "Visa 1234",
            Decimal("100.00"),
            2,
        )
    assert office.reconcile() == []


def test_what_the_feed_brings_is_not_posted(bare_office: Office) -> None:
    office = bare_office
    open_books(office, company_card="feed", company_cash="feed")
    for _ in range(2):
        spend(office, card("k1", "99.90"), expense("m1", "7.25", payment_source="company_cash"))
        office.bill("2026-01-31")
        assert purchases(office) == []
        assert office.invoices() == [Decimal("107.15")]
    assert office.reconcile() == []


def test_a_changed_charge_is_put_right_where_it_stands(bare_office: Office) -> None:
    office = bare_office
    open_books(office)
    spend(office, card("k1", "99.90", card_mask="1234"), card("k2", "10.00", card_mask="1234"))
    office.bill("2026-01-31")
    changed = card("k1", "89.90", card_mask="1234", external_version="2", notes="corrected")
    gone = card("k2", "10.00", card_mask="1234", external_version="2", deleted={"how": "feed"})
    for _ in range(2):
        spend(office, changed, gone)
        office.settle()
        office.bill("2026-01-31")
        [(how, account, _, _, total, _)] = purchases(office)
        assert (how, account, total) == ("CreditCard", "Visa 1234", Decimal("89.90"))
        assert "corrected" in office.ledger("Purchase")[0]["Line"][0]["Description"]
    other_card = card("k1", "89.90", card_mask="9999", external_version="3")
    for _ in range(2):
        spend(office, other_card)
        office.settle()
        office.bill("2026-01-31")
        [(_, account, _, _, total, _)] = purchases(office)
        assert (account, total) == ("Company Card", Decimal("89.90"))
    assert creates(office) == 3
    assert office.balances()["credit_card"] == Decimal("-89.90")
    assert office.reconcile() == []


def test_an_edited_check_waits_for_a_person(bare_office: Office) -> None:
    office = bare_office
    open_books(office)
    spend(office, own("c1", "30.00"))
    office.bill("2026-01-31")
    (check,) = office.ledger("Purchase")
    office.person("edit", "purchase", id=check["Id"], changes={"DocNumber": "1001"})
    assert [row["cause"] for row in office.reconcile()] == ["target_edit"]
    changed = own("c1", "35.00", external_version="2")
    for _ in range(2):
        spend(office, changed)
        office.settle()
        assert office.ledger("Purchase")[0]["TotalAmt"] == Decimal("30.00")
        assert [row["code"] for row in office.parked("poster")] == ["edit_token_stale"]
    (document,) = of_kind(office, "check")
    office.decide("release", document)
    (check,) = office.ledger("Purchase")
    assert (check["TotalAmt"], check["DocNumber"]) == (Decimal("35.00"), document["number"])
    assert office.reconcile() == []


def test_one_receipt_is_attached_to_its_purchase(bare_office: Office) -> None:
    office = bare_office
    open_books(office)
    receipt = {"id": "r1", "filename": "kiosk.pdf", "url": "https://files.example/r1"}
    for _ in range(2):
        spend(office, card("k1", "99.90", receipts=[receipt]))
        office.bill("2026-01-31")
        (purchase,) = office.ledger("Purchase")
        attached = [row["AttachableRef"][0]["EntityRef"] for row in office.ledger("Attachable")]
        assert attached.count({"type": "Purchase", "value": purchase["Id"]}) == 1
    assert office.balances() == money(receivable="99.90", credit_card="-99.90")
    assert office.reconcile() == []
