"""``POST /v1/webhooks/{book}/{source}`` and, for all companies of an app, ``/v1/webhooks/{app}``.

A delivery is kept before anything is done with it. Answers: 200 once it is verified, whatever is
in it, also when it has to wait for its turn; 401 when nobody verifies it; 404 for a source that
nothing is known of; 413 too large; 503 when it can't be verified or kept now: send it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.errors import ConfigurationInvalid, TransientFailure, WebhookRefused
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.fields import BookName
from hourbridge.common.runtime.admin import json_response
from hourbridge.common.store.engine import Store
from hourbridge.connectors.webhooks import Delivery
from hourbridge.ingestor import payloads
from hourbridge.ingestor.flood_gate import FloodGate
from hourbridge.ingestor.http_bodies import read_limited
from hourbridge.ingestor.payloads import Payload
from hourbridge.ingestor.webhooks import counting, keeping, metrics
from hourbridge.ingestor.webhooks.acting import Actor, Result
from hourbridge.ingestor.webhooks.routing import APPS, Address, Recipient, Routing
from hourbridge.ingestor.webhooks.waiting import Backlog

log = structlog.get_logger(__name__)

AFTER_KEEPING = declare("ingestor.webhook_after_keeping", "a delivery is kept, not acted on")
BEFORE_COMMIT = declare("ingestor.webhook_before_commit", "a delivery is acted on, uncommitted")
AFTER_COMMIT = declare("ingestor.webhook_after_commit", "acted on and committed, not answered")

CHANNEL = "webhook"
_NAME: TypeAdapter[str] = TypeAdapter(BookName)


@dataclass(frozen=True)
class WebhookLimits:
    """How large a delivery may be, and how long it may wait for its book."""

    body_bytes_max: int
    lock_seconds: float


class WebhookIntake:
    """The endpoints; holds their collaborators."""

    def __init__(
        self,
        store: Store,
        actor: Actor,
        backlog: Backlog,
        *,
        clock: Clock,
        limits: WebhookLimits,
        gate: FloodGate,
    ) -> None:
        self._store = store
        self._actor = actor
        self._routing: Routing = actor.routing
        self._backlog = backlog
        self._clock = clock
        self._limits = limits
        self._gate = gate

    def routes(self) -> list[Route]:
        """Return the routes to serve."""
        return [
            Route("/v1/webhooks/{app}", self.post, methods=["POST"]),
            Route("/v1/webhooks/{book}/{source}", self.post, methods=["POST"]),
        ]

    async def post(self, request: Request) -> Response:
        """Take one delivery."""
        body = await read_limited(request, self._limits.body_bytes_max)
        address = _address(request.path_params)
        return await run_in_threadpool(self._take, address, dict(request.headers), body)

    def _take(
        self, address: Address | None, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        started = self._clock.monotonic_seconds()
        content_type = headers.get("content-type")
        payload = payloads.receive(CHANNEL, body, content_type, self._clock.now())
        with self._store.transaction() as connection:
            payloads.keep(connection, [payload])
        fault_point(AFTER_KEEPING)
        try:
            recipient = None if address is None else self._routing.recipient(address)
        except ConfigurationInvalid as error:
            return self._refuse(payload, "unknown", 503, "unverifiable", error.what)
        if address is None or recipient is None:
            return self._refuse(payload, "unknown", 404, "unknown", "nothing pushes here")
        payload.book, payload.source = address.book, address.source
        if body is None:
            what = f"more than {self._limits.body_bytes_max} bytes"
            return self._refuse(payload, recipient.system, 413, "too_large", what)
        try:
            delivery = recipient.receive(headers, body)
        except WebhookRefused as error:
            return self._refuse(payload, recipient.system, 401, "refused", error.what)
        response = self._act(address, recipient, delivery, payload, headers)
        elapsed_seconds = self._clock.monotonic_seconds() - started
        metrics.ANSWER_SECONDS.labels(recipient.system).observe(elapsed_seconds)
        return response

    def _act(
        self,
        address: Address,
        recipient: Recipient,
        delivery: Delivery,
        payload: Payload,
        headers: Mapping[str, str],
    ) -> Response:
        """Act on a verified delivery now, or let it wait; it is answered with 200 either way."""
        answer = Response(delivery.answer, 200, media_type=delivery.answer_content_type)
        book = address.book
        if book is not None and delivery.events and (wait := self._gate.wait_seconds(book)):
            self._wait(address, recipient, payload, headers, wait, None)
            return answer
        try:
            result = self._act_now(recipient, delivery, payload)
        except (TransientFailure, DBAPIError) as error:
            # Its book is busy, or a defect of ours: the sender can't help, and it is kept.
            log.warning("webhook_waits", system=recipient.system, error=str(error))
            self._wait(address, recipient, payload, headers, 0, str(error))
            return answer
        counting.count(recipient.system, result)
        for target_book in result.books:
            self._gate.charge(target_book, len(result.verdicts))
        answer.background = BackgroundTask(self._afterwards, result)
        return answer

    def _act_now(self, recipient: Recipient, delivery: Delivery, payload: Payload) -> Result:
        milliseconds = int(self._limits.lock_seconds * 1000)
        with self._store.transaction() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{milliseconds}ms'"))
            result = self._actor.act(connection, recipient, delivery, payload, self._clock.now())
            keeping.settle(connection, payload)
            fault_point(BEFORE_COMMIT)
        fault_point(AFTER_COMMIT)
        return result

    def _afterwards(self, result: Result) -> None:
        """Publish and wake once the sender has its answer: neither may delay it."""
        self._backlog.tell(result)

    def _wait(
        self,
        address: Address,
        recipient: Recipient,
        payload: Payload,
        headers: Mapping[str, str],
        wait_seconds: float,
        error: str | None,
    ) -> None:
        payload.outcome = "waiting"
        not_before = self._clock.now() + timedelta(seconds=wait_seconds)
        with self._store.transaction() as connection:
            keeping.wait(connection, payload, address, headers, not_before=not_before, error=error)
            keeping.settle(connection, payload)
        metrics.DELIVERIES.labels(recipient.system, "waiting").inc()
        self._backlog.wake()

    def _refuse(self, payload: Payload, system: str, status: int, code: str, what: str) -> Response:
        payload.outcome = "unreadable" if code == "too_large" else code
        payload.reasons = (FieldReason(field="(delivery)", code=code, detail=what),)
        with self._store.transaction() as connection:
            keeping.settle(connection, payload)
        metrics.DELIVERIES.labels(system, code).inc()
        return json_response({"error": f"webhook_{code}", "what": what}, status)


def _address(path: Mapping[str, str]) -> Address | None:
    """Return the address of a delivery, None when its path names nothing that can exist."""
    if "app" in path:
        return Address(app=path["app"]) if path["app"] in APPS else None
    try:
        book = _NAME.validate_python(path["book"])
        return Address(book=book, source=_NAME.validate_python(path["source"]))
    except ValidationError:
        return None
