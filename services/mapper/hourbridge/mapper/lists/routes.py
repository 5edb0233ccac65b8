"""The mapper's admin HTTP about lists."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from hourbridge.common.messages.fields import Identifier, Payload
from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.mapper.document import read_configuration
from hourbridge.mapper.lists.actions import ListActions, link_key
from hourbridge.mapper.lists.auditing import Auditor
from hourbridge.mapper.lists.showing import ListsShown
from hourbridge.matching.entry import LEDGER

LIMIT_MAX = 5000
_LINES_AT_ONCE = 500


class Note(Payload):
    """Why something was decided."""

    note: str | None = None


class LinkRequest(Payload):
    """A tracker's entry and the ledger's."""

    source: Identifier
    list: Identifier
    id: Identifier
    ledger_list: Identifier | None = None
    ledger_id: Identifier | None = None
    note: str | None = None


class MarkRequest(Payload):
    """An entry to block or to allow; ``side`` is a source, or ``ledger``."""

    side: Identifier
    list: Identifier
    id: Identifier
    mark: Literal["blocked", "allowed"] | None = None
    note: str | None = None


@dataclass(frozen=True)
class ListsApi:
    """The functions behind the routes."""

    shown: ListsShown
    actions: ListActions
    auditor: Auditor

    def routes(self) -> list[Route]:
        """Return all routes."""
        lists = "/v1/books/{book}/lists"
        one = f"{lists}/decisions/{{id}}"
        return [
            Route(lists, self._status),
            Route(f"{lists}/entries", self._entries),
            Route(f"{lists}/export", self._export),
            Route(f"{lists}/decisions", self._decisions),
            Route(one, self._decision),
            Route(f"{one}/approve", self._approve, methods=["POST"]),
            Route(f"{one}/reject", self._reject, methods=["POST"]),
            Route(f"{lists}/plan", self._plan, methods=["GET", "POST"]),
            Route(f"{lists}/link", self._link, methods=["POST"]),
            Route(f"{lists}/unlink", self._unlink, methods=["POST"]),
            Route(f"{lists}/mark", self._mark, methods=["POST"]),
            Route(f"{lists}/sync", self._sync, methods=["POST"]),
            Route("/v1/books/{book}/audit", self._audit),
        ]

    def _status(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(self.shown.status(_book(request)))

    def _entries(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        limit = _limit(request)
        rows = list(self.shown.entries(_book(request), request.query_params))
        return json_response({"entries": rows[:limit], "total": len(rows)})

    def _export(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        rows = self.shown.entries(_book(request), request.query_params)
        if request.query_params.get("format", "csv") == "json":
            return json_response({"book": _book(request), "entries": list(rows)})
        return StreamingResponse(_csv(rows), media_type="text/csv; charset=utf-8")

    def _decisions(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        found = self.shown.decisions(_book(request), request.query_params, _limit(request))
        return json_response({"decisions": found})

    def _decision(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(self.shown.decision(_book(request), request.path_params["id"]))

    async def _approve(self, request: Request) -> Response:
        return await self._decide(request, self.actions.approve)

    async def _reject(self, request: Request) -> Response:
        return await self._decide(request, self.actions.reject)

    async def _decide(self, request: Request, act: Callable[..., dict[str, Any]]) -> Response:
        actor = require(request, Role.OPERATOR)
        given = await read_body(request, Note)
        book, decision_id = _book(request), request.path_params["id"]

        def answer() -> Response:
            return json_response(act(book, decision_id, actor=actor.name, note=given.note))

        return await run_in_threadpool(answer)

    async def _plan(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        body = await request.body()
        book = _book(request)

        def answer() -> Response:
            given = read_configuration(body.decode("utf-8-sig")) if body else None
            if given is not None and given.book != book:
                raise RequestInvalid(f"the configuration is of book {given.book!r}", book=book)
            return json_response(self.shown.plan(given, book))

        return await run_in_threadpool(answer)

    async def _link(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        given = await read_body(request, LinkRequest)
        if given.ledger_id is None:
            raise RequestInvalid("ledger_id says what it is to be linked to")
        key = link_key(given.source, given.list, given.id, given.ledger_list)
        ledger_id, book = given.ledger_id, _book(request)

        def answer() -> Response:
            done = self.actions.link(book, key, ledger_id, actor=actor.name, note=given.note)
            return json_response(done)

        return await run_in_threadpool(answer)

    async def _unlink(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        given = await read_body(request, LinkRequest)
        key = link_key(given.source, given.list, given.id, given.ledger_list)
        book = _book(request)

        def answer() -> Response:
            return json_response(self.actions.unlink(book, key, actor=actor.name, note=given.note))

        return await run_in_threadpool(answer)

    async def _mark(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        given = await read_body(request, MarkRequest)
        side = LEDGER if given.side == "ledger" else given.side
        book = _book(request)

        def answer() -> Response:
            done = self.actions.mark(
                book,
                (side, given.list, given.id),
                given.mark,
                actor=actor.name,
                note=given.note,
            )
            return json_response(done)

        return await run_in_threadpool(answer)

    async def _sync(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        book = _book(request)

        def answer() -> Response:
            return json_response(self.actions.sync(book, actor=actor.name))

        return await run_in_threadpool(answer)

    def _audit(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        is_live = request.query_params.get("live") == "true"
        return json_response(self.auditor.audit(_book(request), is_live=is_live))


def _book(request: Request) -> str:
    book: str = request.path_params["book"]
    return book


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "500")
    if not given.isascii() or not given.isdigit() or int(given) < 1:
        raise RequestInvalid("limit must be a whole number of at least 1", given=given)
    return min(int(given), LIMIT_MAX)


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield rows as CSV, gathered: each piece that is sent costs a turn of the server."""
    held = io.StringIO()
    writer = csv.writer(held)
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow(_cell(value) for value in row.values())
        if number % _LINES_AT_ONCE == _LINES_AT_ONCE - 1:
            yield held.getvalue()
            held.seek(0)
            held.truncate()
    yield held.getvalue()


def _cell(value: Any) -> str:
    """Return a value as text; what a spreadsheet would take for a formula is quoted."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
