"""A stand-in company, a connection to it in a real database, and documents to post."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from hourbridge.common.book import LedgerBinding, LedgerReference
from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
)
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections import ConnectionStore, NewConnection
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
