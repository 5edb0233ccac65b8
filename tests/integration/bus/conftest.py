"""The two adapters, and clients on the same broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hourbridge.common.bus.adapter import Bus, Feature
from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.bus.rabbit import RabbitBus
from hourbridge.common.bus.topology import Topology, build_topology


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
