"""Expenses: report 0, units, cards, vendor bills, credits, receipts (checklist 6)."""

from __future__ import annotations

import base64
from decimal import Decimal

import pytest

TRIP = {"StaffSID": 1, "ProjectSID": 1, "CatSID": 1, "Dt": "2026-10-06", "CostIN": "200.00"}


def enter(client, **changes):
    return client.post("expense/detail", {**TRIP, **changes})


def test_report_zero_is_everything_not_yet_submitted(firm, client):
    first = enter(client)["SID"]
    assert [row["SID"] for row in client.get("expense/report/0")] == [first]
    report = client.post("expense/submit", {"staffsid": 1, "RptNm": "Trip"})
    second = enter(client)["SID"]
    assert [row["SID"] for row in client.get("expense/report/0")] == [second]
    (line,) = client.get(f"expense/report/{report['SID']}")
    assert (line["SID"], line["RptSID"], line["IsSubmitted"]) == (first, report["SID"], True)
    (listed,) = client.get("expense/reports", staffsid="1")
    assert (listed["RptNm"], listed["StatusNm"]) == ("Trip", "Submitted")
    assert client.status("GET", "expense/report/999") == 404


def test_approved_reports_show_only_with_showall(firm, client):
    enter(client)
    client.post("expense/submit", {"staffsid": 1})
    firm.act("approve_expenses")
    assert client.get("expense/reports") == []
    (report,) = client.get("expense/reports", showall="true")
    assert report["StatusNm"] == "Approved"


def test_rejected_expenses_return_to_report_zero_and_keep_their_id(firm, client):
    sid = enter(client)["SID"]
    client.post("expense/submit", {"staffsid": 1})
    firm.act("reject_expenses", note="receipt?")
    (row,) = client.get("expense/report/0", view="Detailed")
    assert (row["SID"], row["IsSubmitted"], row["RevisionNotes"]) == (sid, False, "receipt?")
    assert client.get("expense/reports", showall="true")[0]["StatusNm"] == "Rejected"


def test_units_are_rounded_once_half_up(firm, client):
    miles = {"Nm": "Mileage", "IsUnit": True, "UOM": "miles", "UnitRate": "0.485"}
    code = client.post("picklist/ExpenseCode", {**miles, "UnitPrice": "0.55"})
    row = enter(client, CatSID=code["Sid"], Units=3, CostIN=0)
    assert (row["CostIN"], row["CostPayable"]) == (Decimal("1.46"), Decimal("1.46"))
    assert (row["CostBill"], row["UOM"]) == (Decimal("1.65"), "miles")


def test_five_decimals_of_a_rate_card_override_the_code(firm, client):
    unit = {"Nm": "Mileage", "IsUnit": True, "UnitRate": "0.485", "UnitPrice": "0.55"}
    code = client.post("picklist/ExpenseCode", unit)["Sid"]
    card = {"ProjectSid": 1, "CatSID": code, "UnitRate": "0.48505", "UnitPrice": "0.7"}
    firm.save("expense_rates", **card)
    row = enter(client, CatSID=code, Units=100)
    assert (row["CostIN"], row["CostBill"]) == (Decimal("48.51"), 70)


def test_corporate_card_is_owed_to_nobody_and_still_billed(firm, client):
    firm.save("expense_codes", 1, Markup=10)
    firm.save("credit_cards", Name="Visa 4711")
    assert client.get("picklist/CreditCards")[0]["Id"] == "1"
    row = enter(client, CCardSid=1)
    assert (row["PaidByCo"], row["CostIN"], row["CostPayable"]) == (True, 200, 0)
    assert row["CostBill"] == 220


def test_a_credit_is_negative_throughout(client):
    row = enter(client, CCardSid=1, CostIN="-19.00")
    assert (row["CostIN"], row["CostPayable"], row["CostBill"]) == (-19, 0, -19)


def test_service_fee_is_billed_and_never_owed(firm, client):
    firm.save("expense_codes", 1, IsServiceFee=True)
    row = enter(client)
    assert (row["CostPayable"], row["CostBill"]) == (0, 200)


@pytest.mark.parametrize("where", ["entry", "project"])
def test_no_charge_is_owed_and_not_billed(firm, client, where):
    if where == "project":
        firm.save("projects", 1, IsNoCharge=True)
    row = enter(client, NoCharge=where == "entry")
    assert (row["NoCharge"], row["CostPayable"], row["CostBill"]) == (True, 200, 0)


def test_a_project_s_flag_set_later_counts_until_the_expense_is_invoiced(firm, client):
    sid = enter(client)["SID"]
    client.post("expense/submit", {"staffsid": 1})

    def billed():
        body = {"view": "Detailed"}
        rows = {row["SID"]: row for row in client.post("expense/reportbyfilter", body)}
        return rows[sid]["CostBill"], rows[sid]["NoCharge"]

    firm.save("projects", 1, IsNoCharge=True)
    assert billed() == (0, True)
    firm.save("projects", 1, IsNoCharge=False)
    assert billed() == (200, False)
    invoice = client.post("invoice/create", {"ProjectSid": 1, "InvoiceType": 1})
    firm.save("projects", 1, IsNoCharge=True)
    assert billed() == (200, False)
    client.post(f"invoice/detail/{invoice['Sid']}", {"Status": 5})
    assert billed() == (0, True)


def test_vendor_expenses_can_be_read_and_neither_made_nor_changed(firm, client):
    firm.save("vendors", Name="Hotel Ritz")
    bill = {"VendorSID": 1, "BillSid": 900, "DueDate": "2026-11-06", "vendor_expense": True}
    sid = firm.act("enter_expense", **TRIP, **bill)["SID"]
    assert client.status("POST", "expense/detail", {**TRIP, "IsVendorExpense": True}) == 400
    assert client.status("POST", "expense/detail", {"SID": sid, "CostIN": 1}) == 400
    body = {"mindate": "2026-10-01", "maxdate": "2026-10-31", "view": "Detailed"}
    (row,) = client.post("expense/reportbyfilter", body)
    assert (row["IsVendorExpense"], row["VendorNm"], row["BillSid"]) == (True, "Hotel Ritz", 900)
    assert (row["CostPayable"], row["DueDate"]) == (0, "2026-11-06")
    assert client.get("expense/report/0") == []


def test_filter_by_days_staff_and_projects(client):
    mine = enter(client)["SID"]
    other = enter(client, StaffSID=2, ProjectSID=2, Dt="2026-10-09")["SID"]

    def found(**body):
        return [row["SID"] for row in client.post("expense/ReportByFilter", body)]

    assert found() == [mine, other]
    assert found(mindate="2026-10-07") == [other]
    assert found(maxdate="2026-10-06") == [mine]
    assert found(staffsids=[2]) == found(projectsids=["2"]) == [other]
    assert "IsApproved" not in client.post("expense/reportbyfilter", {})[0]
    assert "IsApproved" in client.post("expense/reportbyfilter", {"showapproval": True})[0]


def test_no_currency_in_objects_but_in_reports(firm, client):
    firm.act("enter_expense", **TRIP, Currency="EUR")
    (row,) = client.get("expense/report/0", view="Detailed")
    assert not [name for name in row if "curr" in name.lower()]
    columns = ["exsid", "excostin", "excurrency"]
    report = firm.act("define_report", name="E", columns=columns, source="expenses")
    span = {"DT_BEGIN": "2026-10-01", "DT_END": "2026-10-31"}
    data = client.post(f"report/data/{report['Id']}", span)["Data"]
    assert data == [[row["SID"], 200, "EUR"]]


def test_receipts_are_listed_read_and_deleted(client):
    sid = enter(client)["SID"]
    content = b"\x89PNG\r\n\x1a\n not really"
    receipt = {"ExpenseSid": sid, "FileName": "Zoë 🚀.png", "ContentType": "image/png"}
    made = client.post("expense/receipt", {**receipt, "Data": base64.b64encode(content).decode()})
    assert made["Size"] == len(content)
    assert client.get("expense/receipt", ExpenseSid=str(sid)) == [made]
    file = client.send("GET", f"expense/receipt/{made['ReceiptSid']}")
    assert (file.content, file.headers["content-type"]) == (content, "image/png")
    assert client.get("expense/report/0")[0]["HasReceipt"]
    client.delete(f"expense/receipt/{made['ReceiptSid']}")
    assert not client.get("expense/report/0")[0]["HasReceipt"]
    assert client.status("POST", "expense/receipt", {**receipt, "Data": "%%%"}) == 400


def test_users_see_and_change_their_own(firm, client, log_in):
    mine, other = enter(client, StaffSID=2)["SID"], enter(client)["SID"]
    user = log_in("bela")
    assert [row["SID"] for row in user.get("expense/report/0", staffsid="1")] == [mine]
    assert [row["SID"] for row in user.post("expense/reportbyfilter", {"staffsids": [1]})] == [mine]
    assert user.status("DELETE", f"expense/detail/{other}") == 405
    user.post("expense/submit", {})
    assert user.status("POST", f"expense/detail/{mine}", {"CostIN": 1}) == 405


def test_delete_by_query_or_path(client):
    first, second = enter(client)["SID"], enter(client)["SID"]
    client.delete("expense/detail", sid=str(first))
    client.delete(f"expense/detail/{second}")
    assert client.get("expense/report/0") == []


def test_tax_rates(firm, client):
    firm.save("tax_rates", Name="City", Rate="8.25")
    assert client.get("expense/TaxRates") == [{"Sid": 1, "Nm": "City", "Rate": Decimal("8.25")}]
