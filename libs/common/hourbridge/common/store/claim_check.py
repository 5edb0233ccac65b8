"""Claim check: the data of a large message stays in the object store, a reference travels.

What travels is the same CloudEvent with ``dataref`` (CloudEvents' extension of that name) in the
place of ``data``: ``sha256:<hex>``, which is the data's content hash too. The data is stored in
the transaction that made the message, so whoever can receive the reference can read the data.
Copies on delay rungs, dead letters and replays carry the reference on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.errors import Disposition, HourbridgeError, MessageInvalid
from hourbridge.common.ids import content_hash
from hourbridge.common.messages.envelope import DATAREF, DATAREF_PATTERN
from hourbridge.common.messages.registry import BULK_EXCHANGE, EVENTS_EXCHANGE
from hourbridge.common.store import objects

INLINE_BYTES_MAX = 256 * 1024
"""Largest body that travels whole."""
_REFERENCE = re.compile(DATAREF_PATTERN)
_MARK = f'"{DATAREF}"'.encode()
_DATA = b',"data":'
"""Begins the data in our own form of an event. It can't occur in the scalar attributes before: in
a JSON text each of its quotes would be escaped."""


class ReferencedDataMissing(HourbridgeError):
    """A message refers to data that the object store does not have (now)."""

    code = "dataref_missing"
    disposition = Disposition.RETRY
    advice = "Restore the object store, or let the sender publish again; then replay."


def check_in(connection: Connection, messages: Sequence[Outgoing]) -> Sequence[Outgoing]:
    """Return ``messages`` fit to travel: the data of large ones is kept in this transaction.

    Idempotent. Only events between our services: upstream systems can't follow a reference, and
    what they sent comes back to a lane that follows none.
    """
    large = {
        at: parts
        for at, message in enumerate(messages)
        if len(message.body) > INLINE_BYTES_MAX
        and message.exchange in (EVENTS_EXCHANGE, BULK_EXCHANGE)
        and (parts := _split(message.body)) is not None
    }
    if not large:
        return messages
    travelling = list(messages)
    # In one order everywhere: two transactions that keep equal objects can't deadlock.
    for at in sorted(large, key=lambda at: content_hash(large[at][1])):
        envelope, data = large[at]
        reference = objects.put(connection, data, "application/json")
        body = envelope + f',"{DATAREF}":"{reference}"}}'.encode()
        travelling[at] = replace(messages[at], body=body)
    return travelling


def is_claim(body: bytes) -> bool:
    """Return whether ``body``, which lacks valid data, may refer to it."""
    return _MARK in body


def redeem(connection: Connection, body: bytes) -> bytes:
    """Return ``body`` with its data in place; one that refers to none comes back as it is.

    Raises ReferencedDataMissing, or MessageInvalid for a reference that can't be one.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return body  # decoding will say what is wrong with it
    if not isinstance(document, dict) or DATAREF not in document or "data" in document:
        return body
    reference = document.pop(DATAREF)
    if not isinstance(reference, str) or not _REFERENCE.match(reference):
        raise _invalid("reference_invalid", "must be sha256: and 64 hexadecimal digits")
    try:
        data = objects.get(connection, reference)
    except objects.ObjectMissing:
        what = "the object store does not have the data of this message"
        raise ReferencedDataMissing(what, reference=reference) from None
    if f"sha256:{content_hash(data)}" != reference:
        raise _invalid("content_differs", f"the object has another content hash: {reference}")
    return json.dumps(document, separators=(",", ":"))[:-1].encode() + _DATA + data + b"}"


def _split(body: bytes) -> tuple[bytes, bytes] | None:
    """Return the envelope, still open, and the data; None if it is not an event in our form."""
    envelope, found, rest = body.partition(_DATA)
    data = rest[:-1]
    if not found or not rest.endswith(b"}"):
        return None
    try:
        is_event = isinstance(json.loads(envelope + b"}"), dict)
        json.loads(data)
    except (ValueError, RecursionError):
        return None
    return (envelope, data) if is_event else None


def _invalid(code: str, detail: str) -> MessageInvalid:
    reasons = [{"field": DATAREF, "code": code, "detail": detail}]
    return MessageInvalid("its data can't be had by reference", reasons)
