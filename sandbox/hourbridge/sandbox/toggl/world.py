"""Everything that the stand-in holds: one organization's people, workspaces and what is in them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.common.audit import AuditLog
from hourbridge.sandbox.common.clock import MovableClock
from hourbridge.sandbox.common.disturbances import Disturbances
from hourbridge.sandbox.common.throttle import Throttle
from hourbridge.sandbox.toggl.settings import TogglSandboxSettings

MODELS = ("client", "project", "task", "tag", "user", "time_entry")
_FIRST_ID = 3_000_000_000
"""Beyond 32 bits, as the real ids have become."""

Row = dict[str, Any]


@dataclass
class Subscription:
    """Where a workspace's events are sent."""

    subscription_id: int
    workspace_id: int
    url_callback: str
    secret: str
    enabled: bool = True
    validated: bool = False
    validation_code: str = ""
    event_filters: list[dict[str, str]] = field(default_factory=list)

    def wants(self, model: str, action: str) -> bool:
        """Return whether the filters let an event through; none means all."""
        return not self.event_filters or any(
            each.get("entity") in (model, "*") and each.get("action") in (action, "*")
            for each in self.event_filters
        )


class World:
    """One stand-in's state. Whoever reads or changes it holds ``lock``."""

    def __init__(self, settings: TogglSandboxSettings | None = None, seed: int = 0) -> None:
        self.lock = threading.RLock()
        self.settings = settings or TogglSandboxSettings()
        self.clock = MovableClock()
        self.disturbances = Disturbances(seed)
        self.audit = AuditLog()
        self.burst = Throttle(self.settings.limits, self._seconds)
        self.quota = Throttle(self.settings.quota, self._seconds)
        self.tokens: dict[str, int] = {}
        """API token -> user id."""
        self.tables: dict[str, dict[int, Row]] = {model: {} for model in MODELS}
        self.workspaces: dict[int, Row] = {}
        self.subscriptions: dict[int, Subscription] = {}
        self.events: list[Row] = []
        """Every event ever made, oldest first."""
        self.undelivered: list[tuple[int, Row]] = []
        """(subscription id, event) not sent yet."""
        self._last_id = _FIRST_ID

    def _seconds(self) -> float:
        return self.clock.now().timestamp()

    def new_id(self) -> int:
        """Return an id that nothing has yet."""
        self._last_id += 7
        return self._last_id

    def stamp(self) -> str:
        """Return now as Toggl writes it: UTC, whole seconds."""
        return self.clock.now().replace(microsecond=0).isoformat()

    def open_workspace(self, name: str, currency: str = "USD") -> int:
        """Return a new workspace's id."""
        workspace_id = self.new_id()
        self.workspaces[workspace_id] = {
            "id": workspace_id,
            "name": name,
            "default_currency": currency,
            "at": self.stamp(),
        }
        return workspace_id

    def open_user(self, workspace_id: int, name: str, zone: str = "UTC") -> tuple[int, str]:
        """Return a new person's id and API token."""
        row = self.create(
            workspace_id,
            "user",
            {
                "fullname": name,
                "email": f"{name.split()[0].lower()}@example.com",
                "timezone": zone,
                "inactive": False,
            },
        )
        token = f"{row['id']:032x}"
        self.tokens[token] = row["id"]
        return row["id"], token

    def create(self, workspace_id: int, model: str, values: Mapping[str, Any]) -> Row:
        """Return a new object."""
        row: Row = {"id": self.new_id(), "workspace_id": workspace_id, "wid": workspace_id}
        row |= {"at": self.stamp(), "server_deleted_at": None, **values}
        self.tables[model][row["id"]] = row
        self._tell(row, model, "created")
        return row

    def update(self, model: str, identity: int, values: Mapping[str, Any]) -> Row:
        """Return an object with some fields changed."""
        row = self.tables[model][identity]
        row.update({**values, "at": self.stamp()})
        self._tell(row, model, "updated")
        return row

    def delete(self, model: str, identity: int) -> None:
        """Delete an object: it stays as a tombstone."""
        row = self.tables[model][identity]
        row.update({"server_deleted_at": self.stamp(), "at": self.stamp()})
        self._tell(row, model, "deleted")

    def _tell(self, row: Row, model: str, action: str) -> None:
        name = "workspace_user" if model == "user" else model
        event: Row = {
            "event_id": self.new_id(),
            "created_at": self.clock.now().astimezone(UTC).isoformat(),
            "creator_id": row.get("user_id"),
            "metadata": {
                "action": action,
                "event_user_id": str(row.get("user_id", "")),
                "model": name,
                "path": f"/api/v9/workspaces/{row['workspace_id']}/{model}s/{row['id']}",
                "request_type": "POST",
                "workspace_id": str(row["workspace_id"]),
                f"{name}_id": str(row["id"]),
            },
            "payload": dict(row),
        }
        self.events.append(event)
        for subscription in self.subscriptions.values():
            is_its = subscription.workspace_id == row["workspace_id"]
            if is_its and subscription.enabled and subscription.wants(name, action):
                self.undelivered.append((subscription.subscription_id, event))

    def changed_since(self, rows: list[Row], since: datetime) -> list[Row]:
        """Return those rows that changed at or after an instant."""
        return [row for row in rows if datetime.fromisoformat(row["at"]) >= since]

    def save(self, path: Path) -> None:
        """Write people, workspaces and objects to a file, whole or not at all."""
        with self.lock:
            state = {
                "last_id": self._last_id,
                "tokens": self.tokens,
                "workspaces": list(self.workspaces.values()),
                "tables": {name: list(table.values()) for name, table in self.tables.items()},
            }
        partial = path.with_suffix(path.suffix + ".partial")
        partial.write_text(dumps(state), encoding="utf-8")
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Take people, workspaces and objects from a file that ``save`` wrote."""
        state = loads(path.read_bytes())
        with self.lock:
            self._last_id, self.tokens = state["last_id"], dict(state["tokens"])
            self.workspaces = {row["id"]: row for row in state["workspaces"]}
            for name, rows in state["tables"].items():
                self.tables[name] = {row["id"]: row for row in rows}
