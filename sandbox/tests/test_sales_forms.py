"""What the stand-in stores, derives and refuses of invoices and credit memos."""

from decimal import Decimal

import pytest

from hourbridge.common.exact_json import loads


def stored(answer, kind="Invoice"):
    assert answer.status_code == 200, answer.text
    return loads(answer.content)[kind]


def code(answer):
    assert answer.status_code == 400, answer.text
    return answer.json()["Fault"]["Error"][0]["code"]


def line(amount, **detail):
    return {
        "DetailType": "SalesItemLineDetail",
        "Amount": amount,
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}} | detail,
    }


def test_a_create_derives_what_the_service_derives(client, invoice):
    made = stored(
        client.post("invoice", invoice(TotalAmt=9, Balance=9, SalesTermRef={"value": "1"}))
    )
    assert (made["Id"], made["SyncToken"], made["domain"], made["sparse"]) == (
        "1",
        "0",
        "QBO",
        False,
    )
    assert made["TotalAmt"] == made["Balance"] == 300
    assert made["DueDate"] == "2026-03-02"
    assert [one.get("LineNum") for one in made["Line"]] == [1, None]
    assert made["Line"][-1]["DetailType"] == "SubTotalLineDetail"
    assert made["MetaData"]["CreateTime"][-6:] in ("-08:00", "-07:00")


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "is_right"),
    [
        ("128.350", "14.50", "1861.08", True),  # half up, as the service does
        ("128.350", "14.50", "1861.07", False),
        ("0.125", "1", "0.13", True),
        ("-0.125", "1", "-0.13", True),
        ("0.125", "1", "0.12", False),
        ("2", "150", "300.00", True),
    ],
)
def test_amount_is_quantity_times_price(client, invoice, quantity, price, amount, is_right):
    odd = line(Decimal(amount), Qty=Decimal(quantity), UnitPrice=Decimal(price))
    answer = client.post("invoice", invoice(Line=[odd, line(Decimal(1000))]))
    if is_right:
        assert stored(answer)["TotalAmt"] == Decimal(amount) + 1000
    else:
        assert code(answer) == "6070"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"CustomerRef": None}, "2020"),
        ({"CustomerRef": {"value": "99"}}, "2500"),
        ({"Line": []}, "2020"),
        ({"Line": [line(1, ItemRef={"value": "99"})]}, "2500"),
        ({"Line": [line(1, ClassRef={"value": "99"})]}, "2500"),
        ({"Line": [line(1, TaxCodeRef={"value": "7"})]}, "6100"),
        ({"Line": [line(-1)]}, "6000"),
        ({"Line": [line(Decimal("1.001"))]}, "2010"),
        ({"Line": [{"DetailType": "Nonsense"}]}, "2170"),
        ({"DocNumber": "x" * 22}, "2050"),
        ({"PrivateNote": "x" * 4001}, "2050"),
        ({"TxnDate": "yesterday"}, "2010"),
        ({"BillEmail": {"Address": "nobody"}}, "2210"),
        ({"EmailStatus": "NeedToSend"}, "2020"),
        ({"CurrencyRef": {"value": "USD"}}, "6000"),
    ],
)
def test_what_a_create_is_refused_for(client, invoice, changes, expected):
    assert code(client.post("invoice", invoice(**changes))) == expected
    assert client.query("select count(*) from Invoice") == {"totalCount": 0}


def test_numbers_are_unique_per_kind(client, invoice):
    client.post("invoice", invoice("A-1"))
    again = client.post("invoice", invoice("A-1"))
    assert code(again) == "6140"
    assert "DocNumber=A-1 is assigned to TxnType=Invoice with TxnId=1" in again.text
    assert stored(client.post("creditmemo", invoice("A-1")), "CreditMemo")["RemainingCredit"] == 300
    assert stored(client.post("invoice", invoice("A-1"), include="allowduplicatedocnum"))


def test_a_company_that_numbers_by_itself_ignores_ours(client, invoice):
    client.control(
        "PUT", "/companies/123/preferences", {"SalesFormsPrefs": {"CustomTxnNumbers": False}}
    )
    first = stored(client.post("invoice", invoice("A-1")))["DocNumber"]
    second = stored(client.post("invoice", invoice("A-1")))["DocNumber"]
    assert int(second) == int(first) + 1


def test_a_full_update_clears_what_it_leaves_out(client, invoice):
    made = stored(client.post("invoice", invoice(PrivateNote="n", CustomerMemo={"value": "m"})))
    full = invoice(Id=made["Id"], SyncToken="0", PrivateNote="kept")
    after = stored(client.post("invoice", full))
    assert (after["SyncToken"], after["PrivateNote"]) == ("1", "kept")
    assert "CustomerMemo" not in after


def test_a_sparse_update_changes_what_it_names(client, invoice):
    made = stored(client.post("invoice", invoice(PrivateNote="n")))
    sparse = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "CustomerMemo": {"value": "m"}}
    after = stored(client.post("invoice", sparse))
    assert (after["PrivateNote"], after["CustomerMemo"]) == ("n", {"value": "m"})
    assert after["TotalAmt"] == 300


def test_an_update_matches_lines_by_id(client, invoice):
    made = stored(client.post("invoice", invoice(Line=[line(1), line(2)])))
    kept = made["Line"][1] | {"Amount": 5}
    body = invoice(Id=made["Id"], SyncToken="0", Line=[line(7), kept])
    after = stored(client.post("invoice", body))
    assert [(one.get("Id"), one["Amount"]) for one in after["Line"]] == [
        ("3", 7),
        ("2", 5),
        (None, 12),
    ]


def test_only_the_current_sync_token_updates_or_deletes(client, invoice):
    made = stored(client.post("invoice", invoice()))
    stored(client.post("invoice", invoice(Id=made["Id"], SyncToken="0")))
    stale = {"Id": made["Id"], "SyncToken": "0"}
    assert code(client.post("invoice", invoice() | stale)) == "5010"
    assert code(client.post("invoice", stale, operation="delete")) == "5010"
    fresh = {"Id": made["Id"], "SyncToken": "1"}
    gone = client.post("invoice", fresh, operation="delete").json()["Invoice"]
    assert gone == {"status": "Deleted", "domain": "QBO", "Id": made["Id"]}
    assert code(client.post("invoice", fresh, operation="delete")) == "610"
    assert code(client.get(f"invoice/{made['Id']}")) == "610"


def test_nothing_happens_in_closed_books(client, invoice):
    made = stored(client.post("invoice", invoice()))
    closing = {"AccountingInfoPrefs": {"BookCloseDate": "2026-01-31"}}
    client.control("PUT", "/companies/123/preferences", closing)
    token = {"Id": made["Id"], "SyncToken": "0"}
    assert code(client.post("invoice", invoice("A-2"))) == "6210"
    assert code(client.post("invoice", invoice() | token | {"TxnDate": "2026-02-01"})) == "6210"
    assert code(client.post("invoice", token, operation="delete")) == "6210"
    assert stored(client.post("invoice", invoice("A-2", TxnDate="2026-02-01")))


def test_a_payment_moves_balances_and_protects_the_invoice(client, invoice):
    made = stored(client.post("invoice", invoice()))
    link = {"TxnId": made["Id"], "TxnType": "Invoice"}
    payment = {
        "CustomerRef": {"value": "1"},
        "TotalAmt": 400,
        "Line": [{"Amount": 300, "LinkedTxn": [link]}],
    }
    paid = stored(client.post("payment", payment), "Payment")
    assert paid["UnappliedAmt"] == 100
    after = stored(client.get(f"invoice/{made['Id']}"))
    assert (after["Balance"], after["SyncToken"]) == (0, "1")
    acme = stored(client.get("customer/1"), "Customer")
    assert acme["Balance"] == -100
    token = {"Id": made["Id"], "SyncToken": "1"}
    assert code(client.post("invoice", token, operation="delete")) == "6000"
    assert code(client.post("invoice", token, operation="void")) == "6000"
    undo = {"Id": paid["Id"], "SyncToken": paid["SyncToken"]}
    client.post("payment", undo, operation="delete")
    assert stored(client.get(f"invoice/{made['Id']}"))["Balance"] == 300


def test_a_void_invoice_stays_with_every_amount_zero(client, invoice):
    made = stored(client.post("invoice", invoice(PrivateNote="n")))
    token = {"Id": made["Id"], "SyncToken": "0"}
    after = stored(client.post("invoice", token, operation="void"))
    assert (after["TotalAmt"], after["Balance"], after["PrivateNote"]) == (0, 0, "Voided - n")
    assert after["Line"][0]["SalesItemLineDetail"]["Qty"] == 0
    assert stored(client.get("customer/1"), "Customer")["Balance"] == 0


def test_money_is_written_digit_by_digit(client, invoice):
    odd = line(Decimal("1861.08"), Qty=Decimal("128.350"), UnitPrice=Decimal("14.50"))
    text = client.post("invoice", invoice(Line=[odd])).text
    assert '"Amount":1861.08' in text
    assert '"Qty":128.350' in text


def test_clients_that_send_noise_on_create_are_served(client, invoice):
    noise = {"Id": "", "SyncToken": 0, "sparse": False, "Balance": 0, "CustomerMemo": None}
    assert stored(client.post("invoice", invoice(**noise)))["SyncToken"] == "0"
