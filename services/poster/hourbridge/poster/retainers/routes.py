"""Retainers over the poster's admin HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.messages.events import Document
from hourbridge.common.messages.fields import CurrencyCode, DecimalText, Identifier
from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.poster.retainers.commands import Request, RetainerCommands
from hourbridge.poster.retainers.report import RetainerReport

Action = Literal["open", "apply", "refund", "forfeit"]


class RetainerBody(BaseModel):
    """Body of what is asked of a retainer."""

    model_config = ConfigDict(extra="forbid")

    client: Identifier
    engagement: Identifier
    amount: Annotated[DecimalText, Field(gt=0)] | None = None
    on: date | None = Field(None, alias="date")
    number: str | None = None
    currency: CurrencyCode | None = None
    base_amount: Annotated[DecimalText, Field(gt=0)] | None = None
    in_ledger: bool = False
    note: str = Field("", max_length=500)


class RetainerApi:
    """The routes; they ask and show, and never call a ledger."""

    def __init__(self, commands: RetainerCommands, report: RetainerReport) -> None:
        self._commands = commands
        self._report = report

    def routes(self) -> list[Route]:
        """Return all routes."""
        base = "/v1/books/{book}/retainers"
        return [
            Route(base, self._listed),
            Route(f"{base}/log", self._log),
            Route(f"{base}/show", self._show),
            Route(f"{base}/open", self._do(self._open), methods=["POST"]),
            Route(f"{base}/apply", self._do(self._apply), methods=["POST"]),
            Route(f"{base}/refund", self._do(self._refund), methods=["POST"]),
            Route(f"{base}/forfeit", self._do(self._forfeit), methods=["POST"]),
        ]

    def _listed(self, request: HttpRequest) -> Response:
        require(request, Role.VIEWER)
        client = request.query_params.get("client")
        return json_response(self._report.listed(request.path_params["book"], client))

    def _show(self, request: HttpRequest) -> Response:
        require(request, Role.VIEWER)
        query = request.query_params
        client, engagement = query.get("client", ""), query.get("engagement", "")
        return json_response(self._report.show(request.path_params["book"], client, engagement))

    def _log(self, request: HttpRequest) -> Response:
        require(request, Role.VIEWER)
        text = request.query_params.get("through")
        return json_response(self._report.log(request.path_params["book"], _day(text)))

    def _do(self, work: Callable[[Request, RetainerBody], list[Document]]) -> Any:
        async def answer(request: HttpRequest) -> Response:
            actor = require(request, Role.OPERATOR)
            body = await read_body(request, RetainerBody)
            asked = Request(
                book=request.path_params["book"],
                client=body.client,
                engagement=body.engagement,
                actor=actor.name,
                amount=body.amount,
                day=body.on,
                note=body.note,
            )
            documents = await run_in_threadpool(work, asked, body)
            return json_response({"documents": [_shown(document) for document in documents]})

        return answer

    def _open(self, asked: Request, body: RetainerBody) -> list[Document]:
        return self._commands.open(asked, body.currency, body.base_amount, in_ledger=body.in_ledger)

    def _apply(self, asked: Request, body: RetainerBody) -> list[Document]:
        return self._commands.apply(asked, body.number)

    def _refund(self, asked: Request, _body: RetainerBody) -> list[Document]:
        return self._commands.refund(asked)

    def _forfeit(self, asked: Request, _body: RetainerBody) -> list[Document]:
        return self._commands.forfeit(asked)


def _shown(document: Document) -> dict[str, Any]:
    settles = [{"number": s.number, "amount": s.amount} for s in document.settles]
    return {
        "document_id": document.document_id,
        "number": document.number,
        "purpose": document.purpose,
        "document_date": document.document_date,
        "status": document.status,
        "amount": settles[0]["amount"] if settles else document.total,
        "currency": document.currency,
        "settles": settles,
    }


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise RequestInvalid("a date looks like 2026-03-31", through=text) from None
