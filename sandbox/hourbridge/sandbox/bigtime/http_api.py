"""The API over HTTP, with the faults that are set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hourbridge.common.exact_json import dumps
from hourbridge.sandbox.bigtime.calls import Answer, Call, json_answer
from hourbridge.sandbox.bigtime.refusals import Refusal, throttled, unauthenticated
from hourbridge.sandbox.bigtime.service import LOG_IN, Service
from hourbridge.sandbox.bigtime.values import Row
from hourbridge.sandbox.bigtime.world import World
from hourbridge.sandbox.common.audit import Exchange
from hourbridge.sandbox.common.disturbances import Fault, Setting
from hourbridge.sandbox.common.serving import DROP_EXTENSION, drop

BASE_PATH = "/BigtimeData/api/v2"

_HTML = (
    b"<!DOCTYPE html><html><head><title>Runtime Error</title></head><body><h1>Server Error in "
    b"'/BigtimeData' Application.</h1><p>An exception occurred while processing your request."
    b"</p></body></html>"
)
_HTML_NOT_FOUND = (
    b"<!DOCTYPE html><html><body><h1>404 - File or directory not found.</h1></body></html>"
)
_FLUSH_SECONDS = 0.05
Drawn = Mapping[Fault, Setting]


class ApiEndpoint:
    """Answers everything below the base path, whatever its case."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._service = Service(world)

    async def __call__(self, request: Request) -> Response:
        """Answer one request, or drop its connection."""
        call = _call(request, await request.body())
        if call is None:
            return Response(_HTML_NOT_FOUND, 404, media_type="text/html")
        with self._world.lock:
            exchange = self._world.audit.open(call.method, call.route, self._world.clock.stamp())
            drawn = self._world.disturbances.draw(self._subject(call), request.url.path)
        if Fault.SLOW in drawn:
            await asyncio.sleep(float(drawn[Fault.SLOW].seconds))
        early = self._before(drawn, exchange, request, call)
        if early is not None:
            return early
        answer = self._service.answer(call, exchange)
        if Fault.SLOW_AFTER_COMMIT in drawn:
            await asyncio.sleep(float(drawn[Fault.SLOW_AFTER_COMMIT].seconds))
        return self._after(drawn, exchange, request, answer)

    def _subject(self, call: Call) -> str:
        if call.route == LOG_IN:
            return "tokens"
        return "writes" if self._service.is_write(call) else "reads"

    def _before(
        self, drawn: Drawn, exchange: Exchange, request: Request, call: Call
    ) -> Response | None:
        if Fault.LOSE_REQUEST in drawn:
            exchange.outcome = "dropped"
            return drop(request)
        if Fault.HTML_PAGE in drawn:
            exchange.outcome, exchange.status = "failed", drawn[Fault.HTML_PAGE].status
            return Response(_HTML, drawn[Fault.HTML_PAGE].status, media_type="text/html")
        if Fault.THROTTLE in drawn:
            seconds = drawn[Fault.THROTTLE].retry_after_seconds
            return self._refuse(throttled(), exchange, seconds)
        if Fault.EXPIRE_SESSION in drawn:
            self._world.sessions.end(call.headers.get("x-auth-token", ""))
            return self._refuse(unauthenticated("The session has expired."), exchange)
        if Fault.SERVER_ERROR in drawn:
            exchange.outcome, exchange.status = "failed", drawn[Fault.SERVER_ERROR].status
            body = {"Message": "An error has occurred."}
            return _respond(json_answer(body, drawn[Fault.SERVER_ERROR].status))
        return None

    def _refuse(
        self, refusal: Refusal, exchange: Exchange, retry_after_seconds: int | None = None
    ) -> Response:
        answer = self._service.refuse(refusal, exchange)
        return self._respond(answer, retry_after_seconds)

    def _respond(self, answer: Answer, retry_after_seconds: int | None = None) -> Response:
        if answer.status == self._world.settings.throttle_status:
            seconds = retry_after_seconds or self._world.settings.retry_after_seconds
            if seconds is not None and answer.status in (403, 429):
                answer = replace(answer, headers={"Retry-After": str(seconds)})
        return _respond(answer)

    def _after(
        self, drawn: Drawn, exchange: Exchange, request: Request, answer: Answer
    ) -> Response:
        if Fault.LOSE_RESPONSE in drawn:
            exchange.delivery = "lost"
            return drop(request)
        if Fault.ERROR_AFTER_COMMIT in drawn:
            exchange.delivery = "replaced by an error"
            body = {"Message": "The operation timed out."}
            return _respond(json_answer(body, drawn[Fault.ERROR_AFTER_COMMIT].status))
        if Fault.PARTIAL_BODY in drawn:
            exchange.delivery = "partial"
            return _partly(request, answer)
        if Fault.WRONG_JSON in drawn:
            exchange.delivery = "replaced by other JSON"
            other: Row = {"Message": "Your data is being prepared.", "Data": None}
            return _respond(replace(answer, body=dumps(other).encode()))
        if Fault.TRUNCATED in drawn:
            exchange.delivery = "truncated"
            return _respond(replace(answer, body=answer.body[: len(answer.body) // 2]))
        return self._respond(answer)


def _partly(request: Request, answer: Answer) -> Response:
    """Send the head with the whole length and half of the body, then cut the connection."""

    async def half() -> AsyncIterator[bytes]:
        yield answer.body[: len(answer.body) // 2]
        await asyncio.sleep(_FLUSH_SECONDS)
        request.scope["extensions"][DROP_EXTENSION]()

    headers = {"content-type": answer.content_type, "content-length": str(len(answer.body))}
    return StreamingResponse(half(), answer.status, headers=headers)


def _call(request: Request, body: bytes) -> Call | None:
    path: str = request.path_params["rest"]
    if not f"/{path}/".lower().startswith(f"{BASE_PATH}/".lower()):
        return None
    return Call(
        method=request.method,
        path=tuple(part for part in path[len(BASE_PATH) :].split("/") if part),
        query={name.lower(): value for name, value in request.query_params.items()},
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


def _respond(answer: Answer) -> Response:
    headers = {**answer.headers, "content-type": answer.content_type}
    return Response(answer.body, answer.status, headers=headers)
