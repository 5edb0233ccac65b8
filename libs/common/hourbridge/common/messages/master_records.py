"""Canonical records, version 1, of clients, projects, people, prices and other master data."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    Instant,
    LocalDate,
    Payload,
)
from hourbridge.common.messages.record_parts import (
    ExternalLink,
    Record,
    RecordType,
    StatedRate,
)


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
