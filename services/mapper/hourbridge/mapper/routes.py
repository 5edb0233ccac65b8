"""The mapper's admin HTTP: configurations and parked records."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.book import BookConfiguration
from hourbridge.common.errors import PayloadTooLarge
from hourbridge.common.local_time import Fold
from hourbridge.common.runtime.admin import (
    Actor,
    NotAllowed,
    NotFound,
    RequestInvalid,
    Role,
    json_response,
    require,
)
from hourbridge.common.store.engine import Store
from hourbridge.mapper import remap
from hourbridge.mapper.applying import Applier
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.document import read_configuration
from hourbridge.mapper.parked import ParkedRecords
from hourbridge.mapper.planning import Planner
from hourbridge.mapper.rules.moments import Folds

BODY_BYTES_MAX = 5_000_000
LIMIT_MAX = 1000


@dataclass(frozen=True)
class MapperApi:
    """The functions behind the routes."""

    store: Store
    configurations: Configurations
    planner: Planner
    applier: Applier
    parked: ParkedRecords
    mapping_actors: Collection[str] = ()

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/v1/mappings/check", self._check, methods=["POST"]),
            Route("/v1/mappings/plan", self._plan, methods=["POST"]),
            Route("/v1/mappings/apply", self._apply, methods=["POST"]),
            Route("/v1/books/{book}/configuration", self._configuration),
            Route("/v1/books/{book}/configurations", self._history),
            Route("/v1/books/{book}/remaps", self._remaps),
            Route("/v1/parked", self._parked),
            Route("/v1/parked/{id}/release", self._release, methods=["POST"]),
        ]

    async def _check(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return await self._with_document(request, self.planner.check)

    async def _plan(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return await self._with_document(request, self.planner.plan)

    async def _apply(self, request: Request) -> Response:
        actor = self._require_mapping(request)
        expected = _integer(request.query_params, "expected_version", default=None, least=0)
        note = request.query_params.get("note")

        def work(configuration: BookConfiguration) -> Mapping[str, Any]:
            return self.applier.apply(
                configuration, actor=actor.name, note=note, expected_version=expected
            )

        return await self._with_document(request, work)

    def _require_mapping(self, request: Request) -> Actor:
        """Administrators may change mappings, and whoever the settings name."""
        actor = require(request, Role.VIEWER)
        if actor.role < Role.ADMINISTRATOR and actor.name not in self.mapping_actors:
            raise NotAllowed("this needs the role administrator or mapping", actor=actor.name)
        return actor

    async def _with_document(
        self, request: Request, work: Callable[[BookConfiguration], Mapping[str, Any]]
    ) -> Response:
        body = await _body(request)

        def answer() -> Response:
            return json_response(work(read_configuration(_decoded(body))))

        return await run_in_threadpool(answer)

    def _configuration(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        book = request.path_params["book"]
        wanted = _integer(request.query_params, "version", default=None, least=1)
        with self.store.transaction() as connection:
            active = self.configurations.active(connection, book)
            version = wanted or (active.version if active else 0)
            found = self.configurations.version(connection, book, version)
        if found is None:
            raise NotFound("the book has no such configuration", book=book, version=version)
        return json_response({**found, "active_version": active.version if active else 0})

    def _history(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        book = request.path_params["book"]
        with self.store.transaction() as connection:
            versions = self.configurations.history(connection, book, _limit(request))
        return json_response({"book": book, "versions": versions})

    def _remaps(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        book = request.path_params["book"]
        with self.store.transaction() as connection:
            tasks = remap.progress(connection, book, _limit(request))
        return json_response({"book": book, "remaps": tasks})

    def _parked(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        query = request.query_params
        return json_response(
            self.parked.list(
                book=query.get("book"), waits_for=query.get("waits_for"), limit=_limit(request)
            )
        )

    async def _release(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        given = await _given(request)
        note, folds = _text(given, "note"), _folds(given)
        record_id = request.path_params["id"]

        def answer() -> Response:
            released = self.parked.release(record_id, actor=actor.name, note=note, folds=folds)
            return json_response(released)

        return await run_in_threadpool(answer)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise PayloadTooLarge(f"more than {BODY_BYTES_MAX} bytes")
    return body


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestInvalid(f"the document is not UTF-8: {error}") from None


async def _given(request: Request) -> dict[str, Any]:
    body = await _body(request)
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError:
        raise RequestInvalid("the body is not JSON") from None
    return document if isinstance(document, dict) else {}


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    return value if isinstance(value, str) else None


def _folds(given: Mapping[str, Any]) -> Folds | None:
    """Return what the body says of doubtful wall times: ``fold``, and maybe ``end_fold``."""
    start, end = (_fold(given.get(name)) for name in ("fold", "end_fold"))
    return None if start is None and end is None else Folds(start or end or "earlier", end)


def _fold(value: Any) -> Fold | None:
    if value not in (None, "earlier", "later"):
        raise RequestInvalid("a fold is earlier or later", given=value)
    found: Fold | None = value
    return found


def _limit(request: Request) -> int:
    limit = _integer(request.query_params, "limit", default=100, least=1)
    return min(limit or LIMIT_MAX, LIMIT_MAX)


def _integer(query: Mapping[str, str], name: str, *, default: int | None, least: int) -> int | None:
    given = query.get(name)
    if given is None:
        return default
    if not given.isascii() or not given.isdigit() or int(given) < least:
        raise RequestInvalid(f"{name} must be a whole number of at least {least}", given=given)
    return int(given)
