"""What a source's terms are in the ledger by the links of the lists, where no rule says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hourbridge.common.book import (
    ClientMapping,
    ExpenseMapping,
    LedgerReference,
    ProjectMapping,
    StaffMapping,
    TaskMapping,
)
from hourbridge.common.messages.records import Expense, Payment, Record, TimeEntry

AskedFor = tuple[str, str]
"""A list of the source and an id in it."""


@dataclass(frozen=True, slots=True)
class LinkedEntry:
    """An entry of a source's list with what it is in the ledger."""

    list_name: str
    entry_id: str
    label: str
    """What the source called it when it was linked. It outlives renamings on either side."""
    ledger_list: str
    ledger_id: str
    ledger_name: str
    is_own_client: bool = False
    """A project that only stands for its client: its work has no job."""
    currency: str | None = None
    rate: str | None = None

    @property
    def reference(self) -> LedgerReference:
        """Return the reference; the id decides, whatever the name becomes."""
        return LedgerReference(id=self.ledger_id, name=self.ledger_name)


@dataclass(frozen=True, slots=True)
class Links:
    """The links of what one record names. ``asked`` for were also those that there are none of."""

    asked: tuple[AskedFor, ...] = ()
    found: Mapping[AskedFor, tuple[LinkedEntry, ...]] = field(default_factory=dict)

    def get(self, list_name: str, entry_id: str | None, *targets: str) -> LinkedEntry | None:
        """Return what an entry is in the first of ``targets`` that it is linked to."""
        if entry_id is None:
            return None
        linked = self.found.get((list_name, entry_id), ())
        for target in targets:
            for each in linked:
                if each.ledger_list == target:
                    return each
        return None


NO_LINKS = Links()


def link_dependency(book: str, source: str, list_name: str, entry_id: str) -> str:
    """Return the text by which stored records are found when a link changes."""
    return f"{book}/{source}/link:{list_name}:{entry_id}"


def asked_for(record: Record, ids: Mapping[str, str | None]) -> tuple[AskedFor, ...]:
    """Return which links a record's mapping may need; ``ids`` are those of its subject.

    A task may be a labor code of the source, and the other way round: both are asked for.
    """
    wanted: list[tuple[str, str | None]] = [
        ("client", ids.get("client")),
        ("project", ids.get("project")),
    ]
    if isinstance(record, TimeEntry | Expense):
        wanted += [
            ("staff", ids.get("staff")),
            ("task", ids.get("task")),
            ("labor_code", ids.get("task")),
            ("vendor", record.vendor_id),
            ("class", record.class_id),
        ]
    if isinstance(record, TimeEntry):
        wanted.append(("labor_code", record.labor_code_id))
    if isinstance(record, Expense):
        wanted += [("expense_code", record.category_id), ("tax_rate", record.tax_code_id)]
    if isinstance(record, Payment):
        wanted.append(("vendor", record.vendor_id))
    return tuple(dict.fromkeys((name, id) for name, id in wanted if id))


_NOBODY = LinkedEntry("staff", "", "(none)", "employee", "", "")


class LinkedRules:
    """Rules made of links. They are kept: policies are found by the rule object itself."""

    def __init__(self) -> None:
        self._clients: dict[LinkedEntry, ClientMapping] = {}
        self._projects: dict[LinkedEntry, ProjectMapping] = {}
        self._tasks: dict[LinkedEntry, TaskMapping] = {}
        self._categories: dict[LinkedEntry, ExpenseMapping] = {}
        self._people: dict[tuple[int, LinkedEntry | None, LinkedEntry | None], StaffMapping] = {}

    def client(self, linked: LinkedEntry) -> ClientMapping:
        """Return the rule of a linked client."""
        found = self._clients.get(linked)
        if found is None:
            found = self._clients[linked] = ClientMapping(
                client=linked.label,
                customer=LedgerReference(id=linked.ledger_id, name=linked.label),
                currency=linked.currency,
            )
        return found

    def project(self, linked: LinkedEntry) -> ProjectMapping:
        """Return the rule of a linked project."""
        found = self._projects.get(linked)
        if found is None:
            job = LedgerReference(id=linked.ledger_id, name=linked.label)
            found = self._projects[linked] = ProjectMapping(
                project=linked.label, job=None if linked.is_own_client else job
            )
        return found

    def task(self, linked: LinkedEntry) -> TaskMapping:
        """Return the rule of a linked task or labor code."""
        found = self._tasks.get(linked)
        if found is None:
            found = self._tasks[linked] = TaskMapping(task=linked.label, item=linked.reference)
        return found

    def person(
        self, rule: StaffMapping | None, employee: LinkedEntry | None, vendor: LinkedEntry | None
    ) -> StaffMapping:
        """Return the rule of a linked person; ``rule``, of the same book, keeps what it says."""
        key = (id(rule), employee, vendor)
        found = self._people.get(key)
        if found is None:
            label = (employee or vendor or _NOBODY).label
            who = {
                "employee": employee.reference if employee else None,
                "vendor": vendor.reference if vendor else None,
            }
            own = rule if rule is not None else StaffMapping(staff=label)
            found = self._people[key] = own.model_copy(update=who)
        return found

    def category(self, linked: LinkedEntry) -> ExpenseMapping:
        """Return the rule of a linked expense code: an item, or an account."""
        found = self._categories.get(linked)
        if found is None:
            is_item = linked.ledger_list == "item"
            found = self._categories[linked] = ExpenseMapping(
                category=linked.label,
                item=linked.reference if is_item else None,
                account=None if is_item else linked.reference,
            )
        return found
