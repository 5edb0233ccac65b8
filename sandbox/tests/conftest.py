"""A running stand-in and a plain HTTP client that knows its token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.quickbooks_online import (
    CompanySeed,
    SandboxServer,
    SandboxSettings,
    seed_company,
)

REALM = "123"
SEED = CompanySeed(REALM, customers={"Acme": ["Roof"], "Bell": []}, items=["Consulting"])


class Client:
    """Speaks to the stand-in as any program would."""

    def __init__(self, server: SandboxServer) -> None:
        self.http = httpx.Client(base_url=server.base_url, headers={"Accept": "application/json"})
        self.login()

    def login(self, token: str = f"RT1-{REALM}") -> httpx.Response:
        grant = {"grant_type": "refresh_token", "refresh_token": token}
        answer = self.http.post(
            "/oauth2/v1/tokens/bearer", data=grant, auth=("sandbox-client", "sandbox-secret")
        )
        if answer.is_success:
            self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def post(self, path: str, body: Any, **parameters: str) -> httpx.Response:
        content = body if isinstance(body, str) else dumps(body)
        return self.http.post(f"/v3/company/{REALM}/{path}", content=content, params=parameters)

    def get(self, path: str, **parameters: str) -> httpx.Response:
        return self.http.get(f"/v3/company/{REALM}/{path}", params=parameters)

    def query(self, statement: str) -> Any:
        return loads(self.post("query", statement).content)["QueryResponse"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else dumps(body)
        return loads(self.http.request(method, f"/_sandbox{path}", content=content).content)


def invoice(number: str | None = "A-1", **changes: Any) -> dict[str, Any]:
    body = {
        "CustomerRef": {"value": "1"},
        "TxnDate": "2026-01-31",
        "Line": [
            {
                "DetailType": "SalesItemLineDetail",
                "Amount": 300,
                "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "Qty": 2, "UnitPrice": 150},
            }
        ],
    }
    if number is not None:
        body["DocNumber"] = number
    return body | changes


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    settings = SandboxSettings(requests_per_minute_max=None, requests_per_second_max=None)
    server = SandboxServer(settings=settings)
    seed_company(server.world, SEED)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: SandboxServer) -> Client:
    return Client(server)


@pytest.fixture(name="invoice")
def invoice_factory() -> Callable[..., dict[str, Any]]:
    return invoice


@pytest.fixture
def connect() -> Callable[[SandboxServer], Client]:
    return Client
