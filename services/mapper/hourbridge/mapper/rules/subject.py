"""Who and what a record is about: its own terms, completed by what else its source stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hourbridge.common.messages.records import (
    Client,
    ComposedInvoice,
    Expense,
    Payment,
    Project,
    Record,
    StaffMember,
    TimeEntry,
    WorkItem,
)
from hourbridge.mapper.rules.linked import NO_LINKS, Links
from hourbridge.mapper.rules.names import NO_TERM, Term, normal, term

FactKind = Literal["client", "project", "task", "staff"]


class FactKey(NamedTuple):
    """One thing of a source, by the source's id."""

    kind: FactKind
    id: str

    def dependency(self, book: str, source: str) -> str:
        """Return the text by which stored records are found when this fact changes."""
        return f"{book}/{source}/{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Fact:
    """What a source's master data says of a thing: its name, and the client of a project."""

    name: str
    client_id: str | None = None
    client_name: str | None = None
    zone: str | None = None
    """Where a person works."""


Facts = Mapping[FactKey, Fact]
NO_FACTS: Facts = {}


def fact_of(record: Record) -> tuple[FactKey, Fact] | None:
    """Return what a master data record teaches the mapper, None if nothing."""
    identity = normal(record.external_id)
    if isinstance(record, Project):
        return FactKey("project", identity), Fact(record.name, record.client_id, record.client_name)
    if isinstance(record, Client):
        return FactKey("client", identity), Fact(record.name)
    if isinstance(record, WorkItem):
        return FactKey("task", identity), Fact(record.name)
    if isinstance(record, StaffMember):
        return FactKey("staff", identity), Fact(record.display_name, zone=record.home_timezone)
    return None


@dataclass(frozen=True, slots=True)
class Subject:
    """The terms of one record. ``consulted`` facts decided some of them, present or not."""

    client: Term
    project: Term
    task: Term
    staff: Term
    consulted: tuple[FactKey, ...] = ()
    staff_zone: str | None = None
    """Where the person works, as far as the record leaves that to the source's staff data."""
    links: Links = NO_LINKS
    """What its terms are in the ledger by links of lists; rules of the mapping come first."""


class _Completion:
    """Looks up facts and remembers which ones were asked for, found or not."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.consulted: list[FactKey] = []

    def get(self, kind: FactKind, identity: str) -> Fact | None:
        key = FactKey(kind, identity)
        self.consulted.append(key)
        return self._facts.get(key)

    def named(self, kind: FactKind, given: Term) -> Term:
        """Return ``given`` with its name, asking the source's facts if it has only an id."""
        if given.name is not None or given.id is None:
            return given
        fact = self.get(kind, given.id)
        return given if fact is None else term(given.id, fact.name)

    def zone(self, staff: Term) -> str | None:
        """Return where a person works."""
        fact = self.get("staff", staff.id) if staff.id is not None else None
        return None if fact is None else fact.zone

    def client(self, given: Term, project: Term) -> Term:
        """Return the client, from the project's facts if the record names none."""
        if not given.keys and project.id is not None:
            fact = self.get("project", project.id)
            if fact is not None:
                given = term(fact.client_id, fact.client_name)
        return self.named("client", given)


Mappable = TimeEntry | Expense | Payment | ComposedInvoice
"""The records that become something in a ledger."""


def subject_of(record: Mappable, facts: Facts = NO_FACTS, links: Links = NO_LINKS) -> Subject:
    """Return the subject of a time entry, an expense, a payment or a composed invoice.

    Facts are asked only for what the record itself leaves open, so that records which are
    complete depend on nothing else.
    """
    client = term(record.client_id, record.client_name)
    project = term(record.project_id, record.project_name)
    staff = task = NO_TERM
    if isinstance(record, TimeEntry | Expense):
        staff, task = term(record.staff_id, record.staff_name), _task(record)
    asks_where = isinstance(record, TimeEntry) and _asks_where(record)
    is_complete = client.name and _complete(project) and _complete(task) and _complete(staff)
    if is_complete and not asks_where:
        return Subject(client, project, task, staff, links=links)
    completion = _Completion(facts)
    return Subject(
        client=completion.client(client, project),
        project=completion.named("project", project),
        task=completion.named("task", task),
        staff=completion.named("staff", staff),
        staff_zone=completion.zone(staff) if asks_where else None,
        consulted=tuple(dict.fromkeys(completion.consulted)),
        links=links,
    )


def _task(record: TimeEntry | Expense) -> Term:
    if isinstance(record, Expense):
        return term(record.task_id, None)
    named = term(record.task_id, record.task_name)
    if named is NO_TERM and record.labor_code_id:
        return term(record.labor_code_id, None)
    return named


def _asks_where(entry: TimeEntry) -> bool:
    """Return whether an entry states times but not where its clock hung."""
    if entry.start_at is None and entry.original_start_text is None:
        return False
    return entry.zone is None or (entry.zone.iana is None and entry.zone.offset_minutes is None)


def _complete(given: Term) -> bool:
    return given.name is not None or given.id is None
