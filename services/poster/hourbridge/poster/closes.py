"""Months that the book itself closed: nothing is posted into them until they are reopened.

A ledger may have a closing date of its own; the later of the two counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.calendar import Term, period_of
from hourbridge.common.clock import Clock
from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement

_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_CLOSE = statement(
    """
    INSERT INTO closed_period (book, period, last_day, closed_at, closed_by)
    VALUES (:book, :period, :last_day, :now, :actor) ON CONFLICT (book, period) DO NOTHING
    """
)
_REOPEN = statement("DELETE FROM closed_period WHERE book = :book AND period = :period")
_LIST = statement(
    "SELECT period, last_day, closed_at, closed_by FROM closed_period WHERE book = :book "
    "ORDER BY period"
)
_THROUGH = statement("SELECT max(last_day) FROM closed_period WHERE book = :book")


class CloseBody(BaseModel):
    """Why a month is closed or reopened."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=2000)


def closed_through(connection: Connection, book: str) -> date | None:
    """Return the last day of the newest month that the book closed, None if it closed none."""
    found: date | None = connection.execute(_THROUGH, {"book": book}).scalar()
    return found


def last_day_of(period: str) -> date:
    """Return the last day of a month like ``2026-03``, or raise RequestInvalid."""
    if not _MONTH.match(period):
        raise RequestInvalid("a month looks like 2026-03", period=period)
    return period_of(date.fromisoformat(f"{period}-01"), Term.MONTH).last


@dataclass(frozen=True)
class CloseApi:
    """Closes and reopens months, and lists what is closed. Asking twice changes nothing."""

    store: Store
    clock: Clock

    def routes(self) -> list[Route]:
        """Return all routes."""
        month = "/v1/books/{book}/periods/{period}"
        return [
            Route("/v1/books/{book}/periods", self._list),
            Route(f"{month}/close", self._close, methods=["POST"]),
            Route(f"{month}/reopen", self._reopen, methods=["POST"]),
        ]

    def _list(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        with self.store.transaction() as connection:
            rows = connection.execute(_LIST, {"book": request.path_params["book"]}).mappings()
            return json_response({"periods": [dict(row) for row in rows]})

    async def _close(self, request: Request) -> Response:
        return await self._change(request, "closed")

    async def _reopen(self, request: Request) -> Response:
        return await self._change(request, "reopened")

    async def _change(self, request: Request, what: str) -> Response:
        actor = require(request, Role.OPERATOR)
        body = await read_body(request, CloseBody)
        await run_in_threadpool(self._write, what, request.path_params, actor.name, body.note)
        return json_response({what: request.path_params["period"]})

    def _write(self, what: str, path: Mapping[str, Any], actor: str, note: str) -> None:
        named = {"book": path["book"], "period": path["period"]}
        last_day = last_day_of(path["period"])
        with self.store.transaction() as connection:
            if what == "closed":
                more = {"last_day": last_day, "now": self.clock.now(), "actor": actor}
                changed = connection.execute(_CLOSE, {**named, **more}).rowcount
            else:
                changed = connection.execute(_REOPEN, named).rowcount
            if changed:
                audit.write(
                    connection,
                    actor=actor,
                    action=f"period.{what}",
                    subject=f"{path['book']}/{path['period']}",
                    book=path["book"],
                    detail={"note": note},
                )
