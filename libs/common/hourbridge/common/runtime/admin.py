"""Who may use the admin API: bearer tokens that name an actor and a role."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from hourbridge.common.errors import ConfigurationInvalid, HourbridgeError


class Role(IntEnum):
    """What an actor may do; each role includes the lesser ones."""

    VIEWER = 1
    OPERATOR = 2
    ADMINISTRATOR = 3


class NotAuthenticated(HourbridgeError):
    """No or an unknown token."""

    code = "not_authenticated"
    advice = "Send `Authorization: Bearer <token>` with a token of HOURBRIDGE_ADMIN_TOKENS."


class NotAllowed(HourbridgeError):
    """The actor's role does not suffice."""

    code = "not_allowed"
    advice = "Ask somebody with the role named."


class NotFound(HourbridgeError):
    """The thing asked for does not exist."""

    code = "not_found"
    advice = "Check the id."


class RequestInvalid(HourbridgeError):
    """A request's parameters or body can't be used."""

    code = "request_invalid"
    advice = "Correct the named parameter."


@dataclass(frozen=True)
class Actor:
    """Who acts, and as what."""

    name: str
    role: Role


def parse_tokens(tokens: dict[str, str]) -> dict[str, Actor]:
    """Return the actors of ``token: actor:role`` settings."""
    actors = {}
    for token, text in tokens.items():
        name, _, role = text.rpartition(":")
        if not name or role.upper() not in Role.__members__:
            raise ConfigurationInvalid("admin_tokens values look like `actor:role`", value=text)
        actors[token] = Actor(name, Role[role.upper()])
    return actors


def require(request: Request, role: Role) -> Actor:
    """Return the actor of a request, or raise NotAuthenticated or NotAllowed."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    actors: dict[str, Actor] = request.app.state.actors
    found = None
    for token, actor in actors.items():  # every token is compared: no early exit to time
        if hmac.compare_digest(token.encode(), given.strip().encode()):
            found = actor
    if scheme.lower() != "bearer" or found is None:
        raise NotAuthenticated("this request needs a known bearer token")
    if found.role < role:
        raise NotAllowed(f"this needs the role {role.name.lower()}", actor=found.name)
    return found


def json_response(content: Any, status_code: int = 200) -> Response:
    """Return JSON; Decimals and instants as text, absent fields of models left out."""
    body = to_json(content, exclude_none=False)
    return Response(body, status_code=status_code, media_type="application/json")


_STATUS = {"not_authenticated": 401, "not_allowed": 403, "not_found": 404}


def error_response(_request: Request, error: Exception) -> Response:
    """Return one of our errors as JSON: code, what, ids, advice."""
    if not isinstance(error, HourbridgeError):
        raise error
    status = _STATUS.get(error.code, 503 if error.disposition == "retry" else 422)
    content: dict[str, Any] = {
        "error": error.code,
        "what": error.what,
        "ids": {name: str(value) for name, value in error.ids.items()},
        "advice": error.remedy,
    }
    return json_response(content, status)
