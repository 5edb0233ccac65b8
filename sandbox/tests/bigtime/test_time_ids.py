"""The identity trap: ids change at submission and at rejection (checklist 2)."""

from __future__ import annotations


def test_unsubmitted_is_negative_and_submitted_another_positive(firm, client):
    before = firm.enter("2026-10-06", "1.5", Notes="call")
    assert before < 0
    (after,) = firm.submit(before)
    assert after > 0
    assert after != -before
    (row,) = client.sheet()
    assert (row["SID"], row["Notes"]) == (after, "call")


def test_the_old_id_is_404_and_nothing_points_to_the_new_one(firm, client):
    before = firm.enter("2026-10-06", "1.5")
    assert client.get(f"time/{before}")["SID"] == before
    (after,) = firm.submit(before)
    assert client.status("GET", f"time/{before}") == 404
    assert str(before) not in client.send("GET", f"time/{after}").text


def test_rejection_gives_yet_another_id_and_a_note(firm, client):
    submitted = firm.enter("2026-10-06", "1.5", submitted=True)
    (rejected,) = firm.reject(submitted, note="which client?")
    assert rejected < 0
    (row,) = client.sheet()
    assert (row["SID"], row["ApprovalStatusNm"]) == (rejected, "Rejected")
    assert (row["IsApproved"], row["RevisionNotes"]) == (False, "which client?")
    (again,) = firm.submit(rejected)
    assert again not in (submitted, rejected)
    assert firm.entry(again).former.split(",")[-2:] == [str(submitted), str(rejected)]


def test_rejection_may_keep_the_id(firm):
    firm.server.world.settings.change({"rejection_changes_sid": False})
    submitted = firm.enter("2026-10-06", "1", submitted=True)
    assert firm.reject(submitted) == [submitted]


def test_mark_submitted_at_creation(client):
    body = {"Dt": "2026-10-06", "StaffSID": 1, "ProjectSID": 1, "BudgCatID": 1, "Hours_IN": 2}
    assert client.post("time", body)["SID"] < 0
    assert client.post("time", body, MarkSubmitted="true")["SID"] > 0


def test_editing_an_open_entry_keeps_its_id(firm, client):
    sid = firm.enter("2026-10-06", "1")
    assert client.post(f"time/{sid}", {"Hours_IN": "2.5", "Dt": "2026-10-07"})["SID"] == sid
    (row,) = client.sheet()
    assert (row["Dt"], str(row["Hours_IN"])) == ("2026-10-07", "2.50")


def test_submitted_time_is_locked_for_users_but_not_for_administrators(firm, client, log_in):
    sid = firm.enter("2026-10-06", "1", staff=2, submitted=True)
    user = log_in("bela")
    assert user.status("POST", f"time/{sid}", {"Notes": "x"}) == 405
    assert user.status("DELETE", f"time/{sid}") == 405
    assert client.post(f"time/{sid}", {"Notes": "x"})["SID"] == sid


def test_time_of_others_is_405(firm, log_in):
    sid = firm.enter("2026-10-06", "1", staff=1)
    assert log_in("bela").status("GET", f"time/{sid}") == 405


def test_deleted_time_is_gone_without_a_trace(firm, client):
    sid = firm.enter("2026-10-06", "1", submitted=True)
    assert client.delete(f"time/{sid}") == {"Deleted": True}
    assert client.sheet() == []
    assert client.status("GET", f"time/{sid}") == 404


def test_identical_twins_stay_two_entries(firm, client):
    for _ in range(2):
        firm.enter("2026-10-06", "0.25", Notes="call", approved=True)
    rows = client.sheet()
    first, second = ({k: v for k, v in row.items() if not k.startswith("Dt")} for row in rows)
    assert first.pop("SID") != second.pop("SID")
    assert first == second


def test_five_hundred_entries_in_a_day(firm, client):
    for _ in range(500):
        firm.enter("2026-10-06", "0.05")
    firm.submit()
    rows = client.sheet()
    assert len({row["SID"] for row in rows}) == 500
    (day,) = client.get("time/TotalByDay/1", StartDt="2026-10-06", EndDt="2026-10-06")
    assert str(day["totalHours"]) == "25.00"
