"""Payloads, version 1, of what the services tell each other."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, Literal, TypeVar

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
from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    Instant,
    LocalDate,
    Payload,
    SourceName,
)
from hourbridge.common.messages.records import Record, RecordType

StateT = TypeVar("StateT", bound=Record)


# --- ingestor -------------------------------------------------------------------------------


class RecordAccepted(Payload, Generic[StateT]):
    """The full state of a record at one revision, with its place in the book's sequence."""

    record_id: Identifier
    record_type: RecordType
    source: SourceName
    revision: int = Field(ge=0)
    """Monotonic per record: the source's version or update time (microseconds), not arrival."""
    sequence: int = Field(ge=1)
    """Gapless number per book, one for each accepted revision."""
    content_hash: str
    raw_ref: str
    """Where the received payload is kept."""
    accepted_at: Instant
    state: StateT


class ControlTotal(Payload):
    """What a source itself says that it holds: an outside check of completeness."""

    group: str
    """What is counted: a period label, a file's sha256, a project."""
    rows: int = Field(ge=0)
    seconds: int | None = None
    amount: DecimalText | None = None
    currency: CurrencyCode | None = None


class SourceTotalsRecorded(Payload):
    """Control totals of one reading of a source, counted before anything was parsed."""

    source: SourceName
    record_type: RecordType
    reading_id: Identifier
    as_of: Instant
    window_first: LocalDate | None = None
    window_last: LocalDate | None = None
    is_snapshot: bool = False
    raw_ref: str | None = None
    totals: tuple[ControlTotal, ...]
    outcomes: dict[str, int] = Field(default_factory=dict)
    """Rows by outcome (accepted, unchanged, older, conflict, rejected, skipped); sums to rows."""


class FieldReason(Payload):
    """Why one field, or the whole, was not accepted."""

    field: str
    code: str
    detail: str


class IntakeRejected(Payload):
    """The answer to an upstream event that was not accepted; its payload is kept."""

    source: str
    event_id: str | None = None
    event_type: str | None = None
    raw_ref: str
    received_at: Instant
    reasons: tuple[FieldReason, ...]


# --- mapper ---------------------------------------------------------------------------------


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
    client: str
    description: str | None = None
    email: str | None = None
    rounding: RoundingPolicy
    invoicing: InvoicingPolicy
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


# --- poster ---------------------------------------------------------------------------------


class DocumentKind(StrEnum):
    """What can be posted."""

    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"


class DocumentStatus(StrEnum):
    """Where a document stands."""

    DRAFT = "draft"  # assembled, waits for a person's release
    POSTING = "posting"  # intent committed; on its way
    POSTED = "posted"  # the ledger has it, and we read its answer
    PARKED = "parked"  # the ledger refused it; waits for a decision
    WITHDRAWN = "withdrawn"  # never posted, its charges are free again


class RoundingStep(Payload):
    """One rounding that happened, kept so that every cent can be explained."""

    step: Literal["minimum", "increment", "quantity", "money"]
    of: str
    mode: str
    unit: str
    before: DecimalText
    after: DecimalText


class DocumentLine(Payload):
    """One line, with the charges it bills."""

    line_id: Identifier
    position: int = Field(ge=1)
    description: str
    item: LedgerReference | None = None
    account: LedgerReference | None = None
    class_ref: LedgerReference | None = None
    tax_code: str | None = None
    service_date: LocalDate | None = None
    quantity: DecimalText
    unit_price: DecimalText
    amount: DecimalText
    billed_seconds: int = 0
    worked_seconds: int = 0
    client: str | None = None
    project: str | None = None
    charge_ids: tuple[Identifier, ...] = ()
    credits_line_id: Identifier | None = None
    """On credit memos: the invoice line that this line takes back (in part)."""
    supplements_line_id: Identifier | None = None
    """On invoices: the earlier line whose charges grew after posting; bills the difference."""
    roundings: tuple[RoundingStep, ...] = ()


class LedgerPosition(Payload):
    """Where a posted document is found in its ledger, and what the ledger said of it."""

    ledger_id: Identifier
    edit_token: str | None = None
    total: DecimalText
    currency: CurrencyCode | None = None
    posted_at: Instant
    generation: int = 1


class Document(Payload):
    """The full state of a document: what is posted, to whom, why."""

    document_id: Identifier
    version: int = Field(ge=1)
    kind: DocumentKind
    status: DocumentStatus
    number: str
    """Our document number, allocated before sending; the marker by which the ledger is searched."""
    generation: int = Field(1, ge=1)
    ledger: LedgerBinding
    customer: LedgerReference
    job: LedgerReference | None = None
    client: str
    currency: CurrencyCode
    document_date: LocalDate
    due_date: LocalDate | None = None
    period: str | None = None
    terms: LedgerReference | None = None
    email: str | None = None
    memo: str | None = None
    lines: tuple[DocumentLine, ...]
    total: DecimalText
    credits_document_id: Identifier | None = None
    configuration_version: int
    cut_off_at: Instant | None = None
    """The billing cut-off, for time-to-invoice."""
    posted: LedgerPosition | None = None
    reason: Reason | None = None


class DocumentChanged(Payload):
    """A document reached a new state; consumers keep the highest version."""

    document: Document
