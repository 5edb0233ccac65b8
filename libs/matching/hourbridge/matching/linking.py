"""Which entries belong together: by existing links, by what trackers state, by exact names."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from hourbridge.common.book.lists import LedgerList, ListName, ListRule
from hourbridge.common.messages.events import Reason
from hourbridge.matching.board import LIST_ORDER, Board
from hourbridge.matching.correspondence import SHAREABLE, fits, targets_of
from hourbridge.matching.entry import LEDGER, Entry
from hourbridge.matching.names import canonical
from hourbridge.matching.naming import names_for
from hourbridge.matching.selection import is_selected
from hourbridge.matching.state import Hold, How, Link, NewLink, Plan

MERGES_MAX = 50
"""A chain of merges longer than that is a circle."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A tracker's list, the ledger's list for it, and the rule that holds for the two."""

    source: str
    list_name: ListName
    ledger_list: LedgerList
    rule: ListRule

    @property
    def is_primary(self) -> bool:
        """Return whether new entries of the tracker's list are made in this list."""
        return (self.rule.target or targets_of(self.list_name)[0]) == self.ledger_list

    def hold(
        self, code: str, detail: str, advice: str, *entries: Entry, field: str | None = None
    ) -> Hold:
        """Return a decision for a person."""
        return Hold(
            code=code,
            source=self.source,
            list_name=self.list_name,
            ledger_list=self.ledger_list,
            detail=detail,
            advice=advice,
            entries=tuple(entry.key for entry in entries),
            field=field,
        )


def pairs_of(board: Board) -> list[Pair]:
    """Return every pair of lists, in the order in which they are worked."""
    return [
        Pair(source, name, target, board.policy.rule(name, source, target))
        for name in LIST_ORDER
        for source in board.state.sources
        for target in targets_of(name)
    ]


def follow_merges(board: Board, plan: Plan) -> None:
    """Let links follow what somebody merged in the ledger."""
    for link in board.links():
        entry = board.get(LEDGER, link.ledger_list, link.ledger_id)
        steps = 0
        while entry is not None and entry.merged_into is not None and steps < MERGES_MAX:
            entry = board.get(LEDGER, link.ledger_list, entry.merged_into)
            steps += 1
        if entry is None or entry.entry_id == link.ledger_id or steps == MERGES_MAX:
            continue
        moved = board.move(link, entry.entry_id)
        detail = f"{link.ledger_id} was merged into {entry.words()} in the ledger"
        plan.links.append(NewLink(moved, link.ledger_id, Reason(code="merged", detail=detail)))


def link_pair(board: Board, pair: Pair, plan: Plan) -> None:
    """Link what belongs together beyond doubt; hold what is doubtful."""
    open_entries = [
        entry
        for entry in board.unlinked(pair.source, pair.list_name, pair.ledger_list)
        if is_selected(pair.rule, entry, board.state.marks)
    ]
    by_name = [entry for entry in open_entries if not _by_statement(board, pair, entry, plan)]
    if pair.rule.match == "exact":
        _by_name(board, pair, by_name, plan)


def _by_statement(board: Board, pair: Pair, entry: Entry, plan: Plan) -> bool:
    """Link an entry whose tracker says itself which one it is; return whether that is settled."""
    if entry.is_synthetic:
        return _by_client(board, pair, entry, plan)
    for stated in entry.stated_links:
        if stated.ledger_list != pair.ledger_list:
            continue
        target = board.get(LEDGER, stated.ledger_list, stated.id)
        if target is None or target.is_gone:
            if board.entries(LEDGER, stated.ledger_list):
                detail = f"{entry.words()} says that it is {stated.id}, which the ledger hasn't"
                advice = "Correct the link in the tracker, or link it by hand."
                plan.holds.append(pair.hold("stated_link_lost", detail, advice, entry))
            return True
        taken = board.is_linked_to(pair.source, pair.list_name, pair.ledger_list, target.entry_id)
        if taken and pair.list_name not in SHAREABLE:
            detail = f"{entry.words()} says that it is {target.words()}, as another entry does"
            advice = "Merge the two in the tracker, or correct one of the links there."
            plan.holds.append(pair.hold("stated_link_twice", detail, advice, entry, target))
            return True
        detail = f"{entry.words()} says itself that it is {target.words()}"
        _link(board, pair, entry, target, "stated", detail, plan)
        return True
    return False


def _by_client(board: Board, pair: Pair, entry: Entry, plan: Plan) -> bool:
    """A project that stands for its client goes wherever the client goes."""
    owner = entry.owner_id and board.link(pair.source, "client", entry.owner_id, "customer")
    target = board.get(LEDGER, "customer", owner.ledger_id) if owner else None
    if target is not None:
        detail = f"{entry.words()} stands for its client"
        _link(board, pair, entry, target, "client", detail, plan)
    return True


def _by_name(board: Board, pair: Pair, entries: list[Entry], plan: Plan) -> None:
    candidates = _candidates(board, pair)
    claims: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        found = _matching(board, pair, entry, candidates)
        usable = [one for one in found if one.is_active] or found
        if len(usable) > 1:
            names = ", ".join(one.words() for one in usable)
            detail = f"{entry.words()} could be any of: {names}"
            advice = "Link it by hand to the one that is meant, or merge them in the ledger."
            plan.holds.append(pair.hold("ambiguous", detail, advice, entry, *usable))
        elif usable and entry.is_active and not usable[0].is_active:
            detail = f"{entry.words()} is active, {usable[0].words()} of that name is not"
            advice = "Make it active in the ledger, or link it by hand to another one."
            plan.holds.append(pair.hold("inactive_match", detail, advice, entry, usable[0]))
        elif usable:
            claims[usable[0].entry_id].append(entry)
    for ledger_id, claimants in claims.items():
        target = board.get(LEDGER, pair.ledger_list, ledger_id)
        if target is not None:
            _settle(board, pair, target, claimants, plan)


def _settle(board: Board, pair: Pair, target: Entry, claimants: list[Entry], plan: Plan) -> None:
    """Link whoever has the name of an entry; of several, the only active one."""
    if pair.list_name in SHAREABLE:
        chosen = claimants
    else:
        active = [entry for entry in claimants if entry.is_active]
        chosen = active if len(active) == 1 else claimants
    if len(chosen) > 1 and pair.list_name not in SHAREABLE:
        names = ", ".join(entry.words() for entry in chosen)
        detail = f"several could be {target.words()}: {names}"
        advice = "Merge them in the tracker, or link the one that is meant by hand."
        plan.holds.append(pair.hold("ambiguous", detail, advice, *chosen, target))
        return
    for entry in chosen:
        detail = f"{entry.words()} and {target.words()} have the same name"
        _link(board, pair, entry, target, "name", detail, plan)


Candidates = dict[tuple[str, str], list[Entry]]


def _candidates(board: Board, pair: Pair) -> Candidates:
    """Return the ledger's free entries by where they stand and what they are called."""
    found: Candidates = defaultdict(list)
    for entry in board.entries(LEDGER, pair.ledger_list):
        if not fits(pair.list_name, entry) or not is_selected(pair.rule, entry, board.state.marks):
            continue
        taken = board.is_linked_to(pair.source, pair.list_name, pair.ledger_list, entry.entry_id)
        if taken and pair.list_name not in SHAREABLE:
            continue
        below = board.root(entry).entry_id if pair.list_name == "project" else ""
        found[below, canonical(entry.label)].append(entry)
    return found


def _matching(board: Board, pair: Pair, entry: Entry, candidates: Candidates) -> list[Entry]:
    """Return the free entries of an entry's name; of projects, below its client's customer."""
    below, client = "", ""
    if pair.list_name == "project":
        owner = entry.owner_id and board.link(pair.source, "client", entry.owner_id, "customer")
        customer = board.get(LEDGER, "customer", owner.ledger_id) if owner else None
        if customer is None:
            return []
        below, client = board.root(customer).entry_id, client_label(board, pair.source, entry)
    for name in names_for(entry, pair.rule, pair.list_name, pair.ledger_list, client):
        found = [
            one
            for one in candidates.get((below, canonical(name)), ())
            if not board.is_apart(_key(pair, entry), one.entry_id)
        ]
        if found:
            return found
    return []


def client_label(board: Board, source: str, entry: Entry) -> str:
    """Return what the client of a tracker's project is called."""
    owner = board.get(source, "client", entry.owner_id) if entry.owner_id else None
    return owner.label if owner is not None else entry.attributes.get("client_name", "")


def _key(pair: Pair, entry: Entry) -> tuple[str, ListName, str, LedgerList]:
    return (pair.source, pair.list_name, entry.entry_id, pair.ledger_list)


def _link(
    board: Board, pair: Pair, entry: Entry, target: Entry, how: How, detail: str, plan: Plan
) -> None:
    key = _key(pair, entry)
    if board.is_apart(key, target.entry_id):
        return
    link = Link(*key, ledger_id=target.entry_id, how=how)
    board.add(link)
    plan.links.append(NewLink(replace(link), None, Reason(code=how, detail=detail)))
