"""The stand-in as one ASGI application."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from hourbridge.sandbox.quickbooks_online.http_company import CompanyEndpoint
from hourbridge.sandbox.quickbooks_online.http_control import ControlEndpoints
from hourbridge.sandbox.quickbooks_online.http_oauth import OAuthEndpoints
from hourbridge.sandbox.quickbooks_online.world import World


def build_application(world: World, snapshot: Path | None = None) -> Starlette:
    """Return the application that serves ``world``."""
    company = CompanyEndpoint(world)
    path = "/v3/company/{realm}/{rest:path}"
    return Starlette(
        routes=[
            Route(path, company.__call__, methods=["GET", "POST"]),
            *OAuthEndpoints(world).routes(),
            *ControlEndpoints(world, snapshot).routes(),
        ]
    )
