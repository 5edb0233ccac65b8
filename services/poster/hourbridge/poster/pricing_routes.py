"""The routes of what people decide about prices, and of what billing runs passed by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.messages.fields import DecimalText
from hourbridge.common.runtime.admin import Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.common.store.engine import Store
from hourbridge.poster.adjusting import AdjustmentAsked, Adjustments, realisation_percent
from hourbridge.poster.decisions import Decision, Decisions
from hourbridge.poster.leakage import noted


class AdjustBody(BaseModel):
    """What a draft, or one of its lines, is to come to before tax, and why."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[DecimalText, Field(ge=0)]
    line: int | None = Field(None, ge=1)
    reason: str = Field(min_length=1, max_length=2000)


class CreditBody(BaseModel):
    """Why an invoice is taken back."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=2000)


@dataclass(frozen=True)
class PricingApi:
    """The functions behind the routes."""

    store: Store
    adjustments: Adjustments
    decisions: Decisions

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/v1/documents/{id}/adjust", self._adjust, methods=["POST"]),
            Route("/v1/documents/{id}/credit", self._credit, methods=["POST"]),
            Route("/v1/books/{book}/passed-by", self._passed_by),
        ]

    async def _adjust(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        body = await read_body(request, AdjustBody)
        asked = AdjustmentAsked(body.amount, body.reason, actor.name, body.line)
        work = self.adjustments.adjust
        document = await run_in_threadpool(work, request.path_params["id"], asked)
        shown = document.model_dump(mode="json", exclude_none=True)
        return json_response({**shown, "realisation_percent": str(realisation_percent(document))})

    async def _credit(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        body = await read_body(request, CreditBody)
        decision = Decision(actor.name, body.note)
        work = self.decisions.credit
        memo = await run_in_threadpool(work, request.path_params["id"], decision)
        return json_response(memo.model_dump(mode="json", exclude_none=True))

    def _passed_by(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        with self.store.transaction() as connection:
            rows = noted(connection, request.path_params["book"])
        return json_response({"passed_by": rows})
