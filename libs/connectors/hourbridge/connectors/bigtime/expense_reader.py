"""Reading expenses: by days, all people at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from hourbridge.common.clock import Clock
from hourbridge.common.messages.records import Expense, RecordType
from hourbridge.connectors.bigtime import cursors
from hourbridge.connectors.bigtime.cursors import Cursor
from hourbridge.connectors.bigtime.entry_memory import LOST, EntryMemory, forget_outside
from hourbridge.connectors.bigtime.expenses import expense_fields, is_submitted
from hourbridge.connectors.bigtime.firm import Firm
from hourbridge.connectors.bigtime.paging import Draft, each_while_possible, reading_of
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import state
from hourbridge.connectors.bigtime.windows import UNSUBMITTED, left_out, regular_span, steps
from hourbridge.connectors.source import Page, Reading, Span

FEED = "expenses"
_EVERYTHING = "all"
_YEARS_BACK = 10
_YEAR_DAYS = 366


class ExpenseReader:
    """Reads the feed of expenses. A snapshot of its window, as with time."""

    def __init__(self, firm: Firm, settings: BigTimeSettings, account: str, clock: Clock) -> None:
        self._firm = firm
        self._settings = settings
        self._account = account
        self._clock = clock

    def read(self, text: str | None, span: Span | None = None) -> Page:
        """Return the next page of the rolling window, or of a past span."""
        cursor = cursors.load(text)
        if cursor.as_of is None and cursor.kept.get(LOST):
            return self._read_lost(cursor)
        if cursor.as_of is None:
            self._begin(cursor, span)
        covered = Span(
            date.fromisoformat(cursor.kept["first"]), date.fromisoformat(cursor.kept["last"])
        )
        parts = steps(covered, self._settings.history_days_per_call)
        draft = Draft(cursor)
        calls_left = self._settings.calls_per_page

        def take(part: Span) -> bool:
            nonlocal calls_left
            calls_left -= 1
            self._take(draft, part, is_regular=span is None)
            cursor.step += 1
            return calls_left > 0

        each_while_possible(parts[cursor.step :], take)
        draft.is_complete = cursor.step >= len(parts)
        kind = "" if span is None else f"{span.first}..{span.last}"
        known = reading_of(cursor, self._account, FEED, RecordType.EXPENSE, kind)
        reading = Reading(
            known.reading_id, known.record_type, known.as_of, True, covered.first, covered.last
        )
        if draft.is_complete and span is None:
            forget_outside(cursor, covered)
        return draft.page(reading)

    def missing(self, entry_ids: Collection[str]) -> frozenset[str]:
        """Return those ids that BigTime has nowhere in its books.

        No route gives one expense by its id, so the years are gone through, newest first.
        """
        return frozenset(entry_ids) - self._find(entry_ids).keys()

    def _begin(self, cursor: Cursor, span: Span | None) -> None:
        self._firm.forget_lists()
        now = self._clock.now()
        cursor.begin(now)
        covered = span or regular_span(now, self._settings, self._settings.window_days)
        cursor.kept["first"] = covered.first.isoformat()
        cursor.kept["last"] = covered.last.isoformat()

    def _take(self, draft: Draft, part: Span, *, is_regular: bool) -> None:
        read_at = self._clock.now()
        rows = self._rows(part)
        memory = EntryMemory(draft.cursor, _EVERYTHING, part, is_kept=is_regular)
        # An expense keeps its id: what is told of it can't make it another's successor.
        ids = [Row(row.values).identifier("SID") for row in rows]
        memory.see((entry_id, f"id:{entry_id}") for entry_id in ids if entry_id is not None)
        for at, (row, entry_id) in enumerate(zip(rows, ids, strict=True)):
            fields = expense_fields(row, self._settings, self._firm)
            day = Row(row.values).day("Dt")
            reason = None if row.reasons else left_out(fields, day, self._settings)
            if not is_submitted(row):
                reason = UNSUBMITTED
            if reason is not None and entry_id and not memory.was_stated(entry_id):
                draft.skip(reason)
                continue
            location = f"{FEED}/{part.first}[{at}]"
            draft.statements.append(state(Expense, row, fields, location=location, read_at=read_at))
            if entry_id is not None and day is not None:
                memory.state(entry_id, day, f"id:{entry_id}")
        memory.close()
        draft.add_total(f"{part.first}..{part.last}", len(rows))

    def _rows(self, part: Span) -> list[Row]:
        """Return all expenses of some days: filters are applied here, where they are counted."""
        body = {
            "mindate": part.first.isoformat(),
            "maxdate": part.last.isoformat(),
            "staffsids": [],
            "projectsids": [],
            "view": "Detailed",
            "showapproval": True,
        }
        return self._firm.transport.rows("expense/reportbyfilter", body=body)

    def _find(self, entry_ids: Collection[str]) -> dict[str, Row]:
        wanted, found = set(entry_ids), dict[str, Row]()
        today = self._clock.now().date()
        last = today + timedelta(days=_YEAR_DAYS)
        earliest = today - timedelta(days=_YEARS_BACK * _YEAR_DAYS)
        while wanted and last > earliest:
            first = last - timedelta(days=_YEAR_DAYS - 1)
            for row in self._rows(Span(first, last)):
                entry_id = row.identifier("SID")
                if entry_id in wanted and entry_id is not None:
                    found[entry_id] = row
                    wanted.discard(entry_id)
            last = first - timedelta(days=1)
        return found

    def _read_lost(self, cursor: Cursor) -> Page:
        """State what a reading missed but BigTime still has: moved to other days."""
        now = self._clock.now()
        cursor.begin(now)
        draft = Draft(cursor, is_complete=True)
        for entry_id, row in sorted(self._find(cursor.kept[LOST]).items()):
            fields = expense_fields(row, self._settings, self._firm)
            location = f"{FEED}/{entry_id}"
            draft.statements.append(state(Expense, row, fields, location=location, read_at=now))
        cursor.kept.pop(LOST)
        draft.add_total("moved", len(draft.statements))
        return draft.page(reading_of(cursor, self._account, FEED, RecordType.EXPENSE, "moved"))
