"""The end of a reading: the feed rests until its next turn, and the totals are told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.store.outbox import Outbox
from hourbridge.common.store.rows import statement
from hourbridge.ingestor.polling import feeds, metrics, spans
from hourbridge.ingestor.polling.feeds import SourceKey
from hourbridge.ingestor.polling.readings import Progress
from hourbridge.ingestor.polling.schedule import rest_after
from hourbridge.ingestor.polling.totals import told, totals_messages
from hourbridge.ingestor.polling.turns import Turn

_REST = statement(
    # Whoever woke the feed after this reading had begun may have meant what it had passed.
    """
    UPDATE polled_feed SET last_finished_at = :now,
        last_changed_at = CASE WHEN :changed THEN :now ELSE last_changed_at END,
        interval_now_seconds = :interval_now_seconds,
        next_due_at = CASE WHEN wake_requested_at > :started THEN :now ELSE :next_due_at END,
        wake_requested_at = CASE WHEN wake_requested_at > :started THEN wake_requested_at END,
        wake_reason = CASE WHEN wake_requested_at > :started THEN wake_reason END,
        deletions_allowed_by = NULL, told = :told
    WHERE (book, source, feed) = (:book, :source, :feed)
    """
)


def finish(
    connection: Connection, outbox: Outbox, turn: Turn, progress: Progress, now: datetime
) -> None:
    """Close a reading in the caller's transaction."""
    progress.state, progress.finished_at = "done", now
    digest = told(progress)
    if turn.span is not None:
        spans.finish(connection, turn, progress.reading_id, now)
        outbox.add(connection, totals_messages(progress, now))
        return
    row = feeds.lock(connection, SourceKey(turn.book, turn.source), turn.feed)
    if progress.brought_change or row["told"] != digest:
        outbox.add(connection, totals_messages(progress, now))
    rest = rest_after(
        feeds.schedule_of(row),
        row["interval_now_seconds"],
        changed=progress.brought_change,
        started=progress.started_at,
        now=now,
    )
    labels = (turn.book, turn.source, turn.feed)
    metrics.INTERVAL.labels(*labels).set(rest.interval_now_seconds)
    connection.execute(
        _REST,
        {
            **turn.names,
            "now": now,
            "changed": progress.brought_change,
            "started": progress.started_at,
            "interval_now_seconds": rest.interval_now_seconds,
            "next_due_at": rest.next_due_at,
            "told": digest,
        },
    )


def note(turn: Turn, progress: Progress) -> None:
    """Count a reading that was committed."""
    labels = (turn.book, turn.source, turn.feed)
    changed = progress.brought_change
    if turn.span is not None:
        metrics.READINGS.labels(*labels, "history").inc()
        return
    metrics.READINGS.labels(*labels, "changed" if changed else "unchanged").inc()
    if progress.finished_at is not None:
        metrics.LAST_READ.labels(*labels).set(progress.finished_at.timestamp())
        if changed:
            metrics.LAST_CHANGE.labels(*labels).set(progress.finished_at.timestamp())
    if progress.deletions_withheld:
        metrics.WITHHELD.labels(*labels).inc()
