"""Data sets, volume, time travel, snapshots and the control interface (checklist 10 and 12)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest

from hourbridge.sandbox.bigtime import BigTimeServer, seed_firm
from hourbridge.sandbox.bigtime.agency import EMOJI_NAME, LONG_NAME
from hourbridge.sandbox.bigtime.volume import totals
from tests.support.bigtime_firm import SMALL, add_firm


@pytest.fixture
def agency(firm):
    return add_firm(firm, {"realm": "agency", "dataset": "agency"})


def test_the_agency_has_everything_that_is_awkward(agency, client_of):
    client = client_of(agency)
    assert len(client.get("staff", ShowInactive="true")) == 6
    names = [row["Nm"] for row in client.get("client", ShowInactive="true")]
    assert (len(names), len(LONG_NAME)) == (5, 200)
    assert {EMOJI_NAME, LONG_NAME} < set(names)
    assert len(client.get("project", ShowInactive="true")) == 8
    rows = [row for staff in range(1, 7) for row in client.sheet(staff)]
    assert len(rows) > 100
    states = Counter(row["ApprovalStatusNm"] for row in rows)
    assert set(states) == {"Approved", "Submitted", "Not Submitted"}
    assert any(row["BudgCatNm"] is None for row in rows)
    assert any(row["HoursBillable"] < row["Hours_IN"] and not row["NoCharge"] for row in rows)
    facts = ("StaffSID", "Dt", "ProjectSID", "BudgCatID", "Hours_IN", "Notes")
    twins = Counter(tuple(row[name] for name in facts) for row in rows)
    assert [count for count in twins.values() if count > 1] == [2]
    subcontractor = client.get("staff/detail/6")
    assert (subcontractor["PostTimeAsBilled"], subcontractor["QBVendorId"]) == (True, "71")
    expenses = client.post("expense/reportbyfilter", {"view": "Detailed", "showapproval": True})
    assert {row["CostIN"] < 0 for row in expenses} == {True, False}
    for flag in ("IsUnit", "IsVendorExpense", "PaidByCo", "HasReceipt", "IsApproved"):
        assert {row[flag] for row in expenses} == {True, False}
    span = {"startDt": "2000-01-01", "endDt": "2100-01-01"}
    assert len(client.get("invoice/history", **span)) == len(client.get("invoice/drafts")) == 1
    assert agency.firm.reports


def test_volume_is_the_same_every_time_and_adds_up(firm, client_of):
    options = {"entries": 2_000, "staff": 8}
    large = [
        add_firm(firm, {"realm": name, "dataset": "volume", "options": options})
        for name in ("one", "two")
    ]
    seen = []
    for one in large:
        client, rows = client_of(one), []
        span = {"StartDt": "2023-01-01", "EndDt": "2026-12-31", "View": "Detailed"}
        for staff in range(1, 9):
            rows += client.get(f"time/Sheet/{staff}", **span)
        told = totals(one.firm)
        assert told["entries"] == len({row["SID"] for row in rows}) == 2_000
        assert told["hours_in"] == sum(row["Hours_IN"] for row in rows)
        assert told["charge"] == sum(row["ChargeBillable"] for row in rows)
        seen.append([(row["SID"], row["Dt"], row["Hours_IN"], row["Notes"]) for row in rows])
    assert seen[0] == seen[1]


def test_a_hundred_thousand_entries_in_one_firm(firm, client_of):
    large = add_firm(firm, {"realm": "large", "dataset": "volume"})
    assert len(large.firm.time) == 100_000
    span = {"StartDt": "2026-10-01", "EndDt": "2026-10-31"}
    rows = client_of(large).get("time/Sheet/7", **span)
    assert {row["StaffSID"] for row in rows} == {7}
    assert all("2026-10-01" <= row["Dt"] <= "2026-10-31" for row in rows)


@pytest.mark.parametrize("day", ["2028-02-29", "2026-11-01", "2026-12-31", "2027-01-01"])
def test_leap_day_clock_change_and_year_end_are_days_like_others(firm, client, day):
    firm.enter(day, "1", approved=True)
    (row,) = client.get("time/Sheet/1", StartDt=day, EndDt=day)
    assert row["Dt"] == day


def test_a_day_that_does_not_exist_is_refused(client):
    body = {"Dt": "2027-02-29", "StaffSID": 1, "ProjectSID": 1, "BudgCatID": 1, "Hours_IN": 1}
    assert client.status("POST", "time", body) == 400


def test_the_clock_travels_and_stamps_follow_the_firms_zone(firm, client):
    firm.set_clock(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    client.post("client/detail/1", {"City": "Riga"})
    assert client.get("client/detail/1")["DtModified"].startswith("2026-12-31T18:3")
    firm.set_clock(datetime(2027, 1, 1, 4, 59, tzinfo=UTC))
    assert firm.firm.today() == "2026-12-31"
    firm.move_clock(120)
    assert firm.firm.today() == "2027-01-01"


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("weekly", "2026-02-22", "2026-02-28"),
        ("semi-monthly", "2026-02-16", "2026-02-28"),
        ("monthly", "2026-02-01", "2026-02-28"),
    ],
)
def test_timesheet_periods(firm, client, period, first, last):
    firm.act("settings", period=period)
    found = client.get("time/PeriodContainingDate", dt="2026-02-25")
    assert found == {"StartDt": first, "EndDt": last}


def test_settings_tell_the_rounding(firm, client):
    firm.act("settings", billable_rounding_minutes=15)
    assert client.get("Settings/Timesheet")["BillableEntryRounding"] == 15
    assert client.get("settings/vocabulary")["Currency"] == "USD"
    assert client.get("settings/expense")["TaxStyle"]


def test_books_survive_a_restart(tmp_path):
    file = tmp_path / "books.json"
    first = BigTimeServer(snapshot=file)
    seed_firm(first.world, {"realm": "agency", "dataset": "agency"})
    first.start()
    first.stop()
    second = BigTimeServer(snapshot=file)
    second.start()
    second.stop()
    assert second.world.firms["agency"].dump() == first.world.firms["agency"].dump()


def test_control_interface_over_http(firm):
    base = f"{firm.server.base_url}/_sandbox"
    made = httpx.post(f"{base}/firms", json={**SMALL, "realm": "other"}).json()
    assert made["key"] == "other-key"
    people = f"{base}/firms/other/people"
    body = {"Dt": "2026-10-06", "StaffSID": 1, "ProjectSID": 1, "BudgCatID": 1, "Hours_IN": "1"}
    entry = httpx.post(f"{people}/enter_time", json=body).json()
    (submitted,) = httpx.post(f"{people}/submit_time", json={"sids": [entry["SID"]]}).json()
    assert submitted["former_sids"] == [entry["SID"]]
    assert httpx.post(f"{people}/edit_time", json={"sid": 1, "changes": {}}).status_code == 409
    assert httpx.post(f"{people}/dance", json={}).status_code == 404
    moved = httpx.put(f"{base}/clock", json={"now": "2027-01-01T00:00:00Z"}).json()
    assert moved["now"].startswith("2027-01-01T00:00")
    state = httpx.get(base).json()
    assert state["firms"]["other"]["time"] == 1
    assert httpx.put(f"{base}/settings", json={"zodiac": 1}).status_code == 400
    changed = httpx.put(f"{base}/firms/other/settings", json={"approval_levels": 3})
    assert changed.json()["approval_levels"] == 3
    assert httpx.post(f"{base}/snapshot", json={}).status_code == 400
    assert httpx.post(f"{base}/firms", json={"realm": "x", "dataset": "moon"}).status_code == 400
