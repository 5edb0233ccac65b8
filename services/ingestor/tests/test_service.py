"""The whole service on the embedded bus: over HTTP and AMQP in, accepted records out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.clock import SystemClock
from hourbridge.common.messages.registry import INTAKE_EXCHANGE
from hourbridge.common.runtime.service import ServiceRunner
from hourbridge.common.store.engine import Store
from hourbridge.ingestor.settings import IngestorSettings
from hourbridge.ingestor.wiring import NAME, build
from services.ingestor.tests.test_amqp_events import KEY, body
from services.ingestor.tests.waiting import wait_until

pytestmark = pytest.mark.database
ADMIN = {"authorization": "Bearer secret"}


@dataclass
class Running:
    """A running ingestor."""

    runner: ServiceRunner
    bus: EmbeddedBus
    http: httpx.Client

    def report(self, content: bytes, key: str) -> httpx.Response:
        """Report one event over HTTP."""
        headers = {"content-type": "application/cloudevents+json", "x-api-key": key}
        return self.http.post("/v1/events", content=content, headers=headers)


@pytest.fixture
def running(store: Store, bus: EmbeddedBus) -> Iterator[Running]:
    settings = IngestorSettings(http_port=0, admin_tokens={"secret": "ann:administrator"})
    runner = ServiceRunner(build(settings, store=store, bus=bus, clock=SystemClock()), settings)
    runner.start()
    assert runner.wait_ready(timeout_seconds=20) == []
    with httpx.Client(base_url=runner.http.url, timeout=20) as http:
        yield Running(runner, bus, http)
    runner.stop()


def key_of(running: Running) -> str:
    answer = running.http.post("/v1/books/acme/sources/bigtime/keys", headers=ADMIN)
    return str(answer.json()["key"])


def test_both_ways_in_share_one_sequence(running: Running) -> None:
    answer = running.report(body("1"), key_of(running))
    assert answer.json()["events"][0]["status"] == "accepted"
    running.bus.publish([Outgoing(INTAKE_EXCHANGE, KEY, body("2"), "m-2", f"hourbridge.{KEY}")])
    wait_until(lambda: running.bus.depth("mapper.work.v1") == 2)
    subscription = running.bus.subscribe("mapper.work.v1", prefetch=10)
    told = [json.loads(delivery.body) for delivery in subscription.fetch(10, 1)]
    assert [event["data"]["sequence"] for event in told] == [1, 2]
    metrics = running.http.get("/metrics").text
    assert 'hourbridge_intake_events_total{channel="amqp",outcome="accepted"}' in metrics


def test_the_service_is_ready_and_takes_events_while_the_broker_is_away(
    running: Running, monkeypatch: Any
) -> None:
    key = key_of(running)
    running.bus.close()
    assert running.http.get("/readyz").status_code == 200
    assert running.report(body("1"), key).json()["events"][0]["status"] == "accepted"


def test_without_its_tables_the_service_is_not_ready(store: Store, bus: EmbeddedBus) -> None:
    from sqlalchemy import text

    with store.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    settings = IngestorSettings(http_port=0)
    runner = ServiceRunner(build(settings, store=store, bus=bus, clock=SystemClock()), settings)
    runner.start()
    try:
        (problem,) = runner.wait_ready(timeout_seconds=0)
        assert problem.startswith(f"{NAME}: schema at older, needs 0")
    finally:
        runner.stop()
