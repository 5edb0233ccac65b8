"""Requested changes of lists, and a system in memory whose lists can be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hourbridge.common.book import LedgerBinding
from hourbridge.common.bus.consumer import Received
from hourbridge.common.errors import LedgerOutcomeUnknown, LedgerRejected
from hourbridge.common.messages.events import ListChangeDone, ListChangeRequested
from hourbridge.common.messages.list_changes import ListTarget
from hourbridge.common.messages.publishing import new_event
from hourbridge.common.messages.records import ListEntry
from hourbridge.common.messages.registry import (
    LIST_CHANGE_DONE,
    LIST_CHANGE_REQUESTED,
    REGISTRY,
)
from hourbridge.connectors.list_writer import ListWrite, ListWriter, WrittenEntry
from hourbridge.connectors.marking import Mark, Marker
from hourbridge.poster.lists.dispatcher import OpenTargets
from tests.support.posting import BOOK, Poster, received


def entry(name: str, list_name: str = "customer", **fields: Any) -> ListEntry:
    """Return an entry as a request wants it."""
    fields = {"entry_id": "?", "external_id": f"{list_name}:?"} | fields
    return ListEntry(list_name=list_name, name=name, **fields)


def requested(
    change_id: str,
    wanted: ListEntry,
    *,
    ledger: LedgerBinding | None = None,
    source: str | None = None,
    kind: Any = "create",
    book: str = BOOK,
    event_id: str | None = None,
    **fields: Any,
) -> Received:
    """Return a request as it arrives."""
    data = ListChangeRequested(
        change_id=change_id,
        target=ListTarget(ledger=ledger, source=source),
        list_name=wanted.list_name,
        kind=kind,
        wanted=wanted,
        decided_by="rule",
        configuration_version=1,
        **fields,
    )
    event = new_event(
        LIST_CHANGE_REQUESTED, data, book=book, source="/test", id=event_id or change_id
    )
    return received(event)


def told(poster: Poster) -> list[ListChangeDone]:
    """Publish the outbox; return what the mapper was told about lists so far."""
    poster.parts.outbox.flush()
    return [
        REGISTRY.decode(message.type, message.body).data
        for message in poster.bus.published
        if message.type == LIST_CHANGE_DONE
    ]


@dataclass
class Lost:
    """The next answer does not arrive; the write did or did not take effect."""

    took_effect: bool


class MemoryLists:
    """A system in memory: no memory of keys, so a careless repeat makes a second entry."""

    def __init__(self) -> None:
        self.held: dict[str, ListEntry] = {}
        self.keys: dict[str, str] = {}
        self.writes: list[ListWrite] = []
        self.marks: list[Mark] = []
        self.faults: list[Lost | Exception | None] = []
        self.opened: list[object] = []

    def targets(self) -> OpenTargets:
        """Return it as every system that a poster can write to."""
        return OpenTargets(ledger=self._open, source=self._open, marker=self._open_marker)

    def named(self, name: str) -> list[ListEntry]:
        """Return the entries of a name."""
        return [held for held in self.held.values() if held.name == name]

    # --- the protocols ----------------------------------------------------------------------

    @property
    def writable_lists(self) -> frozenset[str]:
        return frozenset({"customer", "client"})

    @property
    def operation_key_characters_max(self) -> int:
        return 50

    def write_entry(self, write: ListWrite) -> WrittenEntry:
        self.writes.append(write)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        if isinstance(fault, Lost) and not fault.took_effect:
            raise LedgerOutcomeUnknown("no answer")
        written = self._carry_out(write)
        if isinstance(fault, Lost):
            raise LedgerOutcomeUnknown("no answer")
        return written

    def mark(self, mark: Mark) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        self.marks.append(mark)

    def read_entry(self, list_name: str, entry_id: str) -> ListEntry | None:
        return self.held.get(entry_id)

    def find_entries(self, list_name: str, name: str) -> tuple[ListEntry, ...]:
        return tuple(self.named(name))

    def close(self) -> None:
        return

    def _carry_out(self, write: ListWrite) -> WrittenEntry:
        if write.kind == "create":
            if write.is_repeat and write.operation_key in self.keys:
                return WrittenEntry(self.held[self.keys[write.operation_key]], is_adopted=True)
            identity = str(len(self.held) + 1)
            self.keys[write.operation_key] = identity
        else:
            identity = str(write.entry_id)
            if identity not in self.held:
                raise LedgerRejected("gone", reason_code="entry_missing")
        changes = {"entry_id": identity, "external_id": f"{write.list_name}:{identity}"}
        if write.kind == "inactivate":
            changes["is_active"] = False  # type: ignore[assignment]  # model_copy takes any value
        self.held[identity] = write.wanted.model_copy(update=changes)
        return WrittenEntry(self.held[identity])

    def _open(self, target: object) -> ListWriter:
        self.opened.append(target)
        return self

    def _open_marker(self, target: str) -> Marker:
        self.opened.append(target)
        return self
