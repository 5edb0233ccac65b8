"""Mapping a record: the entrance to the rules."""

from __future__ import annotations

from datetime import date

from hourbridge.common.messages.events import MappingOutcome, Reason
from hourbridge.common.messages.records import ComposedInvoice, Expense, Payment, Record, TimeEntry
from hourbridge.mapper.rules.activity import with_activities
from hourbridge.mapper.rules.case import without_charges
from hourbridge.mapper.rules.composed import billed_by_source, map_composed
from hourbridge.mapper.rules.expense import map_expense
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.linked import NO_LINKS, Links
from hourbridge.mapper.rules.outcome import Mapped, skipped
from hourbridge.mapper.rules.payment import map_payment
from hourbridge.mapper.rules.refusals import no_configuration, refused_by_book, skipped_by_record
from hourbridge.mapper.rules.resolve import resolve
from hourbridge.mapper.rules.subcontractor import unpaid_only, with_subcontractor
from hourbridge.mapper.rules.subject import NO_FACTS, Facts, Subject, subject_of
from hourbridge.mapper.rules.time_entry import map_time_entry
from hourbridge.mapper.rules.work_time import NOTHING_REMEMBERED, Remembered

NOTED = Mapped(MappingOutcome.NOTED)


def map_record(
    book: CompiledBook | None,
    *,
    book_name: str,
    source: str,
    record_id: str,
    record: Record,
    facts: Facts = NO_FACTS,
    links: Links = NO_LINKS,
    remembered: Remembered = NOTHING_REMEMBERED,
) -> Mapped:
    """Return what ``record`` of ``source`` becomes under a configuration.

    Pure and total: the same arguments give the same result, no record makes it fail. Order of
    decisions: what the record itself rules out, the configuration, approval, then mapping.
    """
    if isinstance(record, Payment):
        return _payment(book, book_name, source, record, subject_of(record, facts, links))
    if isinstance(record, ComposedInvoice):
        subject = subject_of(record, facts, links)
        return _composed(book, book_name, source, record_id, record, subject)
    if not isinstance(record, TimeEntry | Expense):
        return NOTED
    subject = subject_of(record, facts, links)
    if book is None:
        return _without_book(
            record, subject, skipped_by_record(record) or no_configuration(book_name)
        )
    return _map_work(book, source, record_id, record, subject, remembered)


def _map_work(
    book: CompiledBook,
    source: str,
    record_id: str,
    record: TimeEntry | Expense,
    subject: Subject,
    remembered: Remembered,
) -> Mapped:
    never = skipped_by_record(record)
    unpaid = unpaid_only(never) if never is not None else billed_by_source(book, source)
    refusal = (never if unpaid is None else None) or refused_by_book(book, source, record)
    if refusal is not None:
        return _refused(book, source, record, subject, unpaid or refusal)
    if isinstance(record, Expense):
        return map_expense(book, source, record_id, record, subject, unpaid=unpaid)
    if unpaid is not None:
        mapped = _refused(book, source, record, subject, unpaid)
    else:
        mapped = map_time_entry(book, source, record_id, record, subject, remembered)
    mapped = with_subcontractor(book, source, record_id, record, subject, mapped, remembered)
    return with_activities(book, source, record_id, record, subject, mapped, remembered)


def work_date_of(record: Record) -> date | None:
    """Return the local day that a record's work, expense or payment belongs to."""
    if isinstance(record, TimeEntry):
        return record.work_date
    if isinstance(record, Payment):
        return record.payment_date
    if isinstance(record, ComposedInvoice):
        return record.invoice_date
    return record.expense_date if isinstance(record, Expense) else None


def _payment(
    book: CompiledBook | None, book_name: str, source: str, payment: Payment, subject: Subject
) -> Mapped:
    if payment.deleted is not None:
        gone = skipped("deleted", f"deleted at the source ({payment.deleted.how})")
        return without_charges(subject, gone)
    if book is None:
        return without_charges(subject, no_configuration(book_name))
    return map_payment(book, source, payment, subject)


def _composed(
    book: CompiledBook | None,
    book_name: str,
    source: str,
    record_id: str,
    invoice: ComposedInvoice,
    subject: Subject,
) -> Mapped:
    if book is None:
        return without_charges(subject, no_configuration(book_name))
    return map_composed(book, source, record_id, invoice, subject)


def _without_book(record: TimeEntry | Expense, subject: Subject, reason: Reason) -> Mapped:
    worked, billable = _stated_seconds(record)
    return without_charges(subject, reason, worked_seconds=worked, billable_seconds=billable)


def _refused(
    book: CompiledBook,
    source: str,
    record: TimeEntry | Expense,
    subject: Subject,
    reason: Reason,
) -> Mapped:
    """Return a refusal under the labels that the record's charges would have."""
    day = record.work_date if isinstance(record, TimeEntry) else record.expense_date
    worked, billable = _stated_seconds(record)
    return without_charges(
        subject,
        reason,
        worked_seconds=worked,
        billable_seconds=billable,
        found=resolve(book, source, subject, day),
    )


def _stated_seconds(record: TimeEntry | Expense) -> tuple[int, int]:
    """Return worked and billable time as stated; what is deleted or unfinished has none."""
    if not isinstance(record, TimeEntry) or record.deleted is not None or record.running:
        return 0, 0
    billable = record.billable or record.input
    return record.input.seconds, billable.seconds
