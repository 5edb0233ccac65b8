"""From typed events to outgoing messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hourbridge.common.bus.adapter import HeaderValue, Outgoing
from hourbridge.common.messages.envelope import Event
from hourbridge.common.messages.fields import Payload
from hourbridge.common.messages.registry import REGISTRY


def new_event(
    message_type: str,
    data: Payload,
    *,
    book: str,
    source: str,
    id: str,
    subject: str | None = None,
    time: datetime | None = None,
    correlationid: str | None = None,
    causationid: str | None = None,
    traceparent: str | None = None,
) -> Event[Any]:
    """Return a validated event of a registered type; ``id`` must be derived from its content."""
    model = REGISTRY.get(message_type).event
    return model.model_construct(
        specversion="1.0",
        id=id,
        source=source,
        type=message_type,
        subject=subject,
        time=time,
        datacontenttype="application/json",
        dataschema=None,
        book=book,
        correlationid=correlationid,
        causationid=causationid,
        traceparent=traceparent,
        tracestate=None,
        data=data,
    )


def outgoing(event: Event[Any], *, routing_key: str | None = None) -> Outgoing:
    """Return ``event`` as a message for its type's exchange."""
    registered = REGISTRY.get(event.type)
    headers: dict[str, HeaderValue] = {"book": event.book}
    if event.traceparent:
        headers["traceparent"] = event.traceparent
    return Outgoing(
        exchange=registered.exchange,
        routing_key=routing_key or registered.routing_key,
        body=event.to_json(),
        message_id=event.id,
        type=event.type,
        headers=headers,
        correlation_id=event.correlationid,
        timestamp_seconds=int(event.time.timestamp()) if event.time else None,
    )
