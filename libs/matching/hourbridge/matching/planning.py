"""From what both sides hold to what is to be done: links, writes, and decisions for people.

Pure: the same state gives the same plan. Carrying a plan out and planning again comes to rest:
what was written is agreed upon, and only one entry of one tracker leads where several share one
of the ledger.
"""

from __future__ import annotations

from collections import defaultdict

from hourbridge.matching.board import Board
from hourbridge.matching.correspondence import fits
from hourbridge.matching.creating import NearByEntry, create_in_ledger, create_in_source
from hourbridge.matching.entry import LEDGER, Entry
from hourbridge.matching.linking import Pair, client_label, follow_merges, link_pair, pairs_of
from hourbridge.matching.selection import is_selected
from hourbridge.matching.similarity import Near, near_pairs
from hourbridge.matching.state import ListState, Plan, Suggestion
from hourbridge.matching.updating import update_linked


def plan_lists(state: ListState) -> Plan:
    """Return what to do about the lists of one book."""
    board = Board(state)
    plan = Plan()
    follow_merges(board, plan)
    pairs = pairs_of(board)
    for pair in pairs:
        link_pair(board, pair, plan)
    for pair in pairs:
        _check_owner(board, pair, plan)
        update_linked(board, pair, plan)
    for pair in pairs:
        _complete(board, pair, plan)
    return plan


def _complete(board: Board, pair: Pair, plan: Plan) -> None:
    """Suggest what is nearly the same, and make what is missing."""
    held = {
        entry_id
        for hold in plan.holds
        if hold.source == pair.source and hold.list_name == pair.list_name
        for side, _, entry_id in hold.entries
        if side == pair.source
    }
    held_there = {
        entry_id
        for hold in plan.holds
        if hold.source == pair.source and hold.ledger_list == pair.ledger_list
        for side, _, entry_id in hold.entries
        if side == LEDGER
    }
    near = _suggest(board, pair, plan) if board.policy.suggest_near_names else []
    ours: NearByEntry = defaultdict(list)
    theirs: NearByEntry = defaultdict(list)
    for found in near:
        ours[found.one.entry_id].append(found)
        theirs[found.other.entry_id].append(Near(found.other, found.one, found.percent))
    create_in_ledger(board, pair, held, ours, plan)
    create_in_source(board, pair, held_there, theirs, plan)


def _suggest(board: Board, pair: Pair, plan: Plan) -> list[Near[Entry]]:
    marks = board.state.marks
    free = {
        entry.key: entry
        for entry in board.unlinked(pair.source, pair.list_name, pair.ledger_list)
        if entry.is_usable and not entry.is_synthetic and is_selected(pair.rule, entry, marks)
    }
    there = {
        entry.key: entry
        for entry in board.entries(LEDGER, pair.ledger_list)
        if entry.is_usable
        and fits(pair.list_name, entry)
        and is_selected(pair.rule, entry, marks)
        and not board.is_linked_to(pair.source, pair.list_name, pair.ledger_list, entry.entry_id)
    }
    ours = {key: _told(board, pair, entry) for key, entry in free.items()}
    theirs = {key: (e.full_name or e.label).replace(":", " ") for key, e in there.items()}
    found = []
    for pair_found in near_pairs(ours, theirs):
        one, other = free[pair_found.one], there[pair_found.other]
        key = (pair.source, pair.list_name, one.entry_id, pair.ledger_list)
        if board.is_apart(key, other.entry_id):
            continue
        detail = f"{one.words()} and {other.words()} are called nearly the same"
        plan.suggestions.append(Suggestion(key, other.entry_id, pair_found.percent, detail))
        found.append(Near(one, other, pair_found.percent))
    return found


def _told(board: Board, pair: Pair, entry: Entry) -> str:
    """Return the name that is compared: a project's is only one together with its client's."""
    if pair.list_name != "project":
        return entry.label
    return f"{client_label(board, pair.source, entry)} {entry.label}"


def _check_owner(board: Board, pair: Pair, plan: Plan) -> None:
    """Hold projects that went to another client than their job's customer."""
    if pair.list_name != "project":
        return
    for entry in board.entries(pair.source, "project"):
        link = board.link(pair.source, "project", entry.entry_id, "customer")
        job = board.get(LEDGER, "customer", link.ledger_id) if link else None
        owner = entry.owner_id and board.link(pair.source, "client", entry.owner_id, "customer")
        customer = board.get(LEDGER, "customer", owner.ledger_id) if owner else None
        if job is None or customer is None or job.is_gone:
            continue
        root = board.root(customer)
        if board.root(job).key != root.key:
            detail = f"{entry.words()} is {job.words()}, but its client is {root.words()}"
            advice = "Move the job in the ledger, or link the project to another one."
            plan.holds.append(pair.hold("other_client", detail, advice, entry, job))
