"""Asynchronous transactions: tickets, failures, double posts (checklist 9)."""

from __future__ import annotations


def poll(client, ticket):
    return client.get(f"Async/Ticket/{ticket['txnId']}")


def test_ticket_is_pending_for_some_polls(firm, client):
    firm.enter("2026-10-06", "2", approved=True)
    ticket = client.post("Async/PostTimesheet", {"StaffSid": 1})
    assert [poll(client, ticket)["resultCode"] for _ in range(4)] == [0, 0, 1, 1]
    assert poll(client, ticket)["resultMsg"] == "Document 1 was created"
    assert client.status("GET", "async/ticket/nothing") == 404


def test_failure_has_a_message(firm, client):
    firm.server.world.settings.change({"ticket_polls": 0})
    firm.enter("2026-10-06", "2", approved=True)
    firm.act("fail_posting", message="QuickBooks is not connected")
    failed = poll(client, client.post("async/posttimesheet", {"staffsid": 1}))
    assert (failed["resultCode"], failed["resultMsg"]) == (2, "QuickBooks is not connected")
    assert firm.firm.posted == []
    assert poll(client, client.post("async/posttimesheet", {"staffsid": 1}))["resultCode"] == 1


def test_posting_the_same_timesheet_twice_makes_two_documents(firm, client):
    sid = firm.enter("2026-10-06", "2", approved=True)
    for _ in range(2):
        client.post("Async/PostTimesheet", {"StaffSid": 1, "StartDt": "2026-10-05"})
    assert [document["sids"] for document in firm.firm.posted] == [[sid], [sid]]


def test_submission_and_rerating(firm, client):
    firm.enter("2026-10-06", "2")
    client.post("Async/SubmitTimesheet", {"StaffSid": 1})
    (row,) = client.sheet()
    assert row["SID"] > 0
    firm.save("staff", 1, Rate1=200)
    client.post("Async/ResubmitTime", {"ProjectSid": 1})
    assert client.sheet()[0]["ChargeBillable"] == 400


def test_expense_report_and_invoice(firm, client):
    firm.server.world.settings.change({"ticket_polls": 0})
    trip = {"StaffSID": 1, "ProjectSID": 1, "CatSID": 1, "Dt": "2026-10-06", "CostIN": 200}
    firm.act("enter_expense", **trip)
    client.post("Async/SubmitExpenses", {"StaffSid": 1})
    (report,) = client.get("expense/reports")
    client.post("Async/PostExpenseReport", {"RptSid": report["SID"]})
    assert client.get("expense/reports", showall="true")[0]["StatusNm"] == "Posted"
    sid = client.post("invoice/create", {"ProjectSid": 1, "InvoiceType": 1})["Sid"]
    refused = poll(client, client.post("Async/PostInvoice", {"InvoiceSid": sid}))
    assert refused["resultMsg"] == "Only final invoices can be posted."
    assert client.get(f"invoice/detail/{sid}")["PostedStatus"] == 2
    client.post(f"invoice/detail/{sid}", {"Status": 2})
    client.post("Async/PostInvoice", {"InvoiceSid": sid})
    assert client.get(f"invoice/detail/{sid}")["PostedStatus"] == 1


def test_not_for_users(log_in):
    assert log_in("bela").status("POST", "async/posttimesheet", {"staffsid": 2}) == 405
