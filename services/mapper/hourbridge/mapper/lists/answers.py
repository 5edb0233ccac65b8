"""What became of requested changes: links and agreed values follow, once per answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.messages.envelope import Event
from hourbridge.common.messages.events import ListChangeDone
from hourbridge.common.store import audit
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.lists import decisions, entries, links
from hourbridge.mapper.lists.planner import BY_RULE
from hourbridge.matching.entry import LEDGER, Entry
from hourbridge.matching.reading import entry_of
from hourbridge.matching.state import How, Link, LinkKey
from hourbridge.matching.writing import agreed_after

_SUCCEEDED = ("written", "adopted")
_STALE = frozenset({"edit_token_stale"})
"""Somebody changed the entry meanwhile: it is read, and decided anew."""
_FINAL = ("written", "adopted", "refused", "stale", "rejected")


class ListAnswers:
    """Handles ``list_change.done`` events; a repetition changes nothing."""

    def __init__(self, configurations: Configurations, clock: Clock) -> None:
        self._configurations = configurations
        self._clock = clock

    def handle(self, connection: Connection, answers: Sequence[Event[ListChangeDone]]) -> set[str]:
        """Store what is told; return the books in which there is something to plan."""
        ordered = sorted(answers, key=lambda event: (event.book, event.data.change_id))
        books = {event.book for event in ordered if self._take(connection, event)}
        entries.mark_due(connection, books)
        return books

    def _take(self, connection: Connection, event: Event[ListChangeDone]) -> bool:
        book, done = event.book, event.data
        decision = decisions.one(connection, book, done.change_id)
        if decision is None or decision["state"] in _FINAL:
            return False
        state: str = done.outcome
        if state == "refused" and {reason.code for reason in done.reasons} & _STALE:
            state = "stale"
        reasons = to_json([*decision["reasons"], *(_words(r) for r in done.reasons)]).decode()
        now = self._clock.now()
        decisions.settle(connection, book, done.change_id, state, now=now, reasons=reasons)
        held = self._held(connection, book, decision, done)
        if done.outcome in _SUCCEEDED:
            self._link(connection, book, decision["change"], held, done.outcome == "adopted")
            audit.write(
                connection,
                actor=decision["decided_by"] or BY_RULE,
                action=f"list_change_{done.outcome}",
                subject=f"list:{decision['source']}/{decision['list_name']}",
                book=book,
                correlation_id=done.change_id,
                detail={"what": decision["detail"], "entry": held and held.entry_id},
            )
        return True

    def _held(
        self, connection: Connection, book: str, decision: dict[str, Any], done: ListChangeDone
    ) -> Entry | None:
        """Store the entry as its system holds it now, and return it."""
        if done.entry is None:
            return None
        side = decision["change"]["side"]
        source = side if side != LEDGER else self._ledger_name(connection, book)
        record_id = decision["change"]["origin_record"]
        held = entry_of(done.entry, record_id, source)
        if held is not None and source:
            entries.store_written(connection, book, source, held, self._clock.now())
        return held

    def _ledger_name(self, connection: Connection, book: str) -> str:
        active = self._configurations.active(connection, book)
        if active is None:
            return ""
        names = entries.ledger_names(active.configuration)
        stated = [s.name for s in active.configuration.sources if s.name in names]
        return (stated or sorted(names))[0]

    def _link(
        self,
        connection: Connection,
        book: str,
        change: dict[str, Any],
        held: Entry | None,
        is_adopted: bool,
    ) -> None:
        owner = links.Owner(book, change["company"])
        source, list_name, entry_id, ledger_list = change["link_key"]
        is_ledger = change["side"] == LEDGER
        if change["kind"] == "create":
            if held is None:
                return
            entry_id = entry_id if is_ledger else held.entry_id
        key: LinkKey = (source, list_name, entry_id, ledger_list)
        agreed = agreed_after(change["basis"], change["written"], held, change["side"])
        if change["kind"] == "create" and held is not None:
            ledger_id = held.entry_id if is_ledger else change["origin"][2]
            how: How = "adopted" if is_adopted else "created"
            link = Link(*key, ledger_id=ledger_id, how=how, agreed=agreed)
            label = change["basis"].get("name") if is_ledger else held.label
            made = links.Made(link, label or held.label, self._target(change, held), BY_RULE)
            links.store(connection, owner, [made], self._clock.now())
        else:
            links.agree(connection, owner, [(key, agreed)])

    def _target(self, change: dict[str, Any], held: Entry) -> dict[str, Any]:
        """Return what mapping needs to know at once; planning completes it."""
        if change["side"] != LEDGER:
            return {}
        return links.target_of(held, held)


def _words(reason: Any) -> dict[str, Any]:
    words: dict[str, Any] = reason.model_dump(exclude_none=True)
    return words
