"""The whole service on the embedded bus: accepted records in, charge sets out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import yaml

from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.bus.topology import QUEUES, build_topology
from hourbridge.common.clock import SystemClock
from hourbridge.common.messages.events import BookConfigured, ChargeSetChanged, MappingOutcome
from hourbridge.common.messages.publishing import outgoing
from hourbridge.common.messages.registry import REGISTRY
from hourbridge.common.runtime.service import ServiceRunner
from hourbridge.common.store.engine import Store
from hourbridge.mapper.settings import MapperSettings
from hourbridge.mapper.wiring import build
from tests.support.mapping import MapperBench, document, time_entry

pytestmark = pytest.mark.database
WAIT_SECONDS = 20


class Running:
    """A running mapper, and what the poster would receive from it."""

    def __init__(self, url: str) -> None:
        self.bus = EmbeddedBus()
        self.bus.apply(build_topology())
        settings = MapperSettings(
            database_url=url,
            http_port=0,
            admin_tokens={"secret": "ann:administrator"},
            mapper_remap_interval_seconds=0.05,
        )
        self.store = Store(url, "mapper")
        definition = build(settings, store=self.store, bus=self.bus, clock=SystemClock())
        self.runner = ServiceRunner(definition, settings)
        self.runner.start()
        assert self.runner.wait_ready(timeout_seconds=WAIT_SECONDS) == []
        self._poster = self.bus.subscribe(QUEUES["poster"].work, prefetch=100)
        self.messages = MapperBench(self.store, SystemClock())

    def publish(self, *records: Any) -> None:
        events = [self.messages.accept(record).event for record in records]
        self.bus.publish([outgoing(event) for event in events])

    def receive(self, count: int) -> list[Any]:
        found: list[Any] = []
        deadline = time.monotonic() + WAIT_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            deliveries = self._poster.fetch(100, 0.2)
            self._poster.acknowledge(deliveries)
            found += [REGISTRY.decode(str(item.type), item.body).data for item in deliveries]
        assert len(found) == count, found
        return found

    def post(self, path: str, content: bytes) -> Any:
        headers = {"Authorization": "Bearer secret"}
        return httpx.post(self.runner.http.url + path, content=content, headers=headers).json()

    def close(self) -> None:
        self.runner.stop()
        self.bus.close()


@pytest.fixture
def running(database_for: Callable[..., str]) -> Iterator[Running]:
    service = Running(database_for("mapper"))
    yield service
    service.close()


def test_records_wait_for_a_configuration_and_go_on_by_themselves(running: Running) -> None:
    running.publish(time_entry("1"), time_entry("2", task_name="Audit"))
    parked: list[ChargeSetChanged] = running.receive(2)
    assert {change.outcome for change in parked} == {MappingOutcome.PARKED}
    answer = running.post("/v1/mappings/apply", yaml.safe_dump(document()).encode())
    assert answer["version"] == 1
    announced, *changes = running.receive(3)
    assert isinstance(announced, BookConfigured)
    assert {change.outcome for change in changes} == {
        MappingOutcome.CHARGED,
        MappingOutcome.PARKED,
    }
    running.publish(time_entry("3"))
    [change] = running.receive(1)
    assert change.outcome is MappingOutcome.CHARGED
    assert change.covers == (3,)


def test_the_service_tells_its_metrics(running: Running) -> None:
    running.publish(time_entry("1"))
    running.receive(1)
    page = httpx.get(running.runner.http.url + "/metrics").text
    assert 'hourbridge_mapper_records_total{outcome="parked"}' in page
    assert "hourbridge_mapper_remap_open_tasks" in page
