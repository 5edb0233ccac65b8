"""The poster's admin HTTP: billing, documents, what is parked, the queue and the lanes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import Document
from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.common.store.engine import Store
from hourbridge.poster.billing_runs import BillingRuns, BillRequest
from hourbridge.poster.currencies.waiting import look_again
from hourbridge.poster.decisions import Decision, Decisions
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.payables.deciding import PayableDecisions
from hourbridge.poster.status import Status

BodyT = TypeVar("BodyT", bound=BaseModel)
LIMIT_MAX = 1000
_POLL_SECONDS = 0.05


class BillBody(BaseModel):
    """Body of a billing request."""

    model_config = ConfigDict(extra="forbid")

    through: date
    sequence: int = Field(0, ge=0)
    dry_run: bool = False
    client: str | None = None
    project: str | None = None
    wait_seconds: float = Field(0, ge=0)


class DecisionBody(BaseModel):
    """Body of a decision about a document."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=2000)
    approved_date: date | None = Field(None, alias="date")
    choice: str | None = Field(None, max_length=20)


@dataclass(frozen=True)
class PosterApi:
    """The functions behind the routes; they read and ask, and never call a ledger."""

    store: Store
    documents: DocumentStore
    runs: BillingRuns
    decisions: Decisions
    payables: PayableDecisions
    status: Status
    clock: Clock
    wait_seconds_max: float

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/v1/books/{book}/bill", self._bill, methods=["POST"]),
            Route("/v1/billing-runs/{run_id}", self._run),
            Route("/v1/books/{book}/documents", self._documents),
            Route("/v1/books/{book}/status", self._status),
            Route("/v1/documents/{id}", self._document),
            Route("/v1/documents/{id}/release", self._release, methods=["POST"]),
            Route("/v1/documents/{id}/withdraw", self._withdraw, methods=["POST"]),
            Route("/v1/documents/{id}/restore", self._restore, methods=["POST"]),
            Route("/v1/parked", self._parked),
            Route("/v1/parked/{id}/release", self._release_parked, methods=["POST"]),
            Route("/v1/operations", self._operations),
            Route("/v1/lanes", self._lanes),
        ]

    async def _bill(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        body = await read_body(request, BillBody)
        asked = BillRequest(
            request.path_params["book"], body.through, body.sequence, body.client, body.project
        )
        if body.dry_run:
            return json_response(await run_in_threadpool(self.runs.preview, asked))
        run_id = await run_in_threadpool(self.runs.ask, asked, actor.name)
        return await run_in_threadpool(self._wait, run_id, body.wait_seconds)

    def _wait(self, run_id: str, wait_seconds: float) -> Response:
        deadline = self.clock.monotonic_seconds() + min(wait_seconds, self.wait_seconds_max)
        while True:
            shown = self.runs.show(run_id)
            if shown["state"] != "waiting" or self.clock.monotonic_seconds() >= deadline:
                return json_response(shown, 202 if shown["state"] == "waiting" else 200)
            self.clock.sleep(_POLL_SECONDS)

    def _run(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(self.runs.show(request.path_params["run_id"]))

    def _documents(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        with self.store.transaction() as connection:
            documents = self.documents.newest(
                connection,
                request.path_params["book"],
                status=request.query_params.get("status"),
                number=request.query_params.get("number"),
                limit=_limit(request),
            )
        rows = [{**document, "lines": len(document["lines"])} for document in documents]
        return json_response({"documents": rows})

    def _document(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        with self.store.transaction() as connection:
            held = self.documents.read(connection, request.path_params["id"])
        return json_response(_shown(held.document))

    def _status(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(self.status.of_book(request.path_params["book"]))

    async def _release(self, request: Request) -> Response:
        decision, body = await _decision(request)
        document = await run_in_threadpool(
            self.decisions.release,
            request.path_params["id"],
            decision,
            document_date=body.approved_date,
        )
        return json_response(_shown(document))

    async def _release_parked(self, request: Request) -> Response:
        """Release a parked document, or answer what a debt to a vendor waits for."""
        decision, body = await _decision(request)
        waiting = request.path_params["id"]
        if await run_in_threadpool(self._look_again, waiting, decision):
            return json_response({"released": True, "choice": "looked at again"})
        if body.choice is None and not await run_in_threadpool(self.payables.has, waiting):
            return await self._release(request)

        def answer() -> Response:
            decided = self.payables.decide(
                waiting, body.choice, actor=decision.actor, note=decision.note
            )
            return json_response(decided)

        return await run_in_threadpool(answer)

    def _look_again(self, waiting: str, decision: Decision) -> bool:
        with self.store.transaction() as connection:
            return look_again(connection, waiting, actor=decision.actor, note=decision.note)

    async def _withdraw(self, request: Request) -> Response:
        decision, _ = await _decision(request)
        work = self.decisions.withdraw
        document = await run_in_threadpool(work, request.path_params["id"], decision)
        return json_response(_shown(document))

    async def _restore(self, request: Request) -> Response:
        decision, _ = await _decision(request)
        work = self.decisions.restore
        document = await run_in_threadpool(work, request.path_params["id"], decision)
        return json_response(_shown(document))

    def _parked(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        rows = self.status.parked(request.query_params.get("book"), _limit(request))
        return json_response({"parked": rows})

    def _operations(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        query = request.query_params
        rows = self.status.queue(query.get("book"), query.get("state"), _limit(request))
        return json_response({"operations": rows})

    def _lanes(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response({"lanes": self.status.lanes()})


async def _decision(request: Request) -> tuple[Decision, DecisionBody]:
    actor = require(request, Role.OPERATOR)
    body = await read_body(request, DecisionBody)
    return Decision(actor.name, body.note), body


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "200")
    if not text.isdecimal() or not 1 <= int(text) <= LIMIT_MAX:
        raise RequestInvalid(f"limit is a number from 1 to {LIMIT_MAX}", limit=text)
    return int(text)


def _shown(document: Document) -> dict[str, Any]:
    return document.model_dump(mode="json", exclude_none=True)
