"""Reading a TimeTagger account over its API, version 2.

``GET /updates?since=`` answers everything stored since, deletions (hidden records) included, in
one piece; the first reading and one after a reset of the server have everything, so they are
snapshots. Pages are cut from that answer in the order in which the server stored things.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hourbridge.common.clock import Clock, to_text
from hourbridge.common.errors import HourbridgeError, SourceAnswerUnreadable, SourceRefused
from hourbridge.common.exact_json import dumps, loads
from hourbridge.common.ids import derive_id
from hourbridge.common.local_time import day_begins
from hourbridge.common.messages.events import ControlTotal
from hourbridge.common.messages.records import Attachment, RecordType
from hourbridge.connectors.json_calls import JsonCalls
from hourbridge.connectors.json_rows import (
    RawRow,
    instant_of,
    parse,
    rows_of,
    seconds_since_epoch,
)
from hourbridge.connectors.source import Feed, Page, Reading, SourceCapabilities, Span
from hourbridge.connectors.timetagger.mapping import entry_of, is_hidden, stored_at
from hourbridge.connectors.timetagger.settings import TimeTaggerSettings

SYSTEM = "timetagger"
TIME = "time"
PAGE_ROWS = 500
_OVERLAP_SECONDS = 10
"""A record is stamped before it is stored: one that was being stored is seen the next time."""
_HISTORY_DAYS = 31
_API = "api/v2"

CAPABILITIES = SourceCapabilities(
    system=SYSTEM,
    feeds=(
        Feed(
            TIME,
            frozenset({RecordType.TIME_ENTRY}),
            "changed_since",
            # A restored server lacks things without a word; a whole reading finds that.
            deletions=frozenset({"tombstone_feed", "diff"}),
            interval_seconds=60,
            interval_seconds_max=3600,
            has_history=True,
            control_totals=True,
        ),
    ),
)


@dataclass(frozen=True)
class _Update:
    """One answer: rows in the order of storing, and from when on to ask next."""

    rows: list[RawRow]
    server_time: Decimal
    is_everything: bool


class TimeTaggerSource:
    """One person's account. For one worker at a time."""

    def __init__(
        self, calls: JsonCalls, account: str, settings: TimeTaggerSettings, clock: Clock
    ) -> None:
        self._calls = calls
        self._account = account
        self._settings = settings
        self._clock = clock
        self._rest: tuple[str, list[RawRow]] | None = None
        """What an answer holds beyond the page given last, under the cursor that asks for it."""

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this source can do."""
        return CAPABILITIES

    def read(self, feed: str, cursor: str | None, span: Span | None = None) -> Page:
        """Return the next page of the only feed."""
        CAPABILITIES.feed(feed)
        if span is not None:
            return self._history(span, cursor)
        at = {} if cursor is None else loads(cursor)
        if "after" in at:
            return self._continued(at, cursor or "")
        since = Decimal(at.get("since", 0))
        update = self._update(since)
        now = self._clock.now()
        begun = {
            "since": str(max(since, update.server_time - _OVERLAP_SECONDS)),
            "as_of": to_text(now),
            "everything": update.is_everything or since == 0,
            "rows": len(update.rows),
            "seconds": _seconds(update.rows),
        }
        return self._page(begun, update.rows, done=0)

    def gone(self, feed: str, external_ids: Collection[str]) -> frozenset[str]:
        """Return those keys that the account, read as a whole, has no more or hides."""
        CAPABILITIES.feed(feed)
        there = {
            row.value["key"]
            for row in self._update(Decimal(0)).rows
            if isinstance(row.value, Mapping) and "key" in row.value and not is_hidden(row.value)
        }
        return frozenset(external_ids) - there

    def file(self, attachment: Attachment) -> bytes:
        """Raise SourceRefused: TimeTagger keeps no files."""
        what = "TimeTagger has no expenses and no receipts"
        raise SourceRefused(what, reason_code="no_files", attachment=attachment.id)

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the address or the token."""
        try:
            version = parse(self._calls.get(f"{_API}/version"))
        except (HourbridgeError, ValueError) as error:
            return (str(error),)
        if not isinstance(version, dict) or "version" not in version:
            return ("the address answers, but not as TimeTagger does",)
        return ()

    def close(self) -> None:
        """Release connections."""
        self._calls.close()

    def _update(self, since: Decimal) -> _Update:
        body = self._calls.get(f"{_API}/updates", {"since": format(since, "f")})
        rows = rows_of(body, "records")
        content = parse(body)
        server_time = content.get("server_time")
        if isinstance(server_time, bool) or not isinstance(server_time, int | Decimal):
            raise SourceAnswerUnreadable("the answer names no server_time", raw=body)
        rows.sort(key=_place)
        return _Update(rows, Decimal(server_time), bool(content.get("reset")))

    def _continued(self, at: dict[str, Any], cursor: str) -> Page:
        """Return the page after the last one, from memory or from the server anew."""
        moment, key = at["after"]
        if self._rest is not None and self._rest[0] == cursor:
            rows = self._rest[1]
        else:
            after = (Decimal(moment), key)
            rows = [row for row in self._update(Decimal(moment)).rows if _place(row) > after]
        return self._page(at, rows, done=int(at["done"]))

    def _page(self, at: dict[str, Any], rows: list[RawRow], *, done: int) -> Page:
        part, rest = rows[:PAGE_ROWS], rows[PAGE_ROWS:]
        total = ControlTotal(group="changes", rows=at["rows"], seconds=at["seconds"])
        reading = Reading(
            derive_id("timetagger", self._account, at["since"], at["as_of"]),
            RecordType.TIME_ENTRY,
            instant_of(at["as_of"]) or self._clock.now(),
            is_snapshot=at["everything"],
            totals=() if rest else (total,),
        )
        following = {"since": at["since"]}
        if rest:
            moment, key = _place(part[-1])
            following = {**at, "after": [str(moment), key], "done": done + len(part)}
        cursor = dumps(following)
        self._rest = (cursor, rest) if rest else None
        statements = tuple(
            entry_of(row, self._settings, f"row {done + index + 1}")
            for index, row in enumerate(part)
        )
        return Page(reading, statements, cursor, is_last=not rest)

    def _history(self, span: Span, cursor: str | None) -> Page:
        """Return the records of a month or less; what runs over midnight is stated twice."""
        at = {} if cursor is None else loads(cursor)
        as_of = instant_of(at.get("as_of")) or self._clock.now()
        first = date.fromisoformat(at.get("next_day", span.first.isoformat()))
        last = min(first + timedelta(days=_HISTORY_DAYS - 1), span.last)
        zone = ZoneInfo(self._settings.zone)
        begin, end = day_begins(first, zone), day_begins(last + timedelta(days=1), zone)
        parameters = {"timerange": f"{_stamp(begin)}-{_stamp(end)}"}
        rows = rows_of(self._calls.get(f"{_API}/records", parameters), "records")
        is_last = last >= span.last
        count, seconds = int(at.get("rows", 0)) + len(rows), int(at.get("seconds", 0))
        seconds += _seconds(rows)
        group = f"{span.first}..{span.last}"
        total = ControlTotal(group=group, rows=count, seconds=seconds)
        reading = Reading(
            derive_id("timetagger", self._account, group, to_text(as_of)),
            RecordType.TIME_ENTRY,
            as_of,
            window_first=span.first,
            window_last=span.last,
            totals=(total,) if is_last else (),
        )
        following = {
            "as_of": to_text(as_of),
            "next_day": (last + timedelta(days=1)).isoformat(),
            "rows": count,
            "seconds": seconds,
        }
        statements = tuple(
            entry_of(row, self._settings, f"{first} row {index + 1}")
            for index, row in enumerate(rows)
        )
        return Page(reading, statements, dumps(following), is_last)


def _stamp(instant: datetime) -> int:
    return seconds_since_epoch(instant)


def _place(row: RawRow) -> tuple[Decimal, str]:
    """Return where a row stands: many are stored at one moment, so its key is part of it."""
    moment = stored_at(row.value)
    key = row.value.get("key") if isinstance(row.value, Mapping) else None
    return (Decimal(0) if moment is None else moment, key if isinstance(key, str) else "")


def _seconds(rows: list[RawRow]) -> int:
    """Return the sum of the differences that the rows state, deleted ones left out."""
    total = 0
    for row in rows:
        if isinstance(row.value, Mapping) and not is_hidden(row.value):
            begin, end = row.value.get("t1"), row.value.get("t2")
            if isinstance(begin, int) and isinstance(end, int) and end > begin:
                total += end - begin
    return total
