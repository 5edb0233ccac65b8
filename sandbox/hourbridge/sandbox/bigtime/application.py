"""The stand-in as one ASGI application."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from hourbridge.sandbox.bigtime.http_api import ApiEndpoint
from hourbridge.sandbox.bigtime.http_control import ControlEndpoints
from hourbridge.sandbox.bigtime.world import World


def build_application(world: World, snapshot: Path | None = None) -> Starlette:
    """Return the application that serves ``world``."""
    api = ApiEndpoint(world)
    methods = ["GET", "POST", "PUT", "DELETE"]
    return Starlette(
        routes=[
            *ControlEndpoints(world, snapshot).routes(),
            Route("/{rest:path}", api.__call__, methods=methods),
        ]
    )
