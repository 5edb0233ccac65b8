"""The two adapters, and clients on the same broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hourbridge.common.bus import flow
from hourbridge.common.bus.adapter import Bus, Feature
from hourbridge.common.bus.consumer import Lane, LaneWorker
from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.bus.rabbit import RabbitBus
from hourbridge.common.bus.topology import Topology, build_topology
from hourbridge.common.clock import SystemClock
from tests.integration.bus.helpers import WORK, FakeStore


@pytest.fixture(scope="session")
def topology() -> Topology:
    """The product's topology, with one rung of a second."""
    return build_topology((1,))


@pytest.fixture(params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.broker)])
def bus(request: pytest.FixtureRequest, topology: Topology) -> Iterator[Bus]:
    """A bus of each kind on an empty broker with the topology applied."""
    if request.param == "embedded":
        made: Bus = EmbeddedBus()
    else:
        made = RabbitBus(request.getfixturevalue("broker_url"), name="test")
    made.apply(topology)
    yield made
    made.close()


@pytest.fixture
def rabbit(broker_url: str, topology: Topology) -> Iterator[RabbitBus]:
    """The bus on RabbitMQ."""
    made = RabbitBus(broker_url, name="test")
    made.apply(topology)
    yield made
    made.close()


@pytest.fixture
def requires(bus: Bus) -> Callable[[Feature], None]:
    """Skip unless the adapter declares a feature."""

    def check(feature: Feature) -> None:
        if feature not in bus.features:
            pytest.skip(f"this adapter declares that it lacks {feature.value}")

    return check


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "PAUSE_SECONDS_MIN", 0.05)
    monkeypatch.setattr(flow, "PAUSE_SECONDS_MAX", 0.1)


@pytest.fixture
def start(
    bus: Bus, topology: Topology, store: FakeStore, short_pauses: None
) -> Iterator[Callable[..., LaneWorker]]:
    """Start workers of the mapper; all are stopped at the end."""
    workers: list[LaneWorker] = []

    def begin(handler: Any, queue: str = WORK, **options: Any) -> LaneWorker:
        attempts_max = options.pop("attempts_max", 8)
        lane = Lane(queue, handler, **options)
        worker = LaneWorker(
            "mapper",
            lane,
            bus=bus,
            store=store,
            topology=topology,
            clock=SystemClock(),
            attempts_max=attempts_max,
        )
        workers.append(worker)
        worker.start()
        return worker

    yield begin
    for worker in workers:
        worker.stop(20)
