"""HTTP routes over a service's dead letters, for the command line and other tools."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hourbridge.common.bus.dead import DeadLetters, DecisionInvalid, Selection
from hourbridge.common.runtime.admin import Role, json_response, require

LIST_MAX = 1000


class Decision(BaseModel):
    """The body of a replay or discard request."""

    model_config = ConfigDict(extra="forbid")

    ids: list[int] | None = Field(None, min_length=1, max_length=10_000)
    cause: str | None = None
    body: str | None = None
    """Replay only: the corrected message."""
    reason: str = ""
    """Discard only."""


def dead_routes(dead_letters: DeadLetters) -> list[BaseRoute]:
    """Return the routes ``/v1/dead...``."""

    def listing(request: Request) -> Response:
        require(request, Role.VIEWER)
        found = dead_letters.find(
            cause=request.query_params.get("cause"),
            state=request.query_params.get("state", "dead"),
            messages_max=_limit(request),
        )
        content = {"dead": found, "causes": dead_letters.causes()}
        return json_response(content)

    def show(request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(_full(dead_letters.show(request.path_params["id"])))

    async def replay(request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        decision = await _decision(request)
        body = None if decision.body is None else decision.body.encode()
        result = await run_in_threadpool(
            dead_letters.replay, _selection(decision), actor=actor.name, body=body
        )
        return json_response(result)

    async def discard(request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        decision = await _decision(request)
        result = await run_in_threadpool(
            dead_letters.discard, _selection(decision), actor=actor.name, reason=decision.reason
        )
        return json_response(result)

    return [
        Route("/v1/dead", listing),
        Route("/v1/dead/replay", replay, methods=["POST"]),
        Route("/v1/dead/discard", discard, methods=["POST"]),
        Route("/v1/dead/{id:int}", show),
    ]


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "100")
    if not given.isdigit() or not 1 <= int(given) <= LIST_MAX:
        raise DecisionInvalid(f"limit must be a whole number from 1 to {LIST_MAX}", given=given)
    return int(given)


async def _decision(request: Request) -> Decision:
    try:
        return Decision.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "(body)"
        raise DecisionInvalid(f"{field}: {first['msg']}") from None


def _selection(decision: Decision) -> Selection:
    return Selection(ids=decision.ids, cause=decision.cause)


def _full(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON-ready values; a body that is not text goes in base64."""
    content = {name: row[name] for name in row if name not in ("body", "edited_body")}
    for name in ("body", "edited_body"):
        if row[name] is None:
            continue
        raw = bytes(row[name])
        try:
            content[name] = raw.decode()
        except UnicodeDecodeError:
            content[f"{name}_base64"] = base64.b64encode(raw).decode()
    return content
