"""The admin API of polling: sources, feeds, schedules, history, readings. Each names its role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.runtime.admin import Actor, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.common.store.engine import Store
from hourbridge.connectors.source import Span
from hourbridge.ingestor.http_bodies import limit_of, name_in_path
from hourbridge.ingestor.polling import feeds, keeping, readings, schedule, spans
from hourbridge.ingestor.polling.feeds import SourceKey
from hourbridge.ingestor.polling.opened import OpenSources

Woken = Callable[[], None]
_STRICT = ConfigDict(extra="forbid")


class AttachRequest(BaseModel):
    """Over which connection a book's source is read, and which of its feeds."""

    model_config = _STRICT

    connection: str
    zone: str | None = None
    feeds: tuple[str, ...] | None = None
    """None: all that the system has."""


class FeedsRequest(BaseModel):
    """Which feeds an order concerns; none named: all."""

    model_config = _STRICT

    feeds: tuple[str, ...] = ()


class PollRequest(FeedsRequest):
    """Feeds to read now."""

    whole: bool = False
    """From the beginning instead of from the cursor."""
    allow_deletions: bool = False
    """Delete also what the next complete reading would withhold."""


class ScheduleRequest(FeedsRequest):
    """How often feeds are read; what is left out stays as it is."""

    cadence: Literal["adaptive", "fixed", "daily", "weekly"] | None = None
    interval_seconds: int | None = Field(None, ge=1, le=366 * 86_400)
    interval_seconds_max: int | None = Field(None, ge=1, le=366 * 86_400)
    at_time: time | None = None
    weekday: int | None = Field(None, ge=1, le=7)
    zone: str | None = None


class HistoryRequest(FeedsRequest):
    """Days whose entries are to be read, both inclusive."""

    first: date
    last: date


class PollingApi:
    """The functions behind the routes."""

    def __init__(self, store: Store, opened: OpenSources, *, clock: Clock, woken: Woken) -> None:
        self._store = store
        self._opened = opened
        self._clock = clock
        self._woken = woken

    def routes(self) -> list[Route]:
        """Return all routes."""
        source = "/v1/books/{book}/sources/{source}"
        return [
            Route("/v1/feeds", self._feeds),
            Route(f"{source}/feeds", self._attach, methods=["POST"]),
            Route(f"{source}/feeds", self._detach, methods=["DELETE"]),
            Route(f"{source}/check", self._check, methods=["POST"]),
            Route(f"{source}/poll", self._poll, methods=["POST"]),
            Route(f"{source}/schedule", self._schedule, methods=["POST"]),
            Route(f"{source}/pause", self._pause, methods=["POST"]),
            Route(f"{source}/resume", self._resume, methods=["POST"]),
            Route(f"{source}/history", self._ask_history, methods=["POST"]),
            Route(f"{source}/history", self._history),
            Route(f"{source}/readings", self._readings),
            Route(f"{source}/rejected", self._rejected),
        ]

    def _feeds(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        query = request.query_params
        with self._store.transaction() as connection:
            found = feeds.status(connection, query.get("book"), query.get("source"))
        usable = self._opened.usable() if found else set()
        shown = [_shown(row, is_usable=row["connection"] in usable) for row in found]
        return json_response({"feeds": shown})

    async def _attach(self, request: Request) -> Response:
        actor, name = require(request, Role.ADMINISTRATOR), key_of(request)
        asked = await read_body(request, AttachRequest)
        return await run_in_threadpool(self._attached, name, asked, actor)

    def _attached(self, name: SourceKey, asked: AttachRequest, actor: Actor) -> Response:
        capabilities = self._opened.get(asked.connection).capabilities
        with self._store.transaction() as connection:
            feeds.attach(
                connection,
                name,
                capabilities,
                via=asked.connection,
                zone=asked.zone,
                only=asked.feeds,
                actor=actor.name,
                now=self._clock.now(),
            )
        self._woken()
        return json_response({"attached": asdict(name), "system": capabilities.system}, 201)

    def _detach(self, request: Request) -> Response:
        actor, name = require(request, Role.ADMINISTRATOR), key_of(request)
        with self._store.transaction() as connection:
            feeds.detach(connection, name, actor=actor.name)
        return json_response({"detached": asdict(name)})

    def _check(self, request: Request) -> Response:
        """Ask the system whether the connection can be used; costs calls."""
        require(request, Role.OPERATOR)
        with self._store.transaction() as connection:
            via = feeds.known_source(connection, key_of(request))["connection"]
        return json_response({"connection": via, "problems": self._opened.get(via).check()})

    async def _poll(self, request: Request) -> Response:
        actor, name = require(request, Role.OPERATOR), key_of(request)
        asked = await read_body(request, PollRequest)
        if asked.allow_deletions:
            require(request, Role.ADMINISTRATOR)
        return await run_in_threadpool(self._polled, name, asked, actor)

    def _polled(self, name: SourceKey, asked: PollRequest, actor: Actor) -> Response:
        with self._store.transaction() as connection:
            due = feeds.poll_now(
                connection,
                name,
                asked.feeds,
                actor=actor.name,
                now=self._clock.now(),
                whole=asked.whole,
                allow_deletions=asked.allow_deletions,
            )
        self._woken()
        return json_response({"due": due})

    async def _schedule(self, request: Request) -> Response:
        actor, name = require(request, Role.OPERATOR), key_of(request)
        asked = await read_body(request, ScheduleRequest)
        return await run_in_threadpool(self._scheduled, name, asked, actor)

    def _scheduled(self, name: SourceKey, asked: ScheduleRequest, actor: Actor) -> Response:
        changes = asked.model_dump(exclude={"feeds"}, exclude_none=True)
        due = {}
        with self._store.transaction() as connection:
            for feed in feeds.named(connection, name, asked.feeds):
                present = feeds.schedule_of(feeds.lock(connection, name, feed))
                rest = feeds.set_schedule(
                    connection,
                    name,
                    feed,
                    schedule.changed(present, **changes),
                    actor=actor.name,
                    now=self._clock.now(),
                )
                due[feed] = rest.next_due_at
        self._woken()
        return json_response({"scheduled": due})

    async def _pause(self, request: Request) -> Response:
        return await self._enable(request, enabled=False)

    async def _resume(self, request: Request) -> Response:
        return await self._enable(request, enabled=True)

    async def _enable(self, request: Request, *, enabled: bool) -> Response:
        actor, name = require(request, Role.OPERATOR), key_of(request)
        asked = await read_body(request, FeedsRequest)
        return await run_in_threadpool(self._enabled, name, asked, actor, enabled)

    def _enabled(
        self, name: SourceKey, asked: FeedsRequest, actor: Actor, enabled: bool
    ) -> Response:
        with self._store.transaction() as connection:
            found = feeds.enable(
                connection,
                name,
                asked.feeds,
                enabled=enabled,
                actor=actor.name,
                now=self._clock.now(),
            )
            spans.pause(connection, name, found, paused=not enabled)
        self._woken()
        return json_response({"resumed" if enabled else "paused": found})

    async def _ask_history(self, request: Request) -> Response:
        actor, name = require(request, Role.OPERATOR), key_of(request)
        asked = await read_body(request, HistoryRequest)
        return await run_in_threadpool(self._asked, name, asked, actor)

    def _asked(self, name: SourceKey, asked: HistoryRequest, actor: Actor) -> Response:
        span = Span(asked.first, asked.last)
        with self._store.transaction() as connection:
            new = spans.ask(
                connection, name, asked.feeds, span, actor=actor.name, now=self._clock.now()
            )
        self._woken()
        return json_response({"asked": new})

    def _history(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        with self._store.transaction() as connection:
            return json_response({"history": spans.listed(connection, key_of(request))})

    def _readings(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        name, feed = key_of(request), request.query_params.get("feed")
        with self._store.transaction() as connection:
            found = readings.recent(connection, name.book, name.source, feed, limit_of(request))
        return json_response({"readings": found})

    def _rejected(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        name, feed = key_of(request), request.query_params.get("feed")
        with self._store.transaction() as connection:
            found = keeping.rejected(connection, name.book, name.source, feed, limit_of(request))
        return json_response({"rejected": found})


def key_of(request: Request) -> SourceKey:
    """Return the source that a path names."""
    return SourceKey(name_in_path(request, "book"), name_in_path(request, "source"))


def _shown(row: dict[str, Any], *, is_usable: bool) -> dict[str, Any]:
    """Return a feed for a person: in a word how it is, then the facts."""
    state = "waiting"
    if not row["enabled"]:
        state = "paused"
    elif not is_usable:
        state = "disconnected"
    elif row["failures"]:
        state = "failing"
    elif row["reading_id"]:
        state = "reading"
    hidden = ("cursor", "told")
    return {"state": state, **{name: value for name, value in row.items() if name not in hidden}}
