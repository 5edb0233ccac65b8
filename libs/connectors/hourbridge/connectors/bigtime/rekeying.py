"""Entries whose id BigTime changed: told by what they say, matched one to one.

An entry's id is negative until it is submitted and another one afterwards; nothing points from
the new to the old. A rejection may change it again. So: what vanished and what appeared with the
same person, day, project, labor code, hours and notes is the same entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.common.ids import derive_key
from hourbridge.common.money import EXACT
from hourbridge.connectors.bigtime.rows import Row

_CHARACTERS = 12


@dataclass(frozen=True)
class Remembered:
    """What is kept of an entry that was stated."""

    day: int
    """Ordinal of its date."""
    mark: str
    """Equal for entries that say the same."""


def mark_of(row: Row) -> str:
    """Return what tells an entry but for its id; 1.50 and 1.5 hours are the same."""
    hours = row.number("Hours_IN")
    parts = (
        row.identifier("StaffSID") or "",
        str(row.day("Dt")),
        row.identifier("ProjectSID") or "",
        row.identifier("BudgCatID") or "",
        _plain(hours),
        " ".join((row.text("Notes") or "").split()),
    )
    return derive_key(*parts, length=_CHARACTERS)


def is_temporary(entry_id: str) -> bool:
    """Return whether an id will change at submission."""
    return entry_id.startswith("-")


def matches(
    vanished: Mapping[str, Remembered], appeared: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Return new id to former id for entries that were given another one.

    ``appeared`` are (id, mark) pairs. Twins are paired in the order in which they were made, so
    two remain two and a repeat finds the same pairs; what has no partner is gone, or new.
    """
    former: dict[str, list[str]] = {}
    for entry_id in sorted(vanished, key=_age):
        former.setdefault(vanished[entry_id].mark, []).append(entry_id)
    found = {}
    for entry_id, mark in sorted(appeared, key=lambda each: _age(each[0])):
        waiting = former.get(mark)
        if waiting:
            found[entry_id] = waiting.pop(0)
    return found


def _age(entry_id: str) -> tuple[int, str]:
    """Sort by when an id was given out: the number counts up, whatever its sign."""
    digits = entry_id.lstrip("-")
    return (len(digits), digits)


def _plain(number: Decimal | None) -> str:
    if number is None:
        return ""
    return format(number.normalize(EXACT), "f") if number else "0"
