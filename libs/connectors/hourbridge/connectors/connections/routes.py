"""Admin routes for connections; mounted by the service that posts."""

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
from hourbridge.connectors.connections.consents import Consent, ConsentStore
from hourbridge.connectors.connections.states import ConnectionState
from hourbridge.connectors.connections.store import ConnectionStore, NewConnection
from hourbridge.connectors.quickbooks_online import authorizing
from hourbridge.connectors.quickbooks_online.authorizing import (
    Authorizer,
    consent_url,
    reconnect_url,
)


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
    batches_per_minute: int = Field(35, ge=1, le=100_000)
    operation_memory_seconds: int | None = Field(None, ge=0)


class AuthorizeRequest(BaseModel):
    """What asking for a consent needs; what is left out is as the connection has it already."""

    model_config = ConfigDict(extra="forbid")

    name: Identifier
    redirect_uri: str
    company_id: Identifier | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    app_id: str | None = None
    api_base_url: str | None = None
    token_url: str | None = None
    authorize_url: str | None = None
    revoke_url: str | None = None


class AuthorizedRequest(BaseModel):
    """What a consent page sends back."""

    model_config = ConfigDict(extra="forbid")

    state: str
    code: str
    realm_id: Identifier


def connection_routes(connections: ConnectionStore) -> list[Route]:
    """Return routes to connect companies and to see how connections fare."""
    consents = connections.consents()
    authorizer = Authorizer(consents)

    def list_connections(request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response({"connections": [_shown(state) for state in connections.states()]})

    async def connect(request: Request) -> Response:
        actor = require(request, Role.ADMINISTRATOR)
        wanted = await read_body(request, ConnectRequest)
        new = NewConnection(**dict(wanted))
        await run_in_threadpool(connections.save, new, actor=actor.name)
        return json_response({"connected": wanted.name})

    async def authorize(request: Request) -> Response:
        actor = require(request, Role.ADMINISTRATOR)
        wanted = await read_body(request, AuthorizeRequest)
        consent = await run_in_threadpool(_consent, consents, wanted)
        state = await run_in_threadpool(consents.ask, consent, actor=actor.name)
        return json_response({"state": state, "url": consent_url(consent, state)})

    async def authorized(request: Request) -> Response:
        actor = require(request, Role.ADMINISTRATOR)
        given = await read_body(request, AuthorizedRequest)
        consent = await run_in_threadpool(
            authorizer.complete, given.state, given.code, given.realm_id, actor=actor.name
        )
        return json_response({"connected": consent.name, "company_id": given.realm_id})

    def disconnect(request: Request) -> Response:
        actor = require(request, Role.ADMINISTRATOR)
        name = request.path_params["name"]
        authorizer.disconnect(name, actor=actor.name)
        return json_response({"disconnected": name})

    path = "/v1/connections"
    return [
        Route(path, list_connections, methods=["GET"]),
        Route(path, connect, methods=["POST"]),
        Route(f"{path}/consents", authorize, methods=["POST"]),
        Route(f"{path}/consents/given", authorized, methods=["POST"]),
        Route(f"{path}/{{name}}/disconnect", disconnect, methods=["POST"]),
    ]


def _shown(state: ConnectionState) -> dict[str, Any]:
    return {
        **asdict(state),
        "expires_at": state.expires_at,
        "reconnect_url": reconnect_url(state.app_id, state.company_id),
    }


_USUAL = {
    "api_base_url": authorizing.PRODUCTION_API_URL,
    "token_url": authorizing.TOKEN_URL,
    "authorize_url": authorizing.AUTHORIZE_URL,
    "revoke_url": authorizing.REVOKE_URL,
}


def _consent(consents: ConsentStore, wanted: AuthorizeRequest) -> Consent:
    """Return the consent to ask for: as asked, else as the connection has it, else as usual."""
    known = consents.known(wanted.name) or {}

    def value(name: str) -> str | None:
        return getattr(wanted, name) or known.get(name) or _USUAL.get(name)

    secret = wanted.client_secret
    if secret is None and known:
        secret = consents.secret_of(known)
    client_id = value("client_id")
    if client_id is None or secret is None:
        raise RequestInvalid("a new connection needs client_id and client_secret")
    return Consent(
        name=wanted.name,
        kind=authorizing.KIND,
        company_id=value("company_id"),
        api_base_url=str(value("api_base_url")).rstrip("/"),
        token_url=str(value("token_url")),
        authorize_url=str(value("authorize_url")),
        revoke_url=str(value("revoke_url")),
        client_id=client_id,
        client_secret=secret,
        redirect_uri=wanted.redirect_uri,
        app_id=value("app_id"),
    )
