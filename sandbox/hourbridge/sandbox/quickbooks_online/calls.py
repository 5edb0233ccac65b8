"""A request and an answer, free of any web framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hourbridge.common.exact_json import loads
from hourbridge.sandbox.quickbooks_online.kinds import BY_RESOURCE
from hourbridge.sandbox.quickbooks_online.refusals import malformed

_READING_POSTS = ("query",)


@dataclass(frozen=True)
class Call:
    """A request to one company: ``/v3/company/{realm}/{resource}[/{identity}]``."""

    method: str
    realm: str
    path: tuple[str, ...]
    """What follows the realm."""
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def resource(self) -> str:
        """The first part of the path after the realm."""
        return self.path[0] if self.path else ""

    @property
    def is_write(self) -> bool:
        """Whether the call may change the books."""
        return self.method == "POST" and self.resource not in _READING_POSTS

    @property
    def request_id(self) -> str | None:
        """The caller's idempotency key."""
        return self.parameters.get("requestid")

    @property
    def is_entity(self) -> bool:
        """Whether the path names an entity."""
        return self.resource in BY_RESOURCE


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_object(call: Call) -> dict[str, Any]:
    """Return the object in a call's body."""
    try:
        body = loads(call.body)
    except ValueError as error:
        raise malformed(str(error)) from None
    if not isinstance(body, dict):
        raise malformed("The body is not an object")
    return body
