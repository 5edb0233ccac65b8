"""Paged readings: whole lists, what a cut capture left out, spans of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import ControlTotal
from hourbridge.connectors.quickbooks_online.inbound.asking import Asking, Row, updated_since
from hourbridge.connectors.quickbooks_online.inbound.cursors import OVERLAP, Cursor, order_key
from hourbridge.connectors.quickbooks_online.inbound.feeds import Table
from hourbridge.connectors.quickbooks_online.inbound.telling import Told
from hourbridge.connectors.quickbooks_online.queries import (
    PAGE_OVERLAP_ROWS,
    PAGE_ROWS,
    WITH_INACTIVE,
    quoted,
)
from hourbridge.connectors.source import Page, Reading, Span

_MODES_OF_ALL = ("whole", "span")


@dataclass(frozen=True)
class Paging:
    """Reads pages of one company."""

    asking: Asking
    page_rows: int = PAGE_ROWS

    def read(self, table: Table, cursor: Cursor, span: Span | None) -> Page:
        """Return one page of a reading in progress, and where it goes on."""
        entity = table.entities[cursor.entity]
        conditions = _conditions(table, cursor, span)
        answer = self.asking.page(
            entity,
            conditions,
            start=cursor.start,
            rows_max=self.page_rows,
            order="AsOfDate" if table.way == "rates" else "Id",
        )
        begun = cursor.begun or answer.answered_at
        cursor = replace(cursor, begun=begun)
        fresh = [row for row in answer.rows if _id(row) not in cursor.tail]
        told = Told()
        # A row of a whole list is as new as the reading: names of parents change without a trace.
        least = order_key(begun - OVERLAP, None) if cursor.mode == "whole" else None
        table.tell(entity, fresh, told, least=least)
        rows = cursor.rows + len(fresh)
        if len(answer.rows) >= self.page_rows:
            return _page(table, cursor, told, self._following(cursor, answer.rows, rows), span)
        total = self.asking.count(entity, conditions)
        is_complete = total is None or total <= rows
        following = cursor.next_entity(is_complete=is_complete)
        totals = () if total is None else (ControlTotal(group=entity, rows=total),)
        notes = () if is_complete else (f"{rows} of {total} rows of {entity} were read",)
        if following.entity < len(table.entities):
            return _page(table, cursor, told, following, span, notes=notes)
        return _last(table, following, told, span, totals, notes)

    def _following(self, cursor: Cursor, page: Sequence[Row], rows: int) -> Cursor:
        overlap = min(PAGE_OVERLAP_ROWS, self.page_rows // 2)
        # Never more than a page on, even if the service sends a row too many.
        start = cursor.start + self.page_rows - overlap
        tail = tuple(_id(row) for row in page[-(overlap + len(page) - self.page_rows) :])
        return cursor.next_page(start, rows, tail if overlap else ())


def reading_of(
    table: Table, cursor: Cursor, begun: datetime, span: Span | None, *, is_complete: bool = False
) -> Reading:
    """Return what a reading covers; its id is the same when it is repeated."""
    by_change = cursor.mode in ("changes", "catch_up")
    # What capture begins, pages end: one reading.
    place = (str(cursor.since),) if by_change else (cursor.mode, str(begun), str(span))
    (record_type,) = table.feed.record_types
    covers_all = is_complete and cursor.mode in _MODES_OF_ALL and cursor.is_complete
    return Reading(
        reading_id=derive_key(table.feed.name, *place),
        record_type=record_type,
        as_of=begun,
        is_snapshot=covers_all and (span is not None or table.is_list),
        window_first=span.first if span else None,
        window_last=span.last if span else None,
    )


def _conditions(table: Table, cursor: Cursor, span: Span | None) -> list[str]:
    conditions = [WITH_INACTIVE] if table.has_inactive else []
    if span is not None:
        name = "AsOfDate" if table.way == "rates" else "TxnDate"
        return [*conditions, f"{name} >= {_day(span.first)}", f"{name} <= {_day(span.last)}"]
    if cursor.since is not None:
        conditions.append(updated_since(cursor.since - OVERLAP))
    return conditions


def _page(
    table: Table,
    cursor: Cursor,
    told: Told,
    following: Cursor,
    span: Span | None,
    *,
    notes: tuple[str, ...] = (),
) -> Page:
    begun = cursor.begun or following.begun
    if begun is None:
        raise ValueError("a page was read, so the reading has begun")
    reading = reading_of(table, cursor, begun, span)
    return Page(
        reading, tuple(told.statements), following.text(), False, skipped=told.skipped, notes=notes
    )


def _last(
    table: Table,
    cursor: Cursor,
    told: Told,
    span: Span | None,
    totals: tuple[ControlTotal, ...],
    notes: tuple[str, ...],
) -> Page:
    begun = cursor.begun
    if begun is None:
        raise ValueError("a page was read, so the reading has begun")
    reading = reading_of(table, cursor, begun, span, is_complete=True)
    is_sole = len(table.entities) == 1 and cursor.mode in _MODES_OF_ALL
    return Page(
        replace(reading, totals=totals if is_sole else ()),
        tuple(told.statements),
        cursor.resting(begun, {}).text(),
        True,
        skipped=told.skipped,
        notes=notes,
    )


def _id(row: Row) -> str:
    if "Id" in row:
        return str(row["Id"])
    return f"{row.get('SourceCurrencyCode')}:{row.get('AsOfDate')}"


def _day(day: date) -> str:
    return quoted(day.isoformat())
