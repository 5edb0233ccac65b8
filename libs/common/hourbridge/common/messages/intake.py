"""Payloads, version 1, of what the ingestor tells: accepted records, control totals, refusals."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import Field

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
