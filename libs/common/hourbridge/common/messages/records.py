"""Canonical records, version 1: what sources state about time, expenses and master data.

Field groups follow the canonical model of the design (record envelope, who, when, how long, kind,
billing, currency, dimensions, approval, locks, downstream, text, attachments). Ids are opaque
text of the source; money is Decimal text with an ISO 4217 currency; durations are whole seconds
plus the source's own decimal text.
"""

from __future__ import annotations

from hourbridge.common.messages.composed_records import ComposedInvoice, ComposedLine
from hourbridge.common.messages.list_records import ListEntry
from hourbridge.common.messages.master_records import (
    Address,
    Budget,
    Client,
    Contact,
    Payroll,
    PicklistValue,
    Project,
    Rate,
    RateStyle,
    Receipt,
    StaffMember,
    Vendor,
    WorkItem,
)
from hourbridge.common.messages.money_records import Payment, PaymentApplication
from hourbridge.common.messages.record_parts import (
    Approval,
    ApprovalState,
    Attachment,
    BillableState,
    CustomField,
    Deletion,
    Display,
    ExternalLink,
    Lock,
    Record,
    RecordType,
    RoundedTime,
    StatedRate,
    WorkedTime,
    Zone,
)
from hourbridge.common.messages.work_records import (
    Expense,
    ExpenseReport,
    ExpenseUnit,
    TimeEntry,
)

__all__ = [
    "Address",
    "Approval",
    "ApprovalState",
    "Attachment",
    "BillableState",
    "Budget",
    "Client",
    "ComposedInvoice",
    "ComposedLine",
    "Contact",
    "CustomField",
    "Deletion",
    "Display",
    "Expense",
    "ExpenseReport",
    "ExpenseUnit",
    "ExternalLink",
    "ListEntry",
    "Lock",
    "Payment",
    "PaymentApplication",
    "Payroll",
    "PicklistValue",
    "Project",
    "RECORD_MODELS",
    "Rate",
    "RateStyle",
    "Receipt",
    "Record",
    "RecordType",
    "RoundedTime",
    "StaffMember",
    "StatedRate",
    "TimeEntry",
    "Vendor",
    "WorkItem",
    "WorkedTime",
    "Zone",
]

RECORD_MODELS: dict[RecordType, type[Record]] = {
    model.record_type: model
    for model in (
        TimeEntry,
        Expense,
        Client,
        Project,
        WorkItem,
        StaffMember,
        Vendor,
        Rate,
        Receipt,
        PicklistValue,
        Payment,
        ComposedInvoice,
        ListEntry,
    )
}
"""The model of each record type."""
