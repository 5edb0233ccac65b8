"""Time: what a row becomes, which rows come, and what a reading says of itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common.errors import SourceRefused, SourceThrottled
from hourbridge.common.messages.records import ApprovalState, BillableState
from hourbridge.connectors.source import Span


def test_an_approved_entry_keeps_both_hours_with_their_text(firm, opened):
    firm.act("settings", billable_rounding_minutes=15)
    firm.save("staff", 1, HomeTimezone="tsMT")
    sid = firm.enter("2026-10-06", "1.23", approved=True, TaskSID=1, Notes="one\ntwo")
    (entry,) = opened.records("time")
    assert entry.external_id == str(sid)
    assert entry.external_id_kind == "stable"
    assert (entry.input.seconds, entry.input.decimal_text) == (4428, "1.23")
    assert (entry.billable.seconds, entry.billable.decimal_text) == (4500, "1.25")
    assert entry.write_up
    assert entry.billable_state is BillableState.BILLABLE
    assert (entry.staff_id, entry.staff_name) == ("1", "Ada Berg")
    assert (entry.client_id, entry.project_id, entry.labor_code_id) == ("1", "1", "1")
    assert (entry.task_id, entry.task_name, entry.service_item_hint) == (
        "task:1",
        "Phase 1",
        "Design",
    )
    assert entry.work_date == date(2026, 10, 6)
    assert (entry.zone.iana, entry.zone.vendor_code, entry.zone.confidence) == (
        "America/Denver",
        "tsMT",
        "profile",
    )
    assert (entry.bill_rate.amount, entry.bill_amount) == (Decimal(150), Decimal("187.50"))
    assert entry.cost_rate.amount == 60
    assert (entry.currency, entry.notes) == ("USD", "one\ntwo")
    assert any("base currency" in note for note in entry.derivation)
    assert entry.approval.state is ApprovalState.APPROVED
    assert entry.approval.source_status_text == "Approved"
    assert entry.lock.reason == "submitted"
    assert entry.source_updated_at is None  # it must not order: rates change without it


def test_an_unsubmitted_entry_is_temporary_and_has_no_rate_yet(firm, opened):
    sid = firm.enter("2026-10-06", "1.5")
    (entry,) = opened.records("time")
    assert (entry.external_id, entry.external_id_kind) == (str(sid), "temporary")
    assert (entry.bill_rate, entry.bill_amount, entry.lock) == (None, None, None)
    assert entry.approval.state is ApprovalState.DRAFT


def test_every_reading_is_a_snapshot_of_its_window(firm, opened):
    firm.enter("2026-10-06", "1", approved=True)
    firm.enter("2026-08-01", "1", approved=True)
    *_, last = opened.pages("time")
    assert last.reading.is_snapshot
    assert (last.reading.window_first, last.reading.window_last) == (
        date(2026, 9, 5),
        date(2026, 11, 3),
    )
    assert [each.record.work_date.month for each in last.statements] == [10]


@pytest.mark.parametrize(
    ("hours", "billable", "state", "write_up"),
    [
        ("2", "1", BillableState.PARTIALLY_BILLABLE, False),
        ("2", "2", BillableState.BILLABLE, False),
        ("2", "3", BillableState.BILLABLE, True),
        ("2", "0", BillableState.NON_BILLABLE, False),
    ],
)
def test_partly_billable_and_write_ups(firm, opened, hours, billable, state, write_up):
    firm.enter("2026-10-06", hours, approved=True, HoursBillable=billable)
    (entry,) = opened.records("time")
    assert (entry.billable_state, entry.write_up) == (state, write_up)
    assert entry.billable.seconds == int(billable) * 3600


def test_no_charge_says_whose_flag_it_is(firm, opened):
    of_entry = firm.enter("2026-10-06", "1", approved=True, NoCharge=True)
    firm.save("tasks", 1, NoCharge=True)
    of_task = firm.enter("2026-10-06", "2", approved=True, TaskSID=1)
    firm.save("projects", 2, IsNoCharge=True)
    of_project = firm.enter("2026-10-06", "3", approved=True, project=2)
    entries = opened.by_id("time")
    told = {sid: entries[str(sid)] for sid in (of_entry, of_task, of_project)}
    assert [(e.billable_state, e.billable_reason) for e in told.values()] == [
        (BillableState.NO_CHARGE, "entry"),
        (BillableState.NO_CHARGE, "task"),
        (BillableState.NON_BILLABLE, "project"),
    ]
    assert {entry.billable.seconds for entry in told.values()} == {0}


def test_classes_payroll_items_and_invoices(firm, opened):
    firm.save("qb_classes", Name="East")
    firm.save("payroll_items", Name="Hourly")
    firm.enter("2026-10-06", "1", approved=True, QBClass=1, PayrollItem=1)
    firm.act("compose_invoice", ProjectSID=1, InvoiceType=1)
    (entry,) = opened.records("time")
    assert (entry.class_id, entry.payroll_item_id) == ("1", "1")
    assert (entry.invoiced, entry.lock.reason, entry.bill_rate.locked) == (True, "invoiced", True)
    assert entry.invoice_ref


def test_rates_that_change_without_a_changed_date_come_at_the_next_reading(firm, opened):
    firm.enter("2026-10-06", "1", approved=True)
    (before,) = opened.statements("time")
    firm.save("staff", 1, Rate1=175)
    firm.act("rerate")
    (after,) = opened.statements("time")
    assert before.notes["modified"] == after.notes["modified"]
    assert (before.record.bill_rate.amount, after.record.bill_rate.amount) == (150, 175)
    assert after.order_key > before.order_key


def test_a_code_that_was_deleted_stays_on_old_entries(firm, opened):
    firm.enter("2026-10-06", "1", labor=2, approved=True)
    firm.act("remove", table="labor_codes", id=2)
    (entry,) = opened.records("time")
    assert (entry.labor_code_id, entry.service_item_hint) == ("2", None)


def test_filters_are_counted_and_never_hide_what_was_stated(firm, open_firm):
    opened = open_firm(approved_only=True, projects=["1"], not_before="2026-10-05")
    approved = firm.enter("2026-10-06", "1", approved=True)
    firm.enter("2026-10-06", "2", submitted=True)
    firm.enter("2026-10-06", "3", project=2, approved=True)
    firm.enter("2026-10-06", "4")
    (page,) = opened.pages("time")
    assert [each.record.external_id for each in page.statements] == [str(approved)]
    assert page.skipped == {"not_approved": 2, "other_project": 1}
    assert sum(total.rows for total in page.reading.totals) == 4
    (rejected,) = firm.reject(approved)
    (statement,) = opened.statements("time")
    assert statement.record.external_id == str(rejected)
    assert statement.record.previous_external_ids == (str(approved),)
    assert statement.record.approval.state is ApprovalState.REJECTED


def test_control_totals_are_bigtimes_own(firm, opened):
    firm.enter("2026-10-06", "1.25", approved=True)
    firm.enter("2026-10-07", "2", approved=True)
    firm.enter("2026-10-07", "3", staff=2)
    *_, last = opened.pages("time")
    assert [(t.group, t.rows, t.seconds) for t in last.reading.totals] == [
        ("group:1", 2, 11_700),
        ("group:2", 1, 10_800),
    ]
    assert len([call for call in firm.calls() if "totalbyday" in call["path"]]) == 2
    opened.pages("time")  # the next ones count themselves until a day has passed
    assert len([call for call in firm.calls() if "totalbyday" in call["path"]]) == 2


def test_a_user_without_rights_is_told_apart_not_believed(firm, open_firm):
    firm.enter("2026-10-06", "1", staff=2, approved=True)
    opened = open_firm(user="bela")
    with pytest.raises(SourceRefused) as refused:
        opened.records("time")
    assert refused.value.reason_code == "other_record_returned"
    problems = opened.source.check()
    assert any("only their own records" in problem for problem in problems)


def test_by_project(firm, open_firm):
    ids = {firm.enter("2026-10-06", "1", project=project, approved=True) for project in (1, 2)}
    opened = open_firm(time_from="projects", calls_per_page=1)
    pages = opened.pages("time")
    assert len(pages) == 2
    assert {each.record.external_id for page in pages for each in page.statements} == {
        str(sid) for sid in ids
    }


def test_pages_are_bounded_and_go_on_after_the_budget_ran_out(firm, open_firm):
    for number in range(3, 7):
        firm.save("staff", SName=f"Number {number}", FName="Person")
    ids = [firm.enter("2026-10-06", "1", staff=staff, approved=True) for staff in range(1, 7)]
    opened = open_firm(calls_per_page=4, zones={})
    opened.budget.left = 4
    first = opened.page("time")
    assert not first.is_last
    with pytest.raises(SourceThrottled) as throttled:
        opened.page("time")
    assert throttled.value.retry_after_seconds == 3
    opened.budget.left = None
    rest = opened.pages("time")
    found = [each.record.external_id for page in [first, *rest] for each in page.statements]
    assert found == [str(sid) for sid in ids]
    assert len({page.reading.reading_id for page in [first, *rest]}) == 1


def test_history_goes_through_its_span_in_steps(firm, open_firm):
    days = ["2024-01-15", "2024-02-29", "2024-04-01", "2024-12-31"]
    ids = [firm.enter(day, "1", staff=1 + i % 2, approved=True) for i, day in enumerate(days)]
    opened = open_firm(history_days_per_call=31, calls_per_page=5)
    span = Span(date(2024, 1, 1), date(2024, 12, 31))
    pages = opened.pages("time", span)
    assert len(pages) > 4
    found = sorted(each.record.external_id for page in pages for each in page.statements)
    assert found == sorted(str(sid) for sid in ids)
    last = pages[-1].reading
    assert (last.window_first, last.window_last, last.is_snapshot) == (span.first, span.last, True)
    assert sum(total.seconds for total in last.totals) == 4 * 3600


def test_five_hundred_entries_in_a_day_and_long_texts(firm, opened):
    for _ in range(500):
        firm.enter("2026-10-06", "0.05")
    firm.enter("2026-10-06", "1", Notes="🚀" * 500)
    records = opened.records("time")
    assert len({record.external_id for record in records}) == 501
    assert sum(record.input.seconds for record in records) == 500 * 180 + 3600
    assert any(record.notes == "🚀" * 500 for record in records)


def test_gone_asks_for_each(firm, opened):
    kept = firm.enter("2026-10-06", "1", approved=True)
    lost = firm.enter("2026-10-06", "2", approved=True)
    open_entry = firm.enter("2026-10-06", "3")
    opened.pages("time")
    firm.delete(lost)
    firm.submit(open_entry)
    asked = [str(kept), str(lost), str(open_entry)]
    assert opened.source.gone("time", asked) == {str(lost), str(open_entry)}


def test_an_entry_moved_out_of_the_window_is_stated_with_its_new_day(firm, opened):
    sid = firm.enter("2026-10-06", "1", approved=True)
    gone = firm.enter("2026-10-07", "1", approved=True)
    opened.pages("time")
    firm.edit(sid, Dt="2026-01-06")
    firm.delete(gone)
    assert opened.records("time") == []
    (page,) = opened.pages("time")  # the next turn asks for what is missing
    (moved,) = page.statements
    assert (moved.record.external_id, moved.record.work_date) == (str(sid), date(2026, 1, 6))
    assert not page.reading.is_snapshot
    assert opened.records("time") == []
    assert opened.source.gone("time", [str(sid), str(gone)]) == {str(gone)}


def test_what_was_found_gone_is_not_asked_for_again(firm, opened):
    sid = firm.enter("2026-10-06", "1", approved=True)
    opened.pages("time")
    firm.delete(sid)
    opened.pages("time")
    assert opened.source.gone("time", [str(sid)]) == {str(sid)}
    (page,) = opened.pages("time")
    assert page.reading.is_snapshot
    asked = [call for call in firm.calls() if call["path"] == f"time/{sid}"]
    assert len(asked) == 1
