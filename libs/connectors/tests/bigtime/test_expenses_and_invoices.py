"""Expenses with their receipts, and invoices that people composed in BigTime."""

from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal

import httpx
import pytest
from pydantic import SecretStr

from hourbridge.common.errors import SourceAnswerUnreadable, SourceRefused
from hourbridge.common.messages.records import ApprovalState, BillableState
from hourbridge.connectors.bigtime.marker import BigTimeMarker
from hourbridge.connectors.bigtime.signing_in import FirmKey
from hourbridge.connectors.bigtime.transport import Exchanges, Transport
from hourbridge.connectors.marking import Mark
from hourbridge.connectors.source import Span
from tests.support.bigtime_source import Budget

TRIP = {"StaffSID": 1, "ProjectSID": 1, "CatSID": 1, "Dt": "2026-10-06", "CostIN": "200.00"}


def _enter(firm, *, submit=True, **changes) -> str:
    sid = firm.act("enter_expense", **{**TRIP, **changes})["SID"]
    if submit:
        firm.act("submit_expenses", staff=changes.get("StaffSID", 1), name="Trips")
    return str(sid)


def test_an_employees_own_money(firm, opened):
    firm.save("expense_codes", 1, Markup=10)
    sid = _enter(firm, Nt="Train", RefNbr="T-1")
    firm.act("approve_expenses", staff=1, levels=3)
    (expense,) = opened.records("expenses")
    assert (expense.external_id, expense.staff_id, expense.category_name) == (sid, "1", "Travel")
    assert (expense.amount_in, expense.amount_payable, expense.amount_billable) == (200, 200, 220)
    assert (expense.payment_source, expense.reimbursable) == ("employee", True)
    assert (expense.posting_intent, expense.is_refund) == (None, False)
    assert (expense.currency, expense.expense_date) == ("USD", date(2026, 10, 6))
    assert any("low confidence" in note for note in expense.derivation)
    assert expense.billable_state is BillableState.BILLABLE
    assert expense.approval.state is ApprovalState.APPROVED
    assert expense.report.id == expense.external_parent_ids["report"]
    assert (expense.notes, expense.bill_number) == ("Train", "T-1")


def test_units_cost_what_rounding_makes_of_them(firm, opened):
    miles = {"Nm": "Mileage", "IsUnit": True, "UOM": "miles"}
    code = firm.save("expense_codes", **miles, UnitRate="0.485", UnitPrice="0.55")
    _enter(firm, CatSID=code, Units=3, CostIN="0")
    (expense,) = opened.records("expenses")
    assert (expense.amount_in, expense.amount_billable) == (Decimal("1.46"), Decimal("1.65"))
    assert expense.unit.quantity == 3
    assert (expense.unit.cost_rate, expense.unit.sell_rate) == (Decimal("0.485"), Decimal("0.55"))
    assert not any("would be" in note for note in expense.derivation)


def test_corporate_cards_charge_and_credit(firm, opened):
    charge = _enter(firm, CCardSid=1, CostIN="49.00")
    credit = _enter(firm, CCardSid=1, CostIN="-19.00")
    found = opened.by_id("expenses")
    told = [
        (e.payment_source, e.reimbursable, e.amount_payable, e.posting_intent, e.is_refund)
        for e in (found[charge], found[credit])
    ]
    assert told == [
        ("company_card", False, 0, "credit_card_charge", False),
        ("company_card", False, 0, "credit_card_credit", True),
    ]
    assert found[charge].card_account_id == "1"


def test_vendor_expenses_and_service_fees_are_not_posted_again(firm, open_firm):
    firm.save("vendors", Name="Hotel Ritz")
    bill = {"vendor_expense": True, "VendorSID": 1, "BillSid": 900, "RefNbr": "H-77"}
    hotel = _enter(firm, submit=False, **bill, DueDate="2026-11-05")
    fee_code = firm.save("expense_codes", Nm="Copies", IsServiceFee=True)
    copies = _enter(firm, CatSID=fee_code, CostIN="12.50")
    cash = _enter(firm, PaidByCo=True)
    found = open_firm(service_fee_codes=[str(fee_code)]).by_id("expenses")
    assert [(found[i].payment_source, found[i].posting_intent) for i in (hotel, copies, cash)] == [
        ("vendor_bill", "none"),
        ("service_fee", "none"),
        ("company_cash", None),
    ]
    assert (found[hotel].vendor_name, found[hotel].bill_number) == ("Hotel Ritz", "H-77")
    assert found[hotel].due_date == date(2026, 11, 5)
    assert not any(found[i].reimbursable for i in (hotel, copies, cash))


def test_report_0_is_left_out_counted_and_comes_when_it_is_submitted(firm, opened):
    sid = _enter(firm, submit=False)
    (page,) = opened.pages("expenses")
    assert (page.statements, page.skipped) == ((), {"unsubmitted": 1})
    assert sum(total.rows for total in page.reading.totals) == 1
    firm.act("submit_expenses", staff=1, name="Trips")
    assert [each.external_id for each in opened.records("expenses")] == [sid]
    firm.act("reject_expenses", staff=1, note="no receipt")
    (rejected,) = opened.records("expenses")  # it was stated: who knows it has to learn this
    assert rejected.approval.state is ApprovalState.REJECTED
    assert rejected.report is None


def test_filters_of_expenses(firm, open_firm):
    _enter(firm)
    _enter(firm, ProjectSID=2)
    (page,) = open_firm(projects=["2"], approved_only=True).pages("expenses")
    assert page.skipped == {"other_project": 1, "not_approved": 1}


def test_a_deleted_expense_is_confirmed_and_a_moved_one_restated(firm, opened):
    kept, moved, lost = _enter(firm), _enter(firm), _enter(firm)
    opened.pages("expenses")
    firm.act("edit_expense", sid=moved, changes={"Dt": "2025-02-01"})
    firm.act("delete_expense", sids=[int(lost)])
    assert [each.external_id for each in opened.records("expenses")] == [kept]
    assert opened.source.gone("expenses", [kept, moved, lost]) == {lost}
    (restated,) = opened.records("expenses")
    assert (restated.external_id, restated.expense_date) == (moved, date(2025, 2, 1))


def test_receipts_are_other_attachments_when_replaced(firm, opened):
    sid = _enter(firm)
    first = {"FileName": "train.pdf", "ContentType": "application/pdf"}
    firm.act("attach_receipt", sid=sid, **first, Data=base64.b64encode(b"%PDF-1").decode())
    (before,) = opened.records("expenses")[0].receipts
    assert opened.source.file(before) == b"%PDF-1"
    firm.firm.receipts.clear()
    with pytest.raises(SourceRefused) as refused:
        opened.source.file(before)
    assert refused.value.reason_code == "not_found"
    firm.act("attach_receipt", sid=sid, **first, Data=base64.b64encode(b"%PDF-2").decode())
    (after,) = opened.records("expenses")[0].receipts
    assert before.id != after.id
    assert opened.source.file(after) == b"%PDF-2"
    nameless = after.model_copy(update={"id": f"{sid}/receipt"})
    assert opened.source.file(nameless) == b"%PDF-2"


def test_a_page_is_no_receipt(firm, opened):
    sid = _enter(firm)
    data = base64.b64encode(b"<!DOCTYPE html><html>Sorry</html>").decode()
    firm.act("attach_receipt", sid=sid, FileName="r.pdf", Data=data)
    (receipt,) = opened.records("expenses")[0].receipts
    with pytest.raises(SourceAnswerUnreadable, match="page where a file"):
        opened.source.file(receipt)


def test_without_a_currency_expenses_are_refused_one_by_one(firm, open_firm):
    _enter(firm)
    (statement,) = open_firm(base_currency=None).statements("expenses")
    assert statement.record is None
    assert [reason.code for reason in statement.reasons] == ["currency_missing"]


def _compose(firm, **changes) -> str:
    firm.enter("2026-10-06", "2", approved=True)
    return str(firm.act("compose_invoice", ProjectSID=1, InvoiceType=1, **changes)["Sid"])


def test_a_composed_invoice_with_lines(firm, opened):
    terms = firm.save("terms", Name="Net 30", Days=30)
    sid = _compose(firm, TermsSid=terms, PONumber="PO 9")
    (draft,) = opened.records("invoices")
    assert (draft.external_id, draft.status, draft.number) == (sid, "draft", None)
    (line,) = draft.lines
    assert (line.kind, line.name, line.quantity, line.unit_price) == ("time", "Design", 2, 150)
    assert (line.amount, draft.subtotal, draft.total, draft.paid) == (300, 300, 300, 0)
    assert (draft.period_first, draft.purchase_order) == (date(2026, 10, 6), "PO 9")
    assert (draft.client_name, draft.terms_id) == ("Edison Attic", str(terms))
    assert opened.records("invoices") == []  # nothing changed: no detail is asked for
    firm.act("edit_invoice", sid=sid, Status=3)
    (sent,) = opened.records("invoices")
    assert (sent.status, sent.number) == ("sent", "1001")
    firm.act("pay_invoice", sid=sid, amount="300")
    (paid,) = opened.records("invoices")
    assert (paid.paid, paid.status_text) == (300, "Paid")


def test_a_deleted_draft_is_stated_so(firm, opened):
    sid = _compose(firm)
    opened.pages("invoices")
    firm.act("delete_invoice", sid=sid)
    (deleted,) = opened.records("invoices")
    assert (deleted.external_id, deleted.deleted.confirmed) == (sid, True)
    assert opened.source.gone("invoices", [sid]) == {sid}
    assert opened.records("invoices") == []


def test_invoices_of_a_past_span(firm, opened):
    sid = _compose(firm, InvoiceDt="2025-03-31", Status=3)
    assert opened.records("invoices") == []
    span = Span(date(2025, 1, 1), date(2025, 12, 31))
    assert [each.external_id for each in opened.records("invoices", span)] == [sid]


def _mark(sid: str, kind: str = "paid", paid: str = "100") -> Mark:
    return Mark(
        operation_key="k",
        kind=kind,
        external_id=sid,
        number="HB-1",
        ledger_id="145",
        total=Decimal(300),
        currency="USD",
        on=date(2026, 10, 15),
        paid=Decimal(paid),
    )


def test_payments_are_told_once(firm, opened):
    sid = _compose(firm, Status=3)
    marker = BigTimeMarker(opened.transport)
    for _ in range(2):
        marker.mark(_mark(sid))
    assert [c["path"] for c in firm.calls()].count("paymentpost/status") == 1
    (invoice,) = opened.records("invoices")
    assert invoice.paid == 100


def test_marks_that_bigtime_does_not_take_are_refused_aloud(firm, opened):
    sid = _compose(firm)
    marker = BigTimeMarker(opened.transport)
    with pytest.raises(SourceRefused) as refused:
        marker.mark(_mark(sid, "posted"))
    assert refused.value.reason_code == "not_writable"
    with pytest.raises(SourceRefused) as missing:
        marker.mark(_mark("99"))
    assert missing.value.reason_code == "entry_missing"


def test_an_invoice_is_marked_as_posted_and_read_as_such(firm, opened):
    sid = _compose(firm, Status=3)
    opened.pages("invoices")
    for _ in range(2):
        BigTimeMarker(opened.transport).mark(_mark(sid, "invoice_posted"))
    assert len([c for c in firm.calls() if c["method"] == "POST"]) == 1
    (invoice,) = opened.records("invoices")
    assert invoice.status == "posted"


def test_a_posting_state_that_is_ignored_without_a_word_is_noticed():
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"Sid": 7, "PostedStatus": 0})

    client = httpx.Client(base_url="http://bt/", transport=httpx.MockTransport(answer))
    marker = BigTimeMarker(Transport(Exchanges(client, Budget()), FirmKey("acme", SecretStr("k"))))
    with pytest.raises(SourceRefused) as refused:
        marker.mark(_mark("7", "invoice_posted"))
    assert refused.value.reason_code == "not_taken"
    assert "HB-1" in refused.value.what
