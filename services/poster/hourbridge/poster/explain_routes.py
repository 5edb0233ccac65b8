"""The routes behind ``hourbridge explain``: charges with their lines, documents with their way."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.runtime.admin import RequestInvalid, Role, json_response, require
from hourbridge.poster.explaining import Explainer

_BY = ("record_id", "charge_id", "document_id")


@dataclass(frozen=True)
class ExplainApi:
    """Answers what became of charges, and how documents came about."""

    explainer: Explainer

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/v1/books/{book}/charges", self._charges),
            Route("/v1/documents/{id}/explanation", self._document),
        ]

    def _charges(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        given = {name: request.query_params[name] for name in _BY if name in request.query_params}
        if len(given) != 1:
            raise RequestInvalid(f"give one of {', '.join(_BY)}")
        charges = self.explainer.charges(request.path_params["book"], **given)
        return json_response({"charges": charges})

    def _document(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(self.explainer.document(request.path_params["id"]))
