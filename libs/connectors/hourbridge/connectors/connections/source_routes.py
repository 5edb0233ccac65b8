"""Admin routes for source connections; mounted by the service that reads."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.messages.fields import Identifier
from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.connectors.connections.source_store import NewSourceConnection, SourceStore
from hourbridge.connectors.source_opening import SOURCES


class ConnectSourceRequest(BaseModel):
    """What connecting a source needs; secrets are sealed before they are stored."""

    model_config = ConfigDict(extra="forbid")

    name: Identifier
    system: Identifier
    account: Identifier
    api_base_url: str = ""
    secrets: dict[str, SecretStr] = {}
    settings: dict[str, Any] = {}
    calls_per_minute: int = Field(25, ge=1, le=100_000)
    calls_per_second: int = Field(5, ge=1, le=10_000)


def source_connection_routes(sources: SourceStore) -> list[Route]:
    """Return routes to connect systems that are read, and to see how connections fare."""

    def list_connections(request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response({"connections": [asdict(state) for state in sources.states()]})

    async def connect(request: Request) -> Response:
        actor = require(request, Role.ADMINISTRATOR)
        wanted = await read_body(request, ConnectSourceRequest)
        if wanted.system not in SOURCES:
            known = ", ".join(sorted(SOURCES))
            raise RequestInvalid(f"system: {wanted.system!r} is not known; known are {known}")
        new = NewSourceConnection(**dict(wanted))
        await run_in_threadpool(sources.save, new, actor=actor.name)
        return json_response({"connected": wanted.name})

    def disconnect(request: Request) -> Response:
        actor = require(request, Role.ADMINISTRATOR)
        name = request.path_params["name"]
        sources.remove(name, actor=actor.name)
        return json_response({"disconnected": name})

    path = "/v1/source-connections"
    return [
        Route(path, list_connections, methods=["GET"]),
        Route(path, connect, methods=["POST"]),
        Route(f"{path}/{{name}}", disconnect, methods=["DELETE"]),
    ]
