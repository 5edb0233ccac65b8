"""Rows of deliveries: the payload as it came, what became of it, and those still to act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection

from hourbridge.common.store.rows import statement
from hourbridge.ingestor.payloads import Payload, storable
from hourbridge.ingestor.webhooks.routing import Address

_REASONS_KEPT_MAX = 200
_SETTLE = statement(
    """
    UPDATE received_payload SET outcome = :outcome, reasons = CAST(:reasons AS jsonb),
        event_id = :event_id, correlation_id = :event_id, book = coalesce(book, :book),
        source = coalesce(source, :source)
    WHERE payload_id = CAST(:payload_id AS uuid) AND received_at = :received_at
    """
)
_WAIT = statement(
    """
    INSERT INTO webhook_waiting
        (payload_id, received_at, app, book, source, headers, not_before, last_error)
    VALUES (CAST(:payload_id AS uuid), :received_at, :app, :book, :source,
            CAST(:headers AS jsonb), :not_before, :last_error)
    ON CONFLICT (payload_id) DO NOTHING
    """
)
_NEXT = statement(
    """
    SELECT payload_id::text AS payload_id, received_at, app, book, source, headers, attempts
    FROM webhook_waiting WHERE not_before <= :now
    ORDER BY received_at, payload_id LIMIT 1 FOR UPDATE SKIP LOCKED
    """
)
_DONE = statement("DELETE FROM webhook_waiting WHERE payload_id = CAST(:payload_id AS uuid)")
_LATER = statement(
    """
    UPDATE webhook_waiting SET attempts = attempts + :failed, not_before = :not_before,
        last_error = coalesce(:error, last_error)
    WHERE payload_id = CAST(:payload_id AS uuid)
    """
)
_DEPTH = statement("SELECT count(*) FROM webhook_waiting")
_NOT_KEPT = frozenset({"authorization", "cookie", "proxy-authorization"})
_ERROR_CHARACTERS_MAX = 500


@dataclass(frozen=True)
class Waiting:
    """A delivery that was answered and is still to be acted on."""

    payload: Payload
    """Without its body, which is read when it is needed."""
    address: Address
    headers: dict[str, str]
    attempts: int


def settle(connection: Connection, payload: Payload) -> None:
    """Write what became of a payload that is kept already."""
    reasons = [
        {name: storable(text) or "" for name, text in reason.model_dump().items()}
        for reason in payload.reasons[:_REASONS_KEPT_MAX]
    ]
    connection.execute(
        _SETTLE,
        {
            **_key(payload),
            "received_at": payload.received_at,
            "outcome": payload.outcome,
            "reasons": to_json(reasons).decode(),
            "event_id": storable(payload.event_id),
            "book": payload.book,
            "source": payload.source,
        },
    )


def wait(
    connection: Connection,
    payload: Payload,
    address: Address,
    headers: Mapping[str, str],
    *,
    not_before: datetime,
    error: str | None,
) -> None:
    """Let a kept delivery be acted on later; repeatable."""
    kept = {name: storable(text) for name, text in headers.items() if name not in _NOT_KEPT}
    connection.execute(
        _WAIT,
        {
            **_key(payload),
            "received_at": payload.received_at,
            "app": address.app,
            "book": address.book,
            "source": address.source,
            "headers": to_json(kept).decode(),
            "not_before": not_before,
            "last_error": _short(error),
        },
    )


def take_waiting(connection: Connection, now: datetime) -> Waiting | None:
    """Return the oldest delivery that is due, locked until the transaction ends."""
    row: Any = connection.execute(_NEXT, {"now": now}).first()
    if row is None:
        return None
    payload = Payload(row.payload_id, row.received_at, "webhook", None, None, row.book, row.source)
    address = Address(row.app, row.book, row.source)
    return Waiting(payload, address, dict(row.headers), row.attempts)


def done(connection: Connection, payload: Payload) -> None:
    """Note that a waiting delivery was acted on."""
    connection.execute(_DONE, _key(payload))


def later(
    connection: Connection, payload: Payload, *, not_before: datetime, error: str | None
) -> None:
    """Let a waiting delivery rest; an error counts as an attempt."""
    values = {"failed": int(error is not None), "not_before": not_before, "error": _short(error)}
    connection.execute(_LATER, {**_key(payload), **values})


def depth(connection: Connection) -> int:
    """Return how many deliveries wait."""
    return int(connection.execute(_DEPTH).scalar() or 0)


def _key(payload: Payload) -> dict[str, Any]:
    return {"payload_id": payload.payload_id}


def _short(error: str | None) -> str | None:
    return None if error is None else storable(error[:_ERROR_CHARACTERS_MAX])
