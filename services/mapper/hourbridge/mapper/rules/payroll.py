"""What payroll gets of an entry: worked time on the worker's own days, never billed time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from hourbridge.common.messages.records import ApprovalState, TimeEntry
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.lookup import first_match
from hourbridge.mapper.rules.subject import Subject
from hourbridge.mapper.rules.work_time import NOTHING_REMEMBERED, Part, Remembered, work_of

_APPROVED = (ApprovalState.APPROVED, ApprovalState.NOT_REQUIRED)
_NEVER = (ApprovalState.REJECTED, ApprovalState.WITHDRAWN, ApprovalState.DRAFT)


@dataclass(frozen=True, slots=True)
class PaidStint:
    """Somebody's work, or paid absence, on one local day."""

    day: date
    day_of: str
    """Whose day it is: ``worker``, or ``stated`` where the entry names no times."""
    staff_id: str
    staff: str
    entry_type: str
    category: str | None
    item: str | None
    worked_seconds: int
    zone: str | None = None
    doubt: str | None = None
    """Why the day or the duration is only as stated."""


def for_payroll(book: CompiledBook) -> CompiledBook:
    """Return the book with days as payroll counts them: the worker's, cut at midnight."""
    own = book.configuration.time
    time = own.model_copy(update={"work_day": "worker", "split_at": "midnight"})
    return CompiledBook(book.configuration.model_copy(update={"time": time}), book.version)


def paid_stints(
    book: CompiledBook,
    source: str,
    entry: TimeEntry,
    subject: Subject,
    remembered: Remembered = NOTHING_REMEMBERED,
) -> Iterator[PaidStint]:
    """Yield an entry's work by day under a book ``for_payroll``; nothing for what isn't paid.

    Whether a client pays for the work says nothing about wages, so unbillable time counts.
    Subcontractors are paid by bill.
    """
    if not _is_paid(book, entry, subject):
        return
    work = work_of(book, source, entry, subject, remembered)
    for part in work.parts:
        yield _stint(part, subject, work.refusal.code if work.refusal else None)


def _is_paid(book: CompiledBook, entry: TimeEntry, subject: Subject) -> bool:
    if entry.deleted is not None or entry.running or entry.entry_type == "break":
        return False
    state = entry.approval.state
    approved_only = book.configuration.billable.approved_only
    if state in _NEVER or (approved_only and state not in _APPROVED):
        return False
    return first_match(book.subcontractors, "", subject.staff, entry.work_date) is None


def _stint(part: Part, subject: Subject, doubt: str | None) -> PaidStint:
    entry, span = part.entry, part.span
    return PaidStint(
        day=entry.work_date,
        day_of="stated" if span is None else span.day_of,
        staff_id=entry.staff_id,
        staff=subject.staff.label or entry.staff_id,
        entry_type=entry.entry_type,
        category=entry.payroll_category,
        item=entry.payroll_item_id,
        worked_seconds=entry.input.seconds,
        zone=None if span is None else span.zone,
        doubt=doubt or (part.warnings[0] if part.warnings else None),
    )
