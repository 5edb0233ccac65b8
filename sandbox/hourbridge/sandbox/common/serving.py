"""Serving a stand-in on a local port, in a thread or as a process."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from hourbridge.common.errors import DependencyUnavailable

HOST = "127.0.0.1"
"""A stand-in has no secrets to protect and no protection: it never listens to the outside."""

DROP_EXTENSION = "hourbridge.sandbox.drop"
"""The ASGI extension by which the server lets a route drop its connection."""

_START_SECONDS = 10
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Saved(Protocol):
    """A stand-in's state, which can be kept in a file."""

    def save(self, path: Path) -> None:
        """Write the state to a file, whole or not at all."""
        ...

    def load(self, path: Path) -> None:
        """Take the state from a file that ``save`` wrote."""
        ...


class _DroppableProtocol(H11Protocol):
    """Lets a route cut its own connection, as a failing network would."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DROP_EXTENSION] = self._cut
            await inner(scope, receive, send)

        self.app = app

    def _cut(self) -> None:
        self.transport.abort()


def drop(request: Request) -> Response:
    """Cut the connection without a byte of answer; the returned response goes nowhere."""
    cut: Callable[[], None] = request.scope["extensions"][DROP_EXTENSION]
    cut()
    return Response(status_code=500)


class StandInServer:
    """A stand-in on a port of this machine.

    ``port`` 0 takes a free one. ``start`` serves from a thread; ``serve`` blocks. With a
    ``snapshot`` file the state is read from it at start and written to it at stop.
    """

    def __init__(
        self,
        application: Starlette,
        state: Saved,
        *,
        name: str,
        host: str = HOST,
        port: int = 0,
        snapshot: Path | None = None,
    ) -> None:
        self._application = application
        self._state = state
        self._name = name
        self._snapshot = snapshot
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """The server's address."""
        return f"http://{self._host}:{self._port}"

    def start(self) -> str:
        """Serve from a thread and return the base address once requests are answered."""
        self._prepare()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        started = threading.Event()
        for _ in range(_START_SECONDS * 100):
            if self._server is not None and self._server.started:
                return self.base_url
            started.wait(0.01)
        raise DependencyUnavailable("the sandbox server did not start", url=self.base_url)

    def serve(self, announce: Callable[[str], None]) -> None:
        """Serve until SIGINT or SIGTERM; ``announce`` gets the address once requests are answered.

        Must be called from the main thread.
        """
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: ended.set())
        announce(self.start())
        ended.wait()
        self.stop()

    def stop(self) -> None:
        """Stop serving and write the snapshot, if there is one."""
        if self._server is not None:
            self._server.should_exit = True
            self._server.force_exit = True
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        if self._snapshot is not None:
            self._state.save(self._snapshot)

    def _prepare(self) -> None:
        if self._snapshot is not None and self._snapshot.exists():
            self._state.load(self._snapshot)
        self._socket = socket.create_server((self._host, self._port), backlog=128)
        # Accepted sockets inherit it; asyncio sets it only where the protocol number is given, and
        # without it every answer waits 40 ms for the caller's delayed acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self._application,
            http=_DroppableProtocol,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)

    def _run(self) -> None:
        if self._server is not None and self._socket is not None:
            self._server.run(sockets=[self._socket])
