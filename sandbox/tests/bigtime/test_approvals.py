"""Approval belongs to the entry, over up to three levels."""

from __future__ import annotations

OCTOBER = {"StartDt": "2026-10-01", "EndDt": "2026-10-31"}


def states(client):
    return [row["ApprovalStatusNm"] for row in client.sheet()]


def test_three_levels_one_after_the_other(firm, client):
    firm.act("settings", approval_levels=3)
    firm.enter("2026-10-06", "1", submitted=True)
    seen = [states(client)]
    for _ in range(3):
        firm.act("approve_time")
        seen.append(states(client))
    partly = ["Partially Approved"]
    assert seen == [["Submitted"], partly, partly, ["Approved"]]


def test_resubmission_begins_the_chain_again(firm, client):
    firm.act("settings", approval_levels=2)
    sid = firm.enter("2026-10-06", "1", submitted=True)
    firm.act("approve_time")
    firm.submit(*firm.reject(sid))
    assert states(client) == ["Submitted"]
    assert client.sheet()[0]["ApprovalInfo"] == "0 of 2"


def test_half_a_timesheet_is_approved(firm, client):
    """Billable and other hours may have different approvers."""
    firm.enter("2026-10-06", "1", submitted=True)
    firm.enter("2026-10-06", "1", submitted=True, NoCharge=True)
    firm.act("approve_time", billable=True)
    assert states(client) == ["Approved", "Submitted"]


def test_by_project_filters_approved_on_the_server(firm, client):
    approved = firm.enter("2026-10-06", "1", approved=True)
    waiting = firm.enter("2026-10-06", "1", staff=2, submitted=True)
    firm.enter("2026-10-06", "1", project=2, approved=True)

    def sids(**query: str) -> set[int]:
        return {row["SID"] for row in client.get("time/ByProject/1", **OCTOBER, **query)}

    assert sids() == {approved, waiting}
    assert sids(IsApproved="true") == {approved}
    assert sids(IsApproved="false") == {waiting}


def test_without_levels_submitted_is_approved(firm, client):
    firm.act("settings", approval_levels=0)
    firm.enter("2026-10-06", "1", submitted=True)
    assert states(client) == ["Approved"]


def test_basic_view_tells_neither_approval_nor_rates(firm, client):
    firm.enter("2026-10-06", "1", approved=True)
    (row,) = client.get("time/Sheet/1", **OCTOBER)
    assert not {"IsApproved", "BillRate", "CostRate", "InvoiceSID"} & set(row)
