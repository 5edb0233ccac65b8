"""A subcontractor's time: owed to the vendor by bill for worked hours, rebilled if agreed.

Never a time activity of an employee, and never payroll: what a subcontractor reports becomes a
payable charge, and a receivable one only where the engagement says so.
"""

from __future__ import annotations

from dataclasses import replace

from hourbridge.common.book import (
    AccountRole,
    DatedSubcontractor,
    Workflow,
    ledger_account,
)
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    Charge,
    ChargedRate,
    MappingOutcome,
    Payable,
    Reason,
)
from hourbridge.common.messages.records import TimeEntry
from hourbridge.mapper.rules.case import Case
from hourbridge.mapper.rules.engagement import Engagement
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.lookup import first_match
from hourbridge.mapper.rules.outcome import Mapped, parked
from hourbridge.mapper.rules.resolve import resolve
from hourbridge.mapper.rules.subject import Subject
from hourbridge.mapper.rules.work_time import NOTHING_REMEMBERED, Part, Remembered, work_of

_SUBCONTRACTOR = Workflow.SUBCONTRACTOR
PAYABLE = "payable"
_UNPAID = ("non_billable", "zero_time", "billed_by_source")
"""Why a client pays nothing for work that was done."""


def with_subcontractor(
    book: CompiledBook,
    source: str,
    record_id: str,
    entry: TimeEntry,
    subject: Subject,
    mapped: Mapped,
    remembered: Remembered = NOTHING_REMEMBERED,
) -> Mapped:
    """Return ``mapped`` (the client's side) with what a subcontractor is owed for the work.

    People who are no subcontractors leave it as it is, but for work of an engagement whose
    template is a subcontractor's: that waits, for it would be posted as an employee's.
    """
    terms = None
    if len(book.subcontractors):
        terms = first_match(book.subcontractors, source, subject.staff, entry.work_date)
    if terms is None:
        return _only_subcontractors(subject, mapped)
    if not _is_owed(terms, mapped):
        return mapped
    owed = _owed(book, source, record_id, entry, subject, terms, remembered)
    if owed.outcome is not MappingOutcome.CHARGED or not terms.rebill or not mapped.charges:
        return replace(owed, consulted=mapped.consulted or owed.consulted)
    rate = _cost_rate(book, terms)
    rebilled = tuple(charge.model_copy(update={"cost_rate": rate}) for charge in mapped.charges)
    return replace(mapped, charges=(*owed.charges, *rebilled))


def _only_subcontractors(subject: Subject, mapped: Mapped) -> Mapped:
    if _SUBCONTRACTOR not in [charge.workflow for charge in mapped.charges]:
        return mapped
    label = subject.staff.label or "(none)"
    detail = f"the engagement is a subcontractor's, and no subcontractor rule names {label!r}"
    reason = parked("no_subcontractor", detail, f"subcontractor:{label}")
    return replace(mapped, outcome=MappingOutcome.PARKED, reasons=(reason,), charges=())


def _is_owed(terms: DatedSubcontractor, mapped: Mapped) -> bool:
    """Return whether the vendor is paid for this entry: also where no client is charged."""
    if mapped.outcome is MappingOutcome.SKIPPED:
        return all(reason.code in _UNPAID for reason in mapped.reasons)
    return mapped.outcome is MappingOutcome.CHARGED or not terms.rebill


def _owed(
    book: CompiledBook,
    source: str,
    record_id: str,
    entry: TimeEntry,
    subject: Subject,
    terms: DatedSubcontractor,
    remembered: Remembered,
) -> Mapped:
    """Return the payable charges, one for each part that the work was cut into.

    The client must be known: costs belong to its work.
    """
    work = work_of(book, source, entry, subject, remembered)
    case = Case(book, record_id, entry, subject, resolve(book, source, subject, entry.work_date))
    missing = list(case.found.missing) if work.refusal is None else [work.refusal]
    if missing or case.terms is None:
        return case.without_charges(*missing, worked_seconds=entry.input.seconds)
    charges = [_unpriced(case, case.terms, part) for part in work.parts]
    return Mapped(
        outcome=MappingOutcome.CHARGED,
        charges=tuple(
            _payable(book, record_id, terms, charge, number)
            for number, charge in enumerate(charges, start=1)
        ),
        client=case.found.client_label,
        project=case.found.project_label,
        worked_seconds=sum(charge.worked_seconds for charge in charges),
        consulted=subject.consulted,
    )


def _unpriced(case: Case[TimeEntry], terms: Engagement, part: Part) -> Charge:
    """Return a part of the work as a charge of the client's engagement, without any price."""
    found, subject = case.found, case.subject
    return Charge(
        charge_id=case.record_id,
        kind="time",
        workflow=terms.workflow,
        customer=terms.customer,
        job=terms.job,
        class_ref=terms.class_ref,
        work_date=part.entry.work_date,
        worked_seconds=part.entry.input.seconds,
        currency=terms.currency,
        staff=subject.staff.label,
        task=subject.task.label,
        project=found.project_label,
        client=found.client_label or "",
        description=part.entry.notes,
        rounding=terms.rounding,
        invoicing=terms.invoicing,
        ledger=case.book.configuration.ledger,
        span=part.span,
    )


def _payable(
    book: CompiledBook, record_id: str, terms: DatedSubcontractor, charge: Charge, number: int
) -> Charge:
    """Return what the vendor is owed for the work in ``charge``: all worked time, at its cost."""
    account = terms.account or ledger_account(
        book.configuration.accounts, AccountRole.SUBCONTRACTOR_COST
    )
    rate = _cost_rate(book, terms)
    return charge.model_copy(
        update={
            "charge_id": derive_id(record_id, PAYABLE, str(number)),
            "workflow": Workflow.SUBCONTRACTOR,
            "item": None,
            "account": account,
            "tax_code": None,
            "terms": None,
            "email": None,
            "billable_seconds": 0,
            "rate": None,
            "flat_fee": None,
            "cost_rate": rate,
            "currency": rate.currency,
            "write_down": None,
            "retainer": None,
            "warnings": None,
            "payable": Payable(
                vendor=terms.vendor,
                due_days=terms.due_days,
                holdback_percent=terms.holdback_percent,
                pay_when_paid=terms.pay_when_paid,
                reason="subcontractor",
            ),
        }
    )


def _cost_rate(book: CompiledBook, terms: DatedSubcontractor) -> ChargedRate:
    currency = terms.currency or book.configuration.currency
    origin = f"subcontractor:{terms.staff}"
    return ChargedRate(amount=terms.cost_rate, currency=currency, origin=origin)


def unpaid_only(never: Reason | None) -> Reason | None:
    """Return a verdict under which somebody may still be owed: only the client doesn't pay."""
    return never if never is not None and never.code == _UNPAID[0] else None
