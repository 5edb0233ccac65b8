"""Worked time as time activities of the ledger: for payroll and costing, not for billing.

One for each approved entry, or for each part that it was cut into, from the time that was worked:
also where the client pays for less of it, or for none. What a subcontractor is paid for by bill is
none of an employee's time, unless the staff rule asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hourbridge.common.book import LedgerReference, StaffMapping, TimeActivities
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import Activity, Charge, MappingOutcome, Reason
from hourbridge.common.messages.records import TimeEntry
from hourbridge.mapper.rules.case import Case
from hourbridge.mapper.rules.costing import cost_rate_of
from hourbridge.mapper.rules.engagement import Engagement
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.lookup import first_match
from hourbridge.mapper.rules.outcome import Mapped, parked
from hourbridge.mapper.rules.people import person_rule
from hourbridge.mapper.rules.resolve import resolve, resolve_item
from hourbridge.mapper.rules.subject import Subject
from hourbridge.mapper.rules.work_time import NOTHING_REMEMBERED, Part, Remembered, work_of

ACTIVITY = "activity"
_UNPAID = ("non_billable", "zero_time")
"""Why a client pays nothing for work that was done."""


def with_activities(
    book: CompiledBook,
    source: str,
    record_id: str,
    entry: TimeEntry,
    subject: Subject,
    mapped: Mapped,
    remembered: Remembered = NOTHING_REMEMBERED,
) -> Mapped:
    """Return ``mapped`` with the time activities that the book asks for.

    The record waits where nobody says whose time it is in the ledger. Unpaid work that has no
    customer or item there isn't posted: a time activity needs both.
    """
    if not book.posts_time or not _was_worked(mapped):
        return mapped
    case = Case(book, record_id, entry, subject, resolve(book, source, subject, entry.work_date))
    item = resolve_item(book, case.subject, case.found) or _item_of(mapped)
    terms = case.terms
    if case.found.missing or terms is None or item is None:
        return mapped
    person = person_rule(book, source, subject, entry.work_date)
    if _wanted(case, person, terms) == "none":
        return mapped
    who = _who(case, person)
    if isinstance(who, Reason):
        return replace(
            mapped, outcome=MappingOutcome.PARKED, reasons=(*_waits(mapped), who), charges=()
        )
    charges = {charge.charge_id: charge for charge in mapped.charges if charge.payable is None}
    work = work_of(book, source, entry, subject, remembered)
    return replace(
        mapped,
        activities=tuple(
            _activity(case, terms, item, who, part, charges)
            for part in work.parts
            if part.entry.input.seconds > 0
        ),
    )


def _was_worked(mapped: Mapped) -> bool:
    if mapped.outcome is MappingOutcome.SKIPPED:
        return all(reason.code in _UNPAID for reason in mapped.reasons)
    return mapped.outcome is MappingOutcome.CHARGED


def _waits(mapped: Mapped) -> tuple[Reason, ...]:
    return tuple(reason for reason in mapped.reasons if reason.waits_for is not None)


def _item_of(mapped: Mapped) -> LedgerReference | None:
    """Return the item that the client is charged by: a fixed fee has one of its own."""
    return next((c.item for c in mapped.charges if c.payable is None and c.item), None)


def _wanted(
    case: Case[TimeEntry], person: StaffMapping | None, terms: Engagement
) -> TimeActivities:
    """Return whether the book posts this time: person before project before workflow."""
    if person is not None and person.time_activities is not None:
        return person.time_activities
    terms_of = first_match(
        case.book.subcontractors, case.found.source, case.subject.staff, case.found.day
    )
    if terms_of is not None:
        return "none"
    project = case.found.project
    if project is not None and project.time_activities is not None:
        return project.time_activities
    policy = case.book.configuration.posting.time
    own = {rule.workflow: rule.time_activities for rule in policy.by_workflow}
    return own.get(terms.workflow, policy.time_activities)


def _who(
    case: Case[TimeEntry], person: StaffMapping | None
) -> tuple[LedgerReference | None, LedgerReference | None] | Reason:
    """Return the employee or the vendor who worked; who is both is an employee."""
    if person is not None and person.employee is not None:
        return person.employee, None
    if person is not None and person.vendor is not None:
        return None, person.vendor
    label = case.subject.staff.label or "(none)"
    detail = f"no staff rule says which employee or vendor of the ledger {label!r} is, who worked"
    return parked("no_mapping", detail, f"staff:{label}")


def _activity(
    case: Case[TimeEntry],
    terms: Engagement,
    item: LedgerReference,
    who: tuple[LedgerReference | None, LedgerReference | None],
    part: Part,
    charges: Mapping[str, Charge],
) -> Activity:
    entry, subject, book = part.entry, case.subject, case.book.configuration
    billed = charges.get(Case.charge_id(replace(case, part=part), "time"))
    links = book.posting.time.billable_link and billed is not None
    cost = cost_rate_of(case.book, case.found.source, entry, subject)
    task = case.found.task
    return Activity(
        activity_id=derive_id(case.record_id, ACTIVITY, str(part.number)),
        employee=who[0],
        vendor=who[1],
        customer=terms.customer,
        job=terms.job,
        item=item,
        class_ref=(task.class_ref if task else None) or terms.class_ref,
        department=terms.department,
        work_date=entry.work_date,
        seconds=entry.input.seconds,
        is_billable=links,
        charge_id=billed.charge_id if links and billed else None,
        hourly_rate=billed.rate.amount if links and billed and billed.rate else None,
        cost_rate=cost.amount if cost and cost.currency == book.currency else None,
        currency=book.currency,
        description=entry.notes,
        client=case.found.client_label or "",
        project=case.found.project_label,
        staff=subject.staff.label,
        task=subject.task.label,
        number_prefix=terms.invoicing.number_prefix,
        ledger=book.ledger,
    )
