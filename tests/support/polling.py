"""Polling over a real database, a bus in memory and a scripted source; no threads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from starlette.testclient import TestClient

from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections.source_store import SourceConnection, SourceConnectionState
from hourbridge.ingestor.polling.dispatcher import Dispatcher
from hourbridge.ingestor.polling.parts import PollingParts
from tests.support.clocks import SteppingClock
from tests.support.scripted_source import ScriptedSource

BOOK, SOURCE = "acme", "tracker"
ADMIN = {"authorization": "Bearer admin-token"}


@dataclass
class MemoryConnections:
    """Connections without a database: their state, and when they were changed."""

    clock: SteppingClock
    states_by_name: dict[str, SourceConnectionState] = field(default_factory=dict)

    def connect(self, name: str) -> None:
        """Connect, or connect again with a new key."""
        self.states_by_name[name] = SourceConnectionState(
            name, "scripted", name, "connected", None, self.clock.now()
        )

    def get(self, name: str) -> SourceConnection:
        state = self.states_by_name[name]
        return SourceConnection(name, "scripted", name, "", {}, {}, state.changed_at)

    def states(self) -> list[SourceConnectionState]:
        return list(self.states_by_name.values())

    def mark_broken(self, name: str, reason: str) -> None:
        self.states_by_name[name] = SourceConnectionState(
            name, "scripted", name, "broken", reason, self.clock.now()
        )


@dataclass
class Polling:
    """One or more replicas of polling, and the source they read."""

    store: Store
    bus: EmbeddedBus
    clock: SteppingClock
    connections: MemoryConnections
    sources: dict[str, ScriptedSource]
    replicas: list[PollingParts]
    http: TestClient

    @property
    def source(self) -> ScriptedSource:
        return self.sources["firm"]

    @property
    def dispatcher(self) -> Dispatcher:
        dispatcher = self.replicas[0].dispatcher
        assert dispatcher is not None
        return dispatcher

    def run(self) -> int:
        """Read everything that is due now."""
        taken = 0
        while turns := self.dispatcher.run_due():
            taken += turns
        return taken

    def post(self, path: str, body: Any = None, source: str = SOURCE, status: int = 200) -> Any:
        url = f"/v1/books/{BOOK}/sources/{source}/{path}"
        answer = self.http.post(url, json=body or {}, headers=ADMIN)
        assert answer.status_code in (status, 201), answer.text
        return answer.json()

    def get(self, path: str, source: str = SOURCE) -> Any:
        answer = self.http.get(f"/v1/books/{BOOK}/sources/{source}/{path}", headers=ADMIN)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def attach(self, *feeds: str, via: str = "firm", source: str = SOURCE) -> None:
        self.post("feeds", {"connection": via, "feeds": feeds, "zone": "Europe/Berlin"}, source)

    def feed(self, name: str, source: str = SOURCE) -> dict[str, Any]:
        answer = self.http.get("/v1/feeds", params={"source": source}, headers=ADMIN)
        return next(feed for feed in answer.json()["feeds"] if feed["feed"] == name)

    def minutes_to_next(self, name: str) -> int:
        due = datetime.fromisoformat(self.feed(name)["next_due_at"])
        return round((due - self.clock.now()).total_seconds() / 60)

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        with self.store.transaction() as connection:
            return list(connection.execute(text(sql), parameters))

    def records(self, record_type: str = "time_entry") -> dict[str, bool]:
        """Return which records are known, and whether each is deleted."""
        sql = "SELECT external_id, deleted FROM record WHERE merged_into IS NULL"
        rows = self.rows(f"{sql} AND record_type = :type", type=record_type)
        return {row.external_id: row.deleted for row in rows}

    def received(self, queue: str = "mapper.work.v1") -> list[dict[str, Any]]:
        subscription = self.bus.subscribe(queue, prefetch=5000)
        deliveries = subscription.fetch(5000, 0)
        subscription.acknowledge(deliveries)
        subscription.close()
        return [json.loads(delivery.body) for delivery in deliveries]

    def totals(self, queue: str = "reconciler.work.v1") -> list[dict[str, Any]]:
        return [
            event["data"]
            for event in self.received(queue)
            if event["type"].startswith("hourbridge.source_totals")
        ]
