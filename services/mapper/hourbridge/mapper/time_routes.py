"""The mapper's admin HTTP about time: payroll, and what new time zone rules would change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.zones import zones_version
from hourbridge.mapper.payroll import Payroll, Per, Period
from hourbridge.mapper.renormalising import PROPOSALS_MAX, Renormaliser

_CHARACTERS_AT_ONCE = 65_536


@dataclass(frozen=True)
class TimeApi:
    """The functions behind the routes."""

    payroll: Payroll
    renormaliser: Renormaliser

    def routes(self) -> list[Route]:
        """Return all routes."""
        proposals = "/v1/books/{book}/time/renormalisation"
        return [
            Route("/v1/time-zone-rules", self._rules),
            Route("/v1/books/{book}/payroll", self._payroll),
            Route(proposals, self._propose),
            Route(proposals, self._apply, methods=["POST"]),
        ]

    def _rules(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response({"tzdata": zones_version()})

    def _payroll(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        query = request.query_params
        period = Period(_day(query, "from"), _day(query, "to"))
        if period.last < period.first:
            raise RequestInvalid("the period ends before it begins")
        lines = self.payroll.export(request.path_params["book"], period, _per(query))
        return StreamingResponse(_gathered(lines), media_type="text/csv; charset=utf-8")

    def _propose(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(self.renormaliser.propose(request.path_params["book"]))

    async def _apply(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        book = request.path_params["book"]
        record_ids, note = _named(await request.body())

        def answer() -> Response:
            done = self.renormaliser.apply(book, record_ids, actor=actor.name, note=note)
            return json_response(done)

        return await run_in_threadpool(answer)


def _day(query: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(query[name])
    except (KeyError, ValueError):
        raise RequestInvalid(f"{name} is a date, YYYY-MM-DD", given=query.get(name)) from None


def _per(query: Mapping[str, str]) -> Per:
    per: Any = query.get("per", "day")
    if per not in get_args(Per):
        raise RequestInvalid("per is day or entry", given=per)
    found: Per = per
    return found


def _named(body: bytes) -> tuple[list[str], str | None]:
    """Return the records named in a request, and the note."""
    try:
        document = json.loads(body)
        record_ids = document["records"]
        note = document.get("note")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RequestInvalid('the body is {"records": [record ids], "note": "why"}') from None
    is_list = isinstance(record_ids, list) and all(isinstance(each, str) for each in record_ids)
    if not is_list or len(record_ids) > PROPOSALS_MAX:
        raise RequestInvalid(f"records is a list of at most {PROPOSALS_MAX} record ids")
    return record_ids, note if isinstance(note, str) else None


def _gathered(lines: Iterator[str]) -> Iterator[str]:
    """Gather lines: each piece that is sent costs a turn of the server."""
    held: list[str] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _CHARACTERS_AT_ONCE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
