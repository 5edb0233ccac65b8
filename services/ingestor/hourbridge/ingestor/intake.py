"""From reported events to answers: what HTTP and AMQP intake share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.messages.events import FieldReason
from hourbridge.common.store.rows import bulk, statement
from hourbridge.ingestor import metrics
from hourbridge.ingestor.acceptance import Outcome
from hourbridge.ingestor.acceptor import Acceptance, Acceptor, Statement, Verdict
from hourbridge.ingestor.api_keys import Caller
from hourbridge.ingestor.cloudevents import Reported
from hourbridge.ingestor.identity import OrderKey, OrderKind, order_key_of
from hourbridge.ingestor.records import lock_books

_KNOWN = statement(
    """
    SELECT r.position, e.record_id::text AS record_id, e.revision
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(position int, book text, source text, event_source text, event_id text)
    JOIN received_event e USING (book, source, event_source, event_id)
    """
)
_REMEMBER = statement(
    """
    INSERT INTO received_event
        (book, source, event_source, event_id, outcome, record_id, revision, received_at)
    SELECT book, source, event_source, event_id, outcome, record_id, revision,
           CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, source text, event_source text, event_id text, outcome text,
        record_id uuid, revision bigint)
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True)
class Arrival:
    """A reported event, for whom it speaks, and where its payload is kept."""

    reported: Reported
    caller: Caller
    raw_ref: str
    received_at: datetime
    order_key: OrderKey | None = None
    """As the connector that read it states; None: by the record and the event's time."""


def statement_of(arrival: Arrival) -> Statement | FieldReason:
    """Return what an event states, or why it can't be put in order.

    Order is never that of arrival: a record without version and update time needs the event's
    own time.
    """
    reported = arrival.reported
    record = reported.record
    if record is None:
        raise ValueError("a refused event states nothing")
    stated_at = record.source_updated_at or reported.time
    order_key = arrival.order_key or order_key_of(record, stated_at or arrival.received_at)
    is_by_time = arrival.order_key is None and order_key.kind is OrderKind.TIME
    if stated_at is None and is_by_time:
        return FieldReason(
            field="time",
            code="order_missing",
            detail="external_version, source_updated_at or the event's time is needed",
        )
    return Statement(
        book=arrival.caller.book,
        source=arrival.caller.source,
        record=record,
        raw_ref=arrival.raw_ref,
        as_of=stated_at or arrival.received_at,
        order_key=order_key,
        correlation_id=reported.correlation_id,
    )


def accept_arrivals(
    connection: Connection, acceptor: Acceptor, arrivals: Sequence[Arrival]
) -> tuple[Acceptance, list[Statement | None]]:
    """Accept what can be; return a verdict for each arrival and what each stated."""
    verdicts: list[Verdict | None] = []
    stated: list[Statement | None] = []
    for arrival in arrivals:
        verdict, found = _first_look(arrival)
        verdicts.append(verdict)
        stated.append(found)
    acceptance = acceptor.accept(connection, [found for found in stated if found is not None])
    decided = iter(acceptance.verdicts)
    acceptance.verdicts = [verdict or next(decided) for verdict in verdicts]
    return acceptance, stated


def _first_look(arrival: Arrival) -> tuple[Verdict | None, Statement | None]:
    reasons = list(arrival.reported.reasons)
    named = arrival.reported.book
    if named is not None and named != arrival.caller.book:
        detail = f"this sender speaks for book {arrival.caller.book}"
        reasons.append(FieldReason(field="book", code="book_mismatch", detail=detail))
    if not reasons:
        found = statement_of(arrival)
        if isinstance(found, Statement):
            return None, found
        reasons.append(found)
    return Verdict(Outcome.REJECTED, reasons=tuple(reasons)), None


def accept_once(
    connection: Connection, acceptor: Acceptor, arrivals: Sequence[Arrival], now: datetime
) -> Acceptance:
    """Accept events that no one redelivers, remembering (source, id): equal pairs are duplicates.

    A refused event is not remembered, so that it can be sent again, corrected.
    """
    lock_books(connection, {arrival.caller.book for arrival in arrivals})
    known = _known(connection, arrivals)
    fresh = [index for index in range(len(arrivals)) if index not in known]
    acceptance, _ = accept_arrivals(connection, acceptor, [arrivals[i] for i in fresh])
    remembered = []
    verdicts = dict(known)
    for index, verdict in zip(fresh, acceptance.verdicts, strict=True):
        verdicts[index] = verdict
        if verdict.outcome is not Outcome.REJECTED:
            remembered.append(_memory(arrivals[index], verdict))
    bulk(connection, _REMEMBER, remembered, now=now)
    acceptance.verdicts = [_resolved(verdicts, index, arrivals) for index in range(len(arrivals))]
    return acceptance


def _known(connection: Connection, arrivals: Sequence[Arrival]) -> dict[int, Verdict]:
    rows: list[dict[str, Any]] = []
    first: dict[tuple[str, ...], int] = {}
    repeated: dict[int, Verdict] = {}
    for position, arrival in enumerate(arrivals):
        if arrival.reported.reasons or arrival.reported.event_id is None:
            continue
        key = _event_key(arrival)
        if key in first:
            repeated[position] = Verdict(Outcome.DUPLICATE)
            continue
        first[key] = position
        rows.append({"position": position, **_event_columns(arrival)})
    found = {
        row.position: Verdict(Outcome.DUPLICATE, row.record_id, row.revision)
        for row in bulk(connection, _KNOWN, rows)
    }
    return {**repeated, **found}


def _resolved(verdicts: dict[int, Verdict], index: int, arrivals: Sequence[Arrival]) -> Verdict:
    """Return a verdict; a repetition inside the request names what became of the first."""
    verdict = verdicts[index]
    if verdict.outcome is not Outcome.DUPLICATE or verdict.record_id is not None:
        return verdict
    key = _event_key(arrivals[index])
    earlier = [verdicts[i] for i in range(index) if _event_key(arrivals[i]) == key]
    taken = next((each for each in earlier if each.record_id is not None), None)
    if taken is not None:
        return Verdict(Outcome.DUPLICATE, taken.record_id, taken.revision)
    # Nothing of this id was taken: whoever sent it has to correct it, so it must hear why.
    return next(each for each in earlier if each.outcome is Outcome.REJECTED)


def _event_key(arrival: Arrival) -> tuple[str, ...]:
    return (arrival.reported.event_source or "", arrival.reported.event_id or "")


def _event_columns(arrival: Arrival) -> dict[str, Any]:
    return {
        "book": arrival.caller.book,
        "source": arrival.caller.source,
        "event_source": arrival.reported.event_source,
        "event_id": arrival.reported.event_id,
    }


def _memory(arrival: Arrival, verdict: Verdict) -> dict[str, Any]:
    return {
        **_event_columns(arrival),
        "outcome": verdict.outcome.value,
        "record_id": verdict.record_id,
        "revision": verdict.revision,
    }


def count(channel: str, verdicts: Sequence[Verdict]) -> None:
    """Count outcomes and refusals."""
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    for outcome, events in outcomes.items():
        metrics.EVENTS.labels(channel, outcome.value).inc(events)
    for verdict in verdicts if outcomes[Outcome.REJECTED] else ():
        if verdict.outcome is Outcome.REJECTED:
            code = verdict.reasons[0].code if verdict.reasons else "unknown"
            metrics.REJECTED.labels(channel, code).inc()
