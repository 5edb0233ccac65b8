"""Fixtures for every test of the repository; loaded by the root ``conftest.py``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from hourbridge.common.store.provision import SERVICE_SCHEMAS
from tests.support import postgres, rabbitmq
from tests.support.postgres import PostgresServer, PrivatePostgres
from tests.support.provisioning import give_up
from tests.support.rabbitmq import PrivateRabbit, RabbitServer
from tests.support.templates import Templates


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this session."""
    with contextlib.closing(postgres.open_session_server()) as server:
        yield server


@pytest.fixture
def database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of this test's own."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def templates(postgres_server: PostgresServer) -> Iterator[Templates]:
    """Migrated databases of this session, to copy from."""
    with contextlib.closing(Templates(postgres_server)) as templates:
        yield templates


@pytest.fixture
def migrated_database_url(postgres_server: PostgresServer, templates: Templates) -> Iterator[str]:
    """The URL of a database of this test's own that holds every service's empty schema."""
    with postgres_server.database(template=templates.of(SERVICE_SCHEMAS)) as url:
        yield url


@pytest.fixture
def database_for(
    postgres_server: PostgresServer, templates: Templates
) -> Iterator[Callable[..., str]]:
    """Call it with names of services: the URL of a fresh database with just their schemas."""
    with contextlib.ExitStack() as databases:

        def database(*services: str) -> str:
            template = templates.of(services)
            return databases.enter_context(postgres_server.database(template=template))

        yield database


@pytest.fixture
def private_postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL server of this test's own, to crash and restart."""
    binaries = postgres.private_binaries()
    if binaries is None:
        give_up("PostgreSQL server to disturb", "install Debian's postgresql")
    with contextlib.closing(PrivatePostgres(binaries)) as server:
        yield server.start()


@pytest.fixture(scope="session")
def rabbitmq_node() -> Iterator[RabbitServer]:
    """The RabbitMQ broker of this session."""
    with contextlib.closing(rabbitmq.open_session_server()) as server:
        yield server


@pytest.fixture
def broker_url(rabbitmq_node: RabbitServer) -> Iterator[str]:
    """The AMQP URL of an empty virtual host of this test's own."""
    with rabbitmq_node.vhost() as url:
        yield url


@pytest.fixture
def private_rabbitmq_node() -> Iterator[PrivateRabbit]:
    """A RabbitMQ node of this test's own, to crash, restart and pause."""
    with contextlib.closing(rabbitmq.open_private_node()) as node:
        yield node
