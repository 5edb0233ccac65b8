"""Currencies over HTTP: rates, revaluations, the report, residues, items taken over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.billing.currencies.revaluation import last_day_of
from hourbridge.common.clock import Clock
from hourbridge.common.exchange_rates import RateRecord
from hourbridge.common.runtime.admin import NotFound, RequestInvalid, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.connectors.exchange_rates.ecb_file import EcbFile
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.currencies import rate_store, revaluation_store
from hourbridge.poster.currencies.bodies import OpenItemBody, RevaluationBody
from hourbridge.poster.currencies.exchange_report import ExchangeReport
from hourbridge.poster.currencies.opening_items import OpeningItems
from hourbridge.poster.currencies.residues import Residues
from hourbridge.poster.currencies.waiting import note_arrival

LIMIT_MAX = 1000


@dataclass(frozen=True)
class CurrencyApi:
    """The functions behind the routes; none of them calls a ledger."""

    store: Store
    clock: Clock
    residues: Residues
    opening_items: OpeningItems
    report: ExchangeReport

    def routes(self) -> list[Route]:
        """Return all routes."""
        book = "/v1/books/{book}"
        return [
            Route("/v1/rates", self._rates),
            Route("/v1/rates/import", self._import, methods=["POST"]),
            Route(f"{book}/exchange", self._exchange),
            Route(f"{book}/revaluations", self._ask, methods=["POST"]),
            Route("/v1/revaluation-runs/{run_id}", self._run),
            Route(f"{book}/residues", self._residues),
            Route(f"{book}/residues/clear", self._clear, methods=["POST"]),
            Route(f"{book}/open-items", self._take_over, methods=["POST"]),
        ]

    def _rates(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        query = request.query_params
        with self.store.transaction() as connection:
            records = rate_store.listed(
                connection,
                source=query.get("source"),
                currency=query.get("currency"),
                first=_day(query.get("from"), "from"),
                last=_day(query.get("to"), "to"),
                limit=_limit(request),
            )
        return json_response({"rates": [_shown(record) for record in records]})

    async def _import(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        content = await request.body()
        query = request.query_params
        provider = EcbFile(
            content, source=query.get("source", "ecb"), pivot=query.get("pivot", "EUR")
        )
        published_at = _instant(query.get("published_at"))
        since = _day(query.get("since"), "since")
        answer = await run_in_threadpool(
            self._store_rates, provider, published_at, since, actor.name
        )
        return json_response(answer)

    def _store_rates(
        self, provider: EcbFile, published_at: datetime | None, since: date | None, actor: str
    ) -> dict[str, Any]:
        now = self.clock.now()
        with self.store.transaction() as connection:
            imported = rate_store.import_rates(
                connection, provider, now=now, published_at=published_at, since=since
            )
            answer = {"source": provider.source, "pivot": provider.pivot, **vars(imported)}
            if imported.is_change:
                note_arrival(connection, provider.source, now)
                audit.write(
                    connection,
                    actor=actor,
                    action="rates.imported",
                    subject=f"rates:{provider.source}",
                    detail=answer,
                )
        return answer

    def _exchange(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        book = request.path_params["book"]
        day = _day(request.query_params.get("day"), "day") or self._today(book)
        return json_response(self.report.of_book(book, day))

    async def _ask(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        body = await read_body(request, RevaluationBody)
        last_day = _month(body.month)
        book = request.path_params["book"]
        if last_day >= self._today(book):
            raise RequestInvalid("a month is revalued when it is over", month=body.month)
        run_id = await run_in_threadpool(self._record, book, last_day, actor.name)
        return json_response({"run_id": run_id, "state": "waiting"}, 202)

    def _record(self, book: str, last_day: date, actor: str) -> str:
        now = self.clock.now()
        with self.store.transaction() as connection:
            run_id = revaluation_store.ask(connection, book, last_day, actor, now)
            audit.write(
                connection,
                actor=actor,
                action="revaluation.asked",
                subject=f"book:{book}",
                book=book,
                detail={"last_day": last_day, "run_id": run_id},
            )
        return run_id

    def _run(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        with self.store.transaction() as connection:
            return json_response(revaluation_store.read(connection, request.path_params["run_id"]))

    def _residues(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response({"residues": self.residues.listed(request.path_params["book"])})

    async def _clear(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        book = request.path_params["book"]
        rows = await run_in_threadpool(self.residues.clear, book, actor.name)
        return json_response({"residues": rows})

    async def _take_over(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        body = await read_body(request, OpenItemBody)
        book = request.path_params["book"]
        document = await run_in_threadpool(
            self.opening_items.take_over, book, body.item(), actor.name
        )
        if document is None:
            return json_response({"changed": False})
        shown = document.model_dump(mode="json", exclude_none=True)
        return json_response({"changed": True, "document": shown})

    def _today(self, book: str) -> date:
        with self.store.transaction() as connection:
            configured = configuration_of(connection, book)
        if configured is None:
            raise NotFound("the book has no configuration", book=book)
        return self.clock.now().astimezone(ZoneInfo(configured.configuration.zone)).date()


def _shown(record: RateRecord) -> dict[str, Any]:
    return {
        "rate_id": record.rate_id,
        "source": record.source,
        "pivot": record.pivot,
        "currency": record.currency,
        "rate_date": record.rate_date,
        "revision": record.revision,
        "value": str(record.value),
        "published_at": record.published_at,
        "fetched_at": record.fetched_at,
    }


def _month(text: str) -> date:
    try:
        return last_day_of(text)
    except ValueError:
        raise RequestInvalid("month is written like 2026-02", month=text) from None


def _day(text: str | None, name: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise RequestInvalid(f"{name} is a date like 2026-02-28", given=text) from None


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise RequestInvalid("published_at is an instant like 2026-02-03T15:00:00Z") from None
    if instant.tzinfo is None:
        raise RequestInvalid("published_at names no offset")
    return instant


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "200")
    if not text.isdecimal() or not 1 <= int(text) <= LIMIT_MAX:
        raise RequestInvalid(f"limit is a number from 1 to {LIMIT_MAX}", limit=text)
    return int(text)
