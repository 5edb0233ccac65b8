"""Canonical records, version 1: what sources state about time, expenses and master data.

Field groups follow the canonical model of the design (record envelope, who, when, how long, kind,
billing, currency, dimensions, approval, locks, downstream, text, attachments). Ids are opaque
text of the source; money is Decimal text with an ISO 4217 currency; durations are whole seconds
plus the source's own decimal text.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    Instant,
    LocalDate,
    Payload,
)


class RecordType(StrEnum):
    """The kinds of records."""

    TIME_ENTRY = "time_entry"
    EXPENSE = "expense"
    CLIENT = "client"
    PROJECT = "project"
    WORK_ITEM = "work_item"
    STAFF_MEMBER = "staff_member"
    VENDOR = "vendor"
    RATE = "rate"
    RECEIPT = "receipt"
    PICKLIST_VALUE = "picklist_value"


# --- shared parts ---------------------------------------------------------------------------


class Deletion(Payload):
    """Says that the source deleted the object, and how we know."""

    at: Instant | None = None
    how: Literal["feed", "diff", "webhook", "manual", "snapshot"] = "feed"
    confirmed: bool = True


class CustomField(Payload):
    """A field that the source's administrator defined."""

    id: Identifier
    name: str | None = None
    type: Literal["text", "number", "bool", "date", "list", "user"] = "text"
    value: str | None = None
    raw: str | None = None


class ExternalLink(Payload):
    """A pointer from the source's object to one in another system."""

    target_system: str
    target_company: str | None = None
    type: str
    id: Identifier
    edit_token: str | None = None
    role: str | None = None


class Zone(Payload):
    """The time zone of a time entry and how sure we are of it."""

    iana: str | None = None
    offset_minutes: int | None = Field(None, ge=-18 * 60, le=18 * 60)
    vendor_code: str | None = None
    confidence: Literal["explicit", "profile", "firm", "assumed"] = "assumed"


class WorkedTime(Payload):
    """A duration in whole seconds with the decimal text in which the source stated it."""

    seconds: int = Field(ge=0)
    decimal_text: str | None = None


class RoundedTime(Payload):
    """A duration that the source itself had rounded."""

    seconds: int = Field(ge=0)
    rule: str | None = None


class StatedRate(Payload):
    """A rate as the source states it."""

    amount: DecimalText
    currency: CurrencyCode | None = None
    unit: Literal["hour", "fixed"] = "hour"
    origin: str | None = None
    locked: bool = False
    as_of: Instant | None = None


class ApprovalState(StrEnum):
    """Where an object stands in the source's approval."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PARTIALLY_APPROVED = "partially_approved"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    NOT_REQUIRED = "not_required"
    UNKNOWN = "unknown"


class Approval(Payload):
    """The approval of an entry, its period or its user."""

    state: ApprovalState = ApprovalState.UNKNOWN
    level: int | None = None
    levels_required: int | None = None
    by: str | None = None
    at: Instant | None = None
    scope: Literal["entry", "period", "user_watermark"] = "entry"
    source_status_text: str | None = None
    note: str | None = None


class Lock(Payload):
    """Why the source no longer lets people change the object."""

    reason: Literal["invoiced", "exported", "closed_period", "submitted", "unknown"] = "unknown"
    raw: str | None = None


class Display(Payload):
    """The texts a person saw in the source."""

    locale: str | None = None
    date_text: str | None = None
    hours_text: str | None = None
    amount_text: str | None = None


class Attachment(Payload):
    """A file at the source, by reference."""

    id: Identifier
    filename: str | None = None
    content_type: str | None = None
    size_bytes: int | None = Field(None, ge=0)
    sha256: str | None = None
    url: str | None = None
    raw_ref: str | None = None


class BillableState(StrEnum):
    """Whether and how the client pays for the work."""

    BILLABLE = "billable"
    PARTIALLY_BILLABLE = "partially_billable"
    NON_BILLABLE = "non_billable"
    NO_CHARGE = "no_charge"
    UNKNOWN = "unknown"


class Record(Payload):
    """The envelope that every record carries: identity and version at the source."""

    record_type: ClassVar[RecordType]

    external_id: Identifier
    external_id_kind: Literal["temporary", "stable", "derived"] = "stable"
    previous_external_ids: tuple[Identifier, ...] = ()
    external_parent_ids: dict[str, Identifier] = Field(default_factory=dict)
    external_version: str | None = None
    source_created_at: Instant | None = None
    source_updated_at: Instant | None = None
    observed_at: Instant | None = None
    deleted: Deletion | None = None
    url: str | None = None
    custom_fields: tuple[CustomField, ...] = ()
    tags: tuple[str, ...] = ()
    links: tuple[ExternalLink, ...] = ()
    derivation: tuple[str, ...] = ()


# --- time and expense -----------------------------------------------------------------------


class TimeEntry(Record):
    """One statement of work: who, for whom, when, how long, and whether the client pays."""

    record_type = RecordType.TIME_ENTRY

    staff_id: Identifier
    staff_name: str | None = None
    staff_email: str | None = None
    vendor_id: Identifier | None = None
    client_id: Identifier | None = None
    client_name: str | None = None
    project_id: Identifier | None = None
    project_name: str | None = None
    task_id: Identifier | None = None
    task_name: str | None = None
    labor_code_id: Identifier | None = None

    work_date: LocalDate
    start_at: Instant | None = None
    end_at: Instant | None = None
    zone: Zone | None = None
    original_start_text: str | None = None
    original_end_text: str | None = None
    crosses_midnight: bool = False
    running: bool = False

    input: WorkedTime
    billable: WorkedTime | None = None
    rounded: RoundedTime | None = None
    break_seconds: int = Field(0, ge=0)
    entry_mode: Literal["timer", "manual", "duration_only"] = "manual"
    rounding_applied_by: Literal["source", "us", "none"] = "none"

    entry_type: Literal["work", "break", "holiday", "time_off", "travel", "other"] = "work"
    payroll_item_id: Identifier | None = None
    payroll_category: Literal["regular", "overtime", "doubletime", "pto"] | None = None

    billable_state: BillableState = BillableState.UNKNOWN
    billable_reason: Literal["entry", "task", "project", "code", "category"] | None = None
    bill_rate: StatedRate | None = None
    bill_amount: DecimalText | None = None
    cost_rate: StatedRate | None = None
    cost_amount: DecimalText | None = None
    write_up: bool = False

    currency: CurrencyCode | None = None
    base_currency: CurrencyCode | None = None
    fx_rate: DecimalText | None = None
    fx_date: LocalDate | None = None
    fx_source: str | None = None
    base_amount: DecimalText | None = None

    class_id: Identifier | None = None
    service_item_hint: str | None = None
    department_id: Identifier | None = None
    location_id: Identifier | None = None
    cost_centers: tuple[str, ...] = ()

    approval: Approval = Approval()
    lock: Lock | None = None

    invoice_ref: str | None = None
    invoiced: bool = False
    exported: bool = False
    post_status: Literal["none", "queued", "posted", "failed", "void"] = "none"
    post_documents: tuple[str, ...] = ()

    notes: str | None = None
    revision_note: str | None = None
    display: Display | None = None
    attachments: tuple[Attachment, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> TimeEntry:
        if self.start_at and self.end_at and self.end_at < self.start_at:
            raise ValueError("end_at lies before start_at")
        if self.bill_rate is not None and self.bill_rate.amount < 0:
            raise ValueError("bill_rate.amount must not be negative")
        billable = self.billable.seconds if self.billable else None
        unpaid = self.billable_state in (BillableState.NON_BILLABLE, BillableState.NO_CHARGE)
        if unpaid and billable:
            raise ValueError(f"billable.seconds must be 0 or absent when {self.billable_state}")
        if self.billable_state is BillableState.PARTIALLY_BILLABLE and not (
            billable is not None and 0 < billable < self.input.seconds
        ):
            raise ValueError("partially_billable needs 0 < billable.seconds < input.seconds")
        return self


class ExpenseUnit(Payload):
    """A quantity of units (kilometres, nights) with cost and sell rate per unit."""

    quantity: DecimalText
    unit_of_measure: str | None = None
    cost_rate: DecimalText | None = None
    sell_rate: DecimalText | None = None


class ExpenseReport(Payload):
    """The report that an expense belongs to."""

    id: Identifier
    name: str | None = None
    status: str | None = None
    submitted_at: Instant | None = None


class Expense(Record):
    """One statement of money spent, and what of it the client pays."""

    record_type = RecordType.EXPENSE

    staff_id: Identifier | None = None
    staff_name: str | None = None
    vendor_id: Identifier | None = None
    vendor_name: str | None = None
    merchant_text: str | None = None
    client_id: Identifier | None = None
    client_name: str | None = None
    project_id: Identifier | None = None
    project_name: str | None = None
    task_id: Identifier | None = None
    category_id: Identifier | None = None
    category_name: str | None = None
    category_target: Literal["item", "account"] | None = None

    expense_date: LocalDate
    bill_number: str | None = None
    due_date: LocalDate | None = None

    amount_in: DecimalText
    amount_payable: DecimalText | None = None
    amount_billable: DecimalText | None = None
    tax_amount: DecimalText | None = None
    tax_code_id: Identifier | None = None
    tax_included: bool = False
    markup_percent: DecimalText | None = None
    unit: ExpenseUnit | None = None

    currency: CurrencyCode
    base_currency: CurrencyCode | None = None
    fx_rate: DecimalText | None = None
    fx_date: LocalDate | None = None
    fx_source: str | None = None
    base_amount: DecimalText | None = None
    original_amount: DecimalText | None = None
    original_currency: CurrencyCode | None = None

    reimbursable: bool = False
    payment_source: Literal[
        "employee", "company_card", "company_cash", "vendor_bill", "service_fee", "unknown"
    ] = "unknown"
    card_account_id: Identifier | None = None
    card_mask: str | None = None
    bank_transaction_id: Identifier | None = None
    split_group_id: Identifier | None = None
    is_refund: bool = False
    report: ExpenseReport | None = None

    approval: Approval = Approval()
    lock: Lock | None = None
    invoiced: bool = False
    receipts: tuple[Attachment, ...] = ()
    billable_state: BillableState = BillableState.UNKNOWN
    billable_reason: Literal["entry", "task", "project", "code", "category"] | None = None
    posting_intent: (
        Literal["bill", "check", "credit_card_charge", "credit_card_credit", "journal", "none"]
        | None
    ) = None
    posting_intent_decided_by: str | None = None
    class_id: Identifier | None = None
    department_id: Identifier | None = None
    location_id: Identifier | None = None
    notes: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Expense:
        paid_by_company = self.payment_source in ("company_card", "vendor_bill")
        if paid_by_company and self.amount_payable not in (None, 0):
            raise ValueError(f"amount_payable must be 0 when paid by {self.payment_source}")
        if paid_by_company and self.reimbursable:
            raise ValueError("an expense is either reimbursable or paid by the company")
        if (self.amount_in < 0) != self.is_refund and self.amount_in != 0:
            raise ValueError("a negative amount_in is a refund and needs is_refund, and only then")
        return self


# --- master data ----------------------------------------------------------------------------


class Address(Payload):
    """A postal address."""

    kind: Literal["bill", "ship", "main"] = "main"
    lines: tuple[str, ...] = ()
    country: str | None = None


class Contact(Payload):
    """A person at a client."""

    role: Literal["primary", "billing", "other"] = "primary"
    name: str | None = None
    email: str | None = None
    phone: str | None = None


class Client(Record):
    """Who is billed."""

    record_type = RecordType.CLIENT

    name: str
    legal_name: str | None = None
    code: str | None = None
    display_name: str | None = None
    currency: CurrencyCode | None = None
    terms_id: Identifier | None = None
    tax_code_id: Identifier | None = None
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    parent_id: Identifier | None = None
    is_active: bool = True
    default_class_id: Identifier | None = None


class Budget(Payload):
    """What a project or work item may cost."""

    hours: DecimalText | None = None
    fees: DecimalText | None = None
    expenses: DecimalText | None = None
    currency: CurrencyCode | None = None


class RateStyle(Payload):
    """Which of the source's rate tables a project uses."""

    kind: Literal["staff", "labor", "flat", "task"] = "staff"
    slot: int | None = Field(None, ge=1, le=5)


class Project(Record):
    """A piece of work for a client; a job in most ledgers."""

    record_type = RecordType.PROJECT

    name: str
    code: str | None = None
    client_id: Identifier | None = None
    client_name: str | None = None
    parent_id: Identifier | None = None
    path: tuple[str, ...] = ()
    is_leaf: bool = True
    is_synthetic: bool = False
    blocked: bool = False
    production_status: str | None = None
    billing_status: str | None = None
    start_date: LocalDate | None = None
    end_date: LocalDate | None = None
    is_non_billable: bool = False
    rate_style: RateStyle | None = None
    flat_rate: DecimalText | None = None
    budget: Budget | None = None
    default_class_id: Identifier | None = None
    default_terms_id: Identifier | None = None
    invoice_calculator: str | None = None
    retainer: bool = False
    currency: CurrencyCode | None = None
    is_active: bool = True


class WorkItem(Record):
    """A task or labor code."""

    record_type = RecordType.WORK_ITEM

    kind: Literal["task", "labor_code", "both"] = "task"
    name: str
    code: str | None = None
    group: str | None = None
    parent_id: Identifier | None = None
    project_id: Identifier | None = None
    service_item_type: Literal["item", "none"] | None = None
    service_item_id: Identifier | None = None
    rate_slots: tuple[DecimalText | None, ...] = ()
    default_class_id: Identifier | None = None
    non_billable: bool = False
    is_active: bool = True
    budget: Budget | None = None


class Payroll(Payload):
    """Whether a person's time feeds payroll, and with which items."""

    uses: bool = False
    items: tuple[str, ...] = ()


class StaffMember(Record):
    """A person who reports time."""

    record_type = RecordType.STAFF_MEMBER

    given_name: str | None = None
    family_name: str | None = None
    display_name: str
    email: str | None = None
    user_linked: bool = False
    home_timezone: str | None = None
    locale: str | None = None
    employee_link: Identifier | None = None
    vendor_link: Identifier | None = None
    post_time_as_bill: bool = False
    cost_rate: StatedRate | None = None
    rate_slots: tuple[DecimalText | None, ...] = ()
    payroll: Payroll = Payroll()
    manager_id: Identifier | None = None
    department: str | None = None
    is_active: bool = True
    start_date: LocalDate | None = None
    end_date: LocalDate | None = None
    capacity_seconds_per_week: int | None = Field(None, ge=0)


class Vendor(Record):
    """A supplier or subcontractor. Tax numbers never travel, only a reference to them."""

    record_type = RecordType.VENDOR

    name: str
    is_contractor: bool = False
    tax_id_ref: str | None = None
    default_expense_account: str | None = None
    terms: str | None = None
    currency: CurrencyCode | None = None
    linked_staff_ids: tuple[Identifier, ...] = ()
    is_active: bool = True


class Rate(Record):
    """A price or cost of work within a scope; an absent scope part means any."""

    record_type = RecordType.RATE

    staff_id: Identifier | None = None
    task_id: Identifier | None = None
    labor_code_id: Identifier | None = None
    project_id: Identifier | None = None
    client_id: Identifier | None = None
    kind: Literal["bill", "cost"] = "bill"
    amount: Annotated[DecimalText, Field(ge=0)]
    currency: CurrencyCode | None = None
    unit: Literal["hour", "fixed"] = "hour"
    fixed_amount: DecimalText | None = None
    effective_from: LocalDate | None = None
    effective_to: LocalDate | None = None
    priority: int = 0
    origin: Literal["source", "override"] = "source"
    locked: bool = False


class Receipt(Record):
    """A receipt's metadata; the file itself travels by reference."""

    record_type = RecordType.RECEIPT

    expense_id: Identifier
    filename: str | None = None
    content_type: str | None = None
    size_bytes: int | None = Field(None, ge=0)
    sha256: str | None = None
    url_ref: str | None = None
    fetched_at: Instant | None = None
    expires_at: Instant | None = None
    ocr: dict[str, Any] | None = None


class PicklistValue(Record):
    """A value of any other list of the source; keeps unknown lists without loss."""

    record_type = RecordType.PICKLIST_VALUE

    list_name: str
    name: str
    group: str | None = None
    is_active: bool = True
    external_link: ExternalLink | None = None


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
    )
}
"""The model of each record type."""
