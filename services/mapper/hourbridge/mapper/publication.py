"""Charge sets as messages: ids derived from content, so that publishing again is a repetition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic_core import to_json

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import BookConfigured, ChargeSetChanged
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.registry import (
    BOOK_CONFIGURED,
    BULK_EXCHANGE,
    CHARGE_SET_CHANGED,
    EVENTS_EXCHANGE,
    REGISTRY,
)

EVENT_SOURCE = "/hourbridge/mapper"
_ROUTING_KEY = REGISTRY.get(CHARGE_SET_CHANGED).routing_key


def charge_set_message(
    book: str,
    change: ChargeSetChanged,
    *,
    change_json: str | None = None,
    correlation_id: str | None = None,
    causation_id: str | None = None,
) -> Outgoing:
    """Return the message that carries ``change``; ``change_json`` is its JSON if at hand."""
    event_id = _event_id(change)
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": EVENT_SOURCE,
        "type": CHARGE_SET_CHANGED,
        "subject": change.record_id,
        "datacontenttype": "application/json",
        "book": book,
        "correlationid": correlation_id,
        "causationid": causation_id,
    }
    return Outgoing(
        exchange=EVENTS_EXCHANGE,
        routing_key=_ROUTING_KEY,
        body=_body(envelope, change_json or change.model_dump_json(exclude_none=True)),
        message_id=event_id,
        type=CHARGE_SET_CHANGED,
        headers={"book": book},
        correlation_id=correlation_id,
    )


def _body(envelope: Mapping[str, str | None], data_json: str) -> bytes:
    """Return what ``Event.to_json`` would, byte for byte, without encoding the data again."""
    head = to_json({name: value for name, value in envelope.items() if value is not None})
    return b'%b,"data":%b}' % (head[:-1], data_json.encode())


def _event_id(change: ChargeSetChanged) -> str:
    covers = ",".join(map(str, change.covers))
    order = (str(change.record_revision), str(change.mapping_version))
    return derive_id(CHARGE_SET_CHANGED, change.record_id, *order, covers)


def book_configured_message(configured: BookConfigured) -> Outgoing:
    """Return the message that announces a version of a book's configuration."""
    book = configured.configuration.book
    event = new_event(
        BOOK_CONFIGURED,
        configured,
        book=book,
        source=EVENT_SOURCE,
        id=derive_id(BOOK_CONFIGURED, book, str(configured.version)),
        subject=book,
        time=configured.applied_at,
    )
    return outgoing(event)


def in_bulk(messages: Sequence[Outgoing]) -> list[Outgoing]:
    """Return ``messages`` for the bulk lane, where they don't delay today's events."""
    return [replace(message, exchange=BULK_EXCHANGE) for message in messages]
