"""The company endpoints over HTTP, with the faults that are set."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from hourbridge.common.exact_json import dumps
from hourbridge.sandbox.common.serving import drop
from hourbridge.sandbox.quickbooks_online.audit import Exchange
from hourbridge.sandbox.quickbooks_online.calls import Answer, Call
from hourbridge.sandbox.quickbooks_online.disturbances import Fault, Setting
from hourbridge.sandbox.quickbooks_online.refusals import system_failure, throttled
from hourbridge.sandbox.quickbooks_online.service import Service
from hourbridge.sandbox.quickbooks_online.world import World

_HTML = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"
Drawn = Mapping[Fault, Setting]


class CompanyEndpoint:
    """Answers everything below ``/v3/company/{realm}``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._service = Service(world)

    async def __call__(self, request: Request) -> Response:
        """Answer one request, or drop its connection."""
        call = _call(request, await request.body())
        with self._world.lock:
            opened_at = self._world.clock.stamp()
            exchange = self._world.audit.open(call.method, "/".join(call.path), opened_at)
            exchange.realm, exchange.request_id = call.realm, call.request_id
            subject = "writes" if call.is_write else "reads"
            drawn = self._world.disturbances.draw(subject, request.url.path)
        if Fault.SLOW in drawn:
            await asyncio.sleep(float(drawn[Fault.SLOW].seconds))
        early = self._before(drawn, exchange, request)
        if early is not None:
            return early
        answer = self._service.answer(call, exchange)
        if Fault.SLOW_AFTER_COMMIT in drawn:
            await asyncio.sleep(float(drawn[Fault.SLOW_AFTER_COMMIT].seconds))
        return self._after(drawn, exchange, request, answer)

    def _before(self, drawn: Drawn, exchange: Exchange, request: Request) -> Response | None:
        if Fault.LOSE_REQUEST in drawn:
            exchange.outcome = "dropped"
            return drop(request)
        if Fault.HTML_PAGE in drawn:
            exchange.outcome = "failed"
            return Response(_HTML, drawn[Fault.HTML_PAGE].status, media_type="text/html")
        if Fault.THROTTLE in drawn:
            answer = self._service.refuse(throttled(), exchange)
            exchange.outcome = "throttled"
            seconds = drawn[Fault.THROTTLE].retry_after_seconds
            pause = {"Retry-After": str(seconds)} if seconds is not None else {}
            return _respond(replace(answer, headers={**answer.headers, **pause}))
        if Fault.SERVER_ERROR in drawn:
            status = drawn[Fault.SERVER_ERROR].status
            answer = self._service.refuse(system_failure(status), exchange)
            exchange.outcome = "failed"
            return _respond(answer)
        return None

    def _after(
        self, drawn: Drawn, exchange: Exchange, request: Request, answer: Answer
    ) -> Response:
        if Fault.LOSE_RESPONSE in drawn:
            exchange.delivery = "lost"
            return drop(request)
        if Fault.ERROR_AFTER_COMMIT in drawn:
            exchange.delivery = "replaced by an error"
            failure = system_failure(drawn[Fault.ERROR_AFTER_COMMIT].status)
            body = failure.body(self._world.clock.envelope_time())
            return _json_response(body, failure.status)
        if Fault.TRUNCATED in drawn:
            exchange.delivery = "truncated"
            return _respond(replace(answer, body=answer.body[: len(answer.body) // 2]))
        return _respond(answer)


def _call(request: Request, body: bytes) -> Call:
    rest = tuple(part for part in request.path_params["rest"].split("/") if part)
    return Call(
        method=request.method,
        realm=request.path_params["realm"],
        path=rest,
        parameters=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


def _respond(answer: Answer) -> Response:
    headers = {**answer.headers, "content-type": answer.content_type}
    return Response(answer.body, answer.status, headers=headers)


def _json_response(body: Mapping[str, object], status: int) -> Response:
    return Response(dumps(body), status, media_type="application/json")
