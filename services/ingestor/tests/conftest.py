"""A migrated ingestor schema per test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hourbridge.common.store.engine import Store
from hourbridge.common.store.provision import migrate, provision
from tests.support.postgres import PostgresServer


class SteppingClock:
    """A clock that stands still until told to go on."""

    def __init__(self, now: datetime = datetime(2026, 4, 1, 12, tzinfo=UTC)) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant

    def monotonic_seconds(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here should wait {seconds} s")


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


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


@pytest.fixture
def store(postgres_server: PostgresServer, ingestor_template: str) -> Iterator[Store]:
    with postgres_server.database(template=ingestor_template) as url:
        opened = Store(url, "ingestor")
        yield opened
        opened.close()
