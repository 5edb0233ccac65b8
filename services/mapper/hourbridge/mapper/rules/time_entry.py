"""From a time entry to its charges: one, or one for each part that it was cut into."""

from __future__ import annotations

from hourbridge.common.book import LedgerReference
from hourbridge.common.messages.events import Charge, ChargedRate, MappingOutcome, Reason
from hourbridge.common.messages.records import TimeEntry
from hourbridge.mapper.rules.billable import billable_seconds
from hourbridge.mapper.rules.case import Case, without_charges
from hourbridge.mapper.rules.costing import cost_rate_of, write_down_of
from hourbridge.mapper.rules.engagement import Engagement
from hourbridge.mapper.rules.expense_terms import expense_policy
from hourbridge.mapper.rules.form_fields import form_fields
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.outcome import Mapped, skipped
from hourbridge.mapper.rules.rates import rate_of
from hourbridge.mapper.rules.resolve import (
    linked_class,
    linked_rate,
    note_missing_item,
    resolve,
    resolve_item,
)
from hourbridge.mapper.rules.subject import Subject
from hourbridge.mapper.rules.together import ZERO_TIME, refused, together
from hourbridge.mapper.rules.warnings import time_warnings
from hourbridge.mapper.rules.work_time import (
    NOTHING_REMEMBERED,
    Part,
    Remembered,
    asks_for_time,
    work_of,
)

_CHARGED = MappingOutcome.CHARGED
PART = "time"
"""What time is called in the ids of charges."""


def map_time_entry(
    book: CompiledBook,
    source: str,
    record_id: str,
    entry: TimeEntry,
    subject: Subject,
    remembered: Remembered = NOTHING_REMEMBERED,
) -> Mapped:
    """Return the charges of an approved entry of work, or every reason why there are none."""
    if not asks_for_time(entry):
        return _map_part(book, source, record_id, Part(entry), subject)
    work = work_of(book, source, entry, subject, remembered)
    mapped = [_map_part(book, source, record_id, part, subject) for part in work.parts]
    return together(mapped) if work.refusal is None else refused(mapped[0], work.refusal)


def _map_part(
    book: CompiledBook, source: str, record_id: str, part: Part, subject: Subject
) -> Mapped:
    """Return the one charge of an entry or of a part of it, or why there is none."""
    entry = part.entry
    worked = entry.input.seconds
    billable = billable_seconds(entry, book.configuration.billable)
    if billable == 0:
        reason = skipped(ZERO_TIME, f"none of {worked} s is billable")
        return without_charges(subject, reason, worked_seconds=worked)
    found = resolve(book, source, subject, entry.work_date)
    case = Case(book, record_id, entry, subject, found, part)
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
        rate = linked_rate(case.book, case.subject, case.found, terms.currency) or rate
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
        charge_id=case.charge_id(PART),
        kind="time",
        workflow=terms.workflow,
        customer=terms.customer,
        job=terms.job,
        item=item,
        account=None,
        class_ref=(task.class_ref if task else None)
        or terms.class_ref
        or linked_class(case.found, entry.class_id),
        tax_code=(task and task.tax_code) or terms.tax_code,
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
        project_rule=case.found.project_rule,
        client=case.found.client_label or "",
        description=entry.notes,
        email=terms.email,
        rounding=terms.rounding,
        rounding_origin=terms.rounding_origin,
        invoicing=terms.invoicing,
        invoicing_origin=terms.invoicing_origin,
        ledger=case.book.configuration.ledger,
        payable=None,
        cost=None,
        cost_rate=cost_rate_of(case.book, case.found.source, entry, subject),
        write_down=write_down_of(entry, billable),
        span=case.part.span if case.part else None,
        retainer=terms.retainer,
        department=terms.department,
        custom_fields=form_fields(case.book, entry),
        email_invoice=terms.email_invoice or None,
        document_number=None,
        warnings=_warnings(case),
    )


def _warnings(case: Case[TimeEntry]) -> tuple[str, ...] | None:
    found = case.found
    policy = expense_policy(case.book.configuration, found.client, found.project)
    return time_warnings(case.record, policy, case.part.warnings if case.part else ())


def _charged(case: Case[TimeEntry], charge: Charge) -> Mapped:
    return Mapped(
        outcome=_CHARGED,
        charges=(charge,),
        client=charge.client,
        project=charge.project,
        worked_seconds=charge.worked_seconds,
        billable_seconds=charge.billable_seconds,
        consulted=case.subject.consulted,
        work_date=charge.work_date,
    )
