"""History: spans of days that are read once, besides and after today's feeds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.store import audit
from hourbridge.common.store.rows import statement
from hourbridge.connectors.source import Span
from hourbridge.ingestor.polling import feeds
from hourbridge.ingestor.polling.feeds import SourceKey
from hourbridge.ingestor.polling.turns import Turn

_ASK = statement(
    """
    INSERT INTO polled_span (book, source, feed, first_day, last_day, asked_at, asked_by)
    VALUES (:book, :source, :feed, :first, :last, :now, :actor)
    ON CONFLICT (book, source, feed, first_day, last_day) DO NOTHING
    """
)
_FINISH = statement(
    """
    UPDATE polled_span SET state = 'done', finished_at = :now, reading_id = :reading_id
    WHERE (book, source, feed, first_day, last_day) = (:book, :source, :feed, :first, :last)
    """
)
_SET_STATE = statement(
    """
    UPDATE polled_span SET state = :state, not_before = NULL
    WHERE book = :book AND source = :source AND feed = ANY(:feeds)
      AND state IN ('open', 'paused') AND state <> :state
    """
)
_LIST = statement(
    """
    SELECT p.*, r.pages, r.counts, r.started_at FROM polled_span p
    LEFT JOIN poll_reading r USING (reading_id)
    WHERE p.book = :book AND p.source = :source ORDER BY p.asked_at, p.feed, p.first_day
    """
)
_OPEN = statement("SELECT count(*) FROM polled_span WHERE state = 'open'")


def ask(
    connection: Connection,
    name: SourceKey,
    wanted: Sequence[str],
    span: Span,
    *,
    actor: str,
    now: datetime,
) -> list[str]:
    """Ask for the history of feeds; return those that weren't asked for this span before.

    Raises ConfigurationInvalid for a feed that has no history, NotFound for an unknown one.
    """
    if span.last < span.first:
        raise ConfigurationInvalid("the span's last day lies before its first")
    found = feeds.named(connection, name, wanted)
    rows = feeds.status(connection, name.book, name.source)
    able = {row["feed"] for row in rows if row["has_history"]}
    unable = sorted(set(wanted) - able)
    if unable:
        raise ConfigurationInvalid(f"{', '.join(unable)}: history can't be read by span")
    new = []
    for feed in found:
        values = {"book": name.book, "source": name.source, "feed": feed, "now": now}
        days = {"first": span.first, "last": span.last}
        if feed in able and connection.execute(_ASK, {**values, **days, "actor": actor}).rowcount:
            new.append(feed)
    audit.write(
        connection,
        actor=actor,
        action="ask_history",
        subject=f"{name.book}/{name.source}",
        book=name.book,
        detail={"feeds": new, "first": span.first, "last": span.last},
    )
    return new


def finish(connection: Connection, turn: Turn, reading_id: str, now: datetime) -> None:
    """Note that a span has been read to its end, and by which reading."""
    connection.execute(_FINISH, {**turn.key, "reading_id": reading_id, "now": now})


def pause(connection: Connection, name: SourceKey, found: Sequence[str], *, paused: bool) -> None:
    """Let the history of feeds rest, or be read on from where it was."""
    state = "paused" if paused else "open"
    values = {"book": name.book, "source": name.source, "feeds": list(found), "state": state}
    connection.execute(_SET_STATE, values)


def listed(connection: Connection, name: SourceKey) -> list[dict[str, Any]]:
    """Return every span that was asked for, and how far it is."""
    rows = connection.execute(_LIST, {"book": name.book, "source": name.source}).mappings()
    return [dict(row) for row in rows]


def count_open(connection: Connection) -> int:
    """Return how many spans are still being read."""
    return int(connection.execute(_OPEN).scalar_one())
