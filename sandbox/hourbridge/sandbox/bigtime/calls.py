"""A request and an answer, free of any web framework, and the table of routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.refusals import invalid, not_found
from hourbridge.sandbox.bigtime.values import Row, read

Permission = Literal["anybody", "admin"]


@dataclass(frozen=True)
class Call:
    """A request below the base path."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    """Names in lower case."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def route(self) -> str:
        """The path in lower case: routes have no case."""
        return "/".join(self.path).lower()


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(content: Any, status: int = 200) -> Answer:
    """Return an answer with JSON."""
    return Answer(status, dumps(content).encode())


def read_json(body: bytes) -> Any:
    """Return a body as JSON that can be written again; raises the refusal 400."""
    try:
        content = loads(body)
        dumps(content).encode()  # text with half a character in it cannot be kept
    except (ValueError, RecursionError):
        raise invalid("The request is invalid: the body is not JSON.") from None
    return content


@dataclass(frozen=True)
class Caller:
    """Who calls: a firm's key, or a user."""

    name: str
    """What the limit of calls is counted by."""
    is_admin: bool = True
    may_write: bool = True
    staff_sid: int = 0
    """The caller's own staffer; 0 for a key."""
    user_id: str | None = None
    token: str | None = None


@dataclass(frozen=True)
class Asked:
    """An authenticated call to one firm, with the variable parts of its route."""

    firm: Firm
    caller: Caller
    call: Call
    parts: tuple[str, ...] = ()

    @property
    def is_detailed(self) -> bool:
        """Whether View=Detailed was asked for."""
        return self.call.query.get("view", "").lower() == "detailed"

    @property
    def shows_inactive(self) -> bool:
        """Whether ShowInactive=true was asked for."""
        return self.flag("ShowInactive")

    def identity(self, position: int = 0) -> int:
        """Return a variable part as an id; 404 when it is none, as such a thing cannot exist."""
        text = self.parts[position] if position < len(self.parts) else "0"
        try:
            return int(text)
        except ValueError:
            raise not_found(text) from None

    def text(self, name: str) -> str | None:
        """Return a query parameter."""
        return self.call.query.get(name.lower()) or None

    def flag(self, name: str) -> bool:
        """Return a query parameter as a flag."""
        return bool(read(self.text(name), "flag", name))

    def number(self, name: str) -> int:
        """Return a query parameter as an id; 0 when it is absent."""
        return int(read(self.text(name), "id", name))

    def day(self, name: str) -> str | None:
        """Return a query parameter as a day."""
        found: str | None = read(self.text(name), "day", name)
        return found

    def span(self) -> tuple[str, str]:
        """Return StartDt and EndDt, both mandatory."""
        first, last = self.day("StartDt"), self.day("EndDt")
        if first is None or last is None:
            raise invalid("StartDt and EndDt are required.")
        return first, last

    def document(self) -> Any:
        """Return the body as JSON; an empty one is an empty object."""
        return read_json(self.call.body) if self.call.body.strip() else {}

    def fields(self) -> Row:
        """Return the body, which must be an object."""
        body = self.document()
        if not isinstance(body, dict):
            raise invalid("The request is invalid: an object was expected.")
        return body

    def staffer(self, asked: int) -> int:
        """Return whose data are meant: one's own, silently, unless one is an administrator."""
        return asked if self.caller.is_admin else self.caller.staff_sid


Handler = Callable[[Asked], Any]
"""Returns JSON content, or an Answer."""


@dataclass(frozen=True)
class Route:
    """One route; ``{}`` in the pattern is a variable part."""

    method: str
    pattern: str
    handler: Handler
    permission: Permission = "anybody"
    only_reads: bool = False
    """A POST that changes nothing."""

    @property
    def is_write(self) -> bool:
        """Whether it may change the books."""
        return self.method != "GET" and not self.only_reads

    def match(self, method: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the variable parts of a path that fits; None otherwise."""
        pattern = self.pattern.split("/")
        if method != self.method or len(pattern) != len(path):
            return None
        found = []
        for wanted, part in zip(pattern, path, strict=True):
            if wanted == "{}":
                found.append(part)
            elif wanted != part.lower():
                return None
        return tuple(found)
