"""RabbitMQ going away, hanging, and refusing: nothing confirmed is lost, everybody comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from hourbridge.common.bus import link
from hourbridge.common.bus.adapter import Delivery, Outgoing
from hourbridge.common.bus.rabbit import RabbitBus
from hourbridge.common.bus.topology import QUEUES, Binding, Queue, Topology, build_topology
from hourbridge.common.errors import BusError, PublishOutcomeUnknown
from hourbridge.common.messages.registry import EVENTS_EXCHANGE
from tests.integration.bus.helpers import (
    ACCEPTED,
    WORK,
    eventually,
    fetch_until,
    message,
    names,
    publish_until,
)
from tests.support.rabbitmq import PrivateRabbit, RabbitServer

pytestmark = pytest.mark.broker


@pytest.fixture
def private_bus(private_rabbitmq_node: PrivateRabbit, topology: Topology) -> Iterator[RabbitBus]:
    made = RabbitBus(private_rabbitmq_node.url("/"), name="test")
    made.apply(topology)
    yield made
    made.close()


# --- the broker is killed ---------------------------------------------------------------------


class _Loader:
    """Publishes batches from a thread until stopped; knows what was confirmed."""

    def __init__(self, bus: RabbitBus) -> None:
        self._bus = bus
        self.confirmed: set[str] = set()
        self.unknown: list[Outgoing] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            batch = [message(f"b{number}-{n}") for n in range(50)]
            number += 1
            try:
                self._bus.publish(batch, timeout_seconds=5)
                self.confirmed.update(each.message_id for each in batch)
            except BusError:
                self.unknown += batch
                self.stopping.wait(0.1)


def _drain(bus: RabbitBus, wanted: set[str], collected: list[Delivery]) -> None:
    subscription = bus.subscribe(WORK, prefetch=500)
    found: set[str | None] = set()

    def is_complete() -> bool:
        try:
            deliveries = subscription.fetch(500, 0.5)
        except BusError:
            return False
        subscription.acknowledge(deliveries)
        collected.extend(deliveries)
        found.update(names(deliveries))
        return wanted <= found

    eventually(is_complete, "everything confirmed has arrived", 60)


def test_a_killed_broker_loses_nothing_confirmed_and_clients_come_back(
    private_rabbitmq_node: PrivateRabbit, private_bus: RabbitBus
) -> None:
    subscription = private_bus.subscribe(WORK, prefetch=10)
    private_bus.publish([message("held")])
    held = fetch_until(subscription, 1)
    loader = _Loader(private_bus)
    loader.thread.start()
    eventually(lambda: len(loader.confirmed) > 1000, "some are confirmed")
    private_rabbitmq_node.crash()
    eventually(lambda: not private_bus.is_connected(), "the loss is noticed")
    private_rabbitmq_node.start()
    before = len(loader.confirmed)
    eventually(lambda: len(loader.confirmed) > before, "publishing goes on by itself", 60)
    loader.stopping.set()
    loader.thread.join(30)
    publish_until(private_bus, loader.unknown)
    subscription.acknowledge(held)  # a tag of the dead connection: ignored, not an error
    again = fetch_until(subscription, 1, 60)  # consuming went on by itself
    assert again[0].connection_epoch != held[0].connection_epoch
    subscription.close()
    collected: list[Delivery] = []
    wanted = loader.confirmed | {each.message_id for each in loader.unknown} | {"held"}
    _drain(private_bus, wanted, collected)
    assert private_bus.is_alive()


def test_a_hanging_broker_makes_the_outcome_unknown_and_the_connection_is_dropped(
    private_rabbitmq_node: PrivateRabbit, private_bus: RabbitBus
) -> None:
    private_bus.publish([message("before")])
    private_rabbitmq_node.pause()
    try:
        with pytest.raises(PublishOutcomeUnknown):
            private_bus.publish([message("during")], timeout_seconds=1)
        eventually(lambda: not private_bus.is_connected(), "dropped without the broker's consent")
        with pytest.raises(BusError):  # and fails fast from then on
            private_bus.publish([message("later")], timeout_seconds=1)
        assert private_bus.is_alive()
    finally:
        private_rabbitmq_node.resume()
    publish_until(private_bus, [message("after")])
    eventually(lambda: private_bus.depth(WORK) >= 2, "publishing works again")


def test_a_memory_alarm_makes_the_outcome_unknown_while_consuming_goes_on(
    private_rabbitmq_node: PrivateRabbit, private_bus: RabbitBus
) -> None:
    private_bus.publish([message("a"), message("b")])
    subscription = private_bus.subscribe(WORK, prefetch=1)
    first = fetch_until(subscription, 1)
    private_rabbitmq_node.ctl("set_vm_memory_high_watermark", "0.0001")
    try:
        with pytest.raises(PublishOutcomeUnknown):
            private_bus.publish([message("blocked")], timeout_seconds=2)
        subscription.acknowledge(first)
        assert names(fetch_until(subscription, 1)) == ["b"]
    finally:
        private_rabbitmq_node.ctl("set_vm_memory_high_watermark", "absolute", "1GB")
    publish_until(private_bus, [message("after")], 60)


def test_a_bus_opened_before_its_broker_finds_it_later(
    private_rabbitmq_node: PrivateRabbit, topology: Topology
) -> None:
    private_rabbitmq_node.crash()
    bus = RabbitBus(private_rabbitmq_node.url("/"), name="early")
    try:
        with pytest.raises(BusError):
            bus.publish([message("m")], timeout_seconds=2)
        subscription = bus.subscribe(WORK, prefetch=1)
        with pytest.raises(BusError):
            subscription.fetch(1, 0.1)
        private_rabbitmq_node.start()
        eventually(bus.is_connected, "connected", 60)
        bus.apply(topology)
        publish_until(bus, [message("m")])
        assert names(fetch_until(subscription, 1, 60)) == ["m"]
    finally:
        bus.close()


# --- connections and channels are closed ------------------------------------------------------


def test_connections_closed_by_an_operator_come_back(
    rabbit: RabbitBus, rabbitmq_node: RabbitServer, broker_url: str
) -> None:
    subscription = rabbit.subscribe(WORK, prefetch=10)
    rabbit.publish([message("m")])
    first = fetch_until(subscription, 1)
    vhost = broker_url.rsplit("/", 1)[1]
    eventually(lambda: rabbitmq_node.close_connections(vhost) >= 2, "both are listed and closed")
    second = fetch_until(subscription, 1, 60)
    assert (second[0].earlier_holders_lost, first[0].tag) == (1, second[0].tag)
    subscription.acknowledge(first)  # same number, older epoch: must not settle the new one
    subscription.close()
    assert names(fetch_until(rabbit.subscribe(WORK, prefetch=1), 1)) == ["m"]
    publish_until(rabbit, [message("after")])


def test_a_consumer_cancelled_by_the_broker_subscribes_again(
    rabbit: RabbitBus, topology: Topology, rabbitmq_node: RabbitServer, broker_url: str
) -> None:
    """A deleted queue cancels its consumers; the connection stays open."""
    subscription = rabbit.subscribe(WORK, prefetch=10)
    rabbit.publish([message("old")])
    fetch_until(subscription, 1)
    vhost = broker_url.rsplit("/", 1)[1]
    rabbitmq_node.api(f"queues/{vhost}/{WORK}", "DELETE")
    assert any(WORK in problem for problem in rabbit.problems(topology))
    rabbit.apply(topology)
    rabbit.publish([message("new")])
    assert names(fetch_until(subscription, 1, 60)) == ["new"]


def test_a_subscription_to_a_missing_queue_says_so_and_waits_for_it(
    rabbit: RabbitBus, topology: Topology
) -> None:
    subscription = rabbit.subscribe("later.v1", prefetch=1)

    def reason() -> str:
        try:
            subscription.fetch(1, 0.1)
        except BusError as error:
            return error.what
        return ""

    eventually(lambda: "NOT_FOUND" in reason(), "the reason is shown")
    rabbit.apply(Topology((), (Queue("later.v1", {"x-queue-type": "quorum"}),), (), ()))
    rabbit.publish([message("m", routing_key="later.v1")])
    assert names(fetch_until(subscription, 1, 60)) == ["m"]


def test_a_handler_that_takes_longer_than_the_heartbeat_keeps_its_connection(
    broker_url: str, topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "HEARTBEAT_SECONDS", 1)
    bus = RabbitBus(broker_url, name="slow")
    try:
        bus.apply(topology)
        bus.publish([message("m")])
        subscription = bus.subscribe(WORK, prefetch=1)
        held = fetch_until(subscription, 1)
        threading.Event().wait(5)  # the broker gives up after two missed heartbeats
        subscription.acknowledge(held)
        bus.publish([message("after")])
        (after,) = fetch_until(subscription, 1)
        assert (after.message_id, after.connection_epoch) == ("after", held[0].connection_epoch)
    finally:
        bus.close()


# --- bindings ---------------------------------------------------------------------------------

GONE = Binding(EVENTS_EXCHANGE, WORK, ACCEPTED)


def _unbind(server: RabbitServer, vhost: str) -> None:
    server.api(f"bindings/{vhost}/e/{GONE.exchange}/q/{GONE.queue}/{GONE.routing_key}", "DELETE")


def test_a_missing_binding_is_named_although_mandatory_is_satisfied(
    rabbitmq_node: RabbitServer, broker_url: str, topology: Topology
) -> None:
    vhost = broker_url.rsplit("/", 1)[1]
    management_url = rabbitmq_node._management
    bus = RabbitBus(broker_url, management_url=management_url)
    try:
        bus.apply(topology)
        assert bus.problems(topology) == []
        _unbind(rabbitmq_node, vhost)
        bus.publish([message("m", exchange=EVENTS_EXCHANGE, routing_key=ACCEPTED)])  # reconciler's
        assert bus.depth(WORK) == 0
        (problem,) = bus.problems(topology)
        assert GONE.routing_key in problem
        assert WORK in problem
        # The ingestor publishes that type and the mapper consumes it; the poster does neither.
        assert bus.problems(topology.relied_on_by("ingestor")) == [problem]
        assert bus.problems(topology.relied_on_by("mapper")) == [problem]
        assert bus.problems(topology.relied_on_by("poster")) == []
    finally:
        bus.close()


def test_without_the_management_api_a_check_binds_again(
    rabbit: RabbitBus, rabbitmq_node: RabbitServer, broker_url: str, topology: Topology
) -> None:
    rabbit.publish([message("kept")])
    _unbind(rabbitmq_node, broker_url.rsplit("/", 1)[1])
    assert rabbit.problems(topology) == []
    rabbit.publish([message("m", exchange=EVENTS_EXCHANGE, routing_key=ACCEPTED)])
    assert rabbit.depth(WORK) == 2


def test_a_management_api_that_does_not_answer_is_an_error_not_a_clean_bill(
    broker_url: str, topology: Topology
) -> None:
    bus = RabbitBus(broker_url, management_url="http://127.0.0.1:9")
    try:
        bus.apply(topology)
        with pytest.raises(BusError):
            bus.problems(topology)
    finally:
        bus.close()


def test_a_user_without_rights_gets_problems_reported(
    rabbitmq_node: RabbitServer, broker_url: str, topology: Topology
) -> None:
    vhost = broker_url.rsplit("/", 1)[1]
    owner = RabbitBus(broker_url)
    owner.apply(topology)
    owner.close()
    rabbitmq_node.api("users/reader", "PUT", {"password": "reader", "tags": ""})
    rights = {"configure": "^$", "write": "^$", "read": ".*"}
    rabbitmq_node.api(f"permissions/{vhost}/reader", "PUT", rights)
    url = httpx.URL(broker_url).copy_with(userinfo=b"reader:reader")
    bus = RabbitBus(str(url))
    try:
        problems = bus.problems(replace(topology, bindings=(GONE,)))
        assert len(problems) == 1
        assert "access" in problems[0].lower()
    finally:
        bus.close()
        rabbitmq_node.api("users/reader", "DELETE")


def test_every_service_relies_on_its_own_lanes_and_its_subscribers() -> None:
    topology = build_topology((1, 2))
    relied_on = topology.relied_on_by("mapper")
    queues = {queue.name for queue in relied_on.queues}
    own = QUEUES["mapper"]
    assert {own.work, own.bulk, own.suspect, own.dead} <= queues
    assert {QUEUES["poster"].work, QUEUES["reconciler"].bulk} <= queues
    assert QUEUES["ingestor"].work not in queues
    assert {rung.queue for rung in topology.rungs} <= queues
