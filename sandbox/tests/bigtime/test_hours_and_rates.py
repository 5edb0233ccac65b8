"""Entered and billable hours, N/C, rates that move without a date (checklist 5)."""

from __future__ import annotations

from decimal import Decimal

import pytest


def only(client):
    (row,) = client.sheet()
    return row


def test_two_roundings_are_independent(firm, client):
    firm.act("settings", billable_rounding_minutes=15)
    firm.enter("2026-10-06", "1.23", approved=True)
    row = only(client)
    assert (row["Hours_IN"], row["HoursBillable"]) == (Decimal("1.23"), Decimal("1.25"))
    assert (row["BillRate"], row["ChargeBillable"]) == (150, Decimal("187.50"))
    assert row["CostRate"] == 60


@pytest.mark.parametrize(("rounds_up", "hours"), [(False, "1"), (True, "1.25")])
def test_entry_rounding_changes_the_entered_hours(firm, client, rounds_up, hours):
    firm.act("settings", entry_rounding_minutes=15, rounds_up=rounds_up)
    firm.enter("2026-10-06", "1.1")
    assert only(client)["Hours_IN"] == Decimal(hours)
    assert only(client)["HoursBillable"] == Decimal(hours)


def test_partly_billable_and_written_up(firm, client):
    firm.enter("2026-10-06", "4", HoursBillable="3")
    firm.enter("2026-10-07", "1", HoursBillable="2")
    assert [row["HoursBillable"] for row in client.sheet()] == [3, 2]
    days = client.get("time/TotalByDay/1", StartDt="2026-10-01", EndDt="2026-10-31")
    hours = ("totalHours", "billableHours", "nonBillableHours", "totalUnsubmittedTime")
    assert [[day[name] for name in hours] for day in days] == [[4, 3, 1, 4], [1, 2, 0, 1]]


def test_no_charge_from_the_entry_the_task_or_the_project(firm, client):
    task = firm.save("tasks", TaskNm="Warranty", ProjectSid=1, NoCharge=True)
    house = firm.save("projects", Nm="House", ClientId=1, IsNoCharge=True)
    firm.enter("2026-10-05", "1")
    firm.enter("2026-10-06", "1", NoCharge=True)
    firm.enter("2026-10-07", "1", TaskSID=task)
    firm.enter("2026-10-08", "1", project=house)
    firm.submit()
    rows = client.sheet()
    assert [row["NoCharge"] for row in rows] == [False, True, True, True]
    assert [row["ChargeBillable"] for row in rows] == [150, 0, 0, 0]


def test_a_flag_set_later_counts_for_time_already_approved(firm, client):
    firm.enter("2026-10-06", "1", approved=True)
    before = only(client)
    firm.save("projects", 1, IsNoCharge=True)
    after = only(client)
    assert (before["NoCharge"], after["NoCharge"]) == (False, True)
    assert before["DtModified"] == after["DtModified"]


def test_rates_come_with_submission(firm, client):
    sid = firm.enter("2026-10-06", "1")
    assert only(client)["BillRate"] == 0
    firm.server.world.settings.change({"rates_before_submission": "absent"})
    assert "BillRate" not in only(client)
    firm.submit(sid)
    assert only(client)["BillRate"] == 150


def test_rates_change_between_two_polls_and_no_date_moves(firm, client):
    firm.enter("2026-10-06", "2", approved=True)
    before = only(client)
    firm.save("staff", 1, Rate1=175)
    assert only(client) == before
    firm.move_clock(3600)
    assert firm.act("rerate") == {"changed": 1}
    after = only(client)
    assert (before["ChargeBillable"], after["ChargeBillable"]) == (300, 350)
    assert (before["DtModified"], before["SID"]) == (after["DtModified"], after["SID"])
    assert after["IsApproved"]


def test_locked_rates_and_the_rate_lock_date_hold(firm, client):
    firm.enter("2026-10-05", "1", approved=True, BillingRateLocked=True)
    firm.enter("2026-10-06", "1", approved=True)
    firm.enter("2026-10-07", "1", approved=True)
    firm.save("staff", 1, Rate1=175)
    firm.act("settings", rate_lock_dt="2026-10-06")
    firm.act("rerate")
    assert [row["BillRate"] for row in client.sheet()] == [0, 150, 175]


@pytest.mark.parametrize(
    ("style", "rate"), [(1, 150), (2, 155), (6, 125), (7, 130), (11, Decimal("99.50"))]
)
def test_base_rate_by_the_projects_style(firm, client, style, rate):
    firm.save("staff", 1, Rate2=155)
    firm.save("labor_codes", 1, Rate2=130)
    firm.save("projects", 1, BillingRate=style, BasicRate="99.50")
    firm.enter("2026-10-06", "1", submitted=True)
    assert only(client)["BillRate"] == rate


CUSTOM = [
    ({"StaffSid": 1, "TaskSid": 1, "LaborCodeSid": 1}, 201),
    ({"StaffSid": 1, "TaskSid": 1}, 202),
    ({"LaborCodeSid": 1, "TaskSid": 1}, 203),
    ({"LaborCodeSid": 1, "StaffSid": 1}, 204),
    ({"TaskSid": 1}, 205),
    ({"StaffSid": 1}, 95),
    ({"LaborCodeSid": 1}, 225),
]
"""Custom rates, the most particular first."""


@pytest.mark.parametrize("strongest", range(len(CUSTOM)))
def test_custom_rates_in_the_order_of_the_hierarchy(firm, client, strongest):
    for scope, rate in reversed(CUSTOM[strongest:]):
        client.post("project/rate", {"ProjectSid": 1, "RateValue": rate, **scope})
    client.post("project/rate", {"ProjectSid": 2, "StaffSid": 1, "RateValue": 999})
    firm.enter("2026-10-06", "1", TaskSID=1, submitted=True)
    assert only(client)["BillRate"] == CUSTOM[strongest][1]
    assert len(client.get("project/Rates", ProjectSid="1")) == len(CUSTOM) - strongest


def test_custom_cost_rates_beat_the_cost_factor(firm, client):
    firm.save("cost_rates", ProjectSid=1, LaborCodeSid=1, RateValue="72.50")
    firm.enter("2026-10-06", "1", submitted=True)
    firm.enter("2026-10-07", "1", submitted=True, labor=2)
    assert [row["CostRate"] for row in client.sheet()] == [Decimal("72.50"), 60]


def test_lock_date_of_the_period_holds_for_everybody(firm, client):
    sid = firm.enter("2026-09-30", "1")
    firm.act("settings", lock_dt="2026-09-30")
    assert client.status("DELETE", f"time/{sid}") == 400
    body = {"Dt": "2026-09-30", "StaffSID": 1, "ProjectSID": 1, "BudgCatID": 1, "Hours_IN": 1}
    assert client.status("POST", "time", body) == 400
    assert client.status("POST", "time", {**body, "Dt": "2026-10-01"}) == 200
