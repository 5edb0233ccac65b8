"""The route behind ``hourbridge explain``: how a record was mapped."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.runtime.admin import Role, json_response, require
from hourbridge.mapper.explaining import Explainer


@dataclass(frozen=True)
class ExplainApi:
    """Answers why records became what they became."""

    explainer: Explainer

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [Route("/v1/books/{book}/records/{record_id}/mapping", self._mapping)]

    def _mapping(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        path = request.path_params
        return json_response(self.explainer.explain(path["book"], path["record_id"]))
