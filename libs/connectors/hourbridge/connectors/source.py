"""The Source protocol: all that the ingestor knows of a time tracker that is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from hourbridge.common.messages.events import ControlTotal, FieldReason
from hourbridge.common.messages.records import Record, RecordType


@dataclass(frozen=True)
class SourceCapabilities:
    """What a source can do; declared."""

    system: str
    record_types: frozenset[RecordType]
    reads: Literal["window", "changed_since", "change_feed", "file"]
    window_days_max: int | None = None
    deletions: frozenset[Literal["none", "tombstone_feed", "webhook", "diff"]] = frozenset({"none"})
    control_totals: bool = False
    quotas: tuple[tuple[int, int], ...] = ()
    """(calls, seconds) pairs."""


@dataclass(frozen=True)
class Statement:
    """One thing that a source stated: the raw form always, the record or why there is none."""

    raw: bytes
    """As received: kept, byte by byte."""
    location: str
    """Where in the reading: a row number, a page and index."""
    record: Record | None = None
    reasons: tuple[FieldReason, ...] = ()
    """Why there is no record; empty exactly when there is one."""
    order_key: int | None = None
    """The source's own version or update time in microseconds; None: use the reading's."""
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What one reading covers and what the source itself says it holds."""

    reading_id: str
    record_type: RecordType
    as_of: datetime
    """When the reading began, or the file's as-of time: the version of rows without their own."""
    is_snapshot: bool = False
    window_first: date | None = None
    window_last: date | None = None
    totals: tuple[ControlTotal, ...] = ()


class Source(Protocol):
    """One account of a time tracker. Never filters silently: every row becomes a Statement."""

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this source can do."""
        ...

    def read(self, cursor: str | None) -> tuple[Reading, Iterator[Statement], str | None]:
        """Return the next reading, its statements, and the cursor that follows it.

        The cursor is stored in the transaction that stored what it covers; reading again from an
        older cursor yields the same statements again and does no harm.
        """
        ...

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the connection; empty when it can be used."""
        ...
