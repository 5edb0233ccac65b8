"""Rows of polled sources and their feeds: attaching, scheduling, and what stands where."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store import audit
from hourbridge.common.store.rows import bulk, statement
from hourbridge.connectors.source import SourceCapabilities
from hourbridge.ingestor.polling.schedule import Rest, Schedule, begin

_ATTACH = statement(
    """
    INSERT INTO polled_source (book, source, connection, system, zone, attached_at, attached_by)
    VALUES (:book, :source, :connection, :system, :zone, :now, :actor)
    ON CONFLICT (book, source) DO UPDATE SET
        connection = excluded.connection, system = excluded.system,
        zone = coalesce(excluded.zone, polled_source.zone)
    """
)
_SOURCE = statement("SELECT * FROM polled_source WHERE book = :book AND source = :source")
_SOURCES = statement(
    "SELECT * FROM polled_source WHERE (CAST(:book AS text) IS NULL OR book = :book) "
    "ORDER BY book, source"
)
_ADD_FEEDS = statement(
    # A feed that is known keeps its schedule, its cursor and whether it is read at all.
    """
    INSERT INTO polled_feed
        (book, source, feed, record_types, has_history, enabled, interval_seconds,
         interval_seconds_max, interval_now_seconds, next_due_at)
    SELECT :book, :source, feed, record_types, has_history, enabled, interval_seconds,
           interval_seconds_max, interval_seconds, CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        feed text, record_types text[], has_history boolean, enabled boolean,
        interval_seconds int, interval_seconds_max int)
    ON CONFLICT (book, source, feed) DO UPDATE SET
        record_types = excluded.record_types, has_history = excluded.has_history
    """
)
_DETACH = statement("DELETE FROM polled_source WHERE book = :book AND source = :source")
_LOCK_FEED = statement(
    "SELECT f.*, s.zone FROM polled_feed f JOIN polled_source s USING (book, source) "
    "WHERE (book, source, feed) = (:book, :source, :feed) FOR UPDATE OF f"
)
_FEEDS = statement(
    """
    SELECT f.*, s.zone, s.connection, s.system,
           (SELECT count(*) FROM polled_span p WHERE (p.book, p.source, p.feed)
                = (f.book, f.source, f.feed) AND p.state = 'open') AS history_open
    FROM polled_feed f JOIN polled_source s USING (book, source)
    WHERE (CAST(:book AS text) IS NULL OR book = :book)
      AND (CAST(:source AS text) IS NULL OR source = :source)
    ORDER BY book, source, feed
    """
)
_SET_SCHEDULE = statement(
    """
    UPDATE polled_feed SET cadence = :cadence, interval_seconds = :interval_seconds,
        interval_seconds_max = :interval_seconds_max, at_time = :at_time, weekday = :weekday,
        interval_now_seconds = :interval_now_seconds, next_due_at = :next_due_at
    WHERE (book, source, feed) = (:book, :source, :feed)
    """
)
_SET_ZONE = statement(
    "UPDATE polled_source SET zone = :zone WHERE book = :book AND source = :source"
)
_ENABLE = statement(
    """
    UPDATE polled_feed SET enabled = :enabled, not_before = NULL, failures = 0,
        next_due_at = CASE WHEN :enabled THEN CAST(:now AS timestamptz) ELSE next_due_at END
    WHERE book = :book AND source = :source AND feed = ANY(:feeds) AND enabled <> :enabled
    """
)
_POLL_NOW = statement(
    # A person's word also ends the pause after failures; the call budget still counts.
    """
    UPDATE polled_feed SET next_due_at = CAST(:now AS timestamptz), not_before = NULL,
        wake_requested_at = CAST(:now AS timestamptz), wake_reason = :reason,
        cursor = CASE WHEN :whole THEN NULL ELSE cursor END,
        reading_id = CASE WHEN :whole THEN NULL ELSE reading_id END,
        deletions_allowed_by = coalesce(:allowed_by, deletions_allowed_by)
    WHERE book = :book AND source = :source AND feed = ANY(:feeds) AND enabled
    RETURNING feed
    """
)


@dataclass(frozen=True)
class SourceKey:
    """A source within a book."""

    book: str
    source: str


def attach(
    connection: Connection,
    name: SourceKey,
    capabilities: SourceCapabilities,
    *,
    via: str,
    zone: str | None,
    only: Collection[str] | None,
    actor: str,
    now: datetime,
) -> None:
    """Let a book's source be read over the connection ``via``; repeatable.

    ``only`` names the feeds to read; the others are known but rest. Feeds attached before stay
    as they are.
    """
    unknown = set(only or ()) - {feed.name for feed in capabilities.feeds}
    if unknown:
        known = ", ".join(feed.name for feed in capabilities.feeds)
        raise ConfigurationInvalid(f"no such feed: {', '.join(sorted(unknown))}; there are {known}")
    parameters = {"book": name.book, "source": name.source, "now": now}
    connection.execute(
        _ATTACH,
        {
            **parameters,
            "connection": via,
            "system": capabilities.system,
            "zone": zone,
            "actor": actor,
        },
    )
    rows = [
        {
            "feed": feed.name,
            "record_types": sorted(each.value for each in feed.record_types),
            "has_history": feed.has_history,
            "enabled": only is None or feed.name in only,
            "interval_seconds": feed.interval_seconds,
            "interval_seconds_max": max(feed.interval_seconds_max, feed.interval_seconds),
        }
        for feed in capabilities.feeds
    ]
    if rows:
        bulk(connection, _ADD_FEEDS, rows, **parameters)
    _audit(connection, actor, "attach_source", name, {"connection": via, "only": list(only or ())})


def detach(connection: Connection, name: SourceKey, *, actor: str) -> None:
    """Stop reading a source: its cursors go, its records and readings stay."""
    known_source(connection, name)
    connection.execute(_DETACH, {"book": name.book, "source": name.source})
    _audit(connection, actor, "detach_source", name, {})


def known_source(connection: Connection, name: SourceKey) -> RowMapping:
    """Return a polled source's row; raises NotFound."""
    row = connection.execute(_SOURCE, {"book": name.book, "source": name.source}).mappings().first()
    if row is None:
        raise NotFound("no such source is polled", book=name.book, source=name.source)
    return row


def sources(connection: Connection, book: str | None = None) -> list[dict[str, Any]]:
    """Return the sources that are polled."""
    return [dict(row) for row in connection.execute(_SOURCES, {"book": book}).mappings()]


def status(
    connection: Connection, book: str | None = None, source: str | None = None
) -> list[dict[str, Any]]:
    """Return how every feed fares."""
    rows = connection.execute(_FEEDS, {"book": book, "source": source}).mappings()
    return [dict(row) for row in rows]


def lock(connection: Connection, name: SourceKey, feed: str) -> RowMapping:
    """Return a feed's row, locked until the transaction ends; raises NotFound."""
    parameters = {"book": name.book, "source": name.source, "feed": feed}
    row = connection.execute(_LOCK_FEED, parameters).mappings().first()
    if row is None:
        raise NotFound("no such feed is polled", **parameters)
    return row


def named(connection: Connection, name: SourceKey, wanted: Collection[str]) -> list[str]:
    """Return the feeds that ``wanted`` names, all of them when it is empty; raises NotFound."""
    known_source(connection, name)
    known = [row["feed"] for row in status(connection, name.book, name.source)]
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise NotFound(f"no such feed: {', '.join(unknown)}; there are {', '.join(known)}")
    return [feed for feed in known if not wanted or feed in wanted]


def schedule_of(row: RowMapping) -> Schedule:
    """Return the schedule that a feed's row holds."""
    return Schedule(
        cadence=row["cadence"],
        interval_seconds=row["interval_seconds"],
        interval_seconds_max=row["interval_seconds_max"],
        at_time=row["at_time"],
        weekday=row["weekday"],
        zone=row["zone"],
    )


def set_schedule(
    connection: Connection,
    name: SourceKey,
    feed: str,
    schedule: Schedule,
    *,
    actor: str,
    now: datetime,
) -> Rest:
    """Give a feed another schedule, from now on; raises ConfigurationInvalid."""
    schedule.check()
    lock(connection, name, feed)
    rest = begin(schedule, now)
    connection.execute(_SET_ZONE, {"book": name.book, "source": name.source, "zone": schedule.zone})
    told = {
        "cadence": schedule.cadence,
        "interval_seconds": schedule.interval_seconds,
        "interval_seconds_max": schedule.interval_seconds_max,
        "at_time": schedule.at_time,
        "weekday": schedule.weekday,
    }
    connection.execute(
        _SET_SCHEDULE,
        {
            "book": name.book,
            "source": name.source,
            "feed": feed,
            "interval_now_seconds": rest.interval_now_seconds,
            "next_due_at": rest.next_due_at,
            **told,
        },
    )
    _audit(connection, actor, "schedule_feed", name, {"feed": feed, **told})
    return rest


def enable(
    connection: Connection,
    name: SourceKey,
    wanted: Sequence[str],
    *,
    enabled: bool,
    actor: str,
    now: datetime,
) -> list[str]:
    """Let feeds rest, or read on from where they were; return all that the order concerns."""
    found = named(connection, name, wanted)
    parameters = {"book": name.book, "source": name.source, "feeds": found, "now": now}
    connection.execute(_ENABLE, {**parameters, "enabled": enabled})
    _audit(connection, actor, "resume_feeds" if enabled else "pause_feeds", name, {"feeds": found})
    return found


def poll_now(
    connection: Connection,
    name: SourceKey,
    wanted: Sequence[str],
    *,
    actor: str,
    now: datetime,
    whole: bool = False,
    allow_deletions: bool = False,
) -> list[str]:
    """Make feeds due now; return which. ``whole``: read from the beginning, not from the cursor.

    ``allow_deletions`` lets the next complete reading delete also what it would withhold.
    """
    found = named(connection, name, wanted)
    rows = connection.execute(
        _POLL_NOW,
        {
            "book": name.book,
            "source": name.source,
            "feeds": found,
            "now": now,
            "reason": f"asked for by {actor}",
            "whole": whole,
            "allowed_by": actor if allow_deletions else None,
        },
    )
    due = sorted(row.feed for row in rows)
    detail = {"feeds": due, "whole": whole, "allow_deletions": allow_deletions}
    _audit(connection, actor, "poll_feeds", name, detail)
    return due


def _audit(
    connection: Connection, actor: str, action: str, name: SourceKey, detail: dict[str, Any]
) -> None:
    subject = f"{name.book}/{name.source}"
    audit.write(
        connection, actor=actor, action=action, subject=subject, book=name.book, detail=detail
    )
