"""The routes of closed months: close after a reconciliation, reopen, list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hourbridge.common.clock import Clock
from hourbridge.common.runtime.admin import Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.common.store.engine import Store
from hourbridge.reconciler.arrivals import not_arrived
from hourbridge.reconciler.closing import CannotClose, check_month, close, closes, reopen
from hourbridge.reconciler.notes import read_note
from hourbridge.reconciler.reconcile import Reconciler
from hourbridge.reconciler.whole_book import whole_book

_WAIT_SECONDS = 40.0
_LOOK_AGAIN_SECONDS = 0.2


class CloseBody(BaseModel):
    """Why a month is closed, and what the other services had said when that was asked for."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(min_length=1, max_length=2000)
    sequence: int | None = Field(None, ge=0)
    """The ingestor's last sequence number: everything up to it must have arrived here."""
    documents: dict[str, int] | None = None
    """The poster's documents by status: all of them must be known here as they are there."""


class ClosingRoutes:
    """Handlers run in the server's worker threads."""

    def __init__(self, *, store: Store, clock: Clock, reconciler: Reconciler) -> None:
        self._store = store
        self._clock = clock
        self._reconciler = reconciler

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes for the service runner."""
        periods = "/v1/books/{book}/periods"
        return (
            Route(periods, self.list),
            Route(f"{periods}/{{period}}/close", self.close, methods=["POST"]),
            Route(f"{periods}/{{period}}/reopen", self.reopen, methods=["POST"]),
        )

    def list(self, request: Request) -> Response:
        """List every close, also those that were reopened."""
        require(request, Role.VIEWER)
        with self._store.transaction() as connection:
            return json_response({"closes": closes(connection, request.path_params["book"])})

    async def close(self, request: Request) -> Response:
        """Reconcile, then close a month if nothing stands against it."""
        actor = require(request, Role.OPERATOR)
        advice = "A note says why the month is closed."
        body = await read_body(request, CloseBody, advice=advice)
        closed = await run_in_threadpool(self._close, request.path_params, actor.name, body)
        return json_response(closed)

    def _close(self, path: Mapping[str, Any], actor: str, body: CloseBody) -> dict[str, Any]:
        book, period = path["book"], check_month(path["period"])
        self._wait_for(book, body)
        self._reconciler.reconcile(book, asked_by=actor, wait_seconds=_WAIT_SECONDS)
        with whole_book(self._store) as connection:
            now = self._clock.now()
            return close(connection, book, period, actor=actor, note=body.note, now=now)

    def _wait_for(self, book: str, body: CloseBody) -> None:
        """Wait until all that the others have said has arrived, or raise CannotClose."""
        deadline = self._clock.monotonic_seconds() + _WAIT_SECONDS
        while True:
            with self._store.transaction() as connection:
                missing = not_arrived(connection, book, body.sequence, body.documents)
            if missing is None:
                return
            if self._clock.monotonic_seconds() >= deadline:
                raise CannotClose(missing, book=book)
            self._clock.sleep(_LOOK_AGAIN_SECONDS)

    async def reopen(self, request: Request) -> Response:
        """Reopen a month, with a note."""
        actor = require(request, Role.OPERATOR)
        note = await read_note(request, "a note says why the month is reopened")
        await run_in_threadpool(self._reopen, request.path_params, actor.name, note)
        return json_response({"reopened": request.path_params["period"]})

    def _reopen(self, path: Mapping[str, Any], actor: str, note: str) -> None:
        period = check_month(path["period"])
        with self._store.transaction() as connection:
            now = self._clock.now()
            reopen(connection, path["book"], period, actor=actor, note=note, now=now)
