"""The source connections of a deployment: who we are at each system that is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections.secret_box import SecretBox
from hourbridge.connectors.connections.source_budget import (
    OnWait,
    SourceCallBudget,
    budget_key,
    ignore_waits,
)

_SAVE = text(
    """
    INSERT INTO source_connection (name, system, account, api_base_url, settings, secrets)
    VALUES (:name, :system, :account, :api_base_url, CAST(:settings AS jsonb), :secrets)
    ON CONFLICT (name) DO UPDATE SET
        api_base_url = excluded.api_base_url, settings = excluded.settings,
        secrets = excluded.secrets, state = 'connected', state_reason = NULL,
        changed_at = clock_timestamp()
    """
)
_SAVE_BUDGET = text(
    """
    INSERT INTO call_budget (connection, calls_per_minute, calls_per_second)
    VALUES (:connection, :calls_per_minute, :calls_per_second)
    ON CONFLICT (connection) DO UPDATE SET
        calls_per_minute = excluded.calls_per_minute, calls_per_second = excluded.calls_per_second
    """
)
_OTHER_ACCOUNT = text(
    "SELECT name, account FROM source_connection WHERE (name = :name AND "
    "(system, account) <> (:system, :account)) OR (name <> :name AND "
    "(system, account) = (:system, :account))"
)
_GET = text(
    "SELECT name, system, account, api_base_url, settings, secrets, changed_at "
    "FROM source_connection WHERE name = :name"
)
_OF_LEDGER = text(
    "SELECT name, kind AS system, company_id AS account, api_base_url, changed_at "
    "FROM connection WHERE name = :name"
)
_STATES = text(
    # A ledger whose lists are read needs no second connection: its own counts.
    """
    SELECT name, system, account, state, state_reason, changed_at, false AS is_ledger
    FROM source_connection
    UNION ALL
    SELECT name, kind, company_id, state, state_reason, changed_at, true FROM connection l
    WHERE NOT EXISTS (SELECT 1 FROM source_connection s WHERE s.name = l.name)
    ORDER BY name
    """
)
_MARK_BROKEN = text(
    "UPDATE source_connection SET state = 'broken', state_reason = :reason, "
    "changed_at = clock_timestamp() WHERE name = :name AND state <> 'broken'"
)
_REMOVE = text("DELETE FROM source_connection WHERE name = :name")
_REMOVE_BUDGET = text("DELETE FROM call_budget WHERE connection = :connection")


@dataclass(frozen=True)
class NewSourceConnection:
    """What connecting a source needs. Secrets stay hidden in text forms."""

    name: str
    system: str
    account: str
    api_base_url: str
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the system's connector understands; a JSON object."""
    calls_per_minute: int = 25
    calls_per_second: int = 5


@dataclass(frozen=True)
class SourceConnection:
    """A stored connection, as a connector needs it."""

    name: str
    system: str
    account: str
    api_base_url: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, SecretStr]
    changed_at: datetime
    """Another instant than before means: open it again."""
    is_ledger: bool = False
    """Read over the ledger connection of the same name; its tokens come from there."""


@dataclass(frozen=True)
class SourceConnectionState:
    """How a connection fares, for operators and for whoever reads over it."""

    name: str
    system: str
    account: str
    state: str
    state_reason: str | None
    changed_at: datetime
    is_ledger: bool = False


class SourceStore:
    """Source connections in the ``connections`` schema. Thread-safe.

    ``store`` must be opened on that schema; ``keys`` are Fernet keys, the first of which encrypts.
    """

    def __init__(
        self, store: Store, keys: Sequence[SecretStr | str], clock: Clock | None = None
    ) -> None:
        self._store = store
        self._box = SecretBox(keys)
        self._clock = clock or SystemClock()

    def save(self, new: NewSourceConnection, *, actor: str) -> None:
        """Connect an account, or connect it again, which ends a broken state.

        Raises ConfigurationInvalid when the name stands for another account already, or the
        account has another name: what was read would get two identities.
        """
        secrets = {name: secret.get_secret_value() for name, secret in new.secrets.items()}
        values = {
            "name": new.name,
            "system": new.system,
            "account": new.account,
            "api_base_url": new.api_base_url,
            "settings": json.dumps(dict(new.settings)),
            "secrets": self._box.seal(json.dumps(secrets)),
        }
        budget = {
            "connection": budget_key(new.name),
            "calls_per_minute": new.calls_per_minute,
            "calls_per_second": new.calls_per_second,
        }
        with self._store.transaction() as connection:
            other = connection.execute(_OTHER_ACCOUNT, values).first()
            if other is not None:
                what = f"source connection {other.name!r} stands for account {other.account}"
                raise ConfigurationInvalid(what, name=new.name, account=new.account)
            connection.execute(_SAVE, values)
            connection.execute(_SAVE_BUDGET, budget)
            detail = {"system": new.system, "account": new.account, "secrets": sorted(secrets)}
            audit.write(
                connection, actor=actor, action="connect_source", subject=new.name, detail=detail
            )

    def get(self, name: str) -> SourceConnection:
        """Return a connection, else that of the ledger of this name.

        Raises ConfigurationInvalid when there is neither.
        """
        with self._store.transaction() as connection:
            row = connection.execute(_GET, {"name": name}).mappings().first()
            ledger = connection.execute(_OF_LEDGER, {"name": name}).mappings().first()
        if row is not None:
            sealed: dict[str, str] = json.loads(self._box.open(row["secrets"]))
            secrets = {key: SecretStr(value) for key, value in sealed.items()}
            return SourceConnection(**{**row, "secrets": secrets})
        if ledger is not None:
            return SourceConnection(**ledger, settings={}, secrets={}, is_ledger=True)
        raise ConfigurationInvalid(
            f"there is no source connection named {name!r}",
            advice="Connect it: `hourbridge source connect`.",
        )

    def states(self) -> list[SourceConnectionState]:
        """Return how every connection fares that can be read over, by name."""
        with self._store.transaction() as connection:
            rows: Sequence[Any] = connection.execute(_STATES).mappings().all()
        return [SourceConnectionState(**row) for row in rows]

    def mark_broken(self, name: str, reason: str) -> None:
        """Record that the system refuses us; ends when a person connects again."""
        with self._store.transaction() as connection:
            changed = connection.execute(_MARK_BROKEN, {"name": name, "reason": reason}).rowcount
            if changed:
                audit.write(
                    connection,
                    actor="hourbridge",
                    action="source_broken",
                    subject=name,
                    detail={"reason": reason},
                )

    def remove(self, name: str, *, actor: str) -> None:
        """Forget a connection, its secrets and its budget."""
        with self._store.transaction() as connection:
            connection.execute(_REMOVE, {"name": name})
            connection.execute(_REMOVE_BUDGET, {"connection": budget_key(name)})
            audit.write(connection, actor=actor, action="disconnect_source", subject=name)

    def budget(self, name: str, on_wait: OnWait = ignore_waits) -> SourceCallBudget:
        """Return the connection's call budget; ``on_wait`` is told of calls without a turn."""
        return SourceCallBudget(self._store, name, self._clock, on_wait)
