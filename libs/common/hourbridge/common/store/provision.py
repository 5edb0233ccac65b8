"""Schemas, roles and migrations: what must exist in a database before services start."""

from __future__ import annotations

from importlib.resources import files

import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from hourbridge.common.store.engine import Store, driver_url, role_of, translate
from hourbridge.common.store.objects import SCHEMA as OBJECTS_SCHEMA

SERVICE_SCHEMAS = ("ingestor", "mapper", "poster", "reconciler", "connections")
_LOCK = text("SELECT pg_advisory_xact_lock(4806133270571)")


def provision(admin_url: str) -> None:
    """Create roles and schemas that are missing. Needs a role that may create both.

    Each schema belongs to its own login role; no role can read another's schema. The object
    store's schema is shared: services may add and read, not change or delete. Raises
    ConfigurationInvalid for a URL of something else, StoreUnavailable when the server is away.
    """
    engine = sqlalchemy.create_engine(driver_url(admin_url))
    try:
        with engine.begin() as connection:
            connection.execute(_LOCK)
            for schema in (*SERVICE_SCHEMAS, OBJECTS_SCHEMA):
                _create_schema(connection, schema)
            _create_object_store(connection)
    except DBAPIError as error:
        raise translate(error, "postgres") from error
    finally:
        engine.dispose()


def _create_schema(connection: Connection, schema: str) -> None:
    role = role_of(schema)
    exists = connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).scalar()
    if not exists:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}"))


def _create_object_store(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL ROLE {role_of(OBJECTS_SCHEMA)}"))
    connection.execute(
        text(
            "CREATE TABLE IF NOT EXISTS objects.object (sha256 text PRIMARY KEY, "
            "content_type text NOT NULL, content bytea NOT NULL, "
            "stored_at timestamptz NOT NULL DEFAULT now())"
        )
    )
    for schema in SERVICE_SCHEMAS:
        connection.execute(text(f"GRANT USAGE ON SCHEMA objects TO {role_of(schema)}"))
        connection.execute(text(f"GRANT SELECT, INSERT ON objects.object TO {role_of(schema)}"))
    connection.execute(text("RESET ROLE"))


def migration_config(service: str) -> Config:
    """Return alembic's configuration for one service's migration history."""
    package = (
        "hourbridge.connectors.connections"
        if service == "connections"
        else (f"hourbridge.{service}")
    )
    config = Config()
    config.set_main_option("script_location", str(files("hourbridge.common.store") / "alembic"))
    config.set_main_option("version_locations", str(files(package) / "migrations" / "versions"))
    config.set_main_option("path_separator", "newline")
    return config


def migrate(store: Store, service: str) -> None:
    """Bring one service's schema to the newest version of its migration history."""
    config = migration_config(service)
    with store.engine.begin() as connection:
        connection.execute(_LOCK)
        config.attributes["connection"] = connection
        config.attributes["schema"] = store.schema
        command.upgrade(config, "head")


def migrate_all(database_url: str) -> None:
    """Bring every schema to its newest version."""
    for schema in SERVICE_SCHEMAS:
        store = Store(database_url, schema, pool_size=1)
        migrate(store, schema)
        store.close()


def missing_migrations(store: Store, service: str) -> list[str]:
    """Return why the schema isn't at the newest version; empty when it is (readiness)."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(migration_config(service)).get_current_head()
    with store.transaction() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table_schema": store.schema}
        )
        current = context.get_current_revision()
    return [] if current == head else [f"{service}: schema at {current}, needs {head}"]
