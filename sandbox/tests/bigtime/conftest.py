"""A running BigTime stand-in with a small firm, and a plain HTTP client with its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from hourbridge.common.exact_json import dumps, loads
from tests.support.bigtime_firm import SMALL, BigTimeFirm, add_firm, running_bigtime

OCTOBER = {"StartDt": "2026-10-01", "EndDt": "2026-10-31"}
DETAILED = {**OCTOBER, "View": "Detailed"}


class Client:
    """Speaks to the stand-in as any program would; numbers arrive as Decimal."""

    def __init__(self, api_url: str, headers: dict[str, str]) -> None:
        self.http = httpx.Client(base_url=api_url, headers=headers)

    def send(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        content = None if body is None else dumps(body)
        return self.http.request(method, path, content=content, params=query or None)

    def get(self, path: str, **query: str) -> Any:
        return self._content(self.send("GET", path, **query))

    def post(self, path: str, body: Any, **query: str) -> Any:
        return self._content(self.send("POST", path, body, **query))

    def delete(self, path: str, **query: str) -> Any:
        return self._content(self.send("DELETE", path, **query))

    def status(self, method: str, path: str, body: Any = None, **query: str) -> int:
        return self.send(method, path, body, **query).status_code

    def sheet(self, staff: int = 1) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.get(f"time/Sheet/{staff}", **DETAILED)
        return rows

    @staticmethod
    def _content(answer: httpx.Response) -> Any:
        assert answer.is_success, (answer.status_code, answer.text)
        return loads(answer.content)


@pytest.fixture(scope="session")
def running() -> Iterator[BigTimeFirm]:
    with running_bigtime() as firm:
        yield firm


@pytest.fixture
def firm(running: BigTimeFirm) -> BigTimeFirm:
    """A stand-in as if just started, with the small firm in it."""
    running.server.world.reset()
    return add_firm(running, SMALL)


@pytest.fixture
def client(firm: BigTimeFirm) -> Client:
    return Client(firm.api_url, firm.headers)


@pytest.fixture
def client_of() -> Callable[[BigTimeFirm], Client]:
    return lambda firm: Client(firm.api_url, firm.headers)


@pytest.fixture
def log_in(firm: BigTimeFirm) -> Callable[..., Client]:
    """Log in as a user and return a client with the session's token."""

    def log_in(user: str = "ada", password: str | None = None) -> Client:
        body = {"UserId": f"{user}@acme.test", "Pwd": password or user}
        answer = httpx.post(f"{firm.api_url}session", content=dumps(body))
        assert answer.status_code == 200, answer.text
        headers = {"X-Auth-Token": answer.json()["token"], "X-Auth-Realm": firm.realm}
        return Client(firm.api_url, headers)

    return log_in
