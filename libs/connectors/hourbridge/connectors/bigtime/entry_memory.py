"""What is remembered of the entries that were stated: to find re-keyed, moved and lost ones.

A filter never leaves out what was stated before: who learned of an approved entry has to learn
that it was rejected. And what is missing under its id is asked for, unless it is the re-keyed one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from hourbridge.connectors.bigtime.cursors import Cursor
from hourbridge.connectors.bigtime.rekeying import Remembered, matches
from hourbridge.connectors.source import Span

LOST = "lost"
"""In the cursor: ids that a reading missed, asked for at the next turn."""


class EntryMemory:
    """The memory of one group (a person's sheet, a project, everything) within some days."""

    def __init__(self, cursor: Cursor, group: str, span: Span, *, is_kept: bool) -> None:
        self._cursor = cursor
        self._group = group
        self._is_kept = is_kept
        known = cursor.memory.get(group, {}) if is_kept else {}
        first, last = span.first.toordinal(), span.last.toordinal()
        self._inside = {
            entry_id: kept for entry_id, kept in known.items() if first <= kept.day <= last
        }
        self._outside = {
            entry_id: kept for entry_id, kept in known.items() if entry_id not in self._inside
        }
        self._stated: dict[str, Remembered] = {}
        self._former: dict[str, str] = {}
        self._seen: set[str] = set()

    def see(self, rows: Iterable[tuple[str, str]]) -> None:
        """Take note of all (id, mark) pairs of the group before any is stated."""
        pairs = list(rows)
        self._seen = {entry_id for entry_id, _ in pairs}
        vanished = {
            entry_id: kept for entry_id, kept in self._inside.items() if entry_id not in self._seen
        }
        known = self._inside.keys() | self._outside.keys()
        self._former = matches(vanished, [pair for pair in pairs if pair[0] not in known])

    def former_id(self, entry_id: str) -> str | None:
        """Return the id that the entry had before."""
        return self._former.get(entry_id)

    def was_stated(self, entry_id: str) -> bool:
        """Return whether an earlier reading stated the entry, under this id or a former one."""
        return entry_id in self._inside or entry_id in self._outside or entry_id in self._former

    def state(self, entry_id: str, day: date, mark: str) -> None:
        """Remember an entry that is stated now."""
        self._stated[entry_id] = Remembered(day.toordinal(), mark)

    def close(self) -> None:
        """Write the group's memory to the cursor; what was lost is asked for later."""
        if not self._is_kept:
            return
        rekeyed = set(self._former.values())
        lost = [
            entry_id
            for entry_id in self._inside
            if entry_id not in self._seen and entry_id not in rekeyed
        ]
        remember_lost(self._cursor, lost)
        outside = {i: kept for i, kept in self._outside.items() if i not in self._seen}
        self._cursor.memory[self._group] = {**outside, **self._stated}


def remember_lost(cursor: Cursor, entry_ids: Iterable[str]) -> None:
    """Note ids that have to be asked for."""
    known = set(cursor.kept.get(LOST, []))
    known.update(entry_ids)
    if known:
        cursor.kept[LOST] = sorted(known)


def forget_outside(cursor: Cursor, span: Span) -> None:
    """Forget entries of days that a window has left behind."""
    first = span.first.toordinal()
    for group, entries in list(cursor.memory.items()):
        kept = {entry_id: each for entry_id, each in entries.items() if each.day >= first}
        if kept:
            cursor.memory[group] = kept
        else:
            del cursor.memory[group]


def forget_groups(cursor: Cursor, groups: Iterable[str]) -> None:
    """Ask for the entries of groups that are no longer read: a person who was deleted."""
    present = set(groups)
    entries: Mapping[str, Remembered]
    for group, entries in list(cursor.memory.items()):
        if group not in present:
            remember_lost(cursor, entries)
            del cursor.memory[group]
