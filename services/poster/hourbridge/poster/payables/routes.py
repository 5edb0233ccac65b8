"""Hold-backs and settlements over the poster's admin HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.messages.fields import DecimalText
from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.poster.payables.releasing import Holdbacks, Release
from hourbridge.poster.payables.settlements import Settlements


class ReleaseBody(BaseModel):
    """Body of a release of what was held back."""

    model_config = ConfigDict(extra="forbid")

    released_on: date | None = Field(None, alias="date")
    vendor: str | None = None
    number: str | None = None
    amount: Annotated[DecimalText, Field(gt=0)] | None = None


class PayablesApi:
    """The routes; they ask and show, and never call a ledger."""

    def __init__(self, holdbacks: Holdbacks, settlements: Settlements) -> None:
        self._holdbacks = holdbacks
        self._settlements = settlements

    def routes(self) -> list[Route]:
        """Return all routes."""
        base = "/v1/books/{book}"
        return [
            Route(f"{base}/holdbacks", self._list),
            Route(f"{base}/holdbacks/release", self._release, methods=["POST"]),
            Route(f"{base}/reports/settlements", self._report),
        ]

    def _list(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        everything = request.query_params.get("all") == "true"
        rows = self._holdbacks.open_ones(request.path_params["book"], everything=everything)
        return json_response({"holdbacks": rows})

    async def _release(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        body = await read_body(request, ReleaseBody)
        if body.vendor is None and body.number is None:
            raise RequestInvalid("name a vendor or a bill", advice="Nothing was released.")
        asked = Release(
            book=request.path_params["book"],
            released_on=body.released_on,
            vendor=body.vendor,
            number=body.number,
            amount=body.amount,
        )
        made = await run_in_threadpool(self._holdbacks.release, asked, actor.name)
        rows = [
            {
                "number": entry.number,
                "document_id": entry.document_id,
                "amount": str(entry.total),
                "currency": entry.currency,
                "memo": entry.memo,
            }
            for entry in made
        ]
        return json_response({"released": rows})

    def _report(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        quarter = request.query_params.get("quarter", "")
        return json_response(self._settlements.report(request.path_params["book"], quarter))
