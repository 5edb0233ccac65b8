"""Migrated databases that tests copy: a copy takes milliseconds, a migration history does not."""

from __future__ import annotations

from collections.abc import Iterable

from hourbridge.common.store.engine import Store
from hourbridge.common.store.provision import migrate, provision
from tests.support.postgres import PostgresServer


class Templates:
    """One template database per set of services, made when first asked for."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._names: dict[frozenset[str], str] = {}

    def of(self, services: Iterable[str]) -> str:
        """Return the name of a database in which the migrations of ``services`` have run."""
        wanted = frozenset(services)
        if wanted not in self._names:
            self._names[wanted] = self._build(sorted(wanted))
        return self._names[wanted]

    def _build(self, services: list[str]) -> str:
        name = self._server.create_database()
        url = self._server.url(name)
        provision(url)
        for service in services:
            store = Store(url, service, pool_size=1)
            try:
                migrate(store, service)
            finally:
                store.close()
        return name

    def close(self) -> None:
        """Drop the templates."""
        for name in self._names.values():
            self._server.drop_database(name)
