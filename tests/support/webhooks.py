"""A running ingestor that is pushed to, and the stand-in workspaces whose events it gets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.runtime.service import ServiceRunner
from hourbridge.common.store.engine import Store
from hourbridge.sandbox.toggl import TogglServer
from hourbridge.sandbox.toggl.seed import seed_workspace

ADMIN = {"authorization": "Bearer secret"}
SECRET = "of-the-subscription"
VERIFIER = "of-the-app"
BODY_BYTES_MAX = 50_000
WORKSPACE = "777"
REALM = "4620816365000000001"


@dataclass
class Hub:
    """A running ingestor, and what can be seen of it."""

    url: str
    http: httpx.Client
    store: Store
    bus: EmbeddedBus
    runner: ServiceRunner

    def admin(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        answer = self.http.request(method, path, json=body, headers=ADMIN)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def connect(self, name: str, system: str, account: str, url: str = "", **more: Any) -> None:
        content = {"name": name, "system": system, "account": account, "api_base_url": url, **more}
        generous = {"calls_per_minute": 100_000, "calls_per_second": 10_000}
        self.admin("/v1/source-connections", {**generous, **content})

    def attach(self, book: str, source: str, connection: str, *feeds: str) -> None:
        path = f"/v1/books/{book}/sources/{source}/feeds"
        self.admin(path, {"connection": connection, "feeds": feeds or None, "zone": "UTC"})

    def rows(self, sql: str, **parameters: Any) -> list[Any]:
        with self.store.transaction() as connection:
            return list(connection.execute(text(sql), parameters))

    def value(self, sql: str, **parameters: Any) -> Any:
        return self.rows(sql, **parameters)[0][0]

    def post(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(f"/v1/webhooks/{path}", content=body, headers=sent)

    def push(self, content: Any, *, path: str = "acme/toggl", secret: str = SECRET) -> Any:
        """Send a delivery as Toggl would."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"x_webhook_signature_256": f"sha256={digest}"}
        return self.post(path, body, content_type="application/json", **headers)

    def state(self, external_id: Any) -> Any:
        """Return what is known of an entry: its state, None if nothing is."""
        sql = "SELECT state FROM record WHERE external_id = :id"
        rows = self.rows(sql, id=str(external_id))
        return rows[0][0] if rows else None

    def announced(self, queue: str = "mapper.work.v1") -> list[dict[str, Any]]:
        subscription = self.bus.subscribe(queue, prefetch=1000)
        deliveries = subscription.fetch(1000, 0)
        subscription.acknowledge(deliveries)
        subscription.close()
        return [json.loads(delivery.body) for delivery in deliveries]


@dataclass
class Workspace:
    """A workspace of the stand-in whose events go to an ingestor."""

    server: TogglServer
    workspace_id: int
    token: str
    user_id: int
    project_id: int
    subscription_id: int

    def track(self, **values: Any) -> int:
        row = {
            "user_id": self.user_id,
            "start": "2026-03-02T09:00:00Z",
            "stop": "2026-03-02T10:00:00Z",
            "duration": 3600,
            "project_id": self.project_id,
            "description": "work",
            "billable": True,
            "tags": [],
        } | values
        with self.server.world.lock:
            identity: int = self.server.world.create(self.workspace_id, "time_entry", row)["id"]
        return identity

    def change(self, identity: int, **values: Any) -> None:
        with self.server.world.lock:
            self.server.world.update("time_entry", identity, values)

    def delete(self, identity: int) -> None:
        with self.server.world.lock:
            self.server.world.delete("time_entry", identity)

    def step(self, seconds: int) -> None:
        with self.server.world.lock:
            self.server.world.clock.offset_seconds += seconds


def open_workspace(server: TogglServer, hub: Hub, book: str, *feeds: str) -> Workspace:
    """Connect a new workspace to a book's source ``toggl`` and validate its subscription."""
    with server.world.lock:
        opened = seed_workspace(
            server.world,
            {"name": book, "people": {"Ada Byron": "UTC"}, "clients": {"Globex": ["Site"]}},
        )
    person = opened["people"]["Ada Byron"]
    workspace_id = opened["workspace_id"]
    hub.connect(
        f"toggl-{book}",
        "toggl",
        str(workspace_id),
        server.base_url,
        secrets={"api_token": person["token"], "webhook_secret": f"{SECRET}-{book}"},
        settings={"zone": "Europe/Vienna"},
    )
    hub.attach(book, "toggl", f"toggl-{book}", *feeds)
    answer = httpx.post(
        f"{server.base_url}/webhooks/api/v1/subscriptions/{workspace_id}",
        json={
            "url_callback": f"{hub.url}/v1/webhooks/{book}/toggl",
            "secret": f"{SECRET}-{book}",
            "event_filters": [{"entity": "*", "action": "*"}],
        },
        auth=(person["token"], "api_token"),
    )
    subscription_id = answer.json()["subscription_id"]
    assert server.sender.ping(subscription_id)
    return Workspace(
        server,
        workspace_id,
        person["token"],
        person["id"],
        opened["projects"]["Site"],
        subscription_id,
    )


def event(entry_id: int, *, event_id: int | None = None, **changes: Any) -> dict[str, Any]:
    payload = {
        "id": entry_id,
        "workspace_id": int(WORKSPACE),
        "user_id": 8,
        "start": "2026-03-02T09:00:00Z",
        "stop": "2026-03-02T10:00:00Z",
        "duration": 3600,
        "at": "2026-03-02T10:00:01Z",
    } | changes
    return {
        "event_id": event_id or entry_id * 10,
        "created_at": "2026-03-02T10:00:01.5Z",
        "metadata": {"action": "updated", "model": "time_entry", "workspace_id": WORKSPACE},
        "payload": payload,
    }


def qbo_event(event_id: str, realm: str = REALM, entity: str = "customer") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "intuit.x",
        "type": f"qbo.{entity}.updated.v1",
        "time": "2026-03-02T10:00:01.123456789Z",
        "intuitentityid": "7",
        "intuitaccountid": realm,
        "data": {},
    }


def push_qbo(hub: Hub, content: Any, token: str = VERIFIER) -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = hmac.new(token.encode(), body, hashlib.sha256).digest()
    return hub.post("quickbooks-online", body, intuit_signature=base64.b64encode(digest).decode())
