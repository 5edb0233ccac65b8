"""The journal over HTTP: exported as text while it is read, its balances, and its check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from hourbridge.billing.journal.balances import imbalances
from hourbridge.billing.journal.beancount import to_beancount
from hourbridge.billing.journal.entries import JournalEntry
from hourbridge.billing.journal.hledger import to_hledger
from hourbridge.billing.journal.presentation import Declarations
from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.store.engine import Store
from hourbridge.poster.journals import open_journal

Writer = Callable[[Iterable[JournalEntry], Declarations], Iterator[str]]
_WRITERS: dict[str, Writer] = {"hledger": to_hledger, "beancount": to_beancount}
_PROBLEMS_MAX = 1000
_CHARACTERS_AT_ONCE = 65_536


@dataclass(frozen=True)
class JournalApi:
    """The functions behind the routes; they only read."""

    store: Store

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/v1/books/{book}/journal", self._export),
            Route("/v1/books/{book}/journal/balances", self._balances),
            Route("/v1/books/{book}/journal/check", self._check),
        ]

    def _export(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        name = request.query_params.get("format", "hledger")
        if name not in _WRITERS:
            raise RequestInvalid(f"format is one of {', '.join(_WRITERS)}", format=name)
        pieces = self._pieces(request.path_params["book"], _WRITERS[name], _through(request))
        return StreamingResponse(_joined(pieces), media_type="text/plain; charset=utf-8")

    def _pieces(self, book: str, writer: Writer, through: date | None) -> Iterator[str]:
        with open_journal(self.store, book, through) as journal:
            yield from writer(journal.entries(), journal.declarations())

    def _balances(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        book, client = request.path_params["book"], request.query_params.get("client")
        with open_journal(self.store, book, _through(request)) as journal:
            return json_response({"balances": journal.balances(client)})

    async def _check(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        book = request.path_params["book"]
        return json_response(await run_in_threadpool(self._problems, book))

    def _problems(self, book: str) -> dict[str, Any]:
        counted = 0

        def entries() -> Iterator[JournalEntry]:
            nonlocal counted
            for entry in journal.entries():
                counted += 1
                yield entry

        with open_journal(self.store, book) as journal:
            unbalanced = [
                {"entry_id": entry_id, "currency": currency, "off_by": off_by}
                for entry_id, currency, off_by in imbalances(entries())
            ]
            documents = list(islice(journal.disagreements(), _PROBLEMS_MAX))
        return {"entries": counted, "unbalanced": unbalanced, "documents": documents}


def _through(request: Request) -> date | None:
    text = request.query_params.get("through")
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise RequestInvalid("through is a date, YYYY-MM-DD", through=text) from None


def _joined(pieces: Iterator[str]) -> Iterator[str]:
    """Gather small pieces: each one that is sent costs a turn of the server."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _CHARACTERS_AT_ONCE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
