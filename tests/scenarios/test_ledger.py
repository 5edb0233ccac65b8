"""Ledgers that reckon in another way than we do, and that people work in.

Acceptance scenarios A09 to A11 and A36, A37 as far as the ledger goes; A60, A61, A64, A65, A69.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.cli.client import ServiceRefused
from tests.scenarios.office import CUSTOMERS, Office, configuration, entry
from tests.support.installation import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database]

HALF_EVEN = {"money_mode": "half_even", "computes_amounts": True, "currency_digits": {"JPY": 0}}
TWO_DECIMALS = {"currency_digits": {"KWD": 2}}
RATES = "Date,USD,JPY,KWD\n2026-01-30,1.1919,183.59,0.3660\n"


def foreign(office: Office, client: str, currency: str, rate: str, **seed: Any) -> None:
    """Open an office that bills a client in its own currency, to the second and 4 decimals."""
    office.connect(
        customers={**CUSTOMERS, client: []}, customer_currencies={client: currency}, **seed
    )
    office.client.post("poster", "/v1/rates/import", content=RATES.encode())
    office.configure(foreign_configuration(client, currency, rate))


def foreign_configuration(client: str, currency: str, rate: str) -> dict[str, Any]:
    return configuration(
        clients=[{"client": client, "customer": {"name": client}, "currency": currency}],
        projects=[],
        rates={
            "use_source_rate": False,
            "rules": [{"client": client, "amount": rate, "currency": currency}],
        },
        rounding={"increment_seconds": 1, "quantity_decimals": 4},
    )


def causes(office: Office) -> list[tuple[str, Decimal]]:
    """Reconcile; return the cause and amount of every open discrepancy."""
    found = office.reconcile()
    return sorted((row["cause"], Decimal(row["difference_amount"] or 0)) for row in found)


def billed_twice(office: Office, through: str = "2026-01-31") -> list[dict[str, Any]]:
    """Bill; bill again, which changes nothing; return our documents in order."""
    office.bill(through)
    before = office.documents(), office.creates()
    office.bill(through)
    assert (office.documents(), office.creates()) == before
    return sorted(office.documents(), key=lambda document: document["number"])


@pytest.mark.parametrize("arithmetic", [{}, HALF_EVEN], ids=["as it is", "half to even"])
def test_a09_yen_have_no_decimals(bare_office: Office, arithmetic: dict[str, Any]) -> None:
    foreign(bare_office, "Kyoto", "JPY", "1235", arithmetic=arithmetic)
    bare_office.report(entry("e1", "1.5", client_id="Kyoto"))
    (invoice,) = billed_twice(bare_office)
    assert Decimal(invoice["total"]) == 1853
    assert Decimal(invoice["base_total"]) == Decimal("12.03")
    (held,) = bare_office.ledger("Invoice")
    assert held["TotalAmt"] == 1853
    sold = held["Line"][0]["SalesItemLineDetail"]
    assert (sold["Qty"], sold["UnitPrice"]) == (1, 1853)
    assert causes(bare_office) == []


def test_a10_a_ledger_that_rounds_dinars_to_two_decimals_is_named(bare_office: Office) -> None:
    foreign(bare_office, "Kuwait Co", "KWD", "12.345", arithmetic=TWO_DECIMALS)
    exact = {"seconds": 4000, "decimal_text": "1.1111"}
    bare_office.report(entry("e1", "1", client_id="Kuwait Co", input=exact))
    (invoice,) = billed_twice(bare_office)
    assert (invoice["status"], Decimal(invoice["total"])) == ("posted", Decimal("13.717"))
    assert bare_office.ledger("Invoice")[0]["TotalAmt"] == Decimal("13.72")
    for _ in range(2):
        assert causes(bare_office) == [("target_currency_precision", Decimal("0.003"))]


def test_a10_a_ledger_that_refuses_a_third_decimal_parks(bare_office: Office) -> None:
    foreign(bare_office, "Kuwait Co", "KWD", "12.345")
    exact = {"seconds": 4000, "decimal_text": "1.1111"}
    bare_office.report(entry("e1", "1", client_id="Kuwait Co", input=exact))
    (invoice,) = billed_twice(bare_office)
    assert (invoice["status"], invoice["reason"]["code"]) == ("parked", "currency_precision")
    assert bare_office.ledger("Invoice") == []


@pytest.mark.parametrize(
    ("arithmetic", "in_ledger", "difference"),
    [
        ({}, "32.60", []),
        (
            {"tax_scope": "line", "keeps_given_tax": False},
            "32.61",
            [("tax_scope", Decimal("0.01"))],
        ),
    ],
    ids=["by document", "by line"],
)
def test_a11_a_ledger_that_rounds_tax_by_the_line_is_named(
    bare_office: Office, arithmetic: dict[str, Any], in_ledger: str, difference: list[Any]
) -> None:
    bare_office.connect(tax_codes={"NY": "8.25"}, arithmetic=arithmetic)
    bare_office.configure(
        configuration(
            taxes=[{"code": "NY", "percent": "8.25"}],
            tax_code="NY",
            rates={"use_source_rate": False, "rules": [{"amount": "10.04"}]},
        )
    )
    bare_office.report(*(entry(f"e{n}", "1") for n in range(3)))
    (invoice,) = billed_twice(bare_office)
    assert Decimal(invoice["total"]) == Decimal("32.60")
    assert bare_office.invoices() == [Decimal(in_ledger)]
    for _ in range(2):
        assert causes(bare_office) == difference


def test_a36_lines_converted_one_by_one_leave_a_cent_that_is_named(bare_office: Office) -> None:
    exchange = "Exchange Gain or Loss"
    bare_office.connect(
        customers={**CUSTOMERS, "Lyon": []},
        customer_currencies={"Lyon": "EUR"},
        arithmetic={"line_base_amounts": True},
        closed_accounts=[exchange],
    )
    bare_office.client.post("poster", "/v1/rates/import", content=RATES.encode())
    document = foreign_configuration("Lyon", "EUR", "33.33")
    document["accounts"] = [a for a in document["accounts"] if a["role"] != "fx_realized"]
    with pytest.raises(ServiceRefused, match="exchange differences"):
        bare_office.configure(document)
    bare_office.person(
        "edit", "account", changes={"Active": True, "Name": exchange}, id=_account(bare_office)
    )
    bare_office.configure(document)
    bare_office.report(*(entry(f"e{n}", "1", client_id="Lyon") for n in range(3)))
    (invoice,) = billed_twice(bare_office)
    assert Decimal(invoice["base_total"]) == Decimal("119.18")
    shown = bare_office.client.get("poster", f"/v1/documents/{invoice['document_id']}")
    parts = sorted(Decimal(line["base_amount"]) for line in shown["lines"])
    assert parts == [Decimal("39.72"), Decimal("39.73"), Decimal("39.73")]
    assert bare_office.ledger_balances() == {
        "Accounts Receivable (A/R) - EUR": Decimal("119.18"),
        "Services": Decimal("-119.19"),
        exchange: Decimal("0.01"),
    }
    assert causes(bare_office) == [("target_fx_rounding", Decimal("0.01"))]


def _account(office: Office) -> str:
    named = (a["Id"] for a in office.ledger("Account") if a["Name"].startswith("Exchange Gain"))
    return str(next(named))


def test_a37_an_inverse_rate_of_six_decimals_is_named(bare_office: Office) -> None:
    foreign(bare_office, "Lyon", "EUR", "1000000", arithmetic={"rate_inverse_decimals": 6})
    bare_office.report(entry("e1", "1", client_id="Lyon"))
    (invoice,) = billed_twice(bare_office)
    assert Decimal(invoice["base_total"]) == Decimal("1191900.00")
    assert bare_office.ledger("Invoice")[0]["HomeTotalAmt"] == Decimal("1191899.38")
    for _ in range(2):
        assert causes(bare_office) == [("target_rate_precision", Decimal("-0.62"))]


def test_a60_an_edit_in_the_ledger_is_named_and_left(office: Office) -> None:
    office.report(entry("e1", "5"))
    (invoice,) = billed_twice(office)
    change = {"line": 1, "changes": {"Amount": Decimal(725)}}
    office.person("edit_line", "invoice", number=invoice["number"], **change)
    for _ in range(2):
        assert causes(office) == [("target_edit", Decimal("-25.00"))]
        assert office.invoices() == [Decimal("725.00")]


def test_a61_an_invoice_entered_by_hand_is_a_suspected_duplicate(office: Office) -> None:
    office.report(entry("e1", "5"))
    billed_twice(office)
    (ours,) = office.ledger("Invoice")
    by_hand = {name: ours[name] for name in ("CustomerRef", "TxnDate", "Line")}
    office.person("add", "invoice", changes={**by_hand, "DocNumber": "1001"})
    for _ in range(2):
        assert causes(office) == [("target_only", Decimal("750.00"))]
    assert office.invoices() == [Decimal("750.00")] * 2


def test_the_ledgers_own_general_ledger_equals_our_journal(office: Office) -> None:
    """An invoice, a correction that reduces what is open of it, and a payment of the rest."""
    office.report(entry("e1", "5"), entry("e2", "2"))
    (invoice,) = billed_twice(office)
    office.report(entry("e1", "4", external_version="2"))
    office.settle()
    wait_until(office.credit_memos, "the credit memo")
    for _ in range(2):
        office.pay("p1", "900.00", "2026-02-10", currency="USD")
        office.settle()
        assert office.accounts_that_differ() == {}
        assert office.ledger_balances() == {
            "Checking": Decimal("900.00"),
            "Services": Decimal("-900.00"),
        }
        (held,) = office.ledger("Invoice")
        assert (held["DocNumber"], held["Balance"]) == (invoice["number"], 0)
        (memo,) = office.ledger("CreditMemo")
        assert memo["RemainingCredit"] == 0
    assert causes(office) == []


def test_what_people_enter_beside_our_invoices_is_theirs(office: Office) -> None:
    """Payments, bills and entries by hand are no duplicates of anything."""
    office.report(entry("e1", "5"))
    (invoice,) = billed_twice(office)
    office.person("pay", "invoice", number=invoice["number"], amount=Decimal("300.00"))
    assert causes(office) == []
    assert office.ledger_balances() == {
        "Accounts Receivable (A/R)": Decimal("450.00"),
        "Checking": Decimal("300.00"),
        "Services": Decimal("-750.00"),
    }


@pytest.mark.parametrize("account", ["Travel (all)", "Old Travel"], ids=["header", "closed"])
def test_a64_an_account_that_takes_no_postings_is_refused_with_the_mapping(
    bare_office: Office, account: str
) -> None:
    bare_office.connect(
        accounts={"Old Travel": "Expense"},
        header_accounts=["Travel (all)"],
        closed_accounts=["Old Travel"],
    )
    ids = {a["Name"].removesuffix(" (deleted)"): a["Id"] for a in bare_office.ledger("Account")}
    wanted = {"category": "Travel", "account": {"id": ids[account]}}
    for _ in range(2):
        with pytest.raises(ServiceRefused, match="nothing can be posted|closed in the ledger"):
            bare_office.configure(configuration(expenses=[wanted]))
    assert bare_office.ledger("Invoice") == bare_office.ledger("Bill") == []


def test_a65_a_client_renamed_on_both_sides_is_matched_by_id(bare_office: Office) -> None:
    bare_office.connect(customers={"Acme": []})
    (customer,) = bare_office.ledger("Customer")
    mapping = {"client": "c-17", "customer": {"id": customer["Id"], "name": "Acme"}}
    document = configuration(clients=[mapping], projects=[])
    bare_office.configure(document)
    bare_office.report(entry("e1", "1", client_id="c-17", client_name="Acme"))
    billed_twice(bare_office)
    bare_office.person(
        "edit", "customer", id=customer["Id"], changes={"DisplayName": "Acme Holdings"}
    )
    bare_office.report(
        entry("e2", "2", client_id="c-17", client_name="ACME Group", day="2026-02-03")
    )
    first, second = billed_twice(bare_office, "2026-02-28")
    assert [first["status"], second["status"]] == ["posted", "posted"]
    assert {held["CustomerRef"]["value"] for held in bare_office.ledger("Invoice")} == {
        customer["Id"]
    }
    assert len(bare_office.ledger("Customer")) == 1
    content = json.dumps(document).encode()
    plan = bare_office.client.post("mapper", "/v1/mappings/plan", content=content)
    conflicts = [each for each in plan["warnings"] if each["code"] == "name_conflict"]
    assert ["Acme Holdings" in each["detail"] for each in conflicts] == [True]
    (names,) = plan["name_conflicts"]
    assert "ACME Group" in names["tracker_names"]


def test_a69_a_similar_document_is_parked_and_never_waved_through(bare_office: Office) -> None:
    bare_office.connect(arithmetic={"warns_of_similar": True})
    invoicing = {"grouping": "entry", "lines": "entry"}
    bare_office.configure(configuration(invoicing=invoicing))
    bare_office.report(entry("e1", "1"), entry("e2", "1"))
    first, second = billed_twice(bare_office)
    assert {first["status"], second["status"]} == {"posted", "parked"}
    parked = first if first["status"] == "parked" else second
    assert parked["reason"]["code"] == "similar_document"
    assert len(bare_office.ledger("Invoice")) == 1
    # Somebody compared the two and says so in the ledger; the document goes on once.
    bare_office.ledger_settings("arithmetic", warns_of_similar=False)
    for _ in range(2):
        if any(document["status"] == "parked" for document in bare_office.documents()):
            bare_office.client.post("poster", f"/v1/documents/{parked['document_id']}/release", {})
        bare_office.settle()
        assert bare_office.invoices() == [Decimal("150.00")] * 2
