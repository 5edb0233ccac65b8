"""The API over HTTP: basic authentication, quota, and the faults that are set."""

from __future__ import annotations

import asyncio
import base64
import binascii

from starlette.requests import Request
from starlette.responses import Response

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.common.disturbances import Fault, Setting
from hourbridge.sandbox.common.serving import drop
from hourbridge.sandbox.toggl.api import Api, Call, Refusal
from hourbridge.sandbox.toggl.sender import Sender
from hourbridge.sandbox.toggl.world import World

_HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_PASSWORD = "api_token"
_QUOTA_SECONDS = 3600


class ApiEndpoint:
    """Answers everything below the API's paths."""

    def __init__(self, world: World, sender: Sender) -> None:
        self._world = world
        self._api = Api(world)
        self._sender = sender

    async def __call__(self, request: Request) -> Response:
        """Answer one request, or drop its connection."""
        body = await request.body()
        subject = "reads" if request.method == "GET" else "writes"
        with self._world.lock:
            drawn = self._world.disturbances.draw(subject, request.url.path)
        if Fault.SLOW in drawn:
            await asyncio.sleep(float(drawn[Fault.SLOW].seconds))
        early = _before(drawn, request)
        if early is not None:
            return early
        response = self._respond(request, body)
        if request.method != "GET" and self._world.settings.delivers_at_once:
            await asyncio.to_thread(self._sender.deliver)
        if Fault.LOSE_RESPONSE in drawn:
            return drop(request)
        if Fault.TRUNCATED in drawn:
            content = bytes(response.body)
            return Response(content[: len(content) // 2], response.status_code)
        return response

    def _respond(self, request: Request, body: bytes) -> Response:
        with self._world.lock:
            exchange = self._world.audit.open(
                request.method, str(request.url.path), self._world.clock.stamp()
            )
            try:
                call = self._call(request, body)
                content = self._api.answer(call)
            except Refusal as refusal:
                exchange.outcome, exchange.status = "refused", refusal.status
                return Response(
                    dumps(str(refusal)),
                    refusal.status,
                    headers=refusal.headers,
                    media_type="application/json",
                )
            except (ValueError, KeyError, TypeError) as error:
                exchange.outcome, exchange.status = "refused", 400
                return Response(dumps(f"{error}"), 400, media_type="application/json")
            exchange.outcome, exchange.status = "executed", 200
            return Response(dumps(content), 200, media_type="application/json")

    def _call(self, request: Request, body: bytes) -> Call:
        token = _token(request.headers.get("authorization", ""))
        user_id = self._world.tokens.get(token)
        if user_id is None:
            raise Refusal(403, "Incorrect username and/or password")
        if self._world.settings.retired and self._world.settings.retired in request.url.path:
            raise Refusal(410, "Gone")
        if not self._world.burst.admits(token):
            raise Refusal(429, "Too Many Requests", {"Retry-After": "1"})
        if not self._world.quota.admits(token):
            headers = {"X-Toggl-Quota-Resets-In": str(_QUOTA_SECONDS)}
            raise Refusal(402, "You have hit your hourly limit for API calls", headers)
        rest = request.path_params["rest"]
        return Call(
            request.method,
            tuple(part for part in rest.split("/") if part),
            dict(request.query_params),
            loads(body) if body else None,
            user_id,
        )


def _token(header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return name if password == _PASSWORD else ""


def _before(drawn: dict[Fault, Setting], request: Request) -> Response | None:
    if Fault.LOSE_REQUEST in drawn:
        return drop(request)
    if Fault.HTML_PAGE in drawn:
        return Response(_HTML, drawn[Fault.HTML_PAGE].status, media_type="text/html")
    if Fault.THROTTLE in drawn:
        seconds = drawn[Fault.THROTTLE].retry_after_seconds
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        return Response(dumps("Too Many Requests"), 429, headers=headers)
    if Fault.SERVER_ERROR in drawn:
        return Response(b"", drawn[Fault.SERVER_ERROR].status)
    return None
