"""The routes behind ``hourbridge report warnings`` and ``hourbridge time renormalise``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.store.engine import Store
from hourbridge.poster.charge_reports import billed, warned

ROWS_MAX = 10_000


@dataclass(frozen=True)
class ChargeReportApi:
    """Answers questions about charges; only reads."""

    store: Store

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/v1/books/{book}/warnings", self._warnings),
            Route("/v1/books/{book}/billed-records", self._billed, methods=["POST"]),
        ]

    def _warnings(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        with self.store.transaction() as connection:
            rows = warned(
                connection,
                request.path_params["book"],
                through=_through(request.query_params.get("through")),
                client=request.query_params.get("client"),
            )
        return json_response({"warnings": rows})

    async def _billed(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        records = _records(await request.body())
        return await run_in_threadpool(self._find, request.path_params["book"], records)

    def _find(self, book: str, records: list[str]) -> Response:
        with self.store.transaction() as connection:
            return json_response({"billed": billed(connection, book, records)})


def _through(given: str | None) -> date | None:
    try:
        return None if given is None else date.fromisoformat(given)
    except ValueError:
        raise RequestInvalid("through is a date, YYYY-MM-DD", given=given) from None


def _records(body: bytes) -> list[str]:
    try:
        found = json.loads(body)["records"]
    except (ValueError, KeyError, TypeError):
        raise RequestInvalid('the body is {"records": [record ids]}') from None
    is_list = isinstance(found, list) and all(isinstance(each, str) for each in found)
    if not is_list or len(found) > ROWS_MAX:
        raise RequestInvalid(f"records is a list of at most {ROWS_MAX} record ids")
    return list(found)
