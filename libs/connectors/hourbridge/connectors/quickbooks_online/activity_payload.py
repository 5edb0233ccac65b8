"""Worked time as the JSON of a time activity, and back.

The ledger has no number for it, so ours and the marker stand at the end of its description.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import Activity, Document, DocumentKind
from hourbridge.common.money import EXACT
from hourbridge.connectors.ledger import LedgerDocument, LedgerLine, LedgerWrite
from hourbridge.connectors.quickbooks_online.marker import marked_id
from hourbridge.connectors.quickbooks_online.reading import decimal_of, optional_decimal
from hourbridge.connectors.quickbooks_online.references import (
    DESCRIPTION_CHARACTERS_MAX,
    References,
)
from hourbridge.connectors.statements import posted_minutes

_MINUTES_PER_HOUR = 60
_HOURS_MAX = 8760
_NUMBERED = re.compile(r"\[(\S+) hourbridge:[A-Za-z0-9._-]+\]")
_BILLED = "HasBeenBilled"
_NOT_OURS = ("PayrollItemRef", "Taxable", "TransactionLocationType")
"""Writable properties that an update keeps: what it leaves out is cleared."""


@dataclass(frozen=True)
class ActivityPayload:
    """Makes the JSON of time activities."""

    references: References

    def for_create(self, write: LedgerWrite) -> dict[str, Any]:
        """Return the body of a create; raises LedgerRejected for what the ledger can't express."""
        document, activity = write.document, activity_of(write.document)
        hours, minutes = divmod(posted_minutes(activity.seconds), _MINUTES_PER_HOUR)
        if hours >= _HOURS_MAX:
            what = f"a time activity has at most {_HOURS_MAX} hours, this one has {hours}"
            raise LedgerRejected(what, reason_code="time_too_long", number=document.number)
        body = {
            **self._who(activity, document),
            "TxnDate": document.document_date.isoformat(),
            "Hours": hours,
            "Minutes": minutes,
            **self.references.customer_or_project(document),
            "ItemRef": self.references.to("item", activity.item),
            "BillableStatus": "Billable" if activity.is_billable else "NotBillable",
            "Description": _described(document, activity),
            **self.references.department(document),
        }
        preferences = self.references.preferences
        tracks = preferences.tracks_classes or preferences.has_transaction_classes
        if activity.class_ref is not None and tracks:
            body["ClassRef"] = self.references.to("class", activity.class_ref)
        if activity.is_billable:
            body["HourlyRate"] = activity.hourly_rate or Decimal(0)
        if activity.cost_rate is not None:
            body["CostRate"] = activity.cost_rate
        return body

    def for_update(self, write: LedgerWrite, current: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of a full update: our statement over the fields that we don't own.

        What was billed meanwhile stays billed: the ledger takes no other word for it.
        """
        kept = {name: current[name] for name in _NOT_OURS if name in current}
        ours = self.for_create(write)
        if current.get("BillableStatus") == _BILLED:
            ours["BillableStatus"] = _BILLED
        return {**kept, **ours, "Id": current["Id"], "SyncToken": current["SyncToken"]}

    def _who(self, activity: Activity, document: Document) -> dict[str, Any]:
        if activity.employee is not None:
            reference = self.references.to("employee", activity.employee)
            return {"NameOf": "Employee", "EmployeeRef": reference}
        if activity.vendor is not None:
            return {
                "NameOf": "Vendor",
                "VendorRef": self.references.to("vendor", activity.vendor),
            }
        what = "the work names neither an employee nor a vendor of the ledger"
        raise LedgerRejected(what, reason_code="worker_missing", number=document.number)


def activity_of(document: Document) -> Activity:
    """Return the work of a time activity; raises LedgerRejected for a document without."""
    if document.activity is None:
        what = "the document is a time activity and tells no work"
        raise LedgerRejected(what, reason_code="activity_missing", number=document.number)
    return document.activity


def to_ledger_document(kind: DocumentKind, row: Mapping[str, Any]) -> LedgerDocument:
    """Return the activity: one line without money, its quantity the hours."""
    text = row.get("Description")
    numbered = _NUMBERED.search(text or "")
    marked = marked_id(text)
    updated = row.get("MetaData", {}).get("LastUpdatedTime")
    return LedgerDocument(
        ledger_id=row["Id"],
        kind=kind,
        number=numbered.group(1) if numbered else None,
        customer_id=_value(row, "ProjectRef") or _value(row, "CustomerRef"),
        vendor_id=_value(row, "VendorRef"),
        currency=None,
        document_date=date.fromisoformat(row["TxnDate"][:10]),
        total=Decimal(0),
        open_balance=None,
        edit_token=str(row["SyncToken"]),
        email_status=None,
        lines=(_line(row, text),),
        private_note=text,
        updated_at=datetime.fromisoformat(updated) if updated else None,
        is_ours=marked is not None,
        marked_document_id=marked,
        is_billed=row.get("BillableStatus") == _BILLED,
        stated=_stated(row),
    )


def statement_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return everything that we own of an activity, to compare two versions of it."""
    rates = (optional_decimal(row.get(name)) for name in ("HourlyRate", "CostRate"))
    names = ("EmployeeRef", "VendorRef", "CustomerRef", "ProjectRef", "ItemRef", "ClassRef")
    return (
        _minutes(row),
        row.get("Description"),
        row.get("BillableStatus"),
        *(_value(row, name) for name in (*names, "DepartmentRef")),
        *rates,
    )


def _described(document: Document, activity: Activity) -> str:
    """Return the notes, and at their end our number and marker, whatever has to be cut."""
    marker = f"[{document.number} hourbridge:{document.document_id}]"
    room = DESCRIPTION_CHARACTERS_MAX - len(marker) - 1
    return f"{(activity.description or '')[:room]} {marker}".strip()


def _line(row: Mapping[str, Any], text: str | None) -> LedgerLine:
    minutes = _minutes(row)
    return LedgerLine(
        position=1,
        description=text,
        item_id=_value(row, "ItemRef"),
        quantity=EXACT.divide(minutes, Decimal(_MINUTES_PER_HOUR)),
        unit_price=None,
        amount=Decimal(0),
    )


def _minutes(row: Mapping[str, Any]) -> Decimal:
    """Return the time; one that was entered with start and end has no hours of its own."""
    if "Hours" not in row and "Minutes" not in row and "StartTime" in row and "EndTime" in row:
        return _by_clock(row)
    whole = decimal_of(row.get("Hours", 0)) * _MINUTES_PER_HOUR
    return whole + decimal_of(row.get("Minutes", 0))


def _by_clock(row: Mapping[str, Any]) -> Decimal:
    """Return the minutes between the clock parts of start and end, less the break."""
    start, end = (_clock_minutes(str(row[name])) for name in ("StartTime", "EndTime"))
    span = Decimal((end - start) % (24 * _MINUTES_PER_HOUR))
    pause = decimal_of(row.get("BreakHours", 0)) * _MINUTES_PER_HOUR
    return span - pause - decimal_of(row.get("BreakMinutes", 0))


def _clock_minutes(text: str) -> int:
    clock = text.partition("T")[2] or text
    hours, minutes = clock.split(":")[:2]
    return int(hours) * _MINUTES_PER_HOUR + int(minutes)


def _stated(row: Mapping[str, Any]) -> dict[str, str]:
    named = {
        "employee": _value(row, "EmployeeRef"),
        "vendor": _value(row, "VendorRef"),
        "department": _value(row, "DepartmentRef"),
        "class": _value(row, "ClassRef"),
        "billable": "yes" if row.get("BillableStatus") in ("Billable", _BILLED) else None,
    }
    return {name: value for name, value in named.items() if value is not None}


def _value(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name, {}).get("value")
    return None if value is None else str(value)
