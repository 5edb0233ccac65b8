"""Invoices: calculators, edits, numbers, statuses, taxes, payments, and what they lock."""

from __future__ import annotations

from decimal import Decimal

import pytest

JOB = {"ProjectSid": 1}


@pytest.fixture
def worked(firm):
    firm.enter("2026-10-06", "2", approved=True, Notes="talks")
    firm.enter("2026-10-07", "1", approved=True, labor=2)
    firm.enter("2026-10-08", "1", approved=True, NoCharge=True)
    trip = {"StaffSID": 1, "ProjectSID": 1, "CatSID": 1, "Dt": "2026-10-06", "CostIN": 200}
    firm.act("enter_expense", **trip)
    firm.act("submit_expenses", staff=1)


def create(client, calculator=1, **more):
    return client.post("invoice/create", {**JOB, "invoicetype": calculator, **more})


def lines_of(invoice):
    return [(row["LineType"], row["Nm"], row["Amt"]) for row in invoice["Lines"]]


def test_time_and_expenses(worked, client):
    invoice = create(client)
    assert lines_of(invoice) == [
        ("Time", "Design", 300),
        ("Time", "Consulting", 150),
        ("Expense", "Travel", 200),
    ]
    assert (invoice["Subtotal"], invoice["TotalAmt"], invoice["StatusTxt"]) == (650, 650, "Draft")
    assert (invoice["InvoiceDtSt"], invoice["InvoiceDtEnd"]) == ("2026-10-06", "2026-10-08")
    assert invoice["InvoiceNbr"] is None


def test_line_per_entry_carries_notes(worked, client):
    invoice = create(client, 4)
    assert invoice["Lines"][0]["Nt"] == "2026-10-06 Berg, Ada\ntalks"
    assert [row["Amt"] for row in invoice["Lines"]] == [300, 150, 0, 200]


def test_retainer_shows_time_without_totalling_it(firm, worked, client):
    assert client.status("POST", "invoice/create", {**JOB, "invoicetype": 3}) == 400
    firm.act("set_fields", kind="project", id=1, values={"Retainer": "5000"})
    invoice = create(client, 3)
    assert invoice["TotalAmt"] == 5200
    assert lines_of(invoice)[0] == ("Fixed", "Retainer", 5000)
    assert ("Info", "Design", 0) in lines_of(invoice)


def test_fixed_fee(firm, worked, client):
    firm.save("projects", 1, BudgetFees=900)
    assert create(client, 2)["TotalAmt"] == 1100


def test_a_draft_applies_rates_again_and_then_locks(firm, worked, client):
    firm.save("staff", 1, Rate1=160)
    assert create(client)["Subtotal"] == 680
    firm.save("staff", 1, Rate1=500)
    firm.act("rerate")
    rows = client.sheet()
    assert {row["BillRate"] for row in rows} == {160}
    assert all(row["IsInvoiced"] and row["BillingRateLocked"] for row in rows)
    sid = rows[0]["SID"]
    assert client.status("POST", f"time/{sid}", {"Hours_IN": 9}) == 400
    assert client.status("DELETE", f"time/{sid}") == 400
    assert client.status("POST", "invoice/create", {**JOB, "invoicetype": 1}) == 400


def test_project_flag_after_invoicing_does_not_touch_invoiced_time(firm, worked, client):
    create(client)
    firm.save("projects", 1, IsNoCharge=True)
    assert [row["NoCharge"] for row in client.sheet()] == [False, False, True]


def test_only_approved_time_if_the_firm_wants_it(firm, client):
    firm.act("settings", approved_only=True)
    firm.enter("2026-10-06", "1", submitted=True)
    assert client.status("POST", "invoice/create", {**JOB, "invoicetype": 1}) == 400


def test_editing_lines_and_header(firm, worked, client):
    sid = create(client)["Sid"]
    firm.save("tax_rates", Name="City", Rate="8.25")
    firm.save("terms", Name="Net 30", Days=30)
    edits = [
        {"LineNbr": 1, "Quantity": "1.5", "Rate": 100, "IsTaxable": True},
        {"LineNbr": 2, "IsDeleted": True},
        {"Nm": "Discount", "Amt": "-20.00"},
    ]
    header = {"PONumber": "P-1", "SalesTaxSid": 1, "TermsSid": 1, "InvoiceDt": "2026-10-31"}
    invoice = client.post(f"invoice/detail/{sid}", {**header, "Lines": edits})
    amounts = {row["Nm"]: row["Amt"] for row in invoice["Lines"] if row["Amt"]}
    assert amounts == {"Design": 150, "Travel": 200, "Discount": -20}
    assert invoice["Lines"][-1]["IsCredit"]
    assert invoice["SalesTaxAmt"] == Decimal("12.38")
    assert (invoice["TotalAmt"], invoice["PONumber"]) == (Decimal("342.38"), "P-1")
    assert client.get(f"invoice/detail/{sid}") == invoice


def test_tax_on_lines(firm, worked, client):
    firm.save("tax_rates", Name="GST", Rate="5")
    sid = create(client)["Sid"]
    line = {"LineNbr": 1, "SalesTaxSid": 1}
    invoice = client.post(f"invoice/detail/{sid}", {"Lines": [line]})
    assert (invoice["Lines"][0]["SalesTaxNm"], invoice["SalesTaxAmt"]) == ("GST", 15)


def test_draft_final_sent_paid(worked, client):
    span = {"startDt": "2000-01-01", "endDt": "2100-01-01"}
    sid = create(client)["Sid"]
    assert [row["Sid"] for row in client.get("invoice/drafts")] == [sid]
    assert "Lines" not in client.get("invoice/drafts")[0]
    final = client.post(f"invoice/detail/{sid}", {"Status": 2})
    assert (final["InvoiceNbr"], final["CanEditInvoice"]) == ("1001", True)
    assert client.get("invoice/history", **span) == []
    sent = client.post(f"invoice/detail/{sid}", {"Status": 3})
    assert (sent["InvoiceNbr"], sent["CanEditInvoice"]) == ("1001", False)
    assert [row["Sid"] for row in client.get("invoice/history", **span)] == [sid]
    assert client.get("invoice/drafts") == []
    assert client.status("POST", f"invoice/detail/{sid}", {"PONumber": "late"}) == 400
    part = client.post("PaymentPost/Status", {"InvoiceSid": sid, "PaidAmt": 100})
    assert (part["PaidAmt"], part["StatusTxt"]) == (100, "Sent")
    whole = client.post("PaymentPost/Status", {"InvoiceSid": sid, "PaidAmt": "650.00"})
    assert whole["StatusTxt"] == "Paid"


def test_posted_status_is_set_from_outside_unless_switched_off(firm, worked, client):
    sid = create(client)["Sid"]
    client.post(f"invoice/detail/{sid}", {"Status": 3})
    assert client.post(f"invoice/detail/{sid}", {"PostedStatus": 1})["PostedStatus"] == 1
    firm.server.world.settings.change({"posted_status_writable": False})
    assert client.post(f"invoice/detail/{sid}", {"PostedStatus": 0})["PostedStatus"] == 1


def test_void_releases_the_work(firm, worked, client):
    sid = create(client)["Sid"]
    client.post(f"invoice/detail/{sid}", {"Status": 5})
    assert not any(row["IsInvoiced"] for row in client.sheet())
    again = create(client)["Sid"]
    firm.act("delete_invoice", sid=again)
    assert client.status("GET", f"invoice/detail/{again}") == 404
    assert create(client)["Subtotal"] == 650


def test_routes_that_do_not_exist_and_mandatory_days(client):
    assert client.status("GET", "invoice") == 404
    assert client.status("GET", "invoice/list") == 404
    assert client.status("GET", "invoice/history") == 400
    assert client.status("POST", "invoice/create", {**JOB, "invoicetype": 77}) == 400


def test_by_client_and_pdf(worked, client):
    sid = create(client)["Sid"]
    query = {"clientid": "1", "startdt": "2000-01-01", "enddt": "2100-01-01"}
    assert [row["Sid"] for row in client.get("Invoice/GetInvoicesByClientId", **query)] == [sid]
    pdf = client.send("GET", f"invoice/PDF/{sid}")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert b"650" in pdf.content
