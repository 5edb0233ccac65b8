"""Serving the stand-in on a local port, in a thread or as a process."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from hourbridge.sandbox.common.serving import HOST, StandInServer
from hourbridge.sandbox.toggl.http_api import ApiEndpoint
from hourbridge.sandbox.toggl.http_control import ControlEndpoints
from hourbridge.sandbox.toggl.sender import Sender
from hourbridge.sandbox.toggl.settings import TogglSandboxSettings
from hourbridge.sandbox.toggl.world import World

_METHODS = ["GET", "POST", "PUT", "DELETE"]


class TogglServer(StandInServer):
    """The stand-in on a port of this machine.

    ``port`` 0 takes a free one. ``start`` serves from a thread; ``serve`` blocks.
    """

    def __init__(
        self,
        *,
        host: str = HOST,
        port: int = 0,
        settings: TogglSandboxSettings | None = None,
        seed: int = 0,
        snapshot: Path | None = None,
    ) -> None:
        self.world = World(settings, seed)
        self.sender = Sender(self.world)
        api = ApiEndpoint(self.world, self.sender)
        application = Starlette(
            routes=[
                Route("/api/v9/{rest:path}", api.__call__, methods=_METHODS),
                Route("/webhooks/api/v1/{rest:path}", api.__call__, methods=_METHODS),
                *ControlEndpoints(self.world, self.sender).routes(),
            ]
        )
        super().__init__(
            application, self.world, name="sandbox-toggl", host=host, port=port, snapshot=snapshot
        )
