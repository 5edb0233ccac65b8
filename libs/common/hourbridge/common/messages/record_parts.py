"""The envelope of every canonical record, version 1, and the parts that records share."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    Instant,
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
    PAYMENT = "payment"
    COMPOSED_INVOICE = "composed_invoice"
    LIST_ENTRY = "list_entry"


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
