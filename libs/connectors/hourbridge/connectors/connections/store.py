"""The connections of a deployment: who we are at each company, and what is shared about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.connectors.access import Caller
from hourbridge.connectors.connections.budget import SharedCallBudget
from hourbridge.connectors.connections.consents import ConsentStore
from hourbridge.connectors.connections.secret_box import SecretBox
from hourbridge.connectors.connections.states import ConnectionState, state_of
from hourbridge.connectors.connections.token_source import Refresh, SharedTokenSource

SCHEMA = "connections"
"""The schema, with its own role and migrations, that all services' lanes share."""

_SAVE = text(
    """
    INSERT INTO connection (name, kind, company_id, api_base_url, token_url, client_id,
        client_secret, refresh_token, operation_memory_seconds)
    VALUES (:name, :kind, :company_id, :api_base_url, :token_url, :client_id,
        :client_secret, :refresh_token, :operation_memory_seconds)
    ON CONFLICT (name) DO UPDATE SET
        api_base_url = excluded.api_base_url, token_url = excluded.token_url,
        client_id = excluded.client_id, client_secret = excluded.client_secret,
        refresh_token = excluded.refresh_token, previous_refresh_token = NULL,
        refresh_expires_at = NULL, access_token = NULL, access_expires_at = NULL,
        operation_memory_seconds = excluded.operation_memory_seconds,
        refresh_hard_expires_at = NULL, refreshed_at = NULL, refresh_issued_at = NULL,
        authorized_at = clock_timestamp(), state = 'connected', state_reason = NULL,
        changed_at = clock_timestamp()
    """
)
_SAVE_BUDGET = text(
    """
    INSERT INTO call_budget (connection, calls_per_minute, calls_per_second, batches_per_minute)
    VALUES (:connection, :calls_per_minute, :calls_per_second, :batches_per_minute)
    ON CONFLICT (connection) DO UPDATE SET
        calls_per_minute = excluded.calls_per_minute, calls_per_second = excluded.calls_per_second,
        batches_per_minute = excluded.batches_per_minute
    """
)
_OTHER_COMPANY = text(
    "SELECT name, company_id FROM connection WHERE (name = :name AND "
    "(kind, company_id) <> (:kind, :company_id)) OR (name <> :name AND "
    "(kind, company_id) = (:kind, :company_id))"
)
_GET = text(
    "SELECT name, kind, company_id, api_base_url, token_url, client_id, client_secret, "
    "operation_memory_seconds FROM connection WHERE name = :name"
)
_STATES = text(
    "SELECT name, kind, company_id, state, state_reason, refresh_expires_at, refreshes, "
    "changed_at, refresh_hard_expires_at, authorized_at, refreshed_at, refresh_issued_at, app_id "
    "FROM connection ORDER BY name"
)
_REMOVE = text("DELETE FROM connection WHERE name = :name")
_REMOVE_BUDGET = text("DELETE FROM call_budget WHERE connection = :name")


@dataclass(frozen=True)
class NewConnection:
    """What connecting a company needs. Secrets stay hidden in text forms."""

    name: str
    kind: str
    company_id: str
    api_base_url: str
    token_url: str
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr
    calls_per_minute: int = 450
    calls_per_second: int = 8
    batches_per_minute: int = 35
    operation_memory_seconds: int | None = None
    """None: what the kind of ledger is known for."""


@dataclass(frozen=True)
class ConnectionDetails:
    """A stored connection, as an adapter needs it; its tokens come from its token source."""

    name: str
    kind: str
    company_id: str
    api_base_url: str
    token_url: str
    client_id: str
    client_secret: SecretStr
    operation_memory_seconds: int | None


class ConnectionStore:
    """Connections in the ``connections`` schema. Thread-safe.

    ``store`` must be opened on that schema; ``keys`` are Fernet keys, the first of which encrypts.
    """

    def __init__(
        self, store: Store, keys: Sequence[SecretStr | str], clock: Clock | None = None
    ) -> None:
        self._store = store
        self._box = SecretBox(keys)
        self._clock = clock or SystemClock()

    def save(self, new: NewConnection, *, actor: str) -> None:
        """Connect a company, or connect it again with new tokens, which ends a broken state.

        Raises ConfigurationInvalid when the name stands for another company already, or the
        company has another name: tokens of one company must not overwrite another's.
        """
        values = {
            "name": new.name,
            "kind": new.kind,
            "company_id": new.company_id,
            "api_base_url": new.api_base_url,
            "token_url": new.token_url,
            "client_id": new.client_id,
            "client_secret": self._box.seal(new.client_secret.get_secret_value()),
            "refresh_token": self._box.seal(new.refresh_token.get_secret_value()),
            "operation_memory_seconds": new.operation_memory_seconds,
        }
        budget = {
            "connection": new.name,
            "calls_per_minute": new.calls_per_minute,
            "calls_per_second": new.calls_per_second,
            "batches_per_minute": new.batches_per_minute,
        }
        with self._store.transaction() as connection:
            other = connection.execute(_OTHER_COMPANY, values).first()
            if other is not None:
                what = f"connection {other.name!r} stands for company {other.company_id}"
                raise ConfigurationInvalid(what, name=new.name, company_id=new.company_id)
            connection.execute(_SAVE, values)
            connection.execute(_SAVE_BUDGET, budget)
            detail = {"kind": new.kind, "company_id": new.company_id}
            audit.write(connection, actor=actor, action="connect", subject=new.name, detail=detail)

    def get(self, name: str) -> ConnectionDetails:
        """Return a connection; raises ConfigurationInvalid when there is none of the name."""
        with self._store.transaction() as connection:
            row = connection.execute(_GET, {"name": name}).mappings().first()
        if row is None:
            raise ConfigurationInvalid(f"there is no connection named {name!r}")
        secret = SecretStr(self._box.open(row["client_secret"]))
        return ConnectionDetails(**{**row, "client_secret": secret})

    def states(self) -> list[ConnectionState]:
        """Return how every connection fares, by name."""
        with self._store.transaction() as connection:
            rows: Sequence[Any] = connection.execute(_STATES).mappings().all()
        return [state_of(row, self._clock.now()) for row in rows]

    def remove(self, name: str, *, actor: str) -> None:
        """Forget a connection and its tokens."""
        with self._store.transaction() as connection:
            connection.execute(_REMOVE, {"name": name})
            connection.execute(_REMOVE_BUDGET, {"name": name})
            audit.write(connection, actor=actor, action="disconnect", subject=name)

    def consents(self) -> ConsentStore:
        """Return the consents that connections come from."""
        return ConsentStore(self._store, self._box, self._clock)

    def tokens(self, name: str, refresh: Refresh) -> SharedTokenSource:
        """Return the connection's token source; ``refresh`` asks its token endpoint."""
        return SharedTokenSource(self._store, self._box, name, refresh=refresh, clock=self._clock)

    def budget(self, name: str, caller: Caller = "posting") -> SharedCallBudget:
        """Return the connection's call budget as it is for one kind of caller."""
        return SharedCallBudget(self._store, name, self._clock, caller)

    def lanes(self, holder: str) -> Leases:
        """Return the lane leases as seen by one holder; use ``lane_name`` for their names."""
        return Leases(self._store, holder)


def lane_name(kind: str, company_id: str) -> str:
    """Return the name of the lease under which one worker writes to a company."""
    return f"lane:{kind}:{company_id}"
