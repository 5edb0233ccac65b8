"""Time entries: from a row of a sheet, a project or a report to a record."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, Protocol

from hourbridge.common.messages.records import BillableState
from hourbridge.common.money import EXACT
from hourbridge.connectors.bigtime.approving import approval_of
from hourbridge.connectors.bigtime.rekeying import is_temporary
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import task_id

SECONDS_PER_HOUR = Decimal(3600)
FlagOrigin = Literal["entry", "task", "project"]


class Surroundings(Protocol):
    """What a row doesn't say and the firm's lists do."""

    def zone_code(self, staff_id: str) -> str | None:
        """Return the HomeTimezone of a person."""
        ...

    def flag_origin(self, project_id: str | None, task: str | None) -> FlagOrigin | None:
        """Return where an entry's N/C flag comes from, None when that can't be told."""
        ...


def time_fields(
    row: Row, settings: BigTimeSettings, around: Surroundings, *, former_id: str | None = None
) -> dict[str, Any]:
    """Return the fields of an entry. Both hours are kept, each with its own text."""
    entry_id, staff = row.identifier("SID"), row.identifier("StaffSID")
    day, hours = row.day("Dt"), row.number("Hours_IN")
    _refuse_missing(row, SID=entry_id, StaffSID=staff, Dt=day, Hours_IN=hours)
    if entry_id is None or staff is None or hours is None:
        return {"external_id": entry_id}
    temporary = is_temporary(entry_id)
    invoice = row.identifier("InvoiceSID")
    invoiced = bool(row.flag("IsInvoiced")) or invoice is not None
    # Only a report tells what BigTime's own integration has posted: object endpoints don't.
    posted = bool(row.flag("IsPosted"))
    currency = row.text("Currency", "CurrencyCode")
    if currency is None and settings.base_currency is not None:
        currency = settings.base_currency
        row.note("currency: the firm's base currency; entries state none")
    return {
        "external_id": entry_id,
        "external_id_kind": "temporary" if temporary else "stable",
        "previous_external_ids": () if former_id is None else (former_id,),
        "staff_id": staff,
        "staff_name": _staff_name(row),
        "client_id": row.identifier("ClientID"),
        "client_name": row.text("ClientNm"),
        "project_id": row.identifier("ProjectSID"),
        "project_name": row.text("ProjectNm"),
        "task_id": task_id(row),
        "task_name": row.text("TaskNm") if task_id(row) else None,
        "labor_code_id": row.identifier("BudgCatID"),
        "service_item_hint": row.text("BudgCatNm"),
        "work_date": day,
        "zone": zone_of(around.zone_code(staff), settings),
        "entry_mode": "duration_only",
        "input": _worked(row, "Hours_IN", hours),
        **_billing(row, hours, around),
        **_rates(row, currency),
        "currency": currency,
        "payroll_item_id": row.identifier("PayrollItem"),
        "class_id": row.identifier("QBClass"),
        "approval": approval_of(row, is_submitted=not temporary),
        "lock": _lock(invoiced, temporary),
        "invoice_ref": invoice,
        "invoiced": invoiced,
        "exported": posted,
        "post_status": "posted" if posted else "none",
        "notes": row.text("Notes"),
        "revision_note": row.text("RevisionNotes"),
    }


_ZONES = {
    "tset": "America/New_York",
    "tsct": "America/Chicago",
    "tsmt": "America/Denver",
    "tspt": "America/Los_Angeles",
    "tsat": "America/Halifax",
    "tsakt": "America/Anchorage",
    "tsht": "Pacific/Honolulu",
}


def zone_of(code: str | None, settings: BigTimeSettings) -> dict[str, Any] | None:
    """Return the zone of a person's HomeTimezone, else the firm's, with how sure that is."""
    if code is not None:
        named = settings.zones.get(code) or _ZONES.get(code.strip().lower())
        if named is None and "/" in code:
            named = code
        if named is not None:
            return {"iana": named, "vendor_code": code, "confidence": "profile"}
    if settings.zone is not None:
        return {"iana": settings.zone, "vendor_code": code, "confidence": "firm"}
    return {"vendor_code": code, "confidence": "assumed"} if code is not None else None


def seconds_of(row: Row, name: str, hours: Decimal) -> int | None:
    """Return decimal hours as whole seconds, half up; less than none is refused."""
    if hours < 0:
        row.refuse(name, "negative_hours", f"{hours} hours is less than nothing")
        return None
    exact = EXACT.multiply(hours, SECONDS_PER_HOUR)
    whole = exact.to_integral_value(rounding=ROUND_HALF_UP)
    if whole != exact:
        row.note(f"{name}: {hours} hours is no whole number of seconds; rounded half up")
    return int(whole)


def _refuse_missing(row: Row, **found: Any) -> None:
    refused = {reason.field for reason in row.reasons}
    for name, value in found.items():
        if value is None and name not in refused:
            row.refuse(name, "missing", f"the row states no {name}")


def _worked(row: Row, name: str, hours: Decimal) -> dict[str, Any]:
    return {"seconds": seconds_of(row, name, hours) or 0, "decimal_text": row.text(name)}


def _staff_name(row: Row) -> str | None:
    parts = [part for part in (row.text("FName"), row.text("SName")) if part]
    return " ".join(parts) or row.text("SourceNm")


def _billing(row: Row, hours: Decimal, around: Surroundings) -> dict[str, Any]:
    """Return whether and how the client pays for the work."""
    billable, no_charge = row.number("HoursBillable"), row.flag("NoCharge")
    if no_charge:
        return _unpaid(row, billable, around)
    if billable is None:
        known = no_charge is False
        state = BillableState.BILLABLE if known else BillableState.UNKNOWN
        return {"billable_state": state}
    worked = _worked(row, "HoursBillable", billable)
    fields: dict[str, Any] = {"billable": worked, "billable_state": BillableState.BILLABLE}
    seconds, entered = worked["seconds"], seconds_of(row, "Hours_IN", hours) or 0
    if seconds > entered:
        fields["write_up"] = True
    elif seconds == 0 and entered > 0:
        fields |= {"billable_state": BillableState.NON_BILLABLE, "billable_reason": "entry"}
        row.note("billable_state: written down to no hours, without the N/C flag")
    elif seconds < entered:
        fields["billable_state"] = BillableState.PARTIALLY_BILLABLE
    return fields


def _unpaid(row: Row, billable: Decimal | None, around: Surroundings) -> dict[str, Any]:
    """Return an unpaid entry: of a project nobody pays, or shown to the client at nothing."""
    if billable:
        row.note(f"billable: N/C counts before the {billable} billable hours that are stated too")
    origin = around.flag_origin(row.identifier("ProjectSID"), row.identifier("TaskSID"))
    state = BillableState.NON_BILLABLE if origin == "project" else BillableState.NO_CHARGE
    fields: dict[str, Any] = {"billable_state": state, "billable_reason": origin}
    if billable is not None:
        fields["billable"] = {"seconds": 0, "decimal_text": row.text("HoursBillable")}
    return fields


def _rates(row: Row, currency: str | None) -> dict[str, Any]:
    """Return the rates; 0 means that none was applied yet, or none is set."""
    fields: dict[str, Any] = {"bill_amount": row.number("ChargeBillable")}
    for name, source in (("bill_rate", "BillRate"), ("cost_rate", "CostRate")):
        amount = row.number(source)
        if amount is None:
            continue
        if amount == 0:
            row.note(f"{name}: a rate of 0 means that none is set or applied yet")
            continue
        locked = name == "bill_rate" and bool(row.flag("BillingRateLocked"))
        fields[name] = {"amount": amount, "currency": currency, "origin": source, "locked": locked}
    if fields["bill_amount"] == 0 and "bill_rate" not in fields:
        fields["bill_amount"] = None
    return fields


def _lock(invoiced: bool, temporary: bool) -> dict[str, Any] | None:
    if invoiced:
        return {"reason": "invoiced"}
    return None if temporary else {"reason": "submitted"}
