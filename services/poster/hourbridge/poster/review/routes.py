"""The routes of the gate: drafts to select, release or reject, and runs to undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.poster.billing_runs import BillingRuns
from hourbridge.poster.decisions import Decision
from hourbridge.poster.review.reviewing import Reviews
from hourbridge.poster.review.selections import Wanted
from hourbridge.poster.review.undoing import RunUndo

LIMIT_MAX = 1000


class ReviewBody(BaseModel):
    """Which drafts are meant, and why; ``all`` stands for no other condition."""

    model_config = ConfigDict(extra="forbid")

    documents: tuple[str, ...] | None = None
    """Numbers or ids."""
    run: str | None = None
    client: str | None = None
    kind: str | None = None
    selected: bool = False
    all: bool = False
    note: str = Field("", max_length=2000)

    def wanted(self, book: str) -> Wanted:
        """Return the condition; one that means everything has to say so."""
        conditions = (self.documents, self.run, self.client, self.kind)
        if all(each is None for each in conditions) and not (self.selected or self.all):
            raise RequestInvalid(
                "name drafts, a run, a client or a kind",
                advice="To mean every draft of the book, say so: `--all`.",
            )
        return Wanted(book, self.documents, self.run, self.client, self.kind, self.selected)


class UndoBody(BaseModel):
    """Why a run is undone."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=2000)


@dataclass(frozen=True)
class ReviewApi:
    """The functions behind the routes."""

    reviews: Reviews
    undo: RunUndo
    runs: BillingRuns

    def routes(self) -> list[Route]:
        """Return all routes."""
        review = "/v1/books/{book}/review"
        return [
            Route(review, self._list),
            Route(f"{review}/select", self._work("select"), methods=["POST"]),
            Route(f"{review}/clear", self._work("clear"), methods=["POST"]),
            Route(f"{review}/release", self._work("release"), methods=["POST"]),
            Route(f"{review}/reject", self._work("reject"), methods=["POST"]),
            Route("/v1/books/{book}/billing-runs", self._runs),
            Route("/v1/billing-runs/{run_id}/undo", self._undo, methods=["POST"]),
            Route("/v1/billing-runs/{run_id}/undo", self._undone),
        ]

    def _list(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        query = request.query_params
        wanted = Wanted(
            request.path_params["book"],
            run_id=query.get("run"),
            client=query.get("client"),
            kind=query.get("kind"),
            selected=query.get("selected") == "true",
        )
        return json_response({"drafts": self.reviews.waiting(wanted, _limit(request))})

    def _work(self, name: Literal["select", "clear", "release", "reject"]) -> Callable[..., Any]:
        work: Callable[[Wanted, Decision], dict[str, Any]] = getattr(self.reviews, name)

        async def route(request: Request) -> Response:
            actor = require(request, Role.OPERATOR)
            body = await read_body(request, ReviewBody)
            wanted = body.wanted(request.path_params["book"])
            if name == "reject" and not body.note.strip():
                raise RequestInvalid("a note says why the drafts are rejected")
            decision = Decision(actor.name, body.note)
            return json_response(await run_in_threadpool(work, wanted, decision))

        return route

    def _runs(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        rows = self.runs.of_book(request.path_params["book"], _limit(request))
        return json_response({"runs": rows})

    async def _undo(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        body = await read_body(request, UndoBody)
        if not body.note.strip():
            raise RequestInvalid("a note says why the run is undone")
        decision = Decision(actor.name, body.note)
        run_id = request.path_params["run_id"]
        return json_response(await run_in_threadpool(self.undo.undo, run_id, decision))

    def _undone(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(self.undo.show(request.path_params["run_id"]))


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "200")
    if not given.isdecimal() or not 0 < int(given) <= LIMIT_MAX:
        raise RequestInvalid(f"limit is a whole number from 1 to {LIMIT_MAX}", given=given)
    return int(given)
