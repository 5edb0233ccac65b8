"""What people decide about lists; every decision is audited."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Connection

from hourbridge.common.book.lists import TARGETS, ListName
from hourbridge.common.clock import Clock
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.lists import decisions, entries, links
from hourbridge.mapper.lists.planner import load_state, made_of, request
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.matching.entry import LEDGER, Entry, EntryKey
from hourbridge.matching.state import Link, LinkKey, ListState, Mark

_DECIDABLE = ("open", "refused", "rejected")
"""A refusal of the other system, or a person's no, can be thought over."""


@dataclass(frozen=True)
class ListActions:
    """Approves, rejects, links, parts, blocks and allows."""

    store: Store
    configurations: Configurations
    outbox: Outbox
    clock: Clock
    changed: Callable[[], None] = lambda: None

    def approve(
        self, book: str, decision_id: str, *, actor: str, note: str | None
    ) -> dict[str, Any]:
        """Carry out a proposed change, or link what was suggested."""
        with self._turn(book) as (connection, active):
            row = _decidable(connection, book, decision_id)
            if row["kind"] == "change":
                if row["state"] == "refused":
                    row = decisions.again(connection, book, row, self.clock.now())
                request(connection, self.outbox, active, row, actor)
                state = "requested"
            elif row["kind"] == "suggestion":
                key, ledger_id = _suggested(row)
                self._link(connection, active, key, ledger_id, actor, note)
                state = "approved"
            else:
                raise RequestInvalid(
                    "this can't be approved: it needs a correction or a link",
                    advice=row["advice"],
                    id=decision_id,
                )
            self._settle(connection, book, row, state, actor, note)
        self.outbox.try_flush()
        self.changed()
        return {"id": row["decision_id"], "state": state, "what": row["detail"]}

    def reject(
        self, book: str, decision_id: str, *, actor: str, note: str | None
    ) -> dict[str, Any]:
        """Turn a proposal down for good; suggested pairs stay apart."""
        with self._turn(book) as (connection, active):
            row = _decidable(connection, book, decision_id)
            if row["kind"] == "suggestion":
                key, ledger_id = _suggested(row)
                now = self.clock.now()
                owner = links.owner_of(active.configuration)
                links.keep_apart(connection, owner, key, ledger_id, actor=actor, now=now)
            elif row["kind"] != "change":
                raise RequestInvalid(
                    "this can't be turned down: it holds as long as its cause",
                    advice=row["advice"],
                    id=decision_id,
                )
            self._settle(connection, book, row, "rejected", actor, note)
        self.changed()
        return {"id": decision_id, "state": "rejected", "what": row["detail"]}

    def link(
        self, book: str, key: LinkKey, ledger_id: str, *, actor: str, note: str | None
    ) -> dict[str, Any]:
        """Link a tracker's entry to one of the ledger, whatever it was linked to."""
        with self._turn(book) as (connection, active):
            told = self._link(connection, active, key, ledger_id, actor, note)
        self.changed()
        return {"linked": told}

    def unlink(self, book: str, key: LinkKey, *, actor: str, note: str | None) -> dict[str, Any]:
        """End a link; it isn't made again by itself."""
        with self._turn(book) as (connection, active):
            now, owner = self.clock.now(), links.owner_of(active.configuration)
            was = links.part(connection, owner, key, actor=actor, note=note, now=now)
            if was is None:
                raise NotFound("there is no such link", entry="/".join(key))
            self._audit(connection, book, "list_unlinked", "/".join(key), actor, note)
        self.changed()
        return {"unlinked": was}

    def mark(
        self, book: str, key: EntryKey, wanted: Mark | None, *, actor: str, note: str | None
    ) -> dict[str, Any]:
        """Block or allow one entry, or leave it to the rules again."""
        with self._turn(book) as (connection, active):
            _entry(load_state(connection, active.configuration).state, key)
            now, owner = self.clock.now(), links.owner_of(active.configuration)
            links.mark(connection, owner, key, wanted, actor=actor, note=note, now=now)
            action = f"list_entry_{wanted or 'unmarked'}"
            self._audit(connection, book, action, "/".join(key), actor, note)
        self.changed()
        return {"entry": "/".join(key), "mark": wanted}

    def sync(self, book: str, *, actor: str) -> dict[str, Any]:
        """Plan now."""
        with self._turn(book) as (connection, _):
            self._audit(connection, book, "list_sync", book, actor, None)
        self.changed()
        return {"book": book, "planned": "as soon as possible"}

    @contextmanager
    def _turn(self, book: str) -> Iterator[tuple[Connection, CompiledBook]]:
        """Open a transaction in which nobody else plans or decides; the book is planned after."""
        with self.store.transaction() as connection:
            active = self.configurations.hold(connection, [book])[book]
            if active is None:
                raise NotFound("the book has no configuration", book=book)
            entries.take_turn(connection, [book])
            yield connection, active
            entries.mark_due(connection, [book])

    def _link(
        self,
        connection: Connection,
        active: CompiledBook,
        key: LinkKey,
        ledger_id: str,
        actor: str,
        note: str | None,
    ) -> str:
        book = active.configuration.book
        state = load_state(connection, active.configuration).state
        source, list_name, entry_id, ledger_list = key
        entry = _entry(state, (source, list_name, entry_id))
        target = _entry(state, (LEDGER, ledger_list, ledger_id))
        if target.is_header:
            raise RequestInvalid(f"{target.words()} is a heading: nothing can be posted to it")
        link = Link(*key, ledger_id=ledger_id, how="manual")
        made = made_of(state, link, actor, note)
        owner = links.owner_of(active.configuration)
        links.store(connection, owner, [made], self.clock.now())
        told = f"{entry.words()} is {target.words()}"
        self._audit(connection, book, "list_linked", "/".join(key), actor, note or told)
        return told

    def _settle(
        self,
        connection: Connection,
        book: str,
        row: dict[str, Any],
        state: str,
        actor: str,
        note: str | None,
    ) -> None:
        now, decision_id = self.clock.now(), row["decision_id"]
        decisions.settle(connection, book, decision_id, state, now=now, actor=actor, note=note)
        self._audit(connection, book, f"list_{state}", row["detail"], actor, note)

    def _audit(
        self,
        connection: Connection,
        book: str,
        action: str,
        about: str,
        actor: str,
        note: str | None,
    ) -> None:
        detail = {"about": about, "note": note}
        audit.write(
            connection,
            actor=actor,
            action=action,
            subject=f"lists:{book}",
            book=book,
            detail=detail,
        )


def link_key(source: str, list_name: str, entry_id: str, ledger_list: str | None) -> LinkKey:
    """Return the key of a link as people name it; raises RequestInvalid."""
    if list_name not in get_args(ListName):
        known = ", ".join(get_args(ListName))
        raise RequestInvalid(f"{list_name!r} is none of the lists {known}")
    targets = TARGETS[list_name]  # type: ignore[index]  # checked above
    chosen = ledger_list or targets[0]
    if chosen not in targets:
        raise RequestInvalid(f"{list_name} is linked to {' or '.join(targets)}, not to {chosen}")
    return (source, list_name, entry_id, chosen)  # type: ignore[return-value]  # checked above


def _decidable(connection: Connection, book: str, decision_id: str) -> dict[str, Any]:
    row = decisions.one(connection, book, decision_id)
    if row is None:
        raise NotFound("no decision about lists has this id", book=book, id=decision_id)
    if row["state"] not in _DECIDABLE:
        raise RequestInvalid(f"it is {row['state']} already", id=decision_id)
    return row


def _suggested(row: dict[str, Any]) -> tuple[LinkKey, str]:
    (source, list_name, entry_id), (_, ledger_list, ledger_id) = row["entries"]
    return link_key(source, list_name, entry_id, ledger_list), ledger_id


def _entry(state: ListState, key: EntryKey) -> Entry:
    found = state.entries.get(key)
    if found is None:
        side, list_name, entry_id = key
        where = "the ledger" if side == LEDGER else side
        raise NotFound(f"{where} has no {list_name} {entry_id!r}, as far as it was read")
    return found
