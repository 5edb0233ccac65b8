"""From a time entry to its charge."""

from __future__ import annotations

from hourbridge.common.book import LedgerReference
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import Charge, ChargedRate, MappingOutcome, Reason
from hourbridge.common.messages.records import TimeEntry
from hourbridge.mapper.rules.billable import billable_seconds
from hourbridge.mapper.rules.case import Case, without_charges
from hourbridge.mapper.rules.engagement import Engagement
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.outcome import Mapped, skipped
from hourbridge.mapper.rules.rates import rate_of
from hourbridge.mapper.rules.resolve import note_missing_item, resolve, resolve_item
from hourbridge.mapper.rules.subject import Subject

PART = "time"
"""The one part of a time entry; charge ids derive from it."""


def map_time_entry(
    book: CompiledBook, source: str, record_id: str, entry: TimeEntry, subject: Subject
) -> Mapped:
    """Return the one charge of an approved entry of work, or every reason why there is none."""
    worked = entry.input.seconds
    billable = billable_seconds(entry, book.configuration.billable)
    if billable == 0:
        reason = skipped("zero_time", f"none of {worked} s is billable")
        return without_charges(subject, reason, worked_seconds=worked)
    case = Case(book, record_id, entry, subject, resolve(book, source, subject, entry.work_date))
    item = resolve_item(book, case.subject, case.found)
    unpaid = case.unpaid(("task", case.found.task.billable if case.found.task else None))
    if unpaid is not None:
        return case.without_charges(unpaid, worked_seconds=worked)
    terms = case.terms
    item = _item_or_miss(case, terms, item)
    rate = _rate_or_miss(case, terms)
    if case.found.missing or terms is None:
        return case.without_charges(
            *case.found.missing, worked_seconds=worked, billable_seconds=billable
        )
    return _charged(case, _charge(case, terms, rate, item, billable))


def _item_or_miss(
    case: Case[TimeEntry], terms: Engagement | None, item: LedgerReference | None
) -> LedgerReference | None:
    """Return the item; a flat fee's own item serves work that has no other."""
    if item is None and terms is not None and terms.flat_fee is not None:
        item = terms.flat_fee.item
    if item is None:
        note_missing_item(case.subject, case.found)
    return item


def _rate_or_miss(case: Case[TimeEntry], terms: Engagement | None) -> ChargedRate | None:
    """Return the rate; a flat fee needs none, and without a client its currency isn't known."""
    if terms is None or terms.flat_fee is not None:
        return None
    rate = rate_of(case.book, case.record, case.subject, terms.currency)
    if isinstance(rate, Reason):
        case.found.missing.append(rate)
        return None
    return rate


def _charge(
    case: Case[TimeEntry],
    terms: Engagement,
    rate: ChargedRate | None,
    item: LedgerReference | None,
    billable: int,
) -> Charge:
    """Return the charge. All parts come from validated models, so it isn't validated again."""
    entry, subject, task = case.record, case.subject, case.found.task
    return Charge.of_valid(
        charge_id=derive_id(case.record_id, PART),
        kind="time",
        workflow=terms.workflow,
        customer=terms.customer,
        job=terms.job,
        item=item,
        account=None,
        class_ref=(task.class_ref if task else None) or terms.class_ref,
        tax_code=terms.tax_code,
        terms=terms.terms,
        work_date=entry.work_date,
        worked_seconds=entry.input.seconds,
        billable_seconds=billable,
        amount=None,
        rate=rate,
        currency=terms.currency,
        flat_fee=terms.flat_fee,
        flat_fee_scope=terms.flat_fee_scope,
        staff=subject.staff.label,
        task=subject.task.label,
        project=case.found.project_label,
        client=case.found.client_label or "",
        description=entry.notes,
        email=terms.email,
        rounding=terms.rounding,
        invoicing=terms.invoicing,
        ledger=case.book.configuration.ledger,
        payable=None,
        cost=None,
        cost_rate=None,
        write_down=None,
        span=None,
        retainer=None,
        warnings=None,
    )


def _charged(case: Case[TimeEntry], charge: Charge) -> Mapped:
    return Mapped(
        outcome=MappingOutcome.CHARGED,
        charges=(charge,),
        client=charge.client,
        project=charge.project,
        worked_seconds=charge.worked_seconds,
        billable_seconds=charge.billable_seconds,
        consulted=case.subject.consulted,
    )
