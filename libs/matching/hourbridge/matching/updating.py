"""What changes on linked entries: fields that flow, conflicts, and who may write."""

from __future__ import annotations

from collections.abc import Iterable

from hourbridge.common.book.lists import ListRule
from hourbridge.common.messages.events import Reason
from hourbridge.matching.board import Board
from hourbridge.matching.correspondence import fields_of, targets_of
from hourbridge.matching.entry import ACTIVE, LEDGER, NAME, Entry, flag
from hourbridge.matching.linking import Pair, client_label
from hourbridge.matching.merging import FieldSides, Merge, common_fields, merge
from hourbridge.matching.names import tidy
from hourbridge.matching.naming import free_name, names_for
from hourbridge.matching.selection import is_selected
from hourbridge.matching.state import Agreement, Change, Link, Plan

_ADVICE = "Correct one of the two, or set the field's winner in the rule of the list."


def update_linked(board: Board, pair: Pair, plan: Plan) -> None:
    """Plan what flows between the linked entries of two lists, one write per entry at a time."""
    for entry in board.entries(pair.source, pair.list_name):
        link = board.link(pair.source, pair.list_name, entry.entry_id, pair.ledger_list)
        if link is None or link.how == "client":
            continue
        target = board.get(LEDGER, link.ledger_list, link.ledger_id)
        if target is None:
            continue
        marks = board.state.marks
        if is_selected(pair.rule, entry, marks) and is_selected(pair.rule, target, marks):
            _update(board, pair, link, entry, target, plan)


def _update(board: Board, pair: Pair, link: Link, entry: Entry, target: Entry, plan: Plan) -> None:
    merged = merge(_sides(board, pair, link, entry, target))
    if merged.agreed:
        plan.agreements.append(Agreement(link.key, merged.agreed))
    _tell_open(pair, entry, target, merged, plan)
    if merged.to_ledger and not board.is_busy(target):
        change = _to_ledger(board, pair, link, entry, target, merged, plan)
        if change is not None:
            plan.changes.append(change)
    if merged.to_source and not board.is_busy(entry):
        plan.changes.append(_to_source(pair, link, entry, target, merged))


def _sides(
    board: Board, pair: Pair, link: Link, entry: Entry, target: Entry
) -> Iterable[FieldSides]:
    rule = pair.rule
    leads_ledger = rule.writes_ledger and _leads_ledger(board, link) and not target.is_gone
    leads_source = rule.writes_source and _leads_source(board, pair, entry)
    ours = {name: entry.value(name) for name in fields_of(pair.list_name)}
    theirs = {name: target.value(name) for name in fields_of(pair.list_name)}
    ours[ACTIVE] = flag(_any_active(board, link))
    client = client_label(board, pair.source, entry)
    stand_ins = names_for(entry, rule, pair.list_name, pair.ledger_list, client)
    for name, source, ledger in common_fields(fields_of(pair.list_name), rule, ours, theirs):
        may = rule.inactivate if name == ACTIVE else rule.update
        yield FieldSides(
            name=name,
            source=source,
            ledger=ledger,
            agreed=link.agreed.get(name),
            may_write_ledger=may and leads_ledger,
            may_write_source=may and leads_source and (name != ACTIVE or _is_alone(board, link)),
            winner=rule.wins(name),
            stand_ins=stand_ins if name == NAME else (),
        )


def _leads_ledger(board: Board, link: Link) -> bool:
    """Return whether a link is the one whose tracker may write the ledger's entry.

    With several trackers, or several entries of one, the first one leads: two that wrote in turn
    would never come to rest.
    """
    for other in board.linked_from(link.ledger_list, link.ledger_id):
        entry = board.get(other.source, other.list_name, other.entry_id)
        rule = board.policy.rule(other.list_name, other.source, other.ledger_list)
        if other.how != "client" and rule.writes_ledger and entry is not None and not entry.is_gone:
            return other.key == link.key
    return False


def _leads_source(board: Board, pair: Pair, entry: Entry) -> bool:
    """Return whether this list of the ledger may write a tracker's entry that has links to two.

    A person who is employee and vendor follows the employee.
    """
    for target in targets_of(pair.list_name):
        link = board.link(pair.source, pair.list_name, entry.entry_id, target)
        rule = board.policy.rule(pair.list_name, pair.source, target)
        if link is not None and rule.writes_source:
            return target == pair.ledger_list
    return False


def _any_active(board: Board, link: Link) -> bool:
    """Return whether any entry that stands for the ledger's is active: until then it's needed."""
    for other in board.linked_from(link.ledger_list, link.ledger_id):
        entry = board.get(other.source, other.list_name, other.entry_id)
        if other.how != "client" and entry is not None and entry.is_usable:
            return True
    return False


def _is_alone(board: Board, link: Link) -> bool:
    """Return whether no other entry stands for the ledger's, which then isn't shared."""
    others = board.linked_from(link.ledger_list, link.ledger_id)
    return all(other.key == link.key or other.how == "client" for other in others)


def _tell_open(pair: Pair, entry: Entry, target: Entry, merged: Merge, plan: Plan) -> None:
    about = f"{entry.words()} and {target.words()}"
    for name, verdict in merged.conflicts.items():
        if verdict != "hold":
            continue
        detail = f"{_both(name, entry, target)}: both changed since they agreed, {about}"
        plan.holds.append(pair.hold("conflict", detail, _ADVICE, entry, target, field=name))
    held = [
        name
        for name in (*merged.kept, *_held_at_first(pair.rule, entry, target, merged))
        if name not in merged.conflicts
    ]
    for name in held:
        detail = f"{_both(name, entry, target)}, {about}"
        code = "difference"
        plan.differences.append(pair.hold(code, detail, _ADVICE, entry, target, field=name))


def _held_at_first(rule: ListRule, entry: Entry, target: Entry, merged: Merge) -> list[str]:
    decided = {*merged.agreed, *merged.to_ledger, *merged.to_source, *merged.kept}
    return [
        name
        for name in (NAME, ACTIVE, *entry.values)
        if rule.wins(name) == "hold"
        and name not in decided
        and name not in rule.ignore
        and target.value(name) is not None
        and entry.value(name) != target.value(name)
    ]


def _both(name: str, entry: Entry, target: Entry) -> str:
    return f"{name} is {entry.value(name)!r} in {entry.side}, {target.value(name)!r} in the ledger"


def _reasons(merged: Merge, names: Iterable[str], winner: str) -> tuple[Reason, ...]:
    reasons = []
    for name in names:
        if name in merged.conflicts:
            detail = f"{name} changed on both sides; by the rule, {winner} wins"
            reasons.append(Reason(code="conflict_decided", detail=detail))
        else:
            reasons.append(Reason(code="changed", detail=f"{name} differs; taken from {winner}"))
    return tuple(reasons)


def _to_ledger(
    board: Board, pair: Pair, link: Link, entry: Entry, target: Entry, merged: Merge, plan: Plan
) -> Change | None:
    """Return the ledger's next write; whether it is active is written alone, after the rest."""
    values = dict(merged.to_ledger)
    active = values.pop(ACTIVE, None)
    if active == flag(True):
        return _activity(pair, link, entry, target, LEDGER, "reactivate")
    if not target.is_active:
        return None
    if not values:
        return _activity(pair, link, entry, target, LEDGER, "inactivate") if active else None
    reasons = _reasons(merged, values, f"the tracker {pair.source}")
    basis = dict(values)
    name = values.pop(NAME, None)
    if name is not None:
        client = client_label(board, pair.source, entry)
        naming = free_name(
            board, entry, pair.rule, pair.list_name, pair.ledger_list, client=client, present=target
        )
        name = naming.name
        reasons = (*reasons, *naming.reasons)
        if name is None:
            detail = "; ".join(r.detail for r in naming.reasons) or "the name is being given away"
            told = f"{target.words()} can't be called {entry.label!r}: {detail}"
            advice = "Rename one of the two, or give the rule a collision_name."
            plan.holds.append(pair.hold("name_collision", told, advice, entry, target))
            del basis[NAME]
        elif name == tidy(target.label):
            plan.agreements.append(Agreement(link.key, {NAME: (entry.label, target.label)}))
            name = None
            del basis[NAME]
    if name is None and not values:
        return None
    if name is not None:
        board.reserve(LEDGER, pair.ledger_list, name, entry.key)
        values[NAME] = name
    return Change(
        side=LEDGER,
        list_name=pair.ledger_list,
        kind="update",
        link_key=link.key,
        origin=entry,
        entry=target,
        name=name,
        values={field: value for field, value in values.items() if field != NAME},
        before={field: target.value(field) or "" for field in values},
        basis=basis,
        reasons=reasons,
        needs_approval=pair.rule.approval == "required",
    )


def _to_source(pair: Pair, link: Link, entry: Entry, target: Entry, merged: Merge) -> Change:
    values = dict(merged.to_source)
    active = values.pop(ACTIVE, None)
    if active == flag(True):
        return _activity(pair, link, entry, target, pair.source, "reactivate")
    if not values:
        return _activity(pair, link, entry, target, pair.source, "inactivate")
    return Change(
        side=pair.source,
        list_name=pair.list_name,
        kind="update",
        link_key=link.key,
        origin=target,
        entry=entry,
        name=values.get(NAME),
        values={field: value for field, value in values.items() if field != NAME},
        before={field: entry.value(field) or "" for field in values},
        basis=values,
        reasons=_reasons(merged, values, "the ledger"),
        needs_approval=pair.rule.approval == "required",
    )


def _activity(pair: Pair, link: Link, entry: Entry, target: Entry, side: str, kind: str) -> Change:
    written, origin = (target, entry) if side == LEDGER else (entry, target)
    wakes = kind == "reactivate"
    other = f"the tracker {pair.source}" if side == LEDGER else "the ledger"
    detail = f"it is {'active' if wakes else 'no longer active'} in {other}"
    return Change(
        side=side,
        list_name=pair.ledger_list if side == LEDGER else pair.list_name,
        kind="reactivate" if wakes else "inactivate",
        link_key=link.key,
        origin=origin,
        entry=written,
        name=written.label if wakes else None,
        before={ACTIVE: flag(not wakes)},
        basis={ACTIVE: flag(wakes)},
        reasons=(Reason(code=kind, detail=detail),),
        needs_approval=pair.rule.approval == "required",
    )
