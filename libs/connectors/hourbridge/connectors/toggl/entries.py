"""Reading time entries: by what changed since, else by windows of a few days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hourbridge.common.clock import Clock, to_text
from hourbridge.common.errors import SourceRefused
from hourbridge.common.exact_json import dumps, loads
from hourbridge.common.ids import derive_id
from hourbridge.common.local_time import day_begins
from hourbridge.common.messages.events import ControlTotal
from hourbridge.common.messages.records import RecordType
from hourbridge.connectors.json_calls import JsonCalls
from hourbridge.connectors.json_rows import (
    SECONDS_MAX,
    RawRow,
    RowReader,
    instant_of,
    rows_of,
    seconds_since_epoch,
)
from hourbridge.connectors.source import Page, Reading, Span, Statement
from hourbridge.connectors.toggl.calls import ROOT
from hourbridge.connectors.toggl.mapping import Seen, statement
from hourbridge.connectors.toggl.settings import TogglSettings

ROWS_MAX = 1000
"""Toggl returns no more, without a word: such an answer may be cut off."""
SINCE_DAYS_MAX = 85
"""Toggl refuses ``since`` beyond about 90 days."""
HISTORY_DAYS = 89
_WINDOW_DAYS = 7
_OVERLAP = timedelta(minutes=1)
_QUIET = timedelta(days=1)
"""How far behind the present the cursor stays at most: clocks differ by less."""
_PATH = f"{ROOT}/me/time_entries"


@dataclass(frozen=True)
class _Cursor:
    """Where reading goes on."""

    since: int
    """Seconds since 1970; what changed from then on is read next."""
    next_day: str | None = None
    """The first day of the next window, while windows are read."""
    last_day: str | None = None
    as_of: str | None = None
    first_day: str | None = None
    rows: int = 0
    seconds: int = 0

    def text(self) -> str:
        """Return it as the ingestor keeps it."""
        return dumps({name: value for name, value in asdict(self).items() if value is not None})


class EntryReading:
    """The feed ``time``."""

    def __init__(
        self, calls: JsonCalls, workspace_id: str, settings: TogglSettings, clock: Clock
    ) -> None:
        self._calls = calls
        self._workspace_id = workspace_id
        self._settings = settings
        self._clock = clock

    def read(self, cursor: str | None, span: Span | None) -> Page:
        """Return the next page."""
        now = self._clock.now()
        at = None if cursor is None else _Cursor(**loads(cursor))
        if at is None:
            at = self._begin(now, span)
        if at.next_day is not None:
            return self._window(at, date.fromisoformat(at.next_day))
        if now - datetime.fromtimestamp(at.since, UTC) > timedelta(days=SINCE_DAYS_MAX):
            return self._anew(now)
        return self._changes(at, now)

    def _begin(self, now: datetime, span: Span | None) -> _Cursor:
        oldest = self._oldest(now)
        if span is None:
            return self._windows(now, oldest, self._today(now) + timedelta(days=1))
        if span.last < oldest:
            raise SourceRefused(
                f"Toggl shows entries back to {oldest} over its API, none of {span.last}",
                reason_code="history_limit",
                advice="Import older entries from a file: `hourbridge import --profile toggl`.",
            )
        return self._windows(now, max(span.first, oldest), span.last)

    def _today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self._settings.zone)).date()

    def _oldest(self, now: datetime) -> date:
        return self._today(now) - timedelta(days=HISTORY_DAYS)

    def _windows(self, now: datetime, first: date, last: date) -> _Cursor:
        since = seconds_since_epoch(now - _OVERLAP)
        day = first.isoformat()
        return _Cursor(since, day, last.isoformat(), to_text(now), first_day=day)

    def _anew(self, now: datetime) -> Page:
        """Read everything that Toggl still shows: the feed of changes can't be relied on."""
        today = self._today(now)
        at = self._windows(now, self._oldest(now), today + timedelta(days=1))
        return self._window(at, self._oldest(now))

    def _changes(self, at: _Cursor, now: datetime) -> Page:
        rows = rows_of(self._calls.get(_PATH, {"since": str(at.since)}))
        if len(rows) >= ROWS_MAX:
            return self._anew(now)
        changed = [moment for row in rows if (moment := _changed_at(row.value)) is not None]
        known = max((seconds_since_epoch(moment - _OVERLAP) for moment in changed), default=0)
        following = max(at.since, known, seconds_since_epoch(now - _QUIET))
        following = min(following, seconds_since_epoch(now))
        reading = Reading(
            _reading_id(self._workspace_id, str(at.since), to_text(now)),
            RecordType.TIME_ENTRY,
            now,
            totals=(ControlTotal(group="changes", rows=len(rows), seconds=_seconds(rows)),),
        )
        return self._page(reading, rows, _Cursor(following).text(), is_last=True)

    def _window(self, at: _Cursor, day: date) -> Page:
        last = date.fromisoformat(at.last_day or day.isoformat())
        rows, end = self._rows(day, min(day + timedelta(days=_WINDOW_DAYS - 1), last))
        is_last = end >= last
        as_of = instant_of(at.as_of) or self._clock.now()
        total_rows, total_seconds = at.rows + len(rows), at.seconds + _seconds(rows)
        group = f"{at.first_day}..{last}"
        total = ControlTotal(group=group, rows=total_rows, seconds=total_seconds)
        reading = Reading(
            _reading_id(self._workspace_id, group, at.as_of or ""),
            RecordType.TIME_ENTRY,
            as_of,
            # Not a snapshot of the workspace: the token shows its own user's entries only.
            window_first=date.fromisoformat(at.first_day or day.isoformat()),
            window_last=last,
            totals=(total,) if is_last else (),
        )
        following = _Cursor(at.since)
        if not is_last:
            next_day = (end + timedelta(days=1)).isoformat()
            following = _Cursor(
                at.since,
                next_day,
                at.last_day,
                at.as_of,
                at.first_day,
                total_rows,
                total_seconds,
            )
        return self._page(reading, rows, following.text(), is_last=is_last)

    def _rows(self, first: date, last: date) -> tuple[list[RawRow], date]:
        """Return the entries of some days; of fewer when the answer may be cut off."""
        zone = ZoneInfo(self._settings.zone)
        while True:
            begin, end = day_begins(first, zone), day_begins(last + timedelta(days=1), zone)
            parameters = {"start_date": to_text(begin), "end_date": to_text(end)}
            rows = rows_of(self._calls.get(_PATH, parameters))
            if len(rows) < ROWS_MAX or last == first:
                return rows, last
            last = first + (last - first) // 2

    def _page(self, reading: Reading, rows: list[RawRow], cursor: str, *, is_last: bool) -> Page:
        statements: list[Statement] = []
        skipped: dict[str, int] = {}
        seen = Seen(reading.as_of, is_polled=True)
        for index, row in enumerate(rows):
            if _workspace_of(row.value) not in (None, self._workspace_id):
                skipped["other_workspace"] = skipped.get("other_workspace", 0) + 1
                continue
            statements.append(
                statement(
                    "time_entry",
                    row.value,
                    self._settings,
                    seen=seen,
                    raw=row.raw,
                    location=f"row {index + 1}",
                )
            )
        return Page(reading, tuple(statements), cursor, is_last, skipped)


def is_deleted(row: Mapping[str, Any]) -> bool:
    """Return whether a row says that the thing was deleted."""
    return row.get("server_deleted_at") is not None


def _workspace_of(row: Any) -> str | None:
    return RowReader(row).identifier("workspace_id", "wid") if isinstance(row, Mapping) else None


def _changed_at(row: Any) -> datetime | None:
    if not isinstance(row, Mapping):
        return None
    known = [instant_of(row.get(name)) for name in ("at", "server_deleted_at")]
    return max((moment for moment in known if moment is not None), default=None)


def _seconds(rows: list[RawRow]) -> int:
    """Return the sum of the stated durations, timers that run and deleted entries left out."""
    total = 0
    for row in rows:
        if isinstance(row.value, Mapping) and not is_deleted(row.value):
            duration = row.value.get("duration")
            if isinstance(duration, int) and 0 <= duration <= SECONDS_MAX:
                total += duration
    return total


def _reading_id(workspace_id: str, what: str, as_of: str) -> str:
    return derive_id("toggl", workspace_id, what, as_of)
