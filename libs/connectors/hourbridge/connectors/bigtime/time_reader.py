"""Reading time: person by person, project by project, or from a report; in a rolling window.

A reading is a snapshot of its window. What an earlier one stated and this one misses was re-keyed
(told by what it says), moved to other days or deleted: the next turn asks for it by its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hourbridge.common.clock import Clock
from hourbridge.common.errors import SourceRefused
from hourbridge.common.messages.records import RecordType, TimeEntry
from hourbridge.connectors.bigtime import cursors
from hourbridge.connectors.bigtime.cursors import Cursor
from hourbridge.connectors.bigtime.entry_memory import (
    LOST,
    EntryMemory,
    forget_groups,
    forget_outside,
)
from hourbridge.connectors.bigtime.faults import MISSING
from hourbridge.connectors.bigtime.firm import Firm, other_returned
from hourbridge.connectors.bigtime.paging import Draft, begun, each_while_possible, reading_of
from hourbridge.connectors.bigtime.rekeying import mark_of
from hourbridge.connectors.bigtime.report import read_report
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import state
from hourbridge.connectors.bigtime.time_entries import seconds_of, time_fields
from hourbridge.connectors.bigtime.windows import left_out, regular_span, steps
from hourbridge.connectors.source import Page, Reading, Span, Statement

FEED = "time"
_DETAILED = "Detailed"
_EVERYBODY = "report"
_HALVES = 2
"""Each row may be off by half a second."""


class TimeReader:
    """Reads the feed of time entries."""

    def __init__(self, firm: Firm, settings: BigTimeSettings, account: str, clock: Clock) -> None:
        self._firm = firm
        self._settings = settings
        self._account = account
        self._clock = clock
        self._lost_for_good: set[str] = set()

    def read(self, text: str | None, span: Span | None = None) -> Page:
        """Return the next page of the rolling window, or of a past span."""
        cursor = cursors.load(text)
        if cursor.as_of is None and self._has_lost(cursor):
            return self._read_lost(cursor)
        if cursor.as_of is None:
            self._begin(cursor, span)
        covered = _kept_span(cursor)
        parts = steps(covered, self._days_per_call(span))
        draft = Draft(cursor)
        draft.is_complete = self._take(draft, covered, parts, is_regular=span is None)
        reading = reading_of(cursor, self._account, FEED, RecordType.TIME_ENTRY, _kind(span))
        if draft.is_complete:
            self._finish(cursor, covered, is_regular=span is None)
        return draft.page(_snapshot(reading, covered))

    def gone(self, entry_id: str) -> bool:
        """Return whether BigTime, asked for it, has no entry of the id."""
        if entry_id in self._lost_for_good:
            return True
        is_gone = self._firm.detail("time", "SID", entry_id) is None
        if is_gone:
            self._lost_for_good.add(entry_id)
        return is_gone

    def _has_lost(self, cursor: Cursor) -> bool:
        """Return whether entries have to be asked for; those found gone since are forgotten."""
        lost = [each for each in cursor.kept.pop(LOST, []) if each not in self._lost_for_good]
        if lost:
            cursor.kept[LOST] = lost
        return bool(lost)

    def _begin(self, cursor: Cursor, span: Span | None) -> None:
        self._firm.forget_lists()
        self._lost_for_good.clear()
        now = self._clock.now()
        cursor.begin(now)
        covered = span or regular_span(now, self._settings, self._settings.window_days)
        cursor.kept["first"] = covered.first.isoformat()
        cursor.kept["last"] = covered.last.isoformat()
        counted = cursor.instant("counted")
        due = counted is None or now - counted >= timedelta(hours=self._settings.totals_hours)
        cursor.kept["counting"] = due and self._settings.time_from == "staff"
        if span is None:
            forget_outside(cursor, covered)

    def _finish(self, cursor: Cursor, covered: Span, *, is_regular: bool) -> None:
        if cursor.kept.pop("counting", None):
            cursor.keep_instant("counted", begun(cursor))
        if is_regular:
            forget_groups(cursor, self._groups())
            forget_outside(cursor, covered)

    def _days_per_call(self, span: Span | None) -> int:
        settings = self._settings
        if settings.time_from == "report" and settings.report is not None:
            return settings.report.days_per_call
        return settings.history_days_per_call if span else 366 * 2

    def _groups(self) -> list[str]:
        """Return whose, or which project's, time is asked for one after the other."""
        if self._settings.time_from == "report":
            return [_EVERYBODY]
        path, id_field, wanted = "staff", "StaffSID", self._settings.staff
        if self._settings.time_from == "projects":
            path, id_field, wanted = "project", "SystemId", self._settings.projects
        found = {row.identifier(id_field) for row in self._firm.list(path)}
        known = [each for each in found if each is not None and (not wanted or each in wanted)]
        return sorted(known, key=lambda each: (len(each), each))

    def _take(self, draft: Draft, covered: Span, parts: list[Span], *, is_regular: bool) -> bool:
        """Read groups until the page is full; return whether the window is read to its end."""
        cursor, started = draft.cursor, False
        calls_left = 1 if self._settings.time_from == "report" else self._settings.calls_per_page
        groups = self._groups()
        while cursor.step < len(parts):
            after = cursor.position
            pending = [each for each in groups if after is None or _order(each) > _order(after)]
            is_last_part = cursor.step == len(parts) - 1

            def take_group(
                group: str, part: Span = parts[cursor.step], counts: bool = is_last_part
            ) -> bool:
                nonlocal calls_left, started
                calls_left -= self._take_group(draft, group, part, is_regular=is_regular)
                if counts and cursor.kept.get("counting"):
                    calls_left -= self._compare(cursor, group, covered)
                cursor.position, started = group, True
                return calls_left > 0

            if not each_while_possible(pending, take_group, is_started=started):
                return is_last_part and cursor.position == groups[-1]
            cursor.step, cursor.position = cursor.step + 1, None
        return True

    def _take_group(self, draft: Draft, group: str, part: Span, *, is_regular: bool) -> int:
        """State one group's entries of some days; return how many calls that took.

        Nothing of the group counts before all of it is understood: a page that breaks off here
        goes on with this group.
        """
        read_at = self._clock.now()
        entries = [_Keyed.of(row) for row in self._rows(group, part)]
        memory = EntryMemory(draft.cursor, group, part, is_kept=is_regular)
        memory.see((each.entry_id, each.mark) for each in entries if each.entry_id is not None)
        stated: list[Statement] = []
        skipped: list[str] = []
        for at, each in enumerate(entries):
            former = memory.former_id(each.entry_id) if each.entry_id else None
            fields = time_fields(each.row, self._settings, self._firm, former_id=former)
            reason = None if each.row.reasons else left_out(fields, each.day, self._settings)
            if reason is not None and each.entry_id and not memory.was_stated(each.entry_id):
                skipped.append(reason)
                continue
            location = f"{FEED}/{group}/{part.first}[{at}]"
            stated.append(state(TimeEntry, each.row, fields, location=location, read_at=read_at))
            if each.entry_id is not None and each.day is not None:
                memory.state(each.entry_id, each.day, each.mark)
        memory.close()
        draft.statements += stated
        for reason in skipped:
            draft.skip(reason)
        if entries:
            seconds = sum(each.seconds for each in entries)
            draft.add_total(_total_group(group), len(entries), seconds)
        return 1

    def _compare(self, cursor: Cursor, group: str, covered: Span) -> int:
        """Put BigTime's own total of a person's days in place of ours; return the calls made.

        Where both differ by rounding alone, ours stays.
        """
        name = _total_group(group)
        rows, summed = cursor.totals.get(name, [0, 0])
        stated = self._total_seconds(group, covered)
        if abs(stated - (summed or 0)) * _HALVES > rows:
            cursor.totals[name] = [rows, stated]
        return 1

    def _rows(self, group: str, part: Span) -> list[Row]:
        settings = self._settings
        if settings.time_from == "report" and settings.report is not None:
            return read_report(self._firm.transport, settings.report, part)
        days = {"StartDt": part.first.isoformat(), "EndDt": part.last.isoformat()}
        if settings.time_from == "projects":
            return self._checked(f"time/ByProject/{group}", days, "ProjectSID", group)
        return self._checked(f"time/Sheet/{group}", days, "StaffSID", group)

    def _checked(self, path: str, days: dict[str, str], id_field: str, group: str) -> list[Row]:
        """Return rows that are about whom they were asked about.

        A filter that the caller may not use is disregarded, not refused.
        """
        try:
            rows = self._firm.transport.rows(path, {**days, "View": _DETAILED})
        except SourceRefused as refused:
            if refused.reason_code != MISSING:
                raise
            return []  # deleted since the list was read
        for row in rows:
            returned = row.identifier(id_field)
            if returned is not None and returned != group:
                raise other_returned(path, group, returned)
        return rows

    def _total_seconds(self, group: str, covered: Span) -> int:
        """Return what BigTime itself says that a person worked in some days."""
        days = {"StartDt": covered.first.isoformat(), "EndDt": covered.last.isoformat()}
        seconds = 0
        for row in self._firm.transport.rows(f"time/TotalByDay/{group}", days):
            returned = row.identifier("staffSid")
            if returned is not None and returned != group:
                raise other_returned("time/TotalByDay", group, returned)
            hours = row.number("totalHours")
            seconds += (seconds_of(row, "totalHours", hours) or 0) if hours is not None else 0
        return seconds

    def _read_lost(self, cursor: Cursor) -> Page:
        """State what a reading missed but BigTime still has, under its id: moved elsewhere."""
        cursor.begin(self._clock.now())
        lost = list(cursor.kept[LOST])
        draft = Draft(cursor)
        calls_left = self._settings.calls_per_page

        def ask(entry_id: str) -> bool:
            nonlocal calls_left
            calls_left -= 1
            stated = self._state_alone(entry_id)
            if stated is None:
                self._lost_for_good.add(entry_id)
            else:
                draft.statements.append(stated)
            lost.remove(entry_id)
            return calls_left > 0

        each_while_possible(list(lost), ask)
        cursor.kept.pop(LOST)
        if lost:
            cursor.kept[LOST] = lost
        draft.add_total("moved", len(draft.statements))
        # Each turn is a reading of its own: the next goes on with what is left.
        draft.is_complete = True
        return draft.page(reading_of(cursor, self._account, FEED, RecordType.TIME_ENTRY, "moved"))

    def _state_alone(self, entry_id: str) -> Statement | None:
        read_at = self._clock.now()
        row = self._firm.detail("time", "SID", entry_id)
        if row is None:
            return None
        fields = time_fields(row, self._settings, self._firm)
        return state(TimeEntry, row, fields, location=f"{FEED}/{entry_id}", read_at=read_at)


def _order(group: str) -> tuple[int, str]:
    return (len(group), group)


def _kind(span: Span | None) -> str:
    return "" if span is None else f"{span.first}..{span.last}"


def _kept_span(cursor: Cursor) -> Span:
    first, last = cursor.kept["first"], cursor.kept["last"]
    return Span(date.fromisoformat(first), date.fromisoformat(last))


def _snapshot(reading: Reading, covered: Span) -> Reading:
    return Reading(
        reading_id=reading.reading_id,
        record_type=reading.record_type,
        as_of=reading.as_of,
        is_snapshot=True,
        window_first=covered.first,
        window_last=covered.last,
    )


def _total_group(group: str) -> str:
    return group if group == _EVERYBODY else f"group:{group}"


@dataclass(frozen=True)
class _Keyed:
    """A row with what tells it, read apart from it so that no reason is noted twice."""

    row: Row
    entry_id: str | None
    day: date | None
    mark: str
    seconds: int

    @classmethod
    def of(cls, row: Row) -> _Keyed:
        bare = Row(row.values)
        hours = bare.number("Hours_IN")
        seconds = 0 if hours is None else seconds_of(bare, "Hours_IN", hours) or 0
        return cls(row, bare.identifier("SID"), bare.day("Dt"), mark_of(bare), seconds)
