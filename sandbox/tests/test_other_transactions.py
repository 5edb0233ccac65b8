"""What the stand-in stores and refuses of entries, bills, payments and attached files."""

from decimal import Decimal

import pytest

from hourbridge.common.exact_json import loads
from hourbridge.sandbox.quickbooks_online import CompanySeed, SandboxServer, seed_company
from hourbridge.sandbox.quickbooks_online.general_ledger import rows, trial_balance

REALM = "123"


def stored(answer, kind):
    assert answer.status_code == 200, answer.text
    return loads(answer.content)[kind]


def code(answer):
    assert answer.status_code == 400, answer.text
    return answer.json()["Fault"]["Error"][0]["code"]


def account(client, name):
    (found,) = client.query(f"select * from Account where Name = '{name}'")["Account"]
    return {"value": found["Id"]}


def vendor(client, name="Bravo"):
    (found,) = client.query(f"select * from Vendor where DisplayName = '{name}'")["Vendor"]
    return {"value": found["Id"]}


def posting(client, side, amount, name, **detail):
    return {
        "DetailType": "JournalEntryLineDetail",
        "Amount": Decimal(amount),
        "JournalEntryLineDetail": {
            "PostingType": side,
            "AccountRef": account(client, name),
            **detail,
        },
    }


def entry(client, *lines, number="J-1"):
    return {"DocNumber": number, "TxnDate": "2026-01-31", "Line": list(lines)}


def bill(client, amount, number="B-1", name="Bravo", **changes):
    line = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "Amount": Decimal(amount),
        "AccountBasedExpenseLineDetail": {"AccountRef": account(client, "Subcontractors")},
    }
    body = {"VendorRef": vendor(client, name), "TxnDate": "2026-01-31", "DocNumber": number}
    return {**body, "Line": [line], **changes}


def customer(identity="1"):
    return {"Type": "Customer", "EntityRef": {"value": identity}}


def test_an_entry_balances_and_names_whom_it_concerns(client):
    debit = posting(client, "Debit", "40.00", "Checking")
    credit = posting(client, "Credit", "40.00", "Accounts Receivable (A/R)", Entity=customer())
    made = stored(client.post("journalentry", entry(client, debit, credit)), "JournalEntry")
    assert (made["TotalAmt"], made["DocNumber"]) == (0, "J-1")
    assert "OpenItems" not in made
    assert stored(client.get("customer/1"), "Customer")["Balance"] == -40


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("Debit", "40.00", "Checking"), ("Credit", "39.99", "Services")], "6000"),
        ([("Debit", "40.00", "Checking"), ("Debit", "40.00", "Services")], "6000"),
        ([("Debit", "40.00", "Checking"), ("Credit", "40.00", "Accounts Payable (A/P)")], "6000"),
        ([("Sideways", "40.00", "Checking"), ("Credit", "40.00", "Services")], "2170"),
        ([("Debit", "-40.00", "Checking"), ("Credit", "-40.00", "Services")], "2010"),
    ],
)
def test_what_an_entry_is_refused_for(client, lines, expected):
    body = entry(client, *(posting(client, *line) for line in lines))
    assert code(client.post("journalentry", body)) == expected


def test_a_bill_is_owed_until_it_is_paid(client, server):
    owed = stored(client.post("bill", bill(client, "90.00")), "Bill")
    assert (owed["Balance"], owed["DueDate"]) == (90, "2026-01-31")
    assert stored(client.get(f"vendor/{owed['VendorRef']['value']}"), "Vendor")["Balance"] == 90
    link = {"Amount": 90, "LinkedTxn": [{"TxnId": owed["Id"], "TxnType": "Bill"}]}
    payment = {
        "VendorRef": owed["VendorRef"],
        "TotalAmt": 90,
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": account(client, "Checking")},
        "Line": [link],
    }
    stored(client.post("billpayment", payment), "BillPayment")
    assert stored(client.get(f"bill/{owed['Id']}"), "Bill")["Balance"] == 0
    balances = trial_balance(server.world.companies[REALM])
    assert {name: amount for name, amount in balances.items() if amount} == {
        "Checking": Decimal(-90),
        "Subcontractors": Decimal(90),
    }


def test_numbers_of_bills_are_the_vendors_own(client):
    stored(client.post("bill", bill(client, "5.00")), "Bill")
    assert code(client.post("bill", bill(client, "5.00"))) == "6140"
    assert stored(client.post("bill", bill(client, "5.00", name="Hotel Ritz")), "Bill")


def test_credits_are_used_by_payments_without_money(client, invoice):
    made = stored(client.post("invoice", invoice()), "Invoice")
    memo = stored(client.post("creditmemo", invoice("C-1")), "CreditMemo")
    line = [
        {"Amount": 120, "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Invoice"}]},
        {"Amount": 120, "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]},
    ]
    body = {"CustomerRef": {"value": "1"}, "TotalAmt": 0, "Line": line}
    payment = stored(client.post("payment", body), "Payment")
    assert stored(client.get(f"invoice/{made['Id']}"), "Invoice")["Balance"] == 180
    after = stored(client.get(f"creditmemo/{memo['Id']}"), "CreditMemo")
    assert (after["RemainingCredit"], after["SyncToken"]) == (180, "1")
    assert code(client.post("payment", {**body, "Line": line[:1]})) == "6000"
    undo = {"Id": payment["Id"], "SyncToken": payment["SyncToken"]}
    client.post("payment", undo, operation="delete")
    assert stored(client.get(f"creditmemo/{memo['Id']}"), "CreditMemo")["RemainingCredit"] == 300


def test_people_share_one_space_of_names(client):
    assert code(client.post("vendor", {"DisplayName": "acme"})) == "6240"
    assert code(client.post("customer", {"DisplayName": "Bravo"})) == "6240"
    assert stored(client.post("employee", {"GivenName": "Ada"}), "Employee")["DisplayName"] == "Ada"


def test_every_transaction_balances_in_the_general_ledger(client, server, invoice):
    client.post("invoice", invoice())
    client.post("bill", bill(client, "17.35"))
    seen = {}
    for row in rows(server.world.companies[REALM]):
        seen[row.kind, row.id] = seen.get((row.kind, row.id), 0) + row.home
    assert len(seen) == 2
    assert set(seen.values()) == {0}
    assert client.control("GET", "/companies/123/trial-balance")["Services"] == -300


def test_arithmetic_is_switched_per_company(client, invoice):
    client.control("PUT", "/companies/123/arithmetic", {"money_mode": "half_even"})
    odd = {
        "DetailType": "SalesItemLineDetail",
        "Amount": Decimal("0.12"),
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "Qty": Decimal("0.125"), "UnitPrice": 1},
    }
    assert stored(client.post("invoice", invoice(Line=[odd])), "Invoice")["TotalAmt"] == Decimal(
        "0.12"
    )
    refused = client.control("PUT", "/companies/123/arithmetic", {"nonsense": 1})
    assert "unknown switches" in refused["error"]


def test_a_snapshot_keeps_how_a_company_reckons(tmp_path):
    server = SandboxServer()
    seed = CompanySeed(
        REALM,
        customers={"Lyon": []},
        customer_currencies={"Lyon": "EUR"},
        exchange_rates={"EUR": {"2026-01-30": "1.1"}},
        arithmetic={"rate_inverse_decimals": 6},
        tax_codes={"CA": "7.75"},
    )
    seed_company(server.world, seed)
    server.world.save(tmp_path / "books.json")
    again = SandboxServer()
    again.world.load(tmp_path / "books.json")
    company = again.world.companies[REALM]
    assert company.arithmetic.rate_inverse_decimals == 6
    assert company.rates == {"EUR": {"2026-01-30": Decimal("1.1")}}
