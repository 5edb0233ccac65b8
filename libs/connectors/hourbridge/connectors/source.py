"""The Source protocol: all that the ingestor knows of a system that is read.

A source has feeds: lists and kinds of entries that are read by themselves, each with a cursor of
its own. A feed is read page by page; the ingestor stores a page's statements and its cursor in
one transaction, so reading is resumable anywhere, and reading again does no harm.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from hourbridge.common.messages.events import ControlTotal, FieldReason
from hourbridge.common.messages.records import Attachment, Record, RecordType

Deletions = Literal["none", "tombstone_feed", "webhook", "diff"]


@dataclass(frozen=True)
class Feed:
    """One list or kind of entries of a source; what it can do is declared."""

    name: str
    """Unique within the source, stable: schedules and cursors are kept by it."""
    record_types: frozenset[RecordType]
    reads: Literal["window", "changed_since", "change_feed", "snapshot"]
    deletions: frozenset[Deletions] = frozenset({"none"})
    interval_seconds: int = 240
    """The pause after a reading that brought changes; it doubles while nothing changes."""
    interval_seconds_max: int = 4 * 3600
    window_days: int | None = None
    """How far back a regular reading goes, where the feed reads by window."""
    has_history: bool = False
    """Can be read for any past span (``read`` with a span)."""
    control_totals: bool = False


@dataclass(frozen=True)
class SourceCapabilities:
    """What a source can do; declared."""

    system: str
    feeds: tuple[Feed, ...]
    quotas: tuple[tuple[int, int], ...] = ()
    """(calls, seconds) pairs that the vendor allows."""
    webhook: Literal["none", "hmac_body", "hint"] = "none"
    """How changes are pushed: whole statements, signed; or only hints that wake a feed."""
    writable_lists: frozenset[str] = frozenset()
    """Lists that a ``ListWriter`` of this source can create and change entries in."""
    marks: frozenset[Literal["posted", "invoice_posted", "paid"]] = frozenset()
    """What can be written back about entries and invoices."""

    def feed(self, name: str) -> Feed:
        """Return a feed by its name; raises KeyError for an unknown one."""
        for feed in self.feeds:
            if feed.name == name:
                return feed
        raise KeyError(name)


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
class Span:
    """Days, both inclusive."""

    first: date
    last: date


@dataclass(frozen=True)
class Reading:
    """What one reading covers and what the source itself says it holds."""

    reading_id: str
    """The same for all pages of one reading; derived, so that a repeat has the same."""
    record_type: RecordType
    as_of: datetime
    """When the reading began, or the file's as-of time: the version of rows without their own."""
    is_snapshot: bool = False
    """What it covers is complete at its last page: what is missing then may have been deleted."""
    window_first: date | None = None
    window_last: date | None = None
    totals: tuple[ControlTotal, ...] = ()
    """On the last page: the source's own totals, or rows counted before anything was parsed."""


@dataclass(frozen=True)
class Page:
    """A bounded part of a reading: what is stored in one transaction."""

    reading: Reading
    statements: tuple[Statement, ...]
    cursor: str
    """Where the next ``read`` of this feed goes on; opaque to the ingestor, JSON or text."""
    is_last: bool
    """The reading is complete; the feed rests until its next turn."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Rows left out by a filter of the connection, counted by reason: never silently."""
    notes: tuple[str, ...] = ()
    """What an operator should know: a gap in the source's memory, a whole list read anew."""


class Source(Protocol):
    """One account of a system that is read. Never filters silently: every row is a Statement.

    Calls are synchronous, made under a lease by one worker at a time, and take part in the shared
    call budget of the connection. Errors are those of ``hourbridge.common.errors``:
    SourceUnavailable, SourceThrottled (with the pause asked for), SourceAuthorizationExpired,
    SourceAnswerUnreadable (the raw answer is kept) and SourceRefused.
    """

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this source can do."""
        ...

    def read(self, feed: str, cursor: str | None, span: Span | None = None) -> Page:
        """Return the next page of a feed; a span asks for history with a cursor of its own."""
        ...

    def gone(self, feed: str, external_ids: Collection[str]) -> frozenset[str]:
        """Return those ids that the source, asked one by one, confirms not to have any more."""
        ...

    def file(self, attachment: Attachment) -> bytes:
        """Return the content of a receipt; raises SourceRefused when the source has none."""
        ...

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the connection; empty when it can be used."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
