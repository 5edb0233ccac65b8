"""Pages of readings: bounded by calls, and never lost because a later call had no turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from hourbridge.common.errors import SourceThrottled, SourceUnavailable
from hourbridge.common.messages.events import ControlTotal
from hourbridge.common.messages.records import RecordType
from hourbridge.connectors.bigtime import cursors
from hourbridge.connectors.bigtime.cursors import Cursor
from hourbridge.connectors.source import Page, Reading, Statement

ItemT = TypeVar("ItemT")


@dataclass
class Draft:
    """A page that is being filled."""

    cursor: Cursor
    statements: list[Statement] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    is_complete: bool = False
    """Everything of the reading was done."""

    def skip(self, reason: str) -> None:
        """Count a row that a filter of the connection leaves out."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def add_total(self, group: str, rows: int, seconds: int | None = None) -> None:
        """Add to a control total of the reading."""
        known = self.cursor.totals.get(group, [0, None])
        both = None if seconds is None and known[1] is None else (seconds or 0) + (known[1] or 0)
        self.cursor.totals[group] = [known[0] + rows, both]

    def page(self, reading: Reading) -> Page:
        """Return the page; the last one carries the control totals and ends the reading."""
        if self.is_complete:
            reading = replace(reading, totals=_totals(self.cursor))
            self.cursor.end()
        return Page(
            reading=reading,
            statements=tuple(self.statements),
            cursor=cursors.dump(self.cursor),
            is_last=self.is_complete,
            skipped=self.skipped,
        )


def each_while_possible(
    items: Iterable[ItemT], handle: Callable[[ItemT], bool], *, is_started: bool = False
) -> bool:
    """Handle items until one says that the page is full; return whether all were handled.

    When the source or the budget gives out after some were done (or ``is_started``), what was
    done is kept; when it gives out at once, its error goes on.
    """
    for done, item in enumerate(items):
        try:
            goes_on = handle(item)
        except (SourceThrottled, SourceUnavailable):
            if not done and not is_started:
                raise
            return False
        if not goes_on:
            return False
    return True


def reading_of(
    cursor: Cursor, account: str, feed: str, record_type: RecordType, kind: str = ""
) -> Reading:
    """Return the reading that a cursor is in the middle of."""
    return Reading(
        reading_id=cursor.reading_id(account, feed, kind),
        record_type=record_type,
        as_of=begun(cursor),
    )


def begun(cursor: Cursor) -> datetime:
    """Return when the reading under way began."""
    if cursor.as_of is None:
        raise ValueError("no reading is under way")
    return cursor.as_of


def _totals(cursor: Cursor) -> tuple[ControlTotal, ...]:
    return tuple(
        ControlTotal(group=group, rows=rows, seconds=seconds)
        for group, (rows, seconds) in sorted(cursor.totals.items())
    )
