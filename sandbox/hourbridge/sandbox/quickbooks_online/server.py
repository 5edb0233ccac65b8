"""Serving the stand-in on a local port, in a thread or as a process."""

from __future__ import annotations

from pathlib import Path

from hourbridge.sandbox.common.serving import HOST, StandInServer
from hourbridge.sandbox.quickbooks_online.application import build_application
from hourbridge.sandbox.quickbooks_online.http_oauth import TOKEN_PATH
from hourbridge.sandbox.quickbooks_online.settings import SandboxSettings
from hourbridge.sandbox.quickbooks_online.webhook_sender import WebhookSender
from hourbridge.sandbox.quickbooks_online.world import World

__all__ = ["HOST", "SandboxServer"]


class SandboxServer(StandInServer):
    """The stand-in on a port of this machine; the API lies under ``/v3/company``.

    ``port`` 0 takes a free one. ``start`` serves from a thread; ``serve`` blocks. With a
    ``snapshot`` file the books are read from it at start and written to it at stop.
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
        self._sender = WebhookSender(self.world)
        application = build_application(self.world, snapshot)
        super().__init__(
            application, self.world, name="sandbox-qbo", host=host, port=port, snapshot=snapshot
        )

    def start(self) -> str:
        """Serve from a thread and return the base address once requests are answered."""
        address = super().start()
        self._sender.start()
        return address

    def stop(self) -> None:
        """Stop serving and sending, and write the snapshot, if there is one."""
        self._sender.stop()
        super().stop()

    @property
    def token_url(self) -> str:
        """The address of the OAuth token endpoint."""
        return f"{self.base_url}{TOKEN_PATH}"
