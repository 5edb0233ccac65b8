"""A stand-in company, a connection to it in a real database, and documents to post."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import text

from hourbridge.common.book import LedgerBinding, LedgerReference
from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
)
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections import ConnectionStore, NewConnection
from hourbridge.connectors.connections.secret_box import SecretBox
from hourbridge.connectors.ledger import Ledger, LedgerWrite, WriteKind
from hourbridge.connectors.opening import open_ledger
from hourbridge.sandbox.quickbooks_online import (
    CompanySeed,
    SandboxServer,
    SandboxSettings,
    seed_company,
)

REALM = "4620816365000000001"
BINDING = LedgerBinding(kind="quickbooks_online", connection="main", company_id=REALM)
SEED = CompanySeed(
    REALM,
    customers={"O'Neil & Sons": ["Roof"], "Back\\slash": [], "Ünï 😀 Café": [], "n" * 500: []},
    items=["Consulting", "Travel"],
    classes=["North"],
)
DOCUMENT_ID = "5b2c2a9e-0000-5000-8000-000000000001"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    settings = SandboxSettings(requests_per_minute_max=None, requests_per_second_max=None)
    server = SandboxServer(settings=settings)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def refresh_token(sandbox: SandboxServer) -> str:
    return seed_company(sandbox.world, SEED)


@pytest.fixture
def connections_store(database_for: Callable[..., str]) -> Iterator[Store]:
    with contextlib.closing(Store(database_for("connections"), "connections")) as store:
        yield store


@pytest.fixture
def new_connection(sandbox: SandboxServer, refresh_token: str) -> NewConnection:
    return NewConnection(
        name="main",
        kind="quickbooks_online",
        company_id=REALM,
        api_base_url=sandbox.base_url,
        token_url=sandbox.token_url,
        client_id="sandbox-client",
        client_secret=SecretStr("sandbox-secret"),
        refresh_token=SecretStr(refresh_token),
        calls_per_minute=100_000,
        calls_per_second=10_000,
    )


@pytest.fixture
def connections(connections_store: Store, new_connection: NewConnection) -> ConnectionStore:
    connections = ConnectionStore(connections_store, [Fernet.generate_key().decode()])
    connections.save(new_connection, actor="test")
    return connections


@pytest.fixture
def ledger(connections: ConnectionStore) -> Iterator[Ledger]:
    with contextlib.closing(open_ledger(BINDING, connections, timeout_seconds=5)) as ledger:
        yield ledger


def line(**changes: Any) -> DocumentLine:
    fields: dict[str, Any] = {
        "line_id": "l1",
        "position": 1,
        "description": "Design review",
        "item": LedgerReference(name="Consulting"),
        "quantity": Decimal("3.75"),
        "unit_price": Decimal("150"),
        "amount": Decimal("562.50"),
    }
    return DocumentLine(**(fields | changes))


def document(**changes: Any) -> Document:
    fields: dict[str, Any] = {
        "document_id": DOCUMENT_ID,
        "version": 1,
        "kind": DocumentKind.INVOICE,
        "status": DocumentStatus.POSTING,
        "number": "HB-1",
        "ledger": BINDING,
        "customer": LedgerReference(name="O'Neil & Sons"),
        "client": "oneil",
        "currency": "USD",
        "document_date": date(2026, 1, 31),
        "lines": (line(),),
        "configuration_version": 1,
    }
    fields |= changes
    fields.setdefault("total", sum((one.amount for one in fields["lines"]), Decimal(0)))
    return Document(**fields)


def create(of: Document, key: str = "key-1", **fields: Any) -> LedgerWrite:
    return LedgerWrite(operation_key=key, kind=WriteKind.CREATE, document=of, **fields)


@pytest.fixture(name="document")
def document_factory() -> Callable[..., Document]:
    return document


@pytest.fixture(name="line")
def line_factory() -> Callable[..., DocumentLine]:
    return line


@pytest.fixture(name="create")
def create_factory() -> Callable[..., LedgerWrite]:
    return create


class Books:
    """What the stand-in's checker sees, and somebody at work in the ledger."""

    def __init__(self, server: SandboxServer) -> None:
        self._server = server

    def stored(self, kind: str = "Invoice") -> list[dict[str, Any]]:
        with self._server.world.lock:
            return list(self._server.world.companies[REALM].tables[kind].values())

    def creates(self, number: str = "HB-1", kind: str = "Invoice") -> list[str]:
        with self._server.world.lock:
            return self._server.world.audit.creates(REALM).get(kind, {}).get(number, [])

    def fault(self, name: str, **values: Any) -> None:
        with self._server.world.lock:
            self._server.world.disturbances.set(name, {"next": 1, **values})

    def settings(self, **values: Any) -> None:
        with self._server.world.lock:
            self._server.world.settings.change(values)

    def advance(self, seconds: int) -> None:
        with self._server.world.lock:
            self._server.world.clock.offset_seconds += seconds

    def person(self, action: str, resource: str = "invoice", **body: Any) -> dict[str, Any]:
        from hourbridge.sandbox.quickbooks_online import people

        with self._server.world.lock:
            company = self._server.world.companies[REALM]
            return people.act(company, resource, {"action": action, **body})

    def prefer(self, section: str, **values: Any) -> None:
        with self._server.world.lock:
            self._server.world.companies[REALM].preferences[section].update(values)

    def calls(self) -> list[dict[str, Any]]:
        with self._server.world.lock:
            return self._server.world.audit.exchanges()

    def tokens(self) -> Any:
        return self._server.world.tokens


@pytest.fixture
def books(sandbox: SandboxServer, refresh_token: str) -> Books:
    return Books(sandbox)


@dataclass(frozen=True)
class ContractCompany:
    """A company for the contract tests: the stand-in's, or a real one of the service's sandbox."""

    connection: NewConnection
    is_real: bool


@pytest.fixture
def contract_company(request: pytest.FixtureRequest) -> ContractCompany:
    """Return the real company that the environment names, else a fresh one of the stand-in.

    HOURBRIDGE_QBO_SANDBOX_REALM, _CLIENT_ID, _CLIENT_SECRET and _REFRESH_TOKEN name it (a refresh
    token may stand in the file _TOKEN_FILE, where the newest one is kept after each test); _API_URL
    and _TOKEN_URL default to the vendor's addresses. All of them or none: half a set is an error.
    """
    real = real_company(os.environ)
    if real is not None:
        return ContractCompany(real, is_real=True)
    connection: NewConnection = request.getfixturevalue("new_connection")
    return ContractCompany(connection, is_real=False)


@pytest.fixture
def contract_connections(
    connections_store: Store, contract_company: ContractCompany
) -> Iterator[ConnectionStore]:
    key = Fernet.generate_key().decode()
    connections = ConnectionStore(connections_store, [key])
    connections.save(contract_company.connection, actor="test")
    yield connections
    if contract_company.is_real:
        keep_newest_token(connections_store, key)


_REAL = "HOURBRIDGE_QBO_SANDBOX_"
_REAL_API = "https://sandbox-quickbooks.api.intuit.com"
_REAL_TOKENS = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"


def real_company(environment: Mapping[str, str]) -> NewConnection | None:
    """Return the real sandbox company that the environment names, None when it names none."""
    given = {name[len(_REAL) :]: v for name, v in environment.items() if name.startswith(_REAL)}
    if not given:
        return None
    kept = Path(given["TOKEN_FILE"]) if "TOKEN_FILE" in given else None
    if kept is not None and kept.exists():
        given["REFRESH_TOKEN"] = kept.read_text().strip()
    missing = {"REALM", "CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"} - set(given)
    if missing:
        raise pytest.UsageError(f"set {', '.join(_REAL + name for name in sorted(missing))} too")
    return NewConnection(
        name="main",
        kind="quickbooks_online",
        company_id=given["REALM"],
        api_base_url=given.get("API_URL", _REAL_API),
        token_url=given.get("TOKEN_URL", _REAL_TOKENS),
        client_id=given["CLIENT_ID"],
        client_secret=SecretStr(given["CLIENT_SECRET"]),
        refresh_token=SecretStr(given["REFRESH_TOKEN"]),
    )


def keep_newest_token(store: Store, key: str) -> None:
    """Keep the refresh token as it is now: the one that was given may be dead soon."""
    with store.transaction() as connection:
        sealed = connection.execute(text("SELECT refresh_token FROM connection")).scalar_one()
    newest = SecretBox([key]).open(sealed)
    os.environ[f"{_REAL}REFRESH_TOKEN"] = newest
    place = os.environ.get(f"{_REAL}TOKEN_FILE")
    if place is not None:
        Path(place).write_text(newest)
