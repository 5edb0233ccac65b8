"""Recognition over the poster's admin HTTP."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.runtime.admin import Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.poster.recognition.recognizer import Recognizer
from hourbridge.poster.recognition.report import RecognitionReport


class RecognizeBody(BaseModel):
    """Up to which day."""

    model_config = ConfigDict(extra="forbid")

    through: date


class RecognitionApi:
    """The routes."""

    def __init__(self, recognizer: Recognizer, report: RecognitionReport) -> None:
        self._recognizer = recognizer
        self._report = report

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/v1/books/{book}/recognition", self._show),
            Route("/v1/books/{book}/recognition", self._run, methods=["POST"]),
        ]

    def _show(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(self._report.of_book(request.path_params["book"]))

    async def _run(self, request: Request) -> Response:
        require(request, Role.OPERATOR)
        body = await read_body(request, RecognizeBody)
        work = self._recognizer.recognize
        answer = await run_in_threadpool(work, request.path_params["book"], body.through)
        return json_response(answer)
