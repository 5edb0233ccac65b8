"""Admin routes for connections; mounted by the service that posts."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.messages.fields import Identifier
from hourbridge.common.messages.registry import reasons_of
from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.connectors.connections.store import ConnectionStore, NewConnection


class ConnectRequest(BaseModel):
    """What connecting a company needs; secrets are sealed before they are stored."""

    model_config = ConfigDict(extra="forbid")

    name: Identifier
    kind: str = "quickbooks_online"
    company_id: Identifier
    api_base_url: str
    token_url: str
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr
    calls_per_minute: int = Field(450, ge=1, le=100_000)
    calls_per_second: int = Field(8, ge=1, le=10_000)
    operation_memory_seconds: int | None = Field(None, ge=0)


def connection_routes(connections: ConnectionStore) -> list[Route]:
    """Return routes to connect companies and to see how connections fare."""

    def list_connections(request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response({"connections": [asdict(state) for state in connections.states()]})

    async def connect(request: Request) -> Response:
        actor = require(request, Role.ADMINISTRATOR)
        body = await request.body()
        try:
            wanted = ConnectRequest.model_validate_json(body)
        except ValidationError as error:
            raise RequestInvalid(str(reasons_of(error))) from None
        new = NewConnection(**wanted.model_dump())
        await run_in_threadpool(connections.save, new, actor=actor.name)
        return json_response({"connected": wanted.name})

    return [
        Route("/v1/connections", list_connections, methods=["GET"]),
        Route("/v1/connections", connect, methods=["POST"]),
    ]
