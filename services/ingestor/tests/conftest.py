"""A migrated ingestor schema per test, and the parts of an ingestor around it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.messages.records import TimeEntry
from hourbridge.common.runtime.admin import Actor, Role
from hourbridge.common.runtime.http import build_application
from hourbridge.common.store.engine import Store
from hourbridge.common.store.provision import migrate, provision
from hourbridge.ingestor.settings import IngestorSettings
from hourbridge.ingestor.wiring import build
from tests.support.clocks import SteppingClock
from tests.support.postgres import PostgresServer

MakeEntry = Callable[..., TimeEntry]


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture(scope="session")
def make_entry() -> MakeEntry:
    """Return a function that makes a valid time entry with some fields replaced."""

    def make(external_id: str = "e-1", **changes: Any) -> TimeEntry:
        fields: dict[str, Any] = {
            "external_id": external_id,
            "staff_id": "ada",
            "client_id": "acme",
            "work_date": "2026-03-02",
            "input": {"seconds": 3600, "decimal_text": "1.00"},
            "billable_state": "billable",
        }
        return TimeEntry.model_validate(fields | changes)

    return make


@pytest.fixture(scope="session")
def ingestor_template(postgres_server: PostgresServer) -> Iterator[str]:
    name = postgres_server.create_database()
    url = postgres_server.url(name)
    provision(url)
    store = Store(url, "ingestor", pool_size=1)
    migrate(store, "ingestor")
    store.close()
    yield name
    postgres_server.drop_database(name)


@contextmanager
def _store(server: PostgresServer, template: str) -> Iterator[Store]:
    with server.database(template=template) as url:
        store = Store(url, "ingestor", pool_size=10)
        try:
            yield store
        finally:
            store.close()


@pytest.fixture
def store(postgres_server: PostgresServer, ingestor_template: str) -> Iterator[Store]:
    with _store(postgres_server, ingestor_template) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_store(postgres_server: PostgresServer, ingestor_template: str) -> Iterator[Store]:
    """A store for generated examples, which keep apart by using books of their own."""
    with _store(postgres_server, ingestor_template) as opened:
        yield opened


@pytest.fixture
def bus() -> Iterator[EmbeddedBus]:
    """A whole broker of this test's own, in memory."""
    opened = EmbeddedBus()
    opened.apply(build_topology())
    yield opened
    opened.close()


ADMIN = {"authorization": "Bearer admin-token"}
VIEWER = {"authorization": "Bearer viewer-token"}


@dataclass
class Api:
    """The ingestor's HTTP application, its store and its bus."""

    http: TestClient
    store: Store
    bus: EmbeddedBus
    key: str

    def received(self, queue: str = "mapper.work.v1") -> list[dict[str, Any]]:
        """Return the events that have arrived in ``queue``, and take them out."""
        subscription = self.bus.subscribe(queue, prefetch=1000)
        deliveries = subscription.fetch(1000, 0)
        subscription.acknowledge(deliveries)
        subscription.close()
        return [json.loads(delivery.body) for delivery in deliveries]

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        """Return the rows of a query."""
        with self.store.transaction() as connection:
            return list(connection.execute(text(sql), parameters))


@pytest.fixture
def api(store: Store, bus: EmbeddedBus, clock: SteppingClock) -> Iterator[Api]:
    """The whole application over a store and an embedded bus, with a key for acme/toggl."""
    configured = IngestorSettings(
        intake_body_bytes_max=20_000,
        intake_events_max=20,
        import_file_bytes_max=1_000_000,
        _env_file=None,
    )
    definition = build(configured, store=store, bus=bus, clock=clock)
    application = build_application(
        definition.routes,
        liveness=list,
        readiness=list,
        actors={
            "admin-token": Actor("alice", Role.ADMINISTRATOR),
            "operator-token": Actor("olga", Role.OPERATOR),
            "viewer-token": Actor("victor", Role.VIEWER),
        },
    )
    with TestClient(application) as http:
        answer = http.post("/v1/books/acme/sources/toggl/keys", headers=ADMIN)
        yield Api(http, store, bus, answer.json()["key"])
