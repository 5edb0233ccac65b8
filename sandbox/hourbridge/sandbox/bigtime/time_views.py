"""Time entries as the service shows them, Basic and Detailed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.rating import charge
from hourbridge.sandbox.bigtime.time_book import STATE_NAMES, TimeEntry
from hourbridge.sandbox.bigtime.time_work import hours_billable, is_no_charge
from hourbridge.sandbox.bigtime.values import ZERO, Row


def entry_view(firm: Firm, entry: TimeEntry, *, detailed: bool) -> Row:
    """Return one entry; names come from the lists as they are now, dangling ones are null."""
    project = firm.row("projects", entry.project) or {}
    staff = firm.row("staff", entry.staff) or {}
    client = project.get("ClientId", 0)
    shown = {
        "SID": entry.sid,
        "IsNew": False,
        "Dt": entry.dt,
        "StaffSID": entry.staff,
        "FName": staff.get("FName"),
        "SName": staff.get("SName"),
        "SourceNm": source_name(staff),
        "ClientID": client,
        "ClientNm": firm.name_of("clients", client),
        "ProjectSID": entry.project,
        "ProjectNm": project.get("Nm"),
        "BudgCatID": entry.labor,
        "BudgCatNm": firm.name_of("labor_codes", entry.labor),
        "TaskSID": entry.task,
        "TaskNm": firm.name_of("tasks", entry.task, "TaskNm"),
        "QBClass": entry.qb_class,
        "QBClassNm": firm.name_of("qb_classes", entry.qb_class, "Name"),
        "PayrollItem": entry.payroll_item,
        "PayrollItemNm": firm.name_of("payroll_items", entry.payroll_item, "Name"),
        "Hours_IN": entry.hours_in,
        "HoursBillable": hours_billable(firm, entry),
        "NoCharge": is_no_charge(firm, entry),
        "Notes": entry.notes,
        **_stamps(firm, entry),
    }
    return shown | _details(firm, entry) if detailed else shown


def source_name(staff: Row) -> str | None:
    """Return a staffer's name as lists sort it: surname first."""
    return ", ".join(filter(None, (staff.get("SName"), staff.get("FName")))) or None


def totals_by_day(firm: Firm, staff: int, first: str, last: str) -> list[Row]:
    """Return a staffer's hours of each day that has any."""
    days: dict[str, Row] = {}
    for entry in firm.time.of_staffer(staff, first, last):
        billable = hours_billable(firm, entry)
        day = days.setdefault(entry.dt, _empty_day(staff, entry.dt))
        day["totalHours"] += entry.hours_in
        day["billableHours"] += billable
        day["nonBillableHours"] += max(entry.hours_in - billable, ZERO)
        day["totalUnsubmittedTime"] += ZERO if entry.submitted else entry.hours_in
    return list(days.values())


def _empty_day(staff: int, day: str) -> Row:
    hours = ("totalHours", "billableHours", "nonBillableHours", "totalUnsubmittedTime")
    return {"staffSid": staff, "dt": day, "timerCount": 0, **dict.fromkeys(hours, Decimal(0))}


def _details(firm: Firm, entry: TimeEntry) -> Row:
    number, text = STATE_NAMES[entry.state]
    return {
        **_rates(firm, entry),
        "BillingRateLocked": entry.rate_locked or entry.invoice != 0,
        "RevisionNotes": entry.revision_notes,
        "AuditLogNote": None,
        "IsApproved": entry.state == "approved",
        "CanApproved": entry.state in ("submitted", "partly"),
        "ApprovalStatus": number,
        "ApprovalStatusNm": text,
        "ApprovalInfo": f"{entry.levels} of {firm.settings.approval_levels}",
        "InvoiceSID": entry.invoice,
        "IsInvoiced": entry.invoice != 0,
    }


def _rates(firm: Firm, entry: TimeEntry) -> Row:
    if not entry.submitted and firm.switches.rates_before_submission != "applied":
        if firm.switches.rates_before_submission == "absent":
            return {}
        return {"BillRate": ZERO, "ChargeBillable": ZERO, "CostRate": ZERO}
    amount = charge(entry, hours_billable(firm, entry))
    return {"BillRate": entry.bill_rate, "ChargeBillable": amount, "CostRate": entry.cost_rate}


def _stamps(firm: Firm, entry: TimeEntry) -> Row:
    if firm.switches.entry_stamps == "absent":
        return {}
    values = {"DtCreated": entry.created, "DtModified": entry.modified}
    if firm.switches.entry_stamps == "milliseconds":
        return dict(values)
    return {
        name: datetime.fromtimestamp(value // 1000, UTC).replace(tzinfo=None).isoformat()
        for name, value in values.items()
    }
