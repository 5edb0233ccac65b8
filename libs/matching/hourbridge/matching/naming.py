"""What an entry shall be called in the ledger, where names are taken or refused."""

from __future__ import annotations

from dataclasses import dataclass

from hourbridge.common.book.lists import COLLISION_NAMES, LedgerList, ListName, ListRule
from hourbridge.common.messages.events import Reason
from hourbridge.matching.board import Board
from hourbridge.matching.entry import LEDGER, Entry
from hourbridge.matching.names import accepted, from_template, tidy


@dataclass(frozen=True, slots=True)
class Naming:
    """A free name with the reasons why it isn't the entry's own; or None with what is wrong."""

    name: str | None
    reasons: tuple[Reason, ...] = ()
    is_awaited: bool = False
    """An entry of this name is being made for another one: it may turn out to be the same."""


def template_of(rule: ListRule, list_name: ListName) -> str | None:
    """Return the template of a list's distinguishing names, None where it has none."""
    return rule.collision_name or COLLISION_NAMES.get(list_name)


def names_for(
    entry: Entry, rule: ListRule, list_name: ListName, ledger_list: LedgerList, client: str
) -> tuple[str, ...]:
    """Return the names under which the ledger may know an entry: its own, then by template."""
    own = accepted(entry.label, ledger_list)
    template = template_of(rule, list_name)
    if template is None:
        return (own,)
    made = from_template(
        template, name=entry.label, client=client, code=entry.code or "", id=entry.entry_id
    )
    return tuple(dict.fromkeys((own, accepted(made, ledger_list))))


def free_name(
    board: Board,
    entry: Entry,
    rule: ListRule,
    list_name: ListName,
    ledger_list: LedgerList,
    *,
    client: str = "",
    present: Entry | None = None,
) -> Naming:
    """Return a name that the ledger will take for ``entry``; ``present`` is its entry there."""
    own, *others = names_for(entry, rule, list_name, ledger_list, client)
    taken = _taken(board, ledger_list, own, entry, present)
    if taken is None:
        return Naming(own, _changed(entry, own))
    if taken == "awaited":
        return Naming(None, is_awaited=True)
    if rule.on_collision == "rename":
        for name in others:
            if _taken(board, ledger_list, name, entry, present) is None:
                detail = f"{taken}; called {name!r} to tell them apart"
                return Naming(name, (Reason(code="name_collision", detail=detail),))
    return Naming(None, (Reason(code="name_collision", detail=taken),))


def _taken(
    board: Board, ledger_list: LedgerList, name: str, entry: Entry, present: Entry | None
) -> str | None:
    """Return who has a name, in words; None when it is free."""
    if not name:
        return "nothing is left of the name that the ledger would take"
    own = present.key if present is not None else None
    holder = next((h for h in board.holders(ledger_list, name) if h.key != own), None)
    if holder is not None:
        state = "" if holder.is_active else "inactive "
        return f"the ledger has the {state}{holder.words()} already"
    origin = board.coming(LEDGER, ledger_list, name)
    if origin is not None and origin != entry.key:
        is_same_list = origin[1] == entry.list_name and origin[0] != entry.side
        return "awaited" if is_same_list else f"the name {name!r} is being given to another entry"
    return None


def _changed(entry: Entry, name: str) -> tuple[Reason, ...]:
    if name == tidy(entry.label):
        return ()
    detail = f"the ledger doesn't take {entry.label!r} as it is; called {name!r} there"
    return (Reason(code="name_adapted", detail=detail),)
