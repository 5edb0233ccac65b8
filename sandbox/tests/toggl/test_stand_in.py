"""The Toggl stand-in over HTTP, as somebody who knows only the real service would use it."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from hourbridge.sandbox.toggl import TogglSandboxSettings, TogglServer

SEED = {"name": "Acme", "people": {"Ada Byron": "UTC"}, "clients": {"Globex": ["Site"]}}
ENTRY = {"start": "2026-03-02T09:00:00Z", "duration": -1, "description": "timer"}


class Receiver(BaseHTTPRequestHandler):
    """Remembers deliveries; answers as it is told."""

    seen: list[tuple[dict[str, str], bytes]]
    status: int

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).seen.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(type(self).status)
        self.end_headers()
        code = json.loads(body).get("validation_code")
        self.wfile.write(json.dumps({"validation_code": code}).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[TogglServer]:
    running = TogglServer(settings=TogglSandboxSettings(calls_per_hour_max=None))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def world(server: TogglServer) -> dict[str, Any]:
    answer = httpx.post(f"{server.base_url}/_sandbox/workspaces", json=SEED)
    content: dict[str, Any] = answer.json()
    return content


@pytest.fixture
def api(server: TogglServer, world: dict[str, Any]) -> Iterator[httpx.Client]:
    token = world["people"]["Ada Byron"]["token"]
    with httpx.Client(base_url=server.base_url, auth=(token, "api_token"), timeout=10) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[Receiver]]]:
    class Fresh(Receiver):
        seen: list[tuple[dict[str, str], bytes]] = []
        status = 200

    listening = HTTPServer(("127.0.0.1", 0), Fresh)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}/hook", Fresh
    listening.shutdown()
    thread.join()
    listening.server_close()


def entries(api: httpx.Client, world: dict[str, Any]) -> str:
    return f"/api/v9/workspaces/{world['workspace_id']}/time_entries"


def test_an_entry_s_life_shows_in_the_feed_of_changes(
    api: httpx.Client, world: dict[str, Any]
) -> None:
    made = api.post(entries(api, world), json=ENTRY).json()
    assert made["duration"] == -1
    path = f"{entries(api, world)}/{made['id']}"
    stopped = api.put(path, json={"duration": 60, "stop": "2026-03-02T09:01:00Z"}).json()
    assert (stopped["duration"], stopped["server_deleted_at"]) == (60, None)
    assert api.delete(path).status_code == 200
    since = api.get("/api/v9/me/time_entries", params={"since": "1772442000"})
    assert since.status_code == 400, "older than three months"
    recent = api.get("/api/v9/me").json()["at"]
    stamp = str(int(datetime.fromisoformat(recent).timestamp()))
    changed = api.get("/api/v9/me/time_entries", params={"since": stamp}).json()
    assert [row["id"] for row in changed] == [made["id"]]
    assert changed[0]["server_deleted_at"] is not None


@pytest.mark.parametrize("auth", [None, ("nobody", "api_token"), ("x", "y")])
def test_strangers_are_refused_with_403(server: TogglServer, auth: Any) -> None:
    assert httpx.get(f"{server.base_url}/api/v9/me", auth=auth).status_code == 403


def test_quota_and_burst_have_codes_of_their_own(server: TogglServer, api: httpx.Client) -> None:
    httpx.put(f"{server.base_url}/_sandbox/settings", json={"calls_per_second_max": 2})
    codes = [api.get("/api/v9/me").status_code for _ in range(3)]
    assert codes[-1] == 429
    values = {"calls_per_second_max": None, "calls_per_hour_max": 1}
    httpx.put(f"{server.base_url}/_sandbox/settings", json=values)
    codes = [api.get("/api/v9/me").status_code for _ in range(2)]
    assert codes[-1] == 402
    httpx.put(f"{server.base_url}/_sandbox/clock", json={"offset_seconds": 3601})
    assert api.get("/api/v9/me").status_code == 200


def test_webhooks_are_validated_signed_and_sent_until_acknowledged(
    server: TogglServer,
    api: httpx.Client,
    world: dict[str, Any],
    receiver: tuple[str, type[Receiver]],
) -> None:
    url, seen_by = receiver
    subscription = api.post(
        f"/webhooks/api/v1/subscriptions/{world['workspace_id']}",
        json={"url_callback": url, "secret": "s3", "event_filters": []},
    ).json()
    assert "secret" not in subscription
    ping = f"{server.base_url}/_sandbox/ping/{subscription['subscription_id']}"
    assert httpx.post(ping).json() == {"validated": True}
    seen_by.seen.clear()
    seen_by.status = 500
    api.post(entries(api, world), json=ENTRY)
    httpx.post(f"{server.base_url}/_sandbox/deliver", json={})
    assert len(seen_by.seen) == 1
    seen_by.status = 200
    httpx.post(f"{server.base_url}/_sandbox/deliver", json={"duplicates": 1})
    assert len(seen_by.seen) == 3
    headers, body = seen_by.seen[-1]
    digest = hmac.new(b"s3", body, hashlib.sha256).hexdigest()
    assert headers["x-webhook-signature-256"] == f"sha256={digest}"
    event = json.loads(body)
    assert event["metadata"]["model"] == "time_entry"
    assert event["payload"]["description"] == "timer"
    assert len({json.loads(body)["event_id"] for _, body in seen_by.seen}) == 1
    assert httpx.post(f"{server.base_url}/_sandbox/deliver", json={}).json() == []


def test_what_it_holds_outlives_it(tmp_path: Path) -> None:
    path = tmp_path / "toggl.json"
    first = TogglServer(snapshot=path)
    first.start()
    opened = httpx.post(f"{first.base_url}/_sandbox/workspaces", json=SEED).json()
    first.stop()
    second = TogglServer(snapshot=path)
    second.start()
    token = opened["people"]["Ada Byron"]["token"]
    me = httpx.get(f"{second.base_url}/api/v9/me", auth=(token, "api_token"))
    assert me.json()["fullname"] == "Ada Byron"
    second.stop()
