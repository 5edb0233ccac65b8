"""The archiver: moves what arrives in a service's dead queue into its table."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.bus import headers as h
from hourbridge.common.bus import recoverability as recover
from hourbridge.common.bus.adapter import Bus, Delivery, Outgoing
from hourbridge.common.bus.bus_metrics import ARCHIVED, DEAD
from hourbridge.common.bus.lanes import Lane
from hourbridge.common.bus.topology import ServiceQueues, Topology
from hourbridge.common.bus.worker import LaneWorker
from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.errors import DependencyUnavailable, HourbridgeError
from hourbridge.common.ids import content_hash, derive_key
from hourbridge.common.messages.envelope import TYPE_PREFIX
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import bulk

_INSERT = text(
    """
    INSERT INTO dead_message (queue, message_id, type, exchange, routing_key, book, headers, body,
        content_key, cause, error_text, attempts, first_failed_at)
    SELECT queue, message_id, type, exchange, routing_key, book, headers, decode(body, 'base64'),
        content_key, cause, error_text, attempts, first_failed_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        queue text, message_id text, type text, exchange text, routing_key text, book text,
        headers jsonb, body text, content_key text, cause text, error_text text,
        attempts integer, first_failed_at timestamptz)
    ON CONFLICT (content_key) WHERE state = 'dead' DO NOTHING
    """
)
ARCHIVE_BATCH_MAX = 100


class Archiver:
    """A thread that keeps one service's dead queue empty."""

    def __init__(self, service: str, *, bus: Bus, store: Store, clock: Clock | None = None) -> None:
        lane = Lane(
            ServiceQueues(service).dead,
            ArchiveHandler(service),
            batch_messages_max=ARCHIVE_BATCH_MAX,
            prefetch=ARCHIVE_BATCH_MAX,
            raw=True,
        )
        nothing = Topology((), (), (), ())
        self._worker = LaneWorker(
            service, lane, bus=bus, store=store, topology=nothing, clock=clock or SystemClock()
        )
        self.name = self._worker.name

    def start(self) -> None:
        """Start draining the dead queue."""
        self._worker.start()

    def stop(self, timeout_seconds: float) -> None:
        """Finish the batch in hand and stop."""
        self._worker.stop(timeout_seconds)

    def is_alive(self) -> bool:
        """Return whether the thread runs."""
        return self._worker.is_alive()


class ArchiveHandler:
    """Inserts dead letters; the same one delivered twice is one row while it is undecided."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._queues = ServiceQueues(service)

    def handle(self, received: Sequence[Delivery], connection: Connection) -> Sequence[Outgoing]:
        """Insert all; pause rather than fail, since a dead letter has nowhere else to go."""
        try:
            rows = {row["content_key"]: row for row in map(self.row, received)}
            bulk(connection, _INSERT, list(rows.values()))
        except HourbridgeError:
            raise
        except Exception as error:
            raise DependencyUnavailable(f"dead letters can't be archived: {error!r}") from error
        ARCHIVED.labels(self._service).inc(len(received))
        return []

    def row(self, delivery: Delivery) -> dict[str, Any]:
        """Return the table row of one dead letter."""
        headers = {_clean(name): _plain(value) for name, value in delivery.headers.items()}
        queue = self._origin_queue(headers)
        cause = headers.get(h.CAUSE)
        if cause is None:  # not sent here by us: the broker's fuse blew
            cause = recover.DELIVERY_LIMIT_REACHED
            DEAD.labels(self._service, cause).inc()
        first_failed_at = _instant(headers.get(h.FIRST_FAILED_AT))
        message_type = _clean(delivery.type or "")
        return {
            "queue": queue,
            "message_id": _clean(delivery.message_id or "") or None,
            "type": message_type or None,
            "exchange": headers.get(h.EXCHANGE, headers.get("x-first-death-exchange", "")),
            "routing_key": headers.get(h.ROUTING_KEY, message_type.removeprefix(TYPE_PREFIX)),
            "book": headers.get("book"),
            "headers": headers,
            "body": base64.b64encode(delivery.body).decode(),
            "content_key": derive_key(
                queue,
                delivery.message_id or "",
                str(cause),
                str(first_failed_at),
                str(headers.get(h.REPLAY, "")),
                content_hash(delivery.body),
            ),
            "cause": cause,
            "error_text": headers.get(
                h.ERROR_TEXT, "RabbitMQ gave the message up after too many deliveries came back"
            ),
            "attempts": h.attempts(delivery),
            "first_failed_at": first_failed_at,
        }

    def _origin_queue(self, headers: dict[str, Any]) -> str:
        """Return the lane it died on; a foreign header can't point it at another service."""
        own = (self._queues.work, self._queues.bulk, self._queues.suspect)
        for candidate in (headers.get(h.QUEUE), headers.get("x-first-death-queue")):
            if candidate in own:
                return self._queues.work if candidate == self._queues.suspect else str(candidate)
        return self._queues.work


def _clean(text_value: str) -> str:
    return text_value.replace("\x00", "\\0")


def _plain(value: str | int) -> str | int:
    return _clean(value) if isinstance(value, str) else value


def _instant(value: Any) -> str | None:
    """Return the header if it is an instant; outsiders may have written anything."""
    try:
        return datetime.fromisoformat(str(value)).isoformat() if value else None
    except ValueError:
        return None
