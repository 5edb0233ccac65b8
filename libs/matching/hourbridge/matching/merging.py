"""Three-way merge of the fields of two linked entries, against what they last agreed on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from hourbridge.common.book.lists import ListRule, Winner
from hourbridge.matching.entry import NAME
from hourbridge.matching.names import canonical
from hourbridge.matching.state import Agreed

Verdict = Literal["same", "to_ledger", "to_source", "hold", "keep"]


@dataclass(frozen=True, slots=True)
class FieldSides:
    """One field on both sides, what was agreed, and who may be written."""

    name: str
    source: str
    ledger: str
    agreed: tuple[str, str] | None
    may_write_ledger: bool
    may_write_source: bool
    winner: Winner
    stand_ins: Collection[str] = ()
    """Further values of the ledger that stand for the source's: of names, made by a template."""


@dataclass(slots=True)
class Merge:
    """What becomes of the fields of two linked entries."""

    agreed: Agreed = field(default_factory=dict)
    to_ledger: dict[str, str] = field(default_factory=dict)
    to_source: dict[str, str] = field(default_factory=dict)
    conflicts: dict[str, Literal["to_ledger", "to_source", "hold"]] = field(default_factory=dict)
    """Fields that both sides changed, and what was decided."""
    kept: list[str] = field(default_factory=list)
    """Fields that differ because the policy lets each side keep its own."""


def merge(sides: Iterable[FieldSides]) -> Merge:
    """Decide each field. Applying what is decided and merging again decides nothing more."""
    result = Merge()
    for each in sides:
        verdict = decide(each)
        if verdict == "same":
            if each.agreed != (each.source, each.ledger):
                result.agreed[each.name] = (each.source, each.ledger)
            continue
        if is_conflict(each) and verdict != "keep":
            result.conflicts[each.name] = verdict
        if verdict == "to_ledger":
            result.to_ledger[each.name] = each.source
        elif verdict == "to_source":
            result.to_source[each.name] = each.ledger
        elif verdict == "keep":
            result.kept.append(each.name)
    return result


def decide(sides: FieldSides) -> Verdict:
    """Return what is to be done about one field.

    A change on one side flows to the other where that may be written. Where both changed, where
    nothing was ever agreed, and where a change may not flow, the winner's value stands, if the
    other side may be written at all.
    """
    if sides.agreed is None:
        return "same" if _stands_for(sides) else _by_winner(sides)
    if sides.source == sides.ledger:
        return "same"
    source_moved = sides.source != sides.agreed[0]
    ledger_moved = sides.ledger != sides.agreed[1]
    if not source_moved and not ledger_moved:
        return "same"
    if source_moved and not ledger_moved and sides.may_write_ledger:
        return "to_ledger"
    if ledger_moved and not source_moved and sides.may_write_source:
        return "to_source"
    return _by_winner(sides)


def is_conflict(sides: FieldSides) -> bool:
    """Return whether both sides changed a field since they agreed on it."""
    agreed = sides.agreed
    return agreed is not None and sides.source != agreed[0] and sides.ledger != agreed[1]


def _stands_for(sides: FieldSides) -> bool:
    if sides.name != NAME:
        return sides.source == sides.ledger
    known = {canonical(name) for name in (sides.source, *sides.stand_ins)}
    return canonical(sides.ledger) in known


def _by_winner(sides: FieldSides) -> Verdict:
    if sides.winner == "hold":
        return "hold" if sides.may_write_ledger or sides.may_write_source else "keep"
    if sides.winner == "ledger":
        return "to_source" if sides.may_write_source else "keep"
    return "to_ledger" if sides.may_write_ledger else "keep"


def common_fields(
    names: Iterable[str],
    rule: ListRule,
    source: Mapping[str, str | None],
    ledger: Mapping[str, str | None],
) -> list[tuple[str, str, str]]:
    """Return the fields that both sides know, with both values; a rule may ignore some."""
    found = []
    for name in names:
        ours, theirs = source.get(name), ledger.get(name)
        if name not in rule.ignore and ours is not None and theirs is not None:
            found.append((name, ours, theirs))
    return found
