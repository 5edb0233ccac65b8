"""The events by which the ingestor tells the others what it accepted."""

from __future__ import annotations

from pydantic_core import to_json

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.publishing import body_of
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import REGISTRY, accepted_type
from hourbridge.ingestor.records import Revision

EVENT_SOURCE = "hourbridge/ingestor"
_TYPES = {record_type: REGISTRY.get(accepted_type(record_type)) for record_type in RecordType}


def announce(revision: Revision) -> Outgoing:
    """Return the message for an accepted revision; the same revision gives the same message."""
    registered = _TYPES[revision.record_type]
    event_id = derive_id(registered.type, revision.record_id, str(revision.revision))
    body = body_of(
        {
            "id": event_id,
            "source": EVENT_SOURCE,
            "type": registered.type,
            "subject": revision.record_id,
            "time": revision.accepted_at,
            "book": revision.book,
            "correlationid": revision.correlation_id,
        },
        _data(revision),
    )
    return Outgoing(
        exchange=registered.exchange,
        routing_key=registered.routing_key,
        body=body,
        message_id=event_id,
        type=registered.type,
        headers={"book": revision.book},
        correlation_id=revision.correlation_id,
        timestamp_seconds=int(revision.accepted_at.timestamp()),
    )


def _data(revision: Revision) -> bytes:
    """Return a ``RecordAccepted`` as JSON: put together, for the state is text already."""
    head = to_json(
        {
            "record_id": revision.record_id,
            "record_type": revision.record_type,
            "source": revision.source,
            "revision": revision.revision,
            "sequence": revision.sequence,
            "content_hash": revision.content_hash,
            "raw_ref": revision.raw_ref,
            "accepted_at": revision.accepted_at,
        }
    )
    return b'%b,"state":%b}' % (head[:-1], revision.state_json.encode())
