"""``POST /v1/events``: upstream systems report records over HTTP.

The answer is always 202 with one status per event, unless the request as a whole can't be used:
400 unreadable, 401 unknown key, 413 too large, 415 not CloudEvents, 429 when the book floods:
nothing was taken, send the same again after ``Retry-After``. Needs no broker: outgoing messages
are outbox rows, sent after the commit or by the relay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.runtime.admin import json_response
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor import api_keys, intake, metrics, payloads
from hourbridge.ingestor.acceptance import Outcome
from hourbridge.ingestor.acceptor import Acceptor, Verdict
from hourbridge.ingestor.announcements import announce
from hourbridge.ingestor.api_keys import Caller
from hourbridge.ingestor.cloudevents import (
    BATCH,
    STRUCTURED,
    EnvelopeUnreadable,
    Reported,
    read_batch,
    read_binary,
    read_structured,
)
from hourbridge.ingestor.flood_gate import FloodGate
from hourbridge.ingestor.http_bodies import read_limited
from hourbridge.ingestor.payloads import Payload, storable

BEFORE_COMMIT = declare("ingestor.http_before_commit", "events accepted, not yet committed")
AFTER_COMMIT = declare("ingestor.http_after_commit", "events committed, caller not yet answered")


@dataclass(frozen=True)
class EventLimits:
    """How much one request may carry."""

    body_bytes_max: int
    events_max: int


class EventIntake:
    """The endpoint; holds its collaborators."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        acceptor: Acceptor,
        *,
        clock: Clock,
        limits: EventLimits,
        gate: FloodGate,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._acceptor = acceptor
        self._clock = clock
        self._limits = limits
        self._gate = gate

    def route(self) -> Route:
        """Return the route to serve."""
        return Route("/v1/events", self.post, methods=["POST"])

    async def post(self, request: Request) -> Response:
        """Take one event or a batch."""
        caller = await run_in_threadpool(self._authenticate, request)
        if caller is None:
            return _refuse(401, "not_authenticated", "send the source's API key")
        if wait_seconds := self._gate.wait_seconds(caller.book):
            return _hold_back(wait_seconds)
        body = await read_limited(request, self._limits.body_bytes_max)
        return await run_in_threadpool(self._take, request, caller, body)

    def _authenticate(self, request: Request) -> Caller | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else None
        with self._store.transaction() as connection:
            return api_keys.authenticate(connection, request.headers.get("x-api-key") or bearer)

    def _take(self, request: Request, caller: Caller, body: bytes | None) -> Response:
        content_type = request.headers.get("content-type")
        payload = payloads.receive("http", body, content_type, self._clock.now())
        payload.book, payload.source = caller.book, caller.source
        if body is None:
            limit = self._limits.body_bytes_max
            return self._refuse(payload, 413, "payload_too_large", f"more than {limit} bytes")
        try:
            events = _read(request, body)
        except EnvelopeUnreadable as error:
            return self._refuse(payload, 400, error.code, error.what)
        if events is None:
            expected = f"{STRUCTURED}, {BATCH}, or ce- headers with application/json"
            return self._refuse(payload, 415, "unsupported_media_type", f"expected {expected}")
        if len(events) > self._limits.events_max:
            limit = self._limits.events_max
            return self._refuse(payload, 413, "payload_too_large", f"more than {limit} events")
        self._gate.charge(caller.book, len(events))
        return self._answer(events, self._accept(caller, payload, events))

    def _accept(
        self, caller: Caller, payload: Payload, events: Sequence[Reported]
    ) -> list[Verdict]:
        try:
            with (
                metrics.BATCH_SECONDS.labels("http").time(),
                self._store.transaction() as connection,
            ):
                arrivals = [
                    intake.Arrival(
                        event, caller, f"{payload.reference}#{index}", payload.received_at
                    )
                    for index, event in enumerate(events)
                ]
                acceptance = intake.accept_once(
                    connection, self._acceptor, arrivals, payload.received_at
                )
                _summarize(payload, events, acceptance.verdicts)
                payloads.keep(connection, [payload])
                self._outbox.add(connection, [announce(new) for new in acceptance.revisions])
                fault_point(BEFORE_COMMIT)
        except DBAPIError:  # a defect of ours: the caller gets 500, the payload is kept
            payload.outcome = "failed"
            self._keep(payload)
            raise
        fault_point(AFTER_COMMIT)
        self._outbox.try_flush()
        intake.count("http", acceptance.verdicts)
        return acceptance.verdicts

    def _answer(self, events: Sequence[Reported], verdicts: Sequence[Verdict]) -> Response:
        content = [
            answer(index, event, verdict)
            for index, (event, verdict) in enumerate(zip(events, verdicts, strict=True))
        ]
        return json_response({"events": content}, 202)

    def _refuse(self, payload: Payload, status: int, code: str, what: str) -> Response:
        payload.outcome = "unreadable"
        payload.reasons = (FieldReason(field="(body)", code=code, detail=what),)
        self._keep(payload)
        metrics.REJECTED.labels("http", code).inc()
        return _refuse(status, code, what)

    def _keep(self, payload: Payload) -> None:
        with self._store.transaction() as connection:
            payloads.keep(connection, [payload])


def _read(request: Request, body: bytes) -> list[Reported] | None:
    """Return the events of a request, None if its media type isn't one of ours."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == STRUCTURED:
        return [read_structured(body)]
    if media_type == BATCH:
        return read_batch(body)
    if media_type == "application/json" and "ce-specversion" in request.headers:
        return [read_binary(dict(request.headers), body)]
    return None


def answer(index: int, event: Reported, verdict: Verdict) -> dict[str, Any]:
    """Return the status of one event as the caller reads it."""
    content: dict[str, Any] = {
        "index": index,
        "id": storable(event.event_id),  # what was refused may hold what no JSON can
        "status": verdict.outcome.value,
    }
    if verdict.record_id is not None:
        content |= {"record_id": verdict.record_id, "revision": verdict.revision}
    if verdict.reasons:
        content["reasons"] = [
            {name: storable(text) for name, text in reason.model_dump().items()}
            for reason in verdict.reasons
        ]
    return content


def _summarize(payload: Payload, events: Sequence[Reported], verdicts: Sequence[Verdict]) -> None:
    outcomes = {verdict.outcome for verdict in verdicts}
    payload.outcome = outcomes.pop().value if len(outcomes) == 1 else "mixed"
    if Outcome.REJECTED in outcomes:
        payload.outcome = "rejected" if len(outcomes) == 1 else "mixed"
    payload.reasons = tuple(
        FieldReason(field=f"[{index}].{reason.field}", code=reason.code, detail=reason.detail)
        for index, verdict in enumerate(verdicts)
        for reason in verdict.reasons
    )
    if len(events) == 1:
        payload.event_id = events[0].event_id
        payload.correlation_id = events[0].correlation_id


def _hold_back(wait_seconds: float) -> Response:
    metrics.HELD_BACK.labels("http").inc()
    response = _refuse(429, "held_back", "too much of this book waits; nothing was taken")
    response.headers["retry-after"] = str(ceil(wait_seconds))
    return response


def _refuse(status: int, code: str, what: str) -> Response:
    metrics.REFUSED_REQUESTS.labels(str(status)).inc()
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    response = json_response({"error": code, "what": what}, status)
    response.headers.update(headers or {})
    return response
