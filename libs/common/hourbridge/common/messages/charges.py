"""Payloads, version 1, of what the mapper tells: charges, payments and why there are none."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from hourbridge.common.book import (
    BookConfiguration,
    FlatFee,
    InvoicingPolicy,
    LedgerBinding,
    LedgerReference,
    RoundingPolicy,
    Workflow,
)
from hourbridge.common.messages.exchange import ExchangeRateUsed
from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    Instant,
    LocalDate,
    Payload,
    SourceName,
)
from hourbridge.common.messages.posting_kinds import Activity, FormField, PaidAtOnce
from hourbridge.common.messages.records import Attachment, RecordType


class BookConfigured(Payload):
    """A version of a book's configuration came into force."""

    version: int = Field(ge=1)
    configuration: BookConfiguration
    applied_at: Instant
    applied_by: str
    note: str | None = None


class MappingOutcome(StrEnum):
    """What the mapper made of a record."""

    CHARGED = "charged"
    SKIPPED = "skipped"
    PARKED = "parked"
    NOTED = "noted"
    """Master data: kept for mapping, never charged."""


class Reason(Payload):
    """Why a record was skipped or parked."""

    code: str
    detail: str
    waits_for: str | None = None
    """The key of the missing fact, for example ``task:Audit``."""


class ChargedRate(Payload):
    """The rate snapshot of a charge."""

    amount: DecimalText
    currency: CurrencyCode
    origin: str
    """Which rule or source field it came from."""


class WriteDown(Payload):
    """Worked time that the client does not pay, and why."""

    seconds: int = Field(gt=0)
    reason: str


class WorkSpan(Payload):
    """When and where the work of a charge was done; says how its work date came about."""

    started_at: Instant | None = None
    ended_at: Instant | None = None
    zone: str | None = None
    day_of: Literal["stated", "worker", "project", "client", "company"] = "stated"
    part: int = 1
    parts: int = 1
    """Of an entry that was cut at midnight or the month's end."""
    split_at: Literal["never", "midnight", "month_end"] | None = None
    """The policy by which it was cut, or would have been; absent where no zone was asked."""
    tzdata: str | None = None
    """The version of the time zone database that was used."""


class ChargedCost(Payload):
    """What a rebilled expense cost us, and how it is booked."""

    amount: DecimalText
    """Net of recoverable tax, in ``currency``; this charge's part where several clients share."""
    currency: CurrencyCode
    tax: DecimalText | None = None
    """Tax contained in the cost that is recovered from the state."""
    treatment: Literal["agent", "principal"] = "agent"
    markup_percent: DecimalText | None = None
    converted_at: LocalDate | None = None
    """The date whose exchange rate the client's amount takes; absent where currencies agree, and
    where it is the document's date that decides."""
    exchange: ExchangeRateUsed | None = None
    """On document lines: the rate that made the client's amount of the cost."""
    share: str | None = None
    """Which part of a shared expense this is, for example ``1/3``."""
    receipts: tuple[Attachment, ...] = ()


class Payable(Payload):
    """Makes a charge one that we owe: a line of a vendor's bill, never of a client's invoice."""

    vendor: LedgerReference
    bill_number: str | None = None
    """The vendor's own number, unique per vendor."""
    due_days: int = 30
    holdback_percent: DecimalText = Decimal(0)
    pay_when_paid: bool = False
    reason: Literal["subcontractor", "expense"]
    report: str | None = None
    """The expense report that it belongs to: one document, one line for each expense."""
    paid: PaidAtOnce | None = None
    """Set where the firm pays or paid at once: a purchase is posted, and no bill."""


class Charge(Payload):
    """A record, or part of one, in ledger terms: exact quantity, not yet rounded or priced."""

    charge_id: Identifier
    kind: Literal["time", "expense"]
    workflow: Workflow
    customer: LedgerReference
    job: LedgerReference | None = None
    item: LedgerReference | None = None
    account: LedgerReference | None = None
    class_ref: LedgerReference | None = None
    tax_code: str | None = None
    terms: LedgerReference | None = None
    work_date: LocalDate
    worked_seconds: int = Field(0, ge=0)
    billable_seconds: int = Field(0, ge=0)
    amount: DecimalText | None = None
    """Expenses: what the client pays, markup included, unrounded."""
    rate: ChargedRate | None = None
    currency: CurrencyCode
    flat_fee: FlatFee | None = None
    """Set when the work is covered by a fixed price per term instead of an hourly rate."""
    flat_fee_scope: Literal["client", "project"] = "client"
    """Whose fee it is: one fee per term for all of the client's work, or for the project's."""
    staff: str | None = None
    task: str | None = None
    project: str | None = None
    project_rule: str | None = None
    """What the mapping calls the project, where that is not ``project``."""
    client: str
    description: str | None = None
    email: str | None = None
    rounding: RoundingPolicy
    rounding_origin: str | None = None
    """Whose rounding policy it is, for example ``client:Acme``; absent: the book's own."""
    invoicing: InvoicingPolicy
    invoicing_origin: str | None = None
    """Whose invoicing policy it is; absent: the book's own."""
    ledger: LedgerBinding
    payable: Payable | None = None
    """Set on what we owe; absent on what the client pays."""
    cost: ChargedCost | None = None
    """Expenses: what the client's amount was made from."""
    cost_rate: ChargedRate | None = None
    """What an hour of this work costs us; prices payable time, follows worked time."""
    write_down: WriteDown | None = None
    span: WorkSpan | None = None
    retainer: str | None = None
    """The engagement whose retainer pays for this work."""
    department: LedgerReference | None = None
    custom_fields: tuple[FormField, ...] | None = None
    """What forms of the ledger state besides, of the kinds that the book fills."""
    email_invoice: bool | None = None
    document_number: str | None = None
    """Of invoices that the tracker composed: the number that people know it by."""
    warnings: tuple[str, ...] | None = None
    """What a person should look at before billing: ``receipt_missing``, ``description_thin``."""


class PaymentPart(Payload):
    """Which part of a payment settles which document."""

    number: str
    """Our document number."""
    amount: Annotated[DecimalText, Field(gt=0)]


class MappedPayment(Payload):
    """Money that a client paid or got back, or that a vendor was paid, in ledger terms."""

    purpose: Literal["invoice", "retainer", "retainer_refund", "vendor_bill"]
    customer: LedgerReference | None = None
    vendor: LedgerReference | None = None
    client: str
    engagement: str | None = None
    """Retainers: which one of the client's."""
    amount: Annotated[DecimalText, Field(gt=0)]
    currency: CurrencyCode
    payment_date: LocalDate
    parts: tuple[PaymentPart, ...] = ()
    """Absent: the client's oldest open documents first."""
    reference: str | None = None
    in_ledger: bool = False
    """The ledger has it already (it was entered there): only our journal takes note."""
    ledger: LedgerBinding


class ChargeSetChanged(Payload):
    """The complete set of charges of one record; replaces every earlier set of that record."""

    record_id: Identifier
    record_type: RecordType
    source: SourceName
    record_revision: int
    mapping_version: int
    """0 while the book has no configuration."""
    covers: tuple[int, ...]
    """The sequence numbers that this message settles."""
    outcome: MappingOutcome
    reasons: tuple[Reason, ...] = ()
    charges: tuple[Charge, ...] = ()
    accepted_at: Instant
    work_date: LocalDate | None = None
    client: str | None = None
    project: str | None = None
    worked_seconds: int = 0
    billable_seconds: int = 0
    deleted: bool = False
    payment: MappedPayment | None = None
    """Set for payments, which have no charges."""
    activities: tuple[Activity, ...] = ()
    """The complete set of the record's time activities, also where no client is charged."""
    composed_as: Identifier | None = None
    """Of invoices composed in the tracker: the tracker's own id of the invoice."""
