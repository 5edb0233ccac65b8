"""One small HTTP server per service: probes, metrics, and the service's own routes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.runtime.admin import Actor, error_response, json_response

Problems = Callable[[], list[str]]


def build_application(
    routes: Sequence[BaseRoute],
    *,
    liveness: Problems,
    readiness: Problems,
    actors: dict[str, Actor],
) -> Starlette:
    """Return the application: /livez, /readyz, /metrics and ``routes``."""

    def livez(_request: Request) -> Response:
        return _probe(liveness())

    def readyz(_request: Request) -> Response:
        return _probe(readiness())

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    probes = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
    application = Starlette(
        routes=[*probes, *routes], exception_handlers={HourbridgeError: error_response}
    )
    application.state.actors = actors
    return application


def _probe(problems: list[str]) -> Response:
    return json_response({"problems": problems}, 503 if problems else 200)


class HttpServer:
    """uvicorn in a thread of its own."""

    def __init__(self, application: Starlette, *, host: str, port: int) -> None:
        # asyncio switches Nagle's algorithm off only where the protocol is named; with it on, every
        # answer waits 40 ms for the caller's delayed acknowledgement.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self._config = uvicorn.Config(
            application,
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(self._config)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    @property
    def url(self) -> str:
        """Return the base URL, with the port that was bound."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{host}:{port}"

    def start(self) -> None:
        """Begin to serve."""
        self._socket.listen(128)
        self._thread.start()

    def stop(self) -> None:
        """Finish requests in progress and close."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def is_alive(self) -> bool:
        """Return whether the server's thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
