"""The admin API of the door: what of a source comes in, by list and by record."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.messages.fields import Identifier
from hourbridge.common.runtime.admin import Actor, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor.acceptor import Acceptor
from hourbridge.ingestor.announcements import announce
from hourbridge.ingestor.http_bodies import limit_of
from hourbridge.ingestor.polling import door
from hourbridge.ingestor.polling.feeds import SourceKey
from hourbridge.ingestor.polling.routes import Woken, key_of

BATCH_STATEMENTS = 1000


class RuleRequest(BaseModel):
    """What to allow or block; ``clear`` leaves it to the general rule again."""

    model_config = ConfigDict(extra="forbid")

    scope: Identifier
    """A record type such as ``client``, or a list such as ``customer``."""
    ids: tuple[Identifier, ...] = Field(min_length=1, max_length=1000)
    """``*`` stands for all of the scope."""
    rule: Literal["allow", "block", "clear"]
    note: str | None = Field(None, max_length=500)


class RuleApi:
    """The functions behind the routes."""

    def __init__(
        self, store: Store, outbox: Outbox, acceptor: Acceptor, *, clock: Clock, woken: Woken
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._acceptor = acceptor
        self._clock = clock
        self._woken = woken

    def routes(self) -> list[Route]:
        """Return all routes."""
        path = "/v1/books/{book}/sources/{source}/rules"
        return [
            Route(path, self._list),
            Route(path, self._set, methods=["POST"]),
            Route(f"{path}/kept-out", self._kept_out),
        ]

    def _list(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        with self._store.transaction() as connection:
            return json_response({"rules": door.listed(connection, key_of(request))})

    def _kept_out(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        scope = request.query_params.get("scope")
        with self._store.transaction() as connection:
            found = door.kept_out(connection, key_of(request), scope, limit_of(request))
        return json_response({"kept_out": found})

    async def _set(self, request: Request) -> Response:
        actor, name = require(request, Role.ADMINISTRATOR), key_of(request)
        asked = await read_body(request, RuleRequest)
        return await run_in_threadpool(self._change, name, asked, actor)

    def _change(self, name: SourceKey, asked: RuleRequest, actor: Actor) -> Response:
        """Change a rule; what it kept out until now comes in, as it was stated last."""
        with self._store.transaction() as connection:
            door.set_rule(
                connection,
                name,
                asked.scope,
                asked.ids,
                None if asked.rule == "clear" else asked.rule,
                note=asked.note,
                actor=actor.name,
                now=self._clock.now(),
            )
            freed = door.let_in(connection, name)
            for start in range(0, len(freed), BATCH_STATEMENTS):
                batch = freed[start : start + BATCH_STATEMENTS]
                acceptance = self._acceptor.accept(connection, batch)
                self._outbox.add(connection, [announce(each) for each in acceptance.revisions])
        self._outbox.try_flush()
        self._woken()
        return json_response({"scope": asked.scope, "rule": asked.rule, "let_in": len(freed)})
