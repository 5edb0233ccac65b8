"""The events by which the ingestor tells the others what it accepted."""

from __future__ import annotations

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import RecordAccepted
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import REGISTRY, accepted_type
from hourbridge.ingestor.records import Revision

EVENT_SOURCE = "hourbridge/ingestor"
_TYPES = {record_type: accepted_type(record_type) for record_type in RecordType}


def announce(revision: Revision) -> Outgoing:
    """Return the message for an accepted revision; the same revision gives the same message."""
    message_type = _TYPES[revision.record_type]
    payload: type[RecordAccepted] = REGISTRY.get(message_type).payload  # type: ignore[assignment, type-arg]
    data = payload.model_construct(
        record_id=revision.record_id,
        record_type=revision.record_type,
        source=revision.source,
        revision=revision.revision,
        sequence=revision.sequence,
        content_hash=revision.content_hash,
        raw_ref=revision.raw_ref,
        accepted_at=revision.accepted_at,
        state=revision.state,
    )
    event = new_event(
        message_type,
        data,
        book=revision.book,
        source=EVENT_SOURCE,
        id=derive_id(message_type, revision.record_id, str(revision.revision)),
        subject=revision.record_id,
        time=revision.accepted_at,
        correlationid=revision.correlation_id,
    )
    return outgoing(event)
