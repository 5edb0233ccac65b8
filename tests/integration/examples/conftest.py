"""A running ingestor with a source, an API key and an upstream user of its own."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import httpx
import pytest

from hourbridge.common.bus.rabbit import RabbitBus
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.clock import SystemClock
from hourbridge.common.runtime.main import start_service
from hourbridge.ingestor.settings import IngestorSettings
from hourbridge.ingestor.wiring import build
from tests.integration.examples import upstream_user
from tests.integration.examples.installation import BOOK, Installation
from tests.support.rabbitmq import RabbitServer


@pytest.fixture
def installation(
    broker_url: str, rabbitmq_node: RabbitServer, database_for: Callable[..., str]
) -> Iterator[Installation]:
    """Yield a running installation."""
    database_url = database_for("ingestor")
    bus = RabbitBus(broker_url)
    bus.apply(build_topology())
    token = secrets.token_urlsafe(16)
    settings = IngestorSettings(
        broker_url=broker_url,
        database_url=database_url,
        http_port=0,
        admin_tokens={token: "test:administrator"},
    )
    runner = start_service("ingestor", settings, build, bus=bus, clock=SystemClock())
    assert runner.wait_ready(timeout_seconds=30) == []
    answer = httpx.post(
        f"{runner.http.url}/v1/books/{BOOK}/sources/timesheets/keys",
        headers={"Authorization": f"Bearer {token}"},
    )
    answer.raise_for_status()
    yield Installation(
        url=runner.http.url,
        key=answer.json()["key"],
        upstream_broker_url=upstream_user.create(rabbitmq_node, broker_url),
        operator_broker_url=broker_url,
        database_url=database_url,
    )
    runner.stop()
    bus.close()
