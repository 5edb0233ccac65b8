"""A mapper that keeps lists, with a poster and a ledger in memory that do what they are asked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hourbridge.common.book import parse_book_configuration
from hourbridge.common.bus.consumer import Received
from hourbridge.common.clock import Clock
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import ListChangeDone, ListChangeRequested
from hourbridge.common.messages.publishing import new_event
from hourbridge.common.messages.records import (
    Client,
    ExternalLink,
    ListEntry,
    Project,
    StaffMember,
    TimeEntry,
    WorkItem,
)
from hourbridge.common.messages.registry import (
    LIST_CHANGE_DONE,
    LIST_CHANGE_REQUESTED,
    REGISTRY,
)
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.mapper.lists.actions import ListActions
from hourbridge.mapper.lists.auditing import Auditor
from hourbridge.mapper.lists.planner import ListPlanner
from hourbridge.mapper.lists.showing import ListsShown
from tests.support.mapping import BOOK, DAY, MapperBench, document

FIRM = "firm"
QBO = "quickbooks_online"
CLIENTS_OUT = {"list": "client", "direction": "source_to_ledger", "approval": "automatic"}
PROJECTS_OUT = {"list": "project", "direction": "source_to_ledger", "approval": "automatic"}
OUT = {"rules": [CLIENTS_OUT, PROJECTS_OUT]}


def book(lists: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a book without any mapping rule: sources are a tracker and the ledger itself."""
    values: dict[str, Any] = {
        "sources": [{"name": FIRM, "system": "bigtime"}, {"name": QBO, "system": QBO}],
        "clients": [],
        "tasks": [],
        "rates": {"rules": [{"amount": "150.00"}]},
        "lists": lists or {},
    }
    return document(**{**values, **changes})


def customer(id: str, name: str, **changes: Any) -> ListEntry:
    return ledger_entry("customer", id, name, **changes)


def ledger_entry(list_name: str, id: str, name: str, **changes: Any) -> ListEntry:
    values = {"external_id": f"{list_name}:{id}", "list_name": list_name, "entry_id": id}
    return ListEntry.model_validate({**values, "name": name, **changes})


def client(id: str, name: str, **changes: Any) -> Client:
    return Client.model_validate({"external_id": id, "name": name, **changes})


def project(id: str, name: str, client_id: str, **changes: Any) -> Project:
    values = {"external_id": id, "name": name, "client_id": client_id}
    return Project.model_validate({**values, **changes})


def labor_code(id: str, name: str, **changes: Any) -> WorkItem:
    return WorkItem.model_validate(
        {"external_id": id, "name": name, "kind": "labor_code", **changes}
    )


def staff(id: str, name: str, **changes: Any) -> StaffMember:
    return StaffMember.model_validate({"external_id": id, "display_name": name, **changes})


def hour(id: str = "t1", **changes: Any) -> TimeEntry:
    """Return an approved hour that names everything by the tracker's ids."""
    values: dict[str, Any] = {
        "external_id": id,
        "staff_id": "s1",
        "client_id": "c1",
        "project_id": "p1",
        "labor_code_id": "l1",
        "work_date": DAY,
        "input": {"seconds": 3600},
        "billable_state": "billable",
        "approval": {"state": "approved"},
    }
    return TimeEntry.model_validate({**values, **changes})


def link_to(kind: str, id: str) -> ExternalLink:
    return ExternalLink(target_system=QBO, type=kind, id=id)


@dataclass
class ListsBench:
    """The mapper's parts that keep lists, beside those that map."""

    store: Store
    clock: Clock
    bench: MapperBench = field(init=False)
    requests: list[ListChangeRequested] = field(default_factory=list)
    held: dict[tuple[str, str], ListEntry] = field(default_factory=dict)
    """What the other systems hold, by list and id."""
    _numbers: Any = field(default_factory=lambda: itertools.count(900))
    _revisions: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.bench = MapperBench(self.store, self.clock)
        parts: Any = {"outbox": self.bench.outbox, "clock": self.clock}
        self.planner = ListPlanner(
            self.store, self.bench.configurations, leases=Leases(self.store, "bench"), **parts
        )
        self.actions = ListActions(self.store, self.bench.configurations, **parts)
        self.shown = ListsShown(self.store, self.bench.configurations)
        self.auditor = Auditor(self.store, self.bench.configurations, lambda _binding: None)

    def apply(self, lists: dict[str, Any] | None = None, **changes: Any) -> None:
        configuration = parse_book_configuration(book(lists, **changes))
        self.bench.applier.apply(configuration, actor="ann")
        self.bench.work()

    def learn(self, *records: Any, source: str = FIRM, revision: int | None = None) -> None:
        """Accept list records of the tracker; those of the ledger by their type."""
        number = revision if revision is not None else next(self._revisions)
        self.bench.feed(
            *(
                self.bench.accept(
                    record, number, source=QBO if _is_ledger(record, source) else source
                )
                for record in records
            )
        )

    def plan(self) -> list[ListChangeRequested]:
        """Plan once; return what is requested by it."""
        self.planner.run()
        self.bench.outbox.flush()
        new = requested(self.bench.bus.take())
        self.requests += new
        self.bench.work()
        return new

    def sync(self, rounds_max: int = 8) -> None:
        """Plan and let the other systems do what they are asked until nothing is asked any more."""
        for _ in range(rounds_max):
            new = self.plan()
            if not new:
                return
            self.answer(*(self.carry_out(each) for each in new))
        raise AssertionError(f"no rest: {self.requests}")

    def carry_out(self, asked: ListChangeRequested) -> ListChangeDone:
        """Do what is asked as a system would; return the answer."""
        wanted = asked.wanted
        entry_id = asked.entry_id or str(next(self._numbers))
        key = (wanted.list_name, entry_id)
        token = str(int(asked.edit_token) + 1) if asked.edit_token else "0"
        entry = wanted.model_copy(
            update={
                "entry_id": entry_id,
                "external_id": f"{wanted.list_name}:{entry_id}",
                "edit_token": token,
            }
        )
        self.held[key] = entry
        return done(asked, "written", entry)

    def answer(self, *answers: ListChangeDone) -> None:
        self.bench.feed_raw(*(answered(each) for each in answers))
        self.bench.work()

    def links(self) -> dict[str, str]:
        """Return what each entry of the tracker is linked to."""
        rows = self.shown.entries(BOOK, {"linked": "yes", "side": FIRM})
        return {f"{row['list']} {row['id']}": ", ".join(row["linked_to"]) for row in rows}

    def decisions(self, **query: str) -> list[dict[str, Any]]:
        return self.shown.decisions(BOOK, query, 100)


def _is_ledger(record: Any, source: str) -> bool:
    return isinstance(record, ListEntry) and source == FIRM


def requested(messages: Sequence[Any]) -> list[ListChangeRequested]:
    found = [m for m in messages if m.type == LIST_CHANGE_REQUESTED]
    return [REGISTRY.decode(message.type, message.body).data for message in found]


def done(
    asked: ListChangeRequested, outcome: str, entry: ListEntry | None = None, **changes: Any
) -> ListChangeDone:
    values = {
        "change_id": asked.change_id,
        "target": asked.target,
        "list_name": asked.list_name,
        "outcome": outcome,
        "entry": entry,
        "origin": asked.origin,
    }
    return ListChangeDone.model_validate({**values, **changes})


def answered(answer: ListChangeDone) -> Received:
    id = derive_id(LIST_CHANGE_DONE, answer.change_id, answer.outcome)
    event = new_event(LIST_CHANGE_DONE, answer, book=BOOK, source="/hourbridge/poster", id=id)
    return Received(None, event)  # type: ignore[arg-type]  # the mapper reads no delivery
