"""The stand-in with a company that has what the client libraries' own examples need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hourbridge.sandbox.quickbooks_online import (
    CompanySeed,
    SandboxServer,
    SandboxSettings,
    seed_company,
)

REALM = "4620816365000000001"
VERIFIER = "verifier-0123"
SEED = CompanySeed(
    REALM,
    customers={"Acme": ["Roof"], "Bell": [], "O'Neil": []},
    items=["Consulting"],
    tax_codes={"Harbor": "8.5"},
)


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    settings = SandboxSettings(requests_per_minute_max=None, requests_per_second_max=None)
    server = SandboxServer(settings=settings)
    seed_company(server.world, SEED)
    server.start()
    yield server
    server.stop()
