"""What is announced says exactly what was accepted, although it is put together from parts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hourbridge.common.messages.records import TimeEntry
from hourbridge.common.messages.registry import REGISTRY
from hourbridge.ingestor.announcements import announce
from hourbridge.ingestor.records import Revision

ACCEPTED_AT = datetime(2026, 4, 1, 12, 30, 0, 250, tzinfo=UTC)


def revision(state: TimeEntry, *, correlation_id: str | None = 'c"\\\n') -> Revision:
    return Revision(
        record_id="00000000-0000-5000-8000-000000000000",
        book="b",
        source="s",
        record_type=state.record_type,
        revision=7,
        order_key=7,
        sequence=3,
        content_hash="ab",
        state=state,
        raw_ref="payload:p",
        accepted_at=ACCEPTED_AT,
        correlation_id=correlation_id,
    )


def test_readers_get_the_revision_back(make_entry: Any) -> None:
    state = make_entry(notes='Überstunden, "ab,\\"data\\":1" \u2028', external_version="7")
    message = announce(revision(state))
    event = REGISTRY.decode(message.type, message.body)
    assert (event.id, event.book, event.correlationid) == (message.message_id, "b", 'c"\\\n')
    assert (event.time, event.data.accepted_at) == (ACCEPTED_AT, ACCEPTED_AT)
    assert event.data.state == state
    assert (event.data.revision, event.data.sequence, event.data.raw_ref) == (7, 3, "payload:p")


def test_what_is_absent_is_left_out(make_entry: Any) -> None:
    message = announce(revision(make_entry(), correlation_id=None))
    assert b":null" not in message.body
    assert b"correlationid" not in message.body
