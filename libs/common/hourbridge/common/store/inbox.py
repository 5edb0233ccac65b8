"""The inbox: for messages without a state row of their own, what they led to.

A redelivered message finds its row and publishes the same outgoing messages again. Rows are
partitioned by day and dropped, a partition at a time, after the retention.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pydantic_core import to_json
from sqlalchemy import Connection, text

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.store import claim_check
from hourbridge.common.store.outbox import as_row, from_row

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_FIND = text(
    "SELECT outgoing FROM inbox "
    "WHERE consumer = :consumer AND message_source = :source AND message_id = :id LIMIT 1"
)
_INSERT = text(
    "INSERT INTO inbox (consumer, message_source, message_id, received_on, outgoing) "
    "VALUES (:consumer, :source, :id, :day, CAST(:outgoing AS jsonb))"
)
_PARTITIONS = text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'inbox'::regclass AND c.relname ~ '^inbox_[0-9]{8}$'"
)


@dataclass(frozen=True)
class MessageKey:
    """Which consumer met which message; equal CloudEvents (source, id) are duplicates."""

    consumer: str
    source: str
    id: str


class Inbox:
    """The inbox of one service's schema; all calls run in the caller's transaction."""

    def recall(self, connection: Connection, key: MessageKey) -> list[Outgoing] | None:
        """Lock ``key`` for this transaction; return its outgoing messages, None if it is new."""
        connection.execute(_LOCK, {"key": f"{key.consumer}\x1f{key.source}\x1f{key.id}"})
        row = connection.execute(
            _FIND, {"consumer": key.consumer, "source": key.source, "id": key.id}
        ).first()
        return None if row is None else [from_row(item) for item in row[0]]

    def remember(
        self, connection: Connection, key: MessageKey, outgoing: Sequence[Outgoing], today: date
    ) -> None:
        """Keep what ``key`` led to; large messages by reference."""
        travelling = claim_check.check_in(connection, outgoing)
        connection.execute(
            _INSERT,
            {
                "consumer": key.consumer,
                "source": key.source,
                "id": key.id,
                "day": today,
                "outgoing": to_json([as_row(message) for message in travelling]).decode(),
            },
        )

    def maintain(
        self, connection: Connection, today: date, *, retention_days: int, ahead_days: int = 7
    ) -> None:
        """Create the coming days' partitions and drop those past the retention."""
        existing = set(connection.execute(_PARTITIONS).scalars())
        for day in _days(today + timedelta(days=1), ahead_days):
            if _partition(day) not in existing:
                following = day + timedelta(days=1)
                connection.execute(
                    text(
                        f"CREATE TABLE {_partition(day)} PARTITION OF inbox "
                        f"FOR VALUES FROM ('{day}') TO ('{following}')"
                    )
                )
        oldest = _partition(today - timedelta(days=retention_days))
        for name in sorted(existing):
            if name < oldest:
                connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(
            text("DELETE FROM inbox_default WHERE received_on < :oldest"),
            {"oldest": today - timedelta(days=retention_days)},
        )


def _partition(day: date) -> str:
    return f"inbox_{day:%Y%m%d}"


def _days(first: date, count: int) -> Iterable[date]:
    return (first + timedelta(days=offset) for offset in range(count))
