"""Change data capture: steps from where the last answer ended, and what to do at its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hourbridge.connectors.quickbooks_online.inbound.asking import (
    Asking,
    Changes,
    Row,
    instant_of,
    updated_since,
)
from hourbridge.connectors.quickbooks_online.inbound.cursors import OVERLAP, Cursor
from hourbridge.connectors.quickbooks_online.inbound.feeds import Table
from hourbridge.connectors.quickbooks_online.inbound.paging import reading_of
from hourbridge.connectors.quickbooks_online.inbound.telling import Told, key_of
from hourbridge.connectors.quickbooks_online.queries import PAGE_ROWS, WITH_INACTIVE, quoted
from hourbridge.connectors.source import Page

LOOK_BACK = timedelta(days=30)
_MARGIN = timedelta(hours=1)
"""So much earlier a position counts as too old: the service's clock is not ours."""
RENAMED_MAX = 20
"""With more changed parents than this the whole list is read instead of their children."""


@dataclass(frozen=True)
class Capturing:
    """Reads changes of one company."""

    asking: Asking

    def read(self, table: Table, cursor: Cursor, since: datetime) -> Page:
        """Return what changed; a cut answer leads on to pages, which leave nothing out."""
        captured = [entity for entity in table.entities if entity not in table.queried]
        changes = self.asking.changes(captured, since - OVERLAP)
        if changes.is_cut and len(captured) > 1:
            changes = self._one_by_one(captured, since)
        changes = self._with_queried(table, changes, since)
        told = Told()
        stated = self._tell(table, cursor, changes, told)
        reading = reading_of(table, cursor, changes.answered_at, None)
        following = cursor.resting(changes.answered_at, stated)
        notes: tuple[str, ...] = ()
        if changes.is_cut:
            # Tombstones were told above; queries never show them.
            following = Cursor("catch_up", since=since, begun=changes.answered_at)
            notes = _cut_notes(table, changes, since)
        elif table.is_tree and not self._tell_children(table, cursor, changes, told):
            following = Cursor("whole")
        return Page(
            reading,
            tuple(told.statements),
            following.text(),
            # A whole list is a reading of its own, at the next turn.
            following.mode != "catch_up",
            skipped=told.skipped,
            notes=notes,
        )

    def _with_queried(self, table: Table, changes: Changes, since: datetime) -> Changes:
        """Add what changed of entities that capture doesn't know; deletions stay unseen."""
        live, is_cut = dict(changes.live), changes.is_cut
        for entity in sorted(table.queried):
            rows = self.asking.page(
                entity, [updated_since(since - OVERLAP)], start=1, rows_max=PAGE_ROWS
            ).rows
            live[entity] = rows
            is_cut = is_cut or len(rows) >= PAGE_ROWS
        return replace(changes, live=live, is_cut=is_cut)

    def _one_by_one(self, entities: Sequence[str], since: datetime) -> Changes:
        """Ask entity by entity: each answer has room of its own."""
        parts = [self.asking.changes([entity], since - OVERLAP) for entity in entities]
        live = {name: rows for part in parts for name, rows in part.live.items()}
        deleted = {name: rows for part in parts for name, rows in part.deleted.items()}
        return Changes(
            parts[0].answered_at, live, deleted, is_cut=any(part.is_cut for part in parts)
        )

    def _tell(self, table: Table, cursor: Cursor, changes: Changes, told: Told) -> dict[str, int]:
        """State what was not stated before; return keys of what the next overlap shows again."""
        stated: dict[str, int] = {}
        overlap_from = changes.answered_at - 2 * OVERLAP
        for entity in table.entities:
            fresh = self._fresh(entity, changes.live.get(entity, ()), cursor, told)
            gone = self._fresh(entity, changes.deleted.get(entity, ()), cursor, told, is_last=True)
            table.tell(entity, fresh, told)
            if table.tell_gone is not None:
                table.tell_gone(entity, gone, told)
            for rows, is_last in ((changes.live, False), (changes.deleted, True)):
                for row in rows.get(entity, ()):
                    updated = instant_of(row)
                    if updated is not None and updated >= overlap_from:
                        stated[f"{entity}:{row['Id']}"] = key_of(row, is_last=is_last)
        return stated

    def _fresh(
        self,
        entity: str,
        rows: Sequence[Row],
        cursor: Cursor,
        told: Told,
        *,
        is_last: bool = False,
    ) -> list[Row]:
        found = []
        for row in rows:
            if cursor.stated.get(f"{entity}:{row.get('Id')}") == key_of(row, is_last=is_last):
                told.skip("stated_before")
            else:
                found.append(row)
        return found

    def _tell_children(self, table: Table, cursor: Cursor, changes: Changes, told: Told) -> bool:
        """State the entries below changed ones: their full names may have changed with them.

        Returns False when there are so many that the whole list is read instead.
        """
        (entity,) = table.entities
        rows = changes.live.get(entity, ())
        parents = [
            row
            for row in rows
            if cursor.stated.get(f"{entity}:{row.get('Id')}") != key_of(row)
            and row.get("FullyQualifiedName")
        ]
        if len(parents) > RENAMED_MAX:
            return False
        told_ids = {str(row.get("Id")) for row in rows}
        for parent in parents:
            below = self._below(entity, str(parent["FullyQualifiedName"]))
            if below is None:
                return False
            newest = key_of(parent)
            # Told by its own time before its parent's, the same entry would contradict itself.
            untold = [
                row for row in below if str(row.get("Id")) not in told_ids or key_of(row) < newest
            ]
            table.tell(entity, untold, told, least=newest)
        return True

    def _below(self, entity: str, full_name: str) -> list[Row] | None:
        prefix = f"{full_name}:"
        condition = f"FullyQualifiedName LIKE {quoted(prefix + '%')}"
        rows = self.asking.page(
            entity, [condition, WITH_INACTIVE], start=1, rows_max=PAGE_ROWS
        ).rows
        if len(rows) >= PAGE_ROWS:
            return None
        # The pattern may match more, if the name itself has a percent sign.
        return [row for row in rows if str(row.get("FullyQualifiedName", "")).startswith(prefix)]


def is_too_old(since: datetime, now: datetime) -> bool:
    """Return whether capture no longer reaches back to a position."""
    return now - since >= LOOK_BACK - OVERLAP - _MARGIN


def _cut_notes(table: Table, changes: Changes, since: datetime) -> tuple[str, ...]:
    count = sum(len(rows) for rows in changes.live.values())
    notes = [
        f"the service left changes of {table.feed.name} since {since} out; they are read by query"
    ]
    has_tombstones = any(changes.deleted.values())
    if count and not has_tombstones:
        notes.append(f"deletions in {table.feed.name} since {since} may have been left out, too")
    return tuple(notes)


def too_old(table: Table, cursor: Cursor) -> tuple[Cursor, str]:
    """Return where to go on from a position that is too old, and what to report."""
    what = (
        f"{table.feed.name} was last read {cursor.since}; the service remembers "
        f"{LOOK_BACK.days} days only, so"
    )
    if table.is_list:
        return Cursor("whole"), f"{what} the whole list is read"
    following = replace(Cursor("catch_up"), since=cursor.since)
    return following, f"{what} what changed is read by query, and deletions in between are unknown"
