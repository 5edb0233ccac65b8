"""From typed events to outgoing messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import to_json

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


_ALWAYS = {"specversion": "1.0", "datacontenttype": "application/json"}


def body_of(attributes: Mapping[str, str | datetime | None], data_json: bytes) -> bytes:
    """Return the body of an event whose data is JSON already, as ``Event.to_json`` would.

    Fields of the data that have their default may be left out: another default would be another
    major version. Instants must be in UTC.
    """
    present = {name: value for name, value in attributes.items() if value is not None}
    head = to_json({**_ALWAYS, **present})
    return b'%b,"data":%b}' % (head[:-1], data_json)


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
