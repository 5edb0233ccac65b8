"""The periodic task that keeps lists in step: one replica plans, and asks for what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.book import BookConfiguration
from hourbridge.common.clock import Clock
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import ListChangeRequested
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.registry import LIST_CHANGE_REQUESTED
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Lease, Leases, ensure_held
from hourbridge.common.store.outbox import Outbox
from hourbridge.mapper import remap
from hourbridge.mapper.configurations import Configurations, NewVersion
from hourbridge.mapper.fact_changes import APPLIED_BY, announce
from hourbridge.mapper.lists import decisions, entries, links
from hourbridge.mapper.lists.learning import learn_stored
from hourbridge.mapper.lists.links import Made, StoredLinks
from hourbridge.mapper.metrics import LIST_CHANGES, LIST_PLANS
from hourbridge.mapper.publication import EVENT_SOURCE
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.matching.board import Board
from hourbridge.matching.entry import LEDGER
from hourbridge.matching.planning import plan_lists
from hourbridge.matching.state import Link, LinkKey, ListState, Plan

IN_PLAN = declare("mapper.lists_in_plan", "a plan of lists stored, not committed")
AFTER_PLAN = declare("mapper.lists_after_plan", "a plan of lists committed, not published")
LEASE = "lists"
LEASE_SECONDS = 60
BY_RULE = "mapper"

_NEW_BOOKS = text(
    "INSERT INTO list_book (book) SELECT DISTINCT book FROM book_configuration "
    "ON CONFLICT (book) DO NOTHING"
)
_DUE = text(
    """
    SELECT l.book FROM list_book l JOIN (
        SELECT book, max(version) AS version FROM book_configuration
        WHERE cause = 'applied' GROUP BY book
    ) AS active USING (book)
    WHERE l.is_due OR l.planned_version < active.version ORDER BY l.book
    """
)
_BOOK = text("SELECT * FROM list_book WHERE book = :book")
_PLANNED = text(
    "UPDATE list_book SET is_due = false, is_learned = true, has_ledger = :has_ledger, "
    "planned_version = :version, planned_at = :now WHERE book = :book"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The state of a book's lists with what is stored beside it."""

    state: ListState
    stored: StoredLinks


class ListPlanner:
    """Plans the lists of every book in which something changed."""

    def __init__(
        self,
        store: Store,
        configurations: Configurations,
        *,
        outbox: Outbox,
        leases: Leases,
        clock: Clock,
        linked: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._configurations = configurations
        self._outbox = outbox
        self._leases = leases
        self._clock = clock
        self._linked = linked

    def run(self) -> None:
        """Plan all books that are due; ``linked`` is told when mapping has something new."""
        with self._store.transaction() as connection:
            connection.execute(_NEW_BOOKS)
            books = list(connection.execute(_DUE).scalars())
        if not books:
            return
        lease = self._leases.acquire(LEASE, ttl_seconds=LEASE_SECONDS)
        if lease is None:
            return
        try:
            for book in books:
                self._plan(lease, book)
                if not self._leases.renew(lease, ttl_seconds=LEASE_SECONDS):
                    return
        finally:
            self._leases.release(lease)
        fault_point(AFTER_PLAN)
        self._outbox.try_flush()
        self._linked()

    def _plan(self, lease: Lease, book: str) -> None:
        with self._store.transaction() as connection:
            ensure_held(connection, lease)
            row = connection.execute(_BOOK, {"book": book}).mappings().one()
            active = self._active(connection, book, alone=not row["has_ledger"])
            if active is None:
                return
            entries.take_turn(connection, [book])
            if not row["is_learned"]:
                learn_stored(connection, book, self._clock.now())
            loaded = load_state(connection, active.configuration)
            has_ledger = bool(row["has_ledger"]) or _knows_ledger(loaded.state)
            if has_ledger and not row["has_ledger"]:
                active = self._let_links_count(connection, active)
            plan = plan_lists(loaded.state)
            self._store_plan(connection, active, loaded, plan)
            done = {"has_ledger": has_ledger, "version": active.version, "now": self._clock.now()}
            connection.execute(_PLANNED, {"book": book, **done})
            fault_point(IN_PLAN)
        LIST_PLANS.inc()

    def _active(self, connection: Connection, book: str, *, alone: bool) -> CompiledBook | None:
        """Return the version in force, held; ``alone``: so that nobody maps meanwhile, either.

        Before anything of the lists is locked: whoever maps holds the book first, too.
        """
        if alone:
            return self._configurations.lock(connection, book)
        return self._configurations.hold(connection, [book])[book]

    def _let_links_count(self, connection: Connection, active: CompiledBook) -> CompiledBook:
        """From now on mapping asks for links: what was mapped before is mapped again once."""
        book = active.configuration.book
        new = NewVersion(
            active.configuration,
            active.version + 1,
            applied_at=self._clock.now(),
            applied_by=APPLIED_BY,
            note="the lists of the ledger are known now",
            cause="facts",
        )
        announce(connection, self._configurations, self._outbox, new)
        remap.start_all(connection, book, new.version)
        return CompiledBook(active.configuration, new.version)

    def _store_plan(
        self, connection: Connection, active: CompiledBook, loaded: Loaded, plan: Plan
    ) -> None:
        book, now = active.configuration.book, self._clock.now()
        made = [made_of(loaded.state, new.link, BY_RULE, new.reason.detail) for new in plan.links]
        owner = links.owner_of(active.configuration)
        links.store(connection, owner, made, now)
        links.agree(connection, owner, ((each.key, each.values) for each in plan.agreements))
        links.retarget(connection, owner, moved_targets(loaded, plan))
        wanted, kept = decisions.propose(connection, owner, plan.changes, now)
        for decision in wanted:
            LIST_CHANGES.labels(decision.change.kind).inc()
            if decision.is_requested:
                row = decisions.one(connection, book, decision.decision_id)
                if row is not None:
                    request(connection, self._outbox, active, row, "rule")
        kept |= decisions.tell(
            connection, book, plan.holds, plan.differences, plan.suggestions, now
        )
        decisions.forget_others(connection, book, kept, now)


def load_state(connection: Connection, configuration: BookConfiguration) -> Loaded:
    """Return all that is known of the lists of a book."""
    book = configuration.book
    ledger = entries.ledger_names(configuration)
    owner = links.owner_of(configuration)
    stored = links.load(connection, owner)
    known = {entry.key: entry for entry in entries.entries_of(connection, book, ledger)}
    state = ListState(
        policy=configuration.lists,
        sources=tuple(s.name for s in configuration.sources if s.name not in ledger),
        entries=known,
        links=stored.links,
        apart=stored.apart,
        marks=links.marks(connection, owner),
        open_writes=decisions.open_writes(connection, owner),
    )
    return Loaded(state, stored)


def _knows_ledger(state: ListState) -> bool:
    return any(side == LEDGER for side, _, _ in state.entries)


def made_of(state: ListState, link: Link, by: str, note: str | None = None) -> Made:
    """Return a link as it is stored: with its name in the tracker and what it is in the ledger."""
    entry = state.entries.get((link.source, link.list_name, link.entry_id))
    return Made(link, entry.label if entry else link.entry_id, _target(state, link), by, note)


def _target(state: ListState, link: Link) -> dict[str, Any]:
    entry = state.entries.get((LEDGER, link.ledger_list, link.ledger_id))
    return links.target_of(entry, Board(state).root(entry)) if entry is not None else {}


def moved_targets(loaded: Loaded, plan: Plan) -> Mapping[LinkKey, dict[str, Any]]:
    """Return links whose entry in the ledger has other values than mapping knows."""
    fresh = {new.link.key for new in plan.links}
    board = Board(loaded.state)
    found = {}
    for link in loaded.state.links:
        entry = board.get(LEDGER, link.ledger_list, link.ledger_id)
        if entry is None or link.key in fresh:
            continue
        target = links.target_of(entry, board.root(entry))
        if target != loaded.stored.targets.get(link.key):
            found[link.key] = target
    return found


def request(
    connection: Connection, outbox: Outbox, active: CompiledBook, row: dict[str, Any], by: str
) -> None:
    """Ask for a stored change, in the caller's transaction."""
    asked = decisions.request_of(active.configuration, active.version, row["decision_id"], row, by)
    outbox.add(connection, [outgoing(_event(active.configuration.book, asked))])


def _event(book: str, asked: ListChangeRequested) -> Any:
    return new_event(
        LIST_CHANGE_REQUESTED,
        asked,
        book=book,
        source=EVENT_SOURCE,
        id=derive_id(LIST_CHANGE_REQUESTED, asked.change_id),
        subject=asked.change_id,
    )
