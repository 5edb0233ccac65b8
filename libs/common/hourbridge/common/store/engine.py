"""Engines and transactions. ``Store.transaction`` is the only place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hourbridge.common.errors import ConfigurationInvalid, StoreUnavailable, TransientFailure

ROLE_PREFIX = "hourbridge_"
_RETRYABLE_STATES = {"40001", "40P01", "55P03"}
"""Serialization failure, deadlock, lock not available: the same work may succeed at once."""
_UNAVAILABLE_STATES = {"57P01", "57P02", "57P03", "53300", "53100", "53200", "08006", "08003"}
"""Shutdown, crash, starting up, too many connections, disk or memory full, connection lost."""


def role_of(schema: str) -> str:
    """Return the role that owns ``schema``."""
    return f"{ROLE_PREFIX}{schema}"


def driver_url(database_url: str) -> str:
    """Return ``database_url`` with the driver we pin (psycopg2)."""
    scheme, separator, rest = database_url.partition("://")
    if not separator or not scheme.startswith("postgres"):
        raise ConfigurationInvalid(
            "not a PostgreSQL URL",
            scheme=scheme,
            advice="HOURBRIDGE_DATABASE_URL looks like postgresql://user@host/database.",
        )
    return f"postgresql+psycopg2://{rest}"


class Store:
    """One service's schema. Thread-safe; connections come from a small pool."""

    def __init__(self, database_url: str, schema: str, *, pool_size: int = 5) -> None:
        self.schema = schema
        self.engine: Engine = sqlalchemy.create_engine(
            driver_url(database_url),
            pool_size=pool_size,
            max_overflow=10,
            pool_timeout=30,
            pool_pre_ping=False,
            connect_args={"connect_timeout": 10, "application_name": f"hourbridge-{schema}"},
        )
        event.listen(self.engine, "connect", self._prepare)

    def _prepare(self, dbapi_connection: Any, _record: Any) -> None:
        """Take the schema's role and search path, so that no other schema can be read."""
        dbapi_connection.autocommit = True
        with dbapi_connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {role_of(self.schema)}")
            cursor.execute(f"SET search_path TO {self.schema}")
            cursor.execute("SET timezone TO 'UTC'")
        dbapi_connection.autocommit = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run a block in one transaction: commit at its end, roll back on any error.

        Raises StoreUnavailable when the server can't serve, TransientFailure on deadlocks and
        serialization failures; other database errors pass as they are (they are defects).
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except PoolTimeout as error:
            raise StoreUnavailable("no free database connection", schema=self.schema) from error
        except DBAPIError as error:
            raise translate(error, self.schema) from error

    def is_ready(self) -> bool:
        """Return whether a trivial statement succeeds now."""
        try:
            with self.transaction() as connection:
                connection.execute(text("SELECT 1"))
        except (StoreUnavailable, TransientFailure):
            return False
        return True

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def translate(error: DBAPIError, schema: str) -> Exception:
    """Return our error for a driver error, or the driver error itself for defects."""
    state = getattr(error.orig, "pgcode", None)
    summary = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
    if state in _RETRYABLE_STATES:
        return TransientFailure(summary, schema=schema)
    lost = error.connection_invalidated or state in _UNAVAILABLE_STATES
    if lost or (state is None and isinstance(error, OperationalError | InterfaceError)):
        return StoreUnavailable(summary, schema=schema)
    return error
