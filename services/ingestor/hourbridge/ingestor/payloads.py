"""Every received payload is kept as it came, readable or not; large ones by reference."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.ids import content_hash, ordered_id
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.store import objects
from hourbridge.common.store.rows import bulk, statement

INLINE_BYTES_MAX = 256 * 1024
_REFERENCE_PREFIX = "payload:"
_REASONS_KEPT_MAX = 200

_INSERT = statement(
    """
    INSERT INTO received_payload
        (payload_id, received_at, book, source, channel, content_type, sha256, size_bytes, body,
         object_ref, outcome, reasons, event_id, correlation_id)
    SELECT payload_id, received_at, book, source, channel, content_type, sha256, size_bytes,
           decode(body, 'base64'), object_ref, outcome, reasons, event_id, correlation_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        payload_id uuid, received_at timestamptz, book text, source text, channel text,
        content_type text, sha256 text, size_bytes bigint, body text, object_ref text,
        outcome text, reasons jsonb, event_id text, correlation_id text)
    """
)
_GET = statement("SELECT body, object_ref FROM received_payload WHERE payload_id = :id LIMIT 1")


@dataclass
class Payload:
    """One body as received, and what became of it."""

    payload_id: str
    received_at: datetime
    channel: str
    body: bytes | None
    """None when it was too large to be read at all."""
    content_type: str | None
    book: str | None = None
    source: str | None = None
    object_ref: str | None = None
    outcome: str = "received"
    reasons: tuple[FieldReason, ...] = ()
    event_id: str | None = None
    correlation_id: str | None = None

    def keep_as(self, object_ref: str, body: bytes) -> None:
        """Say that the body is in the object store already."""
        self.object_ref, self.body = object_ref, body

    @property
    def reference(self) -> str:
        """Return the ``raw_ref`` under which it is found."""
        return f"{_REFERENCE_PREFIX}{self.payload_id}"


def receive(
    channel: str, body: bytes | None, content_type: str | None, received_at: datetime
) -> Payload:
    """Return a payload to keep; each reception is one, also of equal bodies."""
    payload_id = ordered_id(int(received_at.timestamp() * 1000))
    return Payload(payload_id, received_at, channel, body, content_type)


def keep(connection: Connection, payloads: Sequence[Payload]) -> None:
    """Write payloads in the caller's transaction."""
    if payloads:
        # In one order everywhere: two transactions that keep equal objects can't deadlock.
        hashed = sorted(
            ((content_hash(payload.body or b""), payload) for payload in payloads),
            key=lambda pair: pair[0] if _is_large(pair[1]) else "",
        )
        bulk(connection, _INSERT, [_row(connection, *pair) for pair in hashed])


def _is_large(payload: Payload) -> bool:
    return payload.body is not None and len(payload.body) > INLINE_BYTES_MAX


def get(connection: Connection, reference: str) -> bytes | None:
    """Return the body that a ``raw_ref`` leads to, None when it is gone or was never read."""
    if not reference.startswith(_REFERENCE_PREFIX):
        return objects.get(connection, reference)
    payload_id = reference.removeprefix(_REFERENCE_PREFIX).partition("#")[0]
    row = connection.execute(_GET, {"id": payload_id}).first()
    if row is None:
        return None
    if row.object_ref:
        return objects.get(connection, row.object_ref)
    return None if row.body is None else bytes(row.body)


def _row(connection: Connection, sha256: str, payload: Payload) -> dict[str, Any]:
    body = payload.body or b""
    reference = payload.object_ref
    if reference is None and _is_large(payload):
        reference = objects.put(
            connection, body, payload.content_type or "application/octet-stream"
        )
    inline = payload.body is not None and reference is None
    return {
        "payload_id": payload.payload_id,
        "received_at": payload.received_at,
        "book": payload.book,
        "source": payload.source,
        "channel": payload.channel,
        "content_type": storable(payload.content_type),
        "sha256": sha256,
        "size_bytes": len(body),
        "body": base64.b64encode(body).decode() if inline else None,
        "object_ref": reference,
        "outcome": payload.outcome,
        "reasons": [_reason(reason) for reason in payload.reasons[:_REASONS_KEPT_MAX]],
        "event_id": storable(payload.event_id),
        "correlation_id": storable(payload.correlation_id),
    }


def _reason(reason: FieldReason) -> dict[str, str]:
    return {name: storable(text) or "" for name, text in reason.model_dump().items()}


def storable(text: str | None) -> str | None:
    """Return ``text`` without what PostgreSQL text can't hold (NUL, lone surrogates)."""
    if text is None:
        return None
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
