"""What is made on a side that lacks it."""

from __future__ import annotations

from hourbridge.common.messages.events import Reason
from hourbridge.matching.board import Board
from hourbridge.matching.correspondence import SHAREABLE, comes_across, targets_of
from hourbridge.matching.entry import ACTIVE, LEDGER, NAME, Entry, flag
from hourbridge.matching.linking import Pair, client_label
from hourbridge.matching.names import canonical
from hourbridge.matching.naming import free_name
from hourbridge.matching.selection import is_selected
from hourbridge.matching.similarity import Near
from hourbridge.matching.state import Change, Hold, Plan, Waiting

NearByEntry = dict[str, list[Near[Entry]]]
"""By the id of an unlinked entry: what of the other side is called nearly the same."""

_TYPES = {"labor_code": "Service", "task": "Service", "expense_code": "NonInventory"}
_SERVICE_FIELDS = ("email", "legal_name", "given_name", "family_name", "rate", "cost_rate")


def create_in_ledger(
    board: Board, pair: Pair, held: set[str], near: NearByEntry, plan: Plan
) -> None:
    """Plan entries of the ledger for those of a tracker that have none.

    ``held`` are the ids of entries that a person has to decide about first.
    """
    rule = pair.rule
    if not (rule.writes_ledger and rule.create and pair.is_primary):
        return
    for entry in board.unlinked(pair.source, pair.list_name, pair.ledger_list):
        if not entry.is_usable or entry.is_header or entry.is_synthetic or entry.entry_id in held:
            continue
        if not is_selected(rule, entry, board.state.marks) or _is_elsewhere(board, pair, entry):
            continue
        if board.is_coming(LEDGER, pair.ledger_list, entry.key):
            continue
        if board.coming(pair.source, pair.list_name, entry.name) is not None:
            continue  # it may be the one that is being made there for the ledger's own
        _create_in_ledger(board, pair, entry, near.get(entry.entry_id, []), plan)


def _is_elsewhere(board: Board, pair: Pair, entry: Entry) -> bool:
    """Return whether the entry is linked to another of the ledger's lists: a contractor."""
    return any(
        board.link(pair.source, pair.list_name, entry.entry_id, target) is not None
        for target in targets_of(pair.list_name)
    )


def _create_in_ledger(
    board: Board, pair: Pair, entry: Entry, near: list[Near[Entry]], plan: Plan
) -> None:
    parent: Entry | None = None
    if pair.list_name == "project":
        parent = _parent_of(board, pair, entry, plan)
        if parent is None:
            return
    client = client_label(board, pair.source, entry)
    naming = free_name(board, entry, pair.rule, pair.list_name, pair.ledger_list, client=client)
    if naming.name is None:
        if not naming.is_awaited and pair.list_name not in SHAREABLE:
            plan.holds.append(_collision(pair, entry, naming.reasons))
        return
    board.reserve(LEDGER, pair.ledger_list, naming.name, entry.key)
    values = {name: entry.values[name] for name in _SERVICE_FIELDS if name in entry.values}
    if pair.ledger_list == "employee" and not values.keys() & {"given_name", "family_name"}:
        values["family_name"] = entry.label
    below = f" below {parent.words()}" if parent else ""
    detail = f"the ledger has no {pair.ledger_list} for {entry.words()}{below}"
    plan.changes.append(
        Change(
            side=LEDGER,
            list_name=pair.ledger_list,
            kind="create",
            link_key=(pair.source, pair.list_name, entry.entry_id, pair.ledger_list),
            origin=entry,
            name=naming.name,
            parent_id=parent.entry_id if parent else None,
            type=_TYPES.get(pair.list_name) if pair.ledger_list == "item" else None,
            values=values,
            basis={NAME: entry.label, ACTIVE: flag(True), **values},
            attributes=_attributes(pair, entry),
            reasons=(Reason(code="missing", detail=detail), *naming.reasons, *_near(near)),
            needs_approval=pair.rule.approval == "required" or bool(near),
        )
    )


def _attributes(pair: Pair, entry: Entry) -> dict[str, str]:
    """Return what the rule adds; a currency is fixed when a customer or vendor is made."""
    own = {"CurrencyRef.value": entry.currency} if entry.currency else {}
    return {**own, **pair.rule.attributes}


def _parent_of(board: Board, pair: Pair, entry: Entry, plan: Plan) -> Entry | None:
    """Return under which customer a job goes; note what it waits for."""
    if entry.owner_id is None:
        detail = f"{entry.words()} names no client; a job needs a customer"
        advice = "Give the project a client in the tracker, or link it by hand."
        plan.holds.append(pair.hold("no_client", detail, advice, entry))
        return None
    if entry.parent_id is not None:
        above = board.link(pair.source, "project", entry.parent_id, "customer")
        found = board.get(LEDGER, "customer", above.ledger_id) if above else None
        if found is not None and found.is_usable:
            return found
    link = board.link(pair.source, "client", entry.owner_id, "customer")
    found = board.get(LEDGER, "customer", link.ledger_id) if link else None
    if found is None or not found.is_usable:
        state = "isn't in the ledger yet" if found is None else "is inactive in the ledger"
        client = client_label(board, pair.source, entry) or entry.owner_id
        detail = f"{entry.words()}: its client {client!r} {state}"
        plan.waiting.append(Waiting(entry.key, (pair.source, "client", entry.owner_id), detail))
        return None
    return found


def _collision(pair: Pair, entry: Entry, reasons: tuple[Reason, ...]) -> Hold:
    detail = "; ".join(reason.detail for reason in reasons)
    told = f"{entry.words()} can't be made in the ledger: {detail}"
    advice = (
        "Link it by hand if the two are the same; else rename one of them, "
        "or give the rule of the list a collision_name."
    )
    return pair.hold("name_collision", told, advice, entry)


def _near(near: list[Near[Entry]]) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            code="near_name",
            detail=f"{pair.other.words()} is called nearly the same ({pair.percent} %)",
        )
        for pair in near[:3]
    )


def create_in_source(
    board: Board, pair: Pair, held: set[str], near: NearByEntry, plan: Plan
) -> None:
    """Plan entries of a tracker for those of the ledger that have none there."""
    rule = pair.rule
    if not (rule.writes_source and rule.create and pair.is_primary):
        return
    names = _names_there(board, pair)
    for entry in board.entries(LEDGER, pair.ledger_list):
        if not entry.is_usable or entry.entry_id in held or not _comes(board, pair, entry):
            continue
        if not is_selected(rule, entry, board.state.marks) or board.is_coming(
            pair.source, pair.list_name, entry.key
        ):
            continue
        if board.is_linked_to(pair.source, pair.list_name, pair.ledger_list, entry.entry_id):
            continue
        if board.coming(LEDGER, pair.ledger_list, entry.name) is not None:
            continue  # our own, of which the answer is still to come
        _create_in_source(board, pair, entry, near.get(entry.entry_id, []), names, plan)


def _comes(board: Board, pair: Pair, entry: Entry) -> bool:
    if pair.list_name == "project" and entry.parent_id is None:
        wanted = pair.rule.customer_projects
        return wanted == "always" or (wanted == "without_jobs" and not board.has_children(entry))
    return comes_across(pair.list_name, entry, has_children=board.has_children(entry))


Names = set[tuple[str, str]]
"""Owner and canonical name of what a tracker has."""


def _names_there(board: Board, pair: Pair) -> Names:
    entries = board.entries(pair.source, pair.list_name)
    return {(entry.owner_id or "", canonical(entry.label)) for entry in entries}


def _create_in_source(
    board: Board, pair: Pair, entry: Entry, near: list[Near[Entry]], names: Names, plan: Plan
) -> None:
    owner: str | None = None
    if pair.list_name == "project":
        root = board.root(entry)
        clients = [
            link
            for link in board.linked_from("customer", root.entry_id)
            if link.source == pair.source and link.list_name == "client"
        ]
        if not clients:
            detail = f"{entry.words()}: {pair.source} has no client for {root.words()} yet"
            plan.waiting.append(Waiting(entry.key, root.key, detail))
            return
        owner = clients[0].entry_id
    name = _name_there(board, entry, owner or "", names)
    if name is None:
        if pair.list_name in SHAREABLE:
            return
        detail = f"{pair.source} has a {pair.list_name} {entry.label!r} already, with another link"
        advice = "Link it by hand if the two are the same; else rename one of them."
        plan.holds.append(pair.hold("name_collision", detail, advice, entry))
        return
    names.add((owner or "", canonical(name)))
    board.reserve(pair.source, pair.list_name, name, entry.key)
    is_synthetic = pair.list_name == "project" and entry.parent_id is None
    detail = f"{pair.source} has no {pair.list_name.replace('_', ' ')} for {entry.words()}"
    plan.changes.append(
        Change(
            side=pair.source,
            list_name=pair.list_name,
            kind="create",
            link_key=(pair.source, pair.list_name, "", pair.ledger_list),
            origin=entry,
            name=name,
            parent_id=owner,
            values=dict(entry.values),
            basis={NAME: entry.label, ACTIVE: flag(True), **entry.values},
            attributes={"is_synthetic": "true"} if is_synthetic else {},
            reasons=(Reason(code="missing", detail=detail), *_near(near)),
            needs_approval=pair.rule.approval == "required" or bool(near),
        )
    )


def _name_there(board: Board, entry: Entry, owner: str, names: Names) -> str | None:
    """Return what a tracker is to call an entry: of equal jobs, with the name of the one above."""
    own = entry.label
    if (owner, canonical(own)) not in names:
        return own
    above = entry.parent_id and board.get(LEDGER, entry.list_name, entry.parent_id)
    longer = f"{above.label} - {own}" if above else own
    return None if (owner, canonical(longer)) in names else longer
