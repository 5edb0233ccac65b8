"""Why a record of time or an expense is not mapped at all: by itself, or by the book."""

from __future__ import annotations

from hourbridge.common.messages.events import Reason
from hourbridge.common.messages.records import Expense, TimeEntry
from hourbridge.mapper.rules.billable import not_approved, stated_unpaid
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.moments import states_wall_times
from hourbridge.mapper.rules.outcome import parked, skipped

_WORK = ("work", "travel", "other")
FROM_LEDGER = "imported from the ledger"
"""The derivation note of history that came from the ledger: never billed back into it."""


def skipped_by_record(record: TimeEntry | Expense) -> Reason | None:
    """Return why a record is never charged, whatever the configuration says."""
    if record.deleted is not None:
        return skipped("deleted", f"deleted at the source ({record.deleted.how})")
    if FROM_LEDGER in record.derivation:
        return skipped("from_ledger", "imported from the ledger, which has it already")
    if isinstance(record, TimeEntry):
        if record.running:
            return skipped("running", "the timer still runs")
        if record.entry_type not in _WORK:
            return skipped("not_work", f"entry type {record.entry_type}")
        if record.input.seconds == 0 and not states_wall_times(record):
            return skipped("zero_time", "no time was worked")
    return stated_unpaid(record.billable_state, record.billable_reason)


def no_configuration(book_name: str) -> Reason:
    """Return the reason of all records of a book that nobody has configured yet."""
    key = f"configuration:{book_name}"
    return parked("no_configuration", "the book has no configuration", key)


def refused_by_book(book: CompiledBook, source: str, record: TimeEntry | Expense) -> Reason | None:
    """Return why the book doesn't map the record (yet): its source or its approval."""
    return unknown_source(book, source) or not_approved(
        book.configuration.billable, record.approval
    )


def unknown_source(book: CompiledBook, source: str) -> Reason | None:
    """Return why records of a source that the book doesn't name wait."""
    if source in book.sources:
        return None
    detail = f"the book's configuration names no source {source!r}"
    return parked("unknown_source", detail, f"source:{source}")
