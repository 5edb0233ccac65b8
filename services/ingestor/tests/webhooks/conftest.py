"""The whole ingestor behind a real HTTP server, with a Toggl stand-in that pushes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.clock import SystemClock
from hourbridge.common.runtime.service import ServiceRunner
from hourbridge.common.store.engine import Store
from hourbridge.ingestor.settings import IngestorSettings
from hourbridge.ingestor.wiring import build
from hourbridge.sandbox.toggl import TogglSandboxSettings, TogglServer
from tests.support.postgres import PostgresServer
from tests.support.templates import Templates
from tests.support.webhooks import BODY_BYTES_MAX, VERIFIER, Hub


@pytest.fixture(scope="session")
def hub_template(postgres_server: PostgresServer) -> Iterator[str]:
    templates = Templates(postgres_server)
    yield templates.of(["ingestor", "connections"])
    templates.close()


@pytest.fixture(scope="module")
def start_hub(postgres_server: PostgresServer, hub_template: str) -> Iterator[Callable[..., Hub]]:
    """Return a function that starts an ingestor over a database of its own."""
    ended: list[Callable[[], None]] = []

    def start(**changes: Any) -> Hub:
        database = postgres_server.database(template=hub_template)
        url = database.__enter__()
        ended.append(lambda: database.__exit__(None, None, None))
        store = Store(url, "ingestor", pool_size=10)
        ended.append(store.close)
        bus = EmbeddedBus()
        bus.apply(build_topology())
        ended.append(bus.close)
        values = {
            "http_port": 0,
            "database_url": url,
            "admin_tokens": {"secret": "ann:administrator"},
            "encryption_keys": (SecretStr(Fernet.generate_key().decode()),),
            "webhook_body_bytes_max": BODY_BYTES_MAX,
            "intake_body_bytes_max": BODY_BYTES_MAX,
            "webhook_lock_seconds": 0.3,
            "webhook_quickbooks_online_verifier_tokens": (SecretStr("old"), SecretStr(VERIFIER)),
            "poll_tick_seconds": 0.05,
        }
        settings = IngestorSettings(**(values | changes), _env_file=None)
        definition = build(settings, store=store, bus=bus, clock=SystemClock())
        runner = ServiceRunner(definition, settings)
        runner.start()
        ended.append(runner.stop)
        assert runner.wait_ready(timeout_seconds=20) == []
        http = httpx.Client(base_url=runner.http.url, timeout=20)
        ended.append(http.close)
        return Hub(runner.http.url, http, store, bus, runner)

    yield start
    for end in reversed(ended):
        end()


@pytest.fixture(scope="module")
def toggl() -> Iterator[TogglServer]:
    server = TogglServer(settings=TogglSandboxSettings(calls_per_hour_max=None))
    server.start()
    yield server
    server.stop()
