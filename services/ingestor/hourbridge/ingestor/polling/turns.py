"""Turns: which feed of a connection is read next, and what is noted of it afterwards.

A connection is read by one worker at a time, a page per turn. Today's feeds come first, those
that wait longest before others; history gets the turns, and so the call budget, that today's
feeds leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.store.rows import statement
from hourbridge.connectors.source import Span

_DUE_FEED = (
    "f.enabled AND (f.not_before IS NULL OR f.not_before <= :now) "
    "AND (f.next_due_at <= :now OR f.reading_id IS NOT NULL)"
)
_DUE_SPAN = "p.state = 'open' AND (p.not_before IS NULL OR p.not_before <= :now)"
_CONNECTIONS = statement(
    f"""
    SELECT connection, bool_or(today) AS today, min(since) AS since FROM (
        SELECT s.connection, true AS today, f.next_due_at AS since
        FROM polled_feed f JOIN polled_source s USING (book, source) WHERE {_DUE_FEED}
        UNION ALL
        SELECT s.connection, false, p.asked_at
        FROM polled_span p JOIN polled_source s USING (book, source) WHERE {_DUE_SPAN}
    ) due GROUP BY connection ORDER BY bool_or(today) DESC, min(since)
    """
)
_NEXT_FEED = statement(
    f"""
    SELECT s.connection, s.system, f.* FROM polled_feed f JOIN polled_source s USING (book, source)
    WHERE s.connection = :connection AND {_DUE_FEED}
    ORDER BY (f.reading_id IS NULL AND f.wake_requested_at IS NOT NULL) DESC,
             f.last_turn_at NULLS FIRST, f.next_due_at, f.feed LIMIT 1
    """
)
_NEXT_SPAN = statement(
    f"""
    SELECT s.connection, s.system, p.* FROM polled_span p JOIN polled_source s USING (book, source)
    WHERE s.connection = :connection AND {_DUE_SPAN}
    ORDER BY p.last_turn_at NULLS FIRST, p.asked_at, p.feed LIMIT 1
    """
)
_FEED = "WHERE (book, source, feed) = (:book, :source, :feed)"
_SPAN = f"{_FEED} AND (first_day, last_day) = (:first, :last)"
_ADVANCE = (
    "SET cursor = :cursor, reading_id = :reading_id, last_turn_at = :now, failures = 0, "
    "not_before = NULL, last_error_code = NULL, last_error = NULL"
)
# A cursor that somebody reset meanwhile must not be overwritten with where the old one led.
_FENCE = (
    "AND cursor IS NOT DISTINCT FROM :former AND reading_id IS NOT DISTINCT FROM :former_reading"
)
_ADVANCE_FEED = statement(
    f"UPDATE polled_feed {_ADVANCE}, last_started_at = coalesce(:started, last_started_at) "
    f"{_FEED} {_FENCE} AND enabled"
)
_ADVANCE_SPAN = statement(f"UPDATE polled_span {_ADVANCE} {_SPAN} {_FENCE} AND state = 'open'")
_FAIL = (
    "SET failures = failures + :counts, not_before = :not_before, last_turn_at = :now, "
    "last_error_code = :code, last_error = :error"
)
_FAIL_FEED = statement(f"UPDATE polled_feed {_FAIL} {_FEED}")
_FAIL_SPAN = statement(f"UPDATE polled_span {_FAIL} {_SPAN}")
_HOLD = statement(
    """
    WITH held AS (
        UPDATE polled_feed f SET not_before = greatest(f.not_before, :until)
        FROM polled_source s
        WHERE (s.book, s.source) = (f.book, f.source) AND s.connection = :connection)
    UPDATE polled_span p SET not_before = greatest(p.not_before, :until)
    FROM polled_source s
    WHERE (s.book, s.source) = (p.book, p.source) AND s.connection = :connection
      AND p.state = 'open'
    """
)
_OVERDUE = statement(
    f"SELECT min(f.next_due_at) FROM polled_feed f WHERE {_DUE_FEED} AND f.reading_id IS NULL"
)
_ERROR_CHARACTERS_MAX = 1000


class TurnLost(HourbridgeError):
    """A feed was paused, reset or detached while its page was read; the page is not stored."""

    code = "turn_lost"
    advice = "None needed; the feed is read again from where it stands."


@dataclass(frozen=True)
class Due:
    """A connection that has something to do."""

    connection: str
    today: bool
    """Not only history."""


@dataclass(frozen=True)
class Turn:
    """One page of one feed, or of one span of its history, to be read now."""

    connection: str
    system: str
    book: str
    source: str
    feed: str
    cursor: str | None
    reading_id: str | None
    """Of the reading in progress."""
    failures: int
    span: Span | None = None

    @property
    def names(self) -> dict[str, str]:
        """Return the feed's key, also as metric labels."""
        return {"book": self.book, "source": self.source, "feed": self.feed}

    @property
    def key(self) -> dict[str, str | date]:
        """Return the columns that identify the row."""
        if self.span is None:
            return {**self.names}
        return {**self.names, "first": self.span.first, "last": self.span.last}


def due(connection: Connection, now: datetime) -> list[Due]:
    """Return the connections with something to read, the most pressing first."""
    rows = connection.execute(_CONNECTIONS, {"now": now})
    return [Due(row.connection, row.today) for row in rows]


def following(connection: Connection, name: str, now: datetime) -> Turn | None:
    """Return the next turn of a connection, None when nothing is due."""
    parameters = {"connection": name, "now": now}
    row = connection.execute(_NEXT_FEED, parameters).mappings().first()
    if row is not None:
        return _turn(row, None)
    row = connection.execute(_NEXT_SPAN, parameters).mappings().first()
    return None if row is None else _turn(row, Span(row["first_day"], row["last_day"]))


def advance(
    connection: Connection,
    turn: Turn,
    *,
    cursor: str | None,
    reading_id: str | None,
    now: datetime,
    started: datetime | None = None,
) -> None:
    """Store where a feed goes on; raises TurnLost when it was changed meanwhile.

    ``started`` is when the first page of a new reading was asked for.
    """
    values: dict[str, Any] = {
        **turn.key,
        "cursor": cursor,
        "reading_id": reading_id,
        "former": turn.cursor,
        "former_reading": turn.reading_id,
        "now": now,
    }
    if turn.span is None:
        done = connection.execute(_ADVANCE_FEED, {**values, "started": started})
    else:
        done = connection.execute(_ADVANCE_SPAN, values)
    if done.rowcount != 1:
        raise TurnLost("the feed was changed while it was read", **turn.names)


def fail(
    connection: Connection,
    turn: Turn,
    error: Exception,
    *,
    code: str,
    pause: timedelta,
    now: datetime,
    is_failure: bool = True,
) -> None:
    """Note why a turn brought nothing, and rest; a pause that was asked for is no failure."""
    values = {
        **turn.key,
        "counts": int(is_failure),
        "not_before": now + pause,
        "now": now,
        "code": code,
        "error": str(error).replace("\x00", "\ufffd")[:_ERROR_CHARACTERS_MAX],
    }
    connection.execute(_FAIL_FEED if turn.span is None else _FAIL_SPAN, values)


def hold(connection: Connection, name: str, until: datetime) -> None:
    """Let no feed of a connection be read before ``until``: its account asked for a pause."""
    connection.execute(_HOLD, {"connection": name, "until": until})


def overdue_since(connection: Connection, now: datetime) -> datetime | None:
    """Return since when the most overdue feed waits."""
    found: datetime | None = connection.execute(_OVERDUE, {"now": now}).scalar()
    return found


def _turn(row: RowMapping, span: Span | None) -> Turn:
    return Turn(
        connection=row["connection"],
        system=row["system"],
        book=row["book"],
        source=row["source"],
        feed=row["feed"],
        cursor=row["cursor"],
        reading_id=row["reading_id"],
        failures=row["failures"],
        span=span,
    )
