"""Serving the stand-in on a local port, in a thread or as a process."""

from __future__ import annotations

from pathlib import Path

from hourbridge.sandbox.bigtime.application import build_application
from hourbridge.sandbox.bigtime.http_api import BASE_PATH
from hourbridge.sandbox.bigtime.settings import SandboxSettings
from hourbridge.sandbox.bigtime.world import World
from hourbridge.sandbox.common.serving import HOST, StandInServer


class BigTimeServer(StandInServer):
    """The stand-in on a port of this machine.

    ``port`` 0 takes a free one. ``start`` serves from a thread; ``serve`` blocks. With a
    ``snapshot`` file the firms are read from it at start and written to it at stop.
    """

    def __init__(
        self,
        *,
        host: str = HOST,
        port: int = 0,
        settings: SandboxSettings | None = None,
        seed: int = 0,
        snapshot: Path | None = None,
    ) -> None:
        self.world = World(settings, seed)
        application = build_application(self.world, snapshot)
        super().__init__(
            application, self.world, name="sandbox-bigtime", host=host, port=port, snapshot=snapshot
        )

    @property
    def api_url(self) -> str:
        """The address of the API, with a slash at its end."""
        return f"{self.base_url}{BASE_PATH}/"
