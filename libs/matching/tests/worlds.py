"""Two or three systems in memory, and a poster that carries plans out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

from hourbridge.common.book.lists import ListPolicy
from hourbridge.matching.entry import LEDGER, Entry, EntryKey
from hourbridge.matching.names import tidy
from hourbridge.matching.planning import plan_lists
from hourbridge.matching.state import Change, Link, LinkKey, ListState, Plan
from hourbridge.matching.writing import agreed_after, written_values

SOURCE = "bigtime"


def client(id: str, name: str, *, side: str = SOURCE, **changes: Any) -> Entry:
    return entry(side, "client", id, name, **changes)


def project(id: str, name: str, client_id: str, *, side: str = SOURCE, **changes: Any) -> Entry:
    return entry(side, "project", id, name, owner_id=client_id, **changes)


def customer(id: str, name: str, **changes: Any) -> Entry:
    return entry(LEDGER, "customer", id, name, **changes)


def entry(side: str, list_name: str, id: str, name: str, **changes: Any) -> Entry:
    return Entry(
        side=side, list_name=list_name, entry_id=id, name=name, record_id=f"{side}/{id}", **changes
    )


def policy(*rules: dict[str, Any], **changes: Any) -> ListPolicy:
    return ListPolicy.model_validate({"rules": list(rules), **changes})


@dataclass
class World:
    """The entries of all sides with the links that we remember."""

    policy: ListPolicy
    entries: dict[EntryKey, Entry] = field(default_factory=dict)
    links: dict[LinkKey, Link] = field(default_factory=dict)
    sources: tuple[str, ...] = (SOURCE,)
    name_characters_max: int = 1000
    _numbers: Any = field(default_factory=lambda: itertools.count(1000))

    def add(self, *entries: Entry) -> World:
        for each in entries:
            self.entries[each.key] = each
        return self

    def change(self, key: EntryKey, **changes: Any) -> None:
        self.entries[key] = replace(self.entries[key], **changes)

    def state(self, **changes: Any) -> ListState:
        return ListState(
            policy=self.policy,
            sources=self.sources,
            entries=dict(self.entries),
            links=tuple(self.links.values()),
            **changes,
        )

    def plan(self, **changes: Any) -> Plan:
        return plan_lists(self.state(**changes))

    def carry_out(self, plan: Plan) -> int:
        """Do what a plan says, as mapper and poster would; return how much was written."""
        for new in plan.links:
            self.links[new.link.key] = new.link
        for agreement in plan.agreements:
            self._agree(agreement.key, agreement.values)
        for change in plan.changes:
            self._write(change)
        return len(plan.changes) + len(plan.links)

    def settle(self, rounds_max: int = 8) -> int:
        """Plan and carry out until nothing is left; return how many rounds that took."""
        for number in range(rounds_max):
            if not self.carry_out(self.plan()):
                return number
        raise AssertionError(f"no rest after {rounds_max} rounds: {self.plan()}")

    def _agree(self, key: LinkKey, values: dict[str, tuple[str, str]]) -> None:
        link = self.links[key]
        self.links[key] = replace(link, agreed={**link.agreed, **values})

    def _write(self, change: Change) -> None:
        source, list_name, entry_id, ledger_list = change.link_key
        held = self._held(change)
        self.entries[held.key] = held
        if change.entry is None:
            ends = (entry_id, held.entry_id)
            if change.side != LEDGER:
                ends = (held.entry_id, change.origin.entry_id)
            link = Link(source, list_name, ends[0], ledger_list, ends[1], "created")
            self.links[link.key] = link
            key = link.key
        else:
            key = change.link_key
        agreed = agreed_after(change.basis, written_values(change), held, change.side)
        self._agree(key, agreed)

    def _held(self, change: Change) -> Entry:
        """Return the entry as its system keeps it: trimmed, cut, marked when inactive."""
        wanted = written_values(change)
        name = tidy(wanted.get("name", change.entry.name if change.entry else ""))
        name = name[: self.name_characters_max].strip()
        is_active = wanted["active"] == "true"
        if change.side == LEDGER and change.kind == "inactivate":
            name = f"{name} (deleted)"
        values = dict(change.values)
        if change.entry is not None:
            merged = {**change.entry.values, **values}
            return replace(change.entry, name=name, is_active=is_active, values=merged)
        is_owned = change.side != LEDGER
        return Entry(
            side=change.side,
            list_name=change.list_name,
            entry_id=str(next(self._numbers)),
            name=name,
            record_id=f"made-{change.origin.record_id}",
            owner_id=change.parent_id if is_owned else None,
            parent_id=None if is_owned else change.parent_id,
            is_synthetic=change.attributes.get("is_synthetic") == "true",
            type=change.type,
            values=values,
        )
