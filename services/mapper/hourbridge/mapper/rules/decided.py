"""Which rules made a record's charges what they are, named so that a person finds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
    Effective,
    LedgerReference,
    ProjectMapping,
)
from hourbridge.common.messages.events import Charge
from hourbridge.common.messages.records import Expense, Record, TimeEntry
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.linked import NO_LINKS, Links
from hourbridge.mapper.rules.names import Term, normal, term
from hourbridge.mapper.rules.resolve import Resolution, resolve, resolve_category, resolve_item
from hourbridge.mapper.rules.subject import NO_FACTS, Facts, subject_of
from hourbridge.mapper.rules.wording import invoicing_words, policy_words, rounding_words

DEFAULT = "the default"
"""Where nobody set anything."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: about what, by which rule of the configuration, and what it says."""

    what: str
    rule: str
    gives: str


def decided(
    book: CompiledBook,
    source: str,
    record: Record,
    charges: Iterable[Charge],
    facts: Facts,
    links: Links = NO_LINKS,
) -> list[Decided]:
    """Return what was decided about a record, in the order in which it is decided.

    ``charges`` are those that the same configuration makes of it; records other than time and
    expenses have no rules.
    """
    if not isinstance(record, TimeEntry | Expense):
        return []
    found = _resolution(book, source, record, facts, links)
    answers = [*_gates(book, record), *_matches(book.configuration, found, record)]
    for charge in charges:
        answers += _time(charge)
        answers += _payables(charge)
        answers += _prices(charge)
        answers += _policies(book.configuration, found, charge)
    return list(dict.fromkeys(answers))


def _resolution(
    book: CompiledBook, source: str, record: TimeEntry | Expense, facts: Facts, links: Links
) -> Resolution:
    subject = subject_of(record, facts or NO_FACTS, links)
    if isinstance(record, TimeEntry):
        found = resolve(book, source, subject, record.work_date)
        resolve_item(book, subject, found)
        return found
    found = resolve(book, source, subject, record.expense_date)
    resolve_category(book, term(record.category_id, record.category_name), found)
    return found


def _gates(book: CompiledBook, record: TimeEntry | Expense) -> Iterator[Decided]:
    policy = book.configuration.billable
    gate = "only what is approved" if policy.approved_only else "approval is not asked for"
    yield Decided("approval", f"billable.approved_only: {gate}", record.approval.state.value)
    yield Decided("billable", "as the source states it", record.billable_state.value)


def _matches(
    book: BookConfiguration, found: Resolution, record: TimeEntry | Expense
) -> Iterator[Decided]:
    if found.client is not None:
        rule = _place("clients", book.clients, found.client, found.client.client, found.client_term)
        yield Decided("client", rule, _target("customer", found.client.customer))
    if found.project is not None:
        project = found.project
        named = term(record.project_id, record.project_name)
        rule = _place("projects", book.projects, project, project.project, named)
        gives = _target("job", project.job) if project.job else "no job of its own"
        yield Decided("project", rule, gives)
    if found.task is not None:
        rule = _place("tasks", book.tasks, found.task, found.task.task, None)
        yield Decided("task", rule, _target("item", found.task.item))
    elif isinstance(record, TimeEntry) and book.default_item is not None:
        yield Decided("task", "default_item", _target("item", book.default_item))
    if found.category is not None:
        category = found.category
        rule = _place("expenses", book.expenses, category, category.category, None)
        target = _target("item", category.item) if category.item else ""
        yield Decided("category", rule, target or _target("account", category.account))


def _place(
    group: str, rules: Iterable[Effective], rule: Effective, name: str, named: Term | None
) -> str:
    """Return where a rule stands, what it is called, how it matched and from when on it holds."""
    index = next((at for at, each in enumerate(rules) if each is rule), None)
    if index is None:
        return f"link of the lists, {name!r}"
    parts = [f"{group}[{index}] {name!r}"]
    if named is not None and named.id is not None and normal(name) == named.id:
        parts.append("by id")
    if rule.effective_from is not None:
        parts.append(f"from {rule.effective_from}")
    if rule.effective_to is not None:
        parts.append(f"to {rule.effective_to}")
    return ", ".join(parts)


def _target(kind: str, reference: LedgerReference | None) -> str:
    if reference is None:
        return f"no {kind}"
    return f"{kind} {reference.name or reference.id}"


def _time(charge: Charge) -> Iterator[Decided]:
    """Say which local day the work counts on, and by which rules, where its times are known."""
    span = charge.span
    if span is None:
        return
    day = f"{charge.work_date} in {span.zone}" if span.zone else str(charge.work_date)
    rules = f", tzdata {span.tzdata}" if span.tzdata else ""
    yield Decided("work day", f"time.work_day: {span.day_of}{rules}", day)
    if span.parts > 1:
        part = f"part {span.part} of {span.parts}, {charge.worked_seconds} s"
        yield Decided("cut", f"time.split_at: {span.split_at}", part)


def _payables(charge: Charge) -> Iterator[Decided]:
    owed = charge.payable
    if owed is None:
        return
    terms = f"{_target('vendor', owed.vendor)}, due in {owed.due_days} days"
    if owed.holdback_percent:
        terms += f", {owed.holdback_percent} % held back"
    if owed.pay_when_paid:
        terms += ", paid when the client has paid"
    yield Decided(f"owed ({owed.reason})", owed.bill_number or "gathered by month", terms)


def _prices(charge: Charge) -> Iterator[Decided]:
    if charge.rate is not None:
        rate = charge.rate
        yield Decided("rate", rate.origin, f"{rate.amount} {rate.currency}/h")
    if charge.cost_rate is not None:
        cost = charge.cost_rate
        yield Decided("cost rate", cost.origin, f"{cost.amount} {cost.currency}/h")
    if charge.amount is not None:
        yield Decided("amount", charge.kind, f"{charge.amount} {charge.currency}")
    if charge.write_down is not None:
        seconds = f"{charge.write_down.seconds} s not billed"
        yield Decided("write-down", charge.write_down.reason, seconds)


def _policies(book: BookConfiguration, found: Resolution, charge: Charge) -> Iterator[Decided]:
    def by(name: str, value: Any) -> str:
        return _scope(book, found.client, found.project, name, value, charge.work_date)

    yield Decided("workflow", by("workflow", charge.workflow), charge.workflow.value)
    if charge.payable is not None:
        return
    yield Decided("rounding", by("rounding", charge.rounding), rounding_words(charge.rounding))
    invoicing = charge.invoicing
    yield Decided("invoicing", by("invoicing", invoicing), invoicing_words(invoicing))
    if charge.flat_fee is not None:
        yield Decided("flat fee", by("flat_fee", charge.flat_fee), policy_words(charge.flat_fee))
    if charge.tax_code is not None:
        yield Decided("tax code", by("tax_code", charge.tax_code), charge.tax_code)
    for name in ("cap", "retainer", "corrections", "expense_policy"):
        for rule in (found.client, found.project):
            value = getattr(rule, name) if rule is not None else None
            if value is not None and (name != "expense_policy" or charge.kind == "expense"):
                yield Decided(name.replace("_", " "), by(name, value), policy_words(value))
                break


def _scope(
    book: BookConfiguration,
    client: ClientMapping | None,
    project: ProjectMapping | None,
    name: str,
    value: Any,
    day: date,
) -> str:
    """Return who set a policy: the client before its project, before the book."""
    if client is not None and getattr(client, name, None) == value:
        return f"client {client.client!r}"
    if project is not None and getattr(project, name, None) == value:
        return f"project {project.project!r}"
    for index, dated in enumerate(book.policies):
        if dated.holds_on(day) and getattr(dated, name, None) == value:
            begins = f" from {dated.effective_from}" if dated.effective_from else ""
            return f"policies[{index}]{begins}"
    is_given = name in book.model_fields_set and getattr(book, name, None) == value
    return "the book" if is_given else DEFAULT
