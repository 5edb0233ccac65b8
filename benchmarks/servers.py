"""The one broker and the one database server that every contender of a run shares."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.postgres import PostgresServer, PrivatePostgres, private_binaries
from tests.support.provisioning import apt_install
from tests.support.rabbitmq import PrivateRabbit, RabbitServer, is_installed

POSTGRES_SETTINGS = (
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=1GB",
    "max_wal_size=4GB",
    "max_connections=300",
    "track_commit_timestamp=on",
)
"""Full durability. Buffers and log size as on a small server; commit times are what we read."""


class ServerMissing(Exception):
    """A server that the benchmark needs cannot be started here."""


@dataclass(frozen=True)
class Servers:
    """Private servers on loopback; each contender gets its own virtual host and database."""

    rabbit: RabbitServer
    postgres: PostgresServer

    @contextlib.contextmanager
    def room(self) -> Iterator[Room]:
        """Yield an empty virtual host and an empty database; both go afterwards."""
        with self.rabbit.vhost() as broker_url, self.postgres.database() as database_url:
            yield Room(broker_url, database_url)


@dataclass(frozen=True)
class Room:
    """Where one contender runs."""

    broker_url: str
    database_url: str


@contextlib.contextmanager
def open_servers() -> Iterator[Servers]:
    """Start both servers and end them at the close, also when the benchmark is killed."""
    binaries = private_binaries()
    if binaries is None:
        raise ServerMissing("no PostgreSQL binaries; install Debian's postgresql")
    if not is_installed() and not apt_install("rabbitmq-server"):
        raise ServerMissing("no RabbitMQ; install Debian's rabbitmq-server")
    with contextlib.ExitStack() as stack:
        postgres = PrivatePostgres(binaries, POSTGRES_SETTINGS)
        stack.callback(postgres.close)
        rabbit = PrivateRabbit()
        stack.callback(rabbit.close)
        yield Servers(rabbit.start(), postgres.start())
