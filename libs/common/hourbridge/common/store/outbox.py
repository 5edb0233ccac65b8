"""The outbox: messages that become due with a transaction where no delivery waits for redelivery.

Rows are inserted with the change they announce, published after the commit by whoever made them,
and swept by a relay if that process died or the broker was away. A row is deleted only after the
broker confirmed the message; a crash in between publishes twice, which consumers absorb.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from hourbridge.common.bus.adapter import Bus, Outgoing
from hourbridge.common.errors import BusError
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.store import claim_check
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import bulk

SWEEP_AGE_SECONDS = 30
BATCH_MESSAGES_MAX = 1000

AFTER_PUBLISH = declare("outbox.after_publish", "outbox rows published, not yet deleted")
BEFORE_PUBLISH = declare("outbox.before_publish", "outbox rows committed, not yet published")

_INSERT = text(
    """
    INSERT INTO outbox
        (exchange, routing_key, message_id, type, correlation_id, content_type, headers, body)
    SELECT exchange, routing_key, message_id, type, correlation_id, content_type, headers, body
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        exchange text, routing_key text, message_id text, type text, correlation_id text,
        content_type text, headers jsonb, body text)
    """
)
_TAKE = text(
    """
    SELECT * FROM outbox WHERE created_at <= now() - make_interval(secs => :age_seconds)
    ORDER BY id LIMIT :messages_max FOR UPDATE SKIP LOCKED
    """
)
_DELETE = text("DELETE FROM outbox WHERE id = ANY(:ids)")
_DEPTH = text("SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT :at_most) AS counted")
_OLDEST = text("SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox")


class Outbox:
    """The outbox of one service's schema."""

    def __init__(self, store: Store, bus: Bus, *, publish_timeout_seconds: float = 10) -> None:
        self._store = store
        self._bus = bus
        self._publish_timeout_seconds = publish_timeout_seconds

    def add(self, connection: Connection, messages: Sequence[Outgoing]) -> None:
        """Record ``messages`` in the caller's transaction; large ones by reference."""
        if messages:
            travelling = claim_check.check_in(connection, messages)
            bulk(connection, _INSERT, [as_row(message) for message in travelling])

    def flush(self, *, older_than_seconds: float = 0) -> int:
        """Publish committed rows, oldest first; return how many were confirmed.

        Raises BusError (rows stay) or StoreUnavailable.
        """
        published = 0
        while batch := self._flush_batch(older_than_seconds):
            published += batch
            if batch < BATCH_MESSAGES_MAX:
                break
        return published

    def _flush_batch(self, older_than_seconds: float) -> int:
        fault_point(BEFORE_PUBLISH)
        with self._store.transaction() as connection:
            rows = (
                connection.execute(
                    _TAKE,
                    {"age_seconds": older_than_seconds, "messages_max": BATCH_MESSAGES_MAX},
                )
                .mappings()
                .all()
            )
            if rows:
                self._bus.publish(
                    [from_row(row) for row in rows], timeout_seconds=self._publish_timeout_seconds
                )
                fault_point(AFTER_PUBLISH)
                connection.execute(_DELETE, {"ids": [row["id"] for row in rows]})
        return len(rows)

    def try_flush(self) -> None:
        """Flush now if the broker is there; otherwise the relay will."""
        try:
            self.flush()
        except BusError:
            return

    def sweep(self) -> None:
        """Publish what a dead process or an absent broker left behind (the relay's task)."""
        self.flush(older_than_seconds=SWEEP_AGE_SECONDS)

    def depth(self, at_most: int) -> int:
        """Return how many messages are unpublished, counted no further than ``at_most``."""
        with self._store.transaction() as connection:
            return int(connection.execute(_DEPTH, {"at_most": at_most}).scalar_one())

    def oldest_age_seconds(self) -> float:
        """Return the age of the oldest unpublished row, 0 when there is none."""
        with self._store.transaction() as connection:
            return float(connection.execute(_OLDEST).scalar_one())


def as_row(message: Outgoing) -> dict[str, Any]:
    """Return a message as JSON-ready values."""
    return {
        "exchange": message.exchange,
        "routing_key": message.routing_key,
        "message_id": message.message_id,
        "type": message.type,
        "correlation_id": message.correlation_id,
        "content_type": message.content_type,
        "headers": dict(message.headers),
        "body": message.body.decode(),
    }


def from_row(row: RowMapping | dict[str, Any]) -> Outgoing:
    """Return the message that ``as_row`` described."""
    return Outgoing(
        exchange=row["exchange"],
        routing_key=row["routing_key"],
        body=row["body"].encode(),
        message_id=row["message_id"],
        type=row["type"],
        headers=row["headers"],
        correlation_id=row["correlation_id"],
        content_type=row["content_type"],
    )
