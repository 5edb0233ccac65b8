"""The demonstration's world: the platform in this process, and a ledger's stand-in beside it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import httpx

from hourbridge.cli.client import AdminClient
from hourbridge.cli.demo import firm
from hourbridge.cli.platform import Platform
from hourbridge.sandbox.quickbooks_online.seed import CompanySeed, seed_company
from hourbridge.sandbox.quickbooks_online.server import SandboxServer


class DemoWorld:
    """Starts everything on free ports of this machine, and ends it."""

    def __init__(self) -> None:
        self.platform = Platform(free_ports=True)
        self.sandbox = SandboxServer()
        self._folder = tempfile.TemporaryDirectory(prefix="hourbridge-demo-")
        self.folder = Path(self._folder.name)
        self.client: AdminClient | None = None

    def start(self) -> None:
        """Start the ledger, then the services, and connect them."""
        self.sandbox.start()
        seed = CompanySeed(
            realm=firm.REALM,
            name="Alder & Rowe",
            customers={client.name: client.projects for client in firm.CLIENTS},
            items=firm.items(),
        )
        refresh_token = seed_company(self.sandbox.world, seed)
        self.platform.start()
        self._connect(refresh_token)

    def stop(self) -> None:
        """End everything."""
        if self.client is not None:
            self.client.close()
        self.platform.stop()
        self.sandbox.stop()
        self._folder.cleanup()

    def addresses(self) -> dict[str, str]:
        """Return what a person can open in a browser."""
        runners = self.platform.runners
        return {
            **{f"{name} metrics": f"{runner.http.url}/metrics" for name, runner in runners.items()},
            "ledger's books": f"{self.sandbox.base_url}/_sandbox/companies/{firm.REALM}",
        }

    def somebody_in_the_ledger(self, body: dict[str, Any]) -> Any:
        """Do to an invoice what a person with access to the accounting system could do."""
        url = f"{self.sandbox.base_url}/_sandbox/companies/{firm.REALM}/people/invoice"
        answer = httpx.post(url, json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def _connect(self, refresh_token: str) -> None:
        settings = self.sandbox.world.settings
        client = AdminClient(self.platform.client_settings())
        self.client = client
        client.post(
            "poster",
            "/v1/connections",
            {
                "name": firm.CONNECTION,
                "company_id": firm.REALM,
                "api_base_url": self.sandbox.base_url,
                "token_url": self.sandbox.token_url,
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
                "refresh_token": refresh_token,
            },
        )
