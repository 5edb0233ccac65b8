"""AMQP intake: the raw lane on the ingestor's work queue, fed by ``hourbridge.intake``.

Which book and source an event speaks for: its ``book`` attribute, and the ``hb-source`` header,
else its CloudEvents ``source`` where that is a source's name. Settings may restrict the pairs.
Whatever is refused is kept, counted, and answered on ``hourbridge.intake.rejected``. A
redelivered message finds its effect and publishes the same messages again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from hourbridge.common.bus.adapter import Delivery, Outgoing
from hourbridge.common.clock import Clock
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.ids import content_hash, derive_id
from hourbridge.common.messages.events import FieldReason, IntakeRejected
from hourbridge.common.messages.fields import SourceName
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.registry import INTAKE_REJECTED
from hourbridge.ingestor import intake, metrics, payloads, records
from hourbridge.ingestor.acceptance import Outcome
from hourbridge.ingestor.acceptor import Acceptor, Statement, Verdict
from hourbridge.ingestor.amqp_holding import Holding
from hourbridge.ingestor.announcements import EVENT_SOURCE, announce
from hourbridge.ingestor.api_keys import Caller
from hourbridge.ingestor.cloudevents import (
    EnvelopeUnreadable,
    Reported,
    read_binary,
    read_structured,
)
from hourbridge.ingestor.payloads import Payload, storable

SOURCE_HEADER = "hb-source"
NO_NAME = "unknown"
"""Stands for the book or source in answers to messages that name none."""
BODY_BYTES_MAX = 4 * 1024 * 1024
BEFORE_RETURN = declare("ingestor.amqp_before_commit", "a batch is written, not yet committed")

_SOURCE: TypeAdapter[str] = TypeAdapter(SourceName)


class AmqpIntake:
    """A RawHandler."""

    def __init__(
        self,
        acceptor: Acceptor,
        *,
        clock: Clock,
        allowed: Collection[str] = ("*/*",),
        holding: Holding | None = None,
    ) -> None:
        self._acceptor = acceptor
        self._clock = clock
        self._allowed = frozenset(allowed)
        self._holding = holding

    def handle(self, received: Sequence[Delivery], connection: Connection) -> Sequence[Outgoing]:
        """Keep every body, accept what can be, answer the rest; hold back what floods."""
        held: list[Outgoing] = []
        if self._holding is not None:
            received, held = self._holding.split(received, bytes_max=BODY_BYTES_MAX)
        return [*held, *self._take(received, connection)] if received else held

    def _take(self, received: Sequence[Delivery], connection: Connection) -> list[Outgoing]:
        now = self._clock.now()
        kept = [_payload(delivery, now) for delivery in received]
        read = [self._read(delivery) for delivery in received]
        arrivals = [
            intake.Arrival(event, caller, payload.reference, now)
            for (event, caller), payload in zip(read, kept, strict=True)
        ]
        with metrics.BATCH_SECONDS.labels("amqp").time():
            acceptance, stated = intake.accept_arrivals(connection, self._acceptor, arrivals)
            for payload, arrival, verdict in zip(kept, arrivals, acceptance.verdicts, strict=True):
                _note(payload, arrival, verdict)
            payloads.keep(connection, kept)
        messages = [announce(revision) for revision in acceptance.revisions]
        messages += _announce_again(connection, stated, acceptance.verdicts)
        messages += [
            _refusal(arrival, payload, verdict)
            for arrival, payload, verdict in zip(arrivals, kept, acceptance.verdicts, strict=True)
            if verdict.outcome is Outcome.REJECTED
        ]
        intake.count("amqp", acceptance.verdicts)
        fault_point(BEFORE_RETURN)
        return messages

    def _read(self, delivery: Delivery) -> tuple[Reported, Caller]:
        event = _read_body(delivery)
        source, reason = _source_of(delivery, event)
        reasons = [*event.reasons]
        if reason is not None:
            reasons.append(reason)
        if event.book is None and not any(found.field == "book" for found in reasons):
            detail = "the book attribute says which book the event is for"
            reasons.append(FieldReason(field="book", code="missing", detail=detail))
        book = event.book or NO_NAME
        if not reasons and not self._allows(book, source):
            detail = f"{book}/{source} may not report over AMQP here"
            reasons.append(FieldReason(field="source", code="source_not_allowed", detail=detail))
        if len(reasons) > len(event.reasons):
            event = _with_reasons(event, tuple(reasons))
        return event, Caller(book, source)

    def _allows(self, book: str, source: str) -> bool:
        allowed = self._allowed
        return "*/*" in allowed or not allowed.isdisjoint((f"{book}/{source}", f"{book}/*"))


def _read_body(delivery: Delivery) -> Reported:
    try:
        if len(delivery.body) > BODY_BYTES_MAX:
            raise EnvelopeUnreadable(f"more than {BODY_BYTES_MAX} bytes")
        if "cloudEvents:specversion" in delivery.headers:
            names = {
                name.replace("cloudEvents:", "ce-", 1): str(value)
                for name, value in delivery.headers.items()
                if name.startswith("cloudEvents:")
            }
            return read_binary(names, delivery.body)
        return read_structured(delivery.body)
    except EnvelopeUnreadable as error:
        reason = FieldReason(field="(body)", code=error.code, detail=error.what)
        return Reported(None, None, None, None, None, None, None, (reason,))


def _source_of(delivery: Delivery, event: Reported) -> tuple[str, FieldReason | None]:
    stated = delivery.headers.get(SOURCE_HEADER, event.event_source)
    try:
        return _SOURCE.validate_python(stated), None
    except ValidationError:
        detail = f"name the source in the {SOURCE_HEADER} header or the source attribute"
        return NO_NAME, FieldReason(field="source", code="source_unknown", detail=detail)


def _with_reasons(event: Reported, reasons: tuple[FieldReason, ...]) -> Reported:
    return replace(event, record=None, reasons=reasons)


def _payload(delivery: Delivery, now: datetime) -> Payload:
    payload = payloads.receive("amqp", delivery.body, None, now)
    payload.correlation_id = delivery.correlation_id
    return payload


def _note(payload: Payload, arrival: intake.Arrival, verdict: Verdict) -> None:
    payload.book = None if arrival.caller.book == NO_NAME else arrival.caller.book
    payload.source = arrival.caller.source
    payload.outcome = verdict.outcome.value
    payload.reasons = verdict.reasons
    payload.event_id = arrival.reported.event_id
    payload.correlation_id = arrival.reported.correlation_id or payload.correlation_id


def _announce_again(
    connection: Connection, stated: Sequence[Statement | None], verdicts: Sequence[Verdict]
) -> list[Outgoing]:
    """Return the messages of revisions that these very statements had led to before.

    The delivery may be a repetition of one whose messages were never published.
    """
    stood: set[tuple[str, int]] = set()
    earlier: set[tuple[str, int]] = set()
    for found, verdict in zip(stated, verdicts, strict=True):
        if found is None or verdict.record_id is None:
            continue
        if verdict.outcome is Outcome.UNCHANGED:
            stood.add((verdict.record_id, found.order.value))
        elif verdict.outcome is Outcome.OLDER:
            earlier.add((verdict.record_id, found.order.value))
    present = records.present(connection, {record_id for record_id, _ in stood})
    again = [
        revision
        for revision in present.values()
        if (revision.record_id, revision.order_key) in stood
    ]
    former = records.former(connection, earlier)
    return [announce(revision) for revision in [*again, *former.values()]]


def _refusal(arrival: intake.Arrival, payload: Payload, verdict: Verdict) -> Outgoing:
    reported, source = arrival.reported, arrival.caller.source
    data = IntakeRejected(
        source=source,
        event_id=storable(reported.event_id),
        event_type=storable(reported.event_type),
        raw_ref=payload.reference,
        received_at=payload.received_at,
        reasons=tuple(
            reason.model_copy(update={"field": storable(reason.field)})
            for reason in verdict.reasons
        ),
    )
    event = new_event(
        INTAKE_REJECTED,
        data,
        book=arrival.caller.book,
        source=EVENT_SOURCE,
        id=derive_id(INTAKE_REJECTED, source, content_hash(payload.body or b"")),
        time=payload.received_at,
        correlationid=reported.correlation_id,
    )
    return outgoing(event, routing_key=source)
