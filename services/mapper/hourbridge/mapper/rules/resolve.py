"""From a source's terms to the ledger's: client, project, task and expense category."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from hourbridge.common.book import (
    ClientMapping,
    ExpenseMapping,
    LedgerReference,
    ProjectMapping,
    TaskMapping,
)
from hourbridge.common.messages.events import ChargedRate, Reason
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.linked import NO_LINKS, LinkedEntry, Links
from hourbridge.mapper.rules.lookup import first_match, matches
from hourbridge.mapper.rules.names import NO_TERM, Term, normal, term
from hourbridge.mapper.rules.outcome import parked
from hourbridge.mapper.rules.subject import Subject

NONE = "(none)"
"""Stands in a key where the source names nothing."""


@dataclass(slots=True)
class Resolution:
    """The rules found for a record, and reasons for all that were not."""

    source: str
    day: date
    client: ClientMapping | None = None
    project: ProjectMapping | None = None
    task: TaskMapping | None = None
    category: ExpenseMapping | None = None
    client_term: Term = NO_TERM
    client_label: str | None = None
    project_label: str | None = None
    project_rule: str | None = None
    """What the mapping calls the project, where that is not its label."""
    missing: list[Reason] = field(default_factory=list)
    links: Links = NO_LINKS

    def miss(self, kind: str, label: str | None, detail: str, code: str = "no_mapping") -> None:
        """Note a missing rule."""
        self.missing.append(parked(code, detail, f"{kind}:{label or NONE}"))


def resolve(book: CompiledBook, source: str, subject: Subject, day: date) -> Resolution:
    """Find the project's and the client's rules; every miss is noted, none hides another."""
    found = Resolution(source, day, client_term=subject.client)
    if book.configuration.lists.resolve_by_links:
        found.links = subject.links
    _resolve_project(book, subject, found)
    _resolve_client(book, subject, found)
    found.client_label = client_label(found.client_term, found.client)
    found.project_label = project_label(subject.project, found.project)
    if found.project is not None and normal(found.project.project) != found.project_label:
        found.project_rule = found.project.project
    return found


def client_label(named: Term, rule: ClientMapping | None) -> str | None:
    """Return what a client is called in charges and reports.

    It must outlive a renaming in the tracker, else the client's work would part into two
    engagements: so a client matched by id is called what the mapping calls it.
    """
    if rule is None or normal(rule.client) == named.name:
        return named.label
    return rule.customer.name or rule.client


def project_label(named: Term, rule: ProjectMapping | None) -> str | None:
    """Return what a project is called; one matched by id is called like its job."""
    if rule is None or rule.job is None or normal(rule.project) == named.name:
        return named.label
    return rule.job.name or named.label


def _resolve_project(book: CompiledBook, subject: Subject, found: Resolution) -> None:
    """A project without a rule is no gap: its work bills to the customer without a job."""
    client_keys = subject.client.keys

    def accepts(rule: ProjectMapping) -> bool:
        return rule.client is None or not client_keys or normal(rule.client) in client_keys

    rules = matches(book.projects, found.source, subject.project, found.day, accepts)
    own = [rule for rule in rules if rule.client is not None] or rules
    if not client_keys and len({rule.client for rule in own}) > 1:
        clients = ", ".join(sorted(rule.client or NONE for rule in own))
        label = subject.project.label
        detail = f"project {label!r} has rules for several clients ({clients}); which is meant?"
        found.miss("project", label, detail, "ambiguous_mapping")
        return
    if own:
        found.project = own[0]
        return
    linked = found.links.get("project", subject.project.id, "customer")
    if linked is not None:
        found.project = book.linked.project(linked)


def _resolve_client(book: CompiledBook, subject: Subject, found: Resolution) -> None:
    named = subject.client
    if not named.keys and found.project is not None and found.project.client is not None:
        named = found.client_term = term(None, found.project.client)
    if named.keys:
        found.client = first_match(book.clients, found.source, named, found.day)
        linked = found.links.get("client", named.id, "customer")
        if found.client is None and linked is not None:
            found.client = book.linked.client(linked)
        if found.client is None:
            detail = f"no customer for client {named.label!r} on {found.day}"
            found.miss("client", named.label, detail)
    elif not found.missing:
        _note_clientless(subject, found)


def _note_clientless(subject: Subject, found: Resolution) -> None:
    """Neither the record, nor its source's facts, nor a project rule says whose work it is."""
    if subject.project.keys:
        label = subject.project.id or subject.project.label
        detail = f"project {subject.project.label!r} names no client, nor does a project rule"
        found.miss("project", label, detail)
    else:
        found.miss("client", None, "the record names neither a client nor a project")


def resolve_item(book: CompiledBook, subject: Subject, found: Resolution) -> LedgerReference | None:
    """Return the service item; note a task that has none.

    The default item is for work without a task. A named task without a rule waits, lest a new
    kind of work slips out under the wrong item.
    """
    found.task = _task_rule(book, subject, found)
    if found.task is not None:
        return found.task.item
    if not subject.task.keys and book.configuration.default_item is not None:
        return book.configuration.default_item
    return None


def note_missing_item(subject: Subject, found: Resolution) -> None:
    """Note that the record's task leads to no item."""
    label = subject.task.label
    if label is None:
        found.miss("task", None, "the record names no task and the book has no default_item")
    else:
        found.miss("task", label, f"no item for task {label!r} on {found.day}")


def _task_rule(book: CompiledBook, subject: Subject, found: Resolution) -> TaskMapping | None:
    project_keys = subject.project.keys

    def accepts(rule: TaskMapping) -> bool:
        return rule.project is None or normal(rule.project) in project_keys

    rules = matches(book.tasks, found.source, subject.task, found.day, accepts)
    own = [rule for rule in rules if rule.project is not None] or rules
    if own:
        return own[0]
    linked = linked_item(subject, found)
    return book.linked.task(linked) if linked is not None else None


def linked_item(subject: Subject, found: Resolution) -> LinkedEntry | None:
    """Return the service item that a record's task is linked to, else its labor code's."""
    links = found.links
    own = links.get("task", subject.task.id, "item")
    own = own or links.get("labor_code", subject.task.id, "item")
    codes = (id for name, id in links.asked if name == "labor_code")
    return own or next(filter(None, (links.get("labor_code", id, "item") for id in codes)), None)


def linked_rate(
    book: CompiledBook, subject: Subject, found: Resolution, currency: str
) -> ChargedRate | None:
    """Return the price of the linked service item, if the book takes rates from there.

    Items are priced in the ledger's own currency: nothing is converted.
    """
    linked = linked_item(subject, found)
    is_asked = book.configuration.lists.rates_from_items and currency == book.configuration.currency
    if not is_asked or linked is None or linked.rate is None:
        return None
    try:
        amount = Decimal(linked.rate)
    except ArithmeticError:
        return None
    if not amount.is_finite() or amount <= 0:
        return None
    origin = f"item {linked.ledger_name!r} of the ledger"
    return ChargedRate(amount=amount, currency=currency, origin=origin)


def linked_class(found: Resolution, class_id: str | None) -> LedgerReference | None:
    """Return the class that a record names, by its link."""
    linked = found.links.get("class", class_id, "class")
    return linked.reference if linked is not None else None


def resolve_category(book: CompiledBook, named: Term, found: Resolution) -> None:
    """Find the expense category's rule; note its absence."""
    found.category = first_match(book.expenses, found.source, named, found.day)
    linked = found.links.get("expense_code", named.id, "item", "account")
    if found.category is None and linked is not None:
        found.category = book.linked.category(linked)
    if found.category is None:
        label = named.label
        detail = (
            f"no item or account for expense category {label!r} on {found.day}"
            if label
            else "the expense names no category"
        )
        found.miss("category", label, detail)
