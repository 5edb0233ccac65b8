"""One battery for every adapter: what the platform relies on, by declared feature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hourbridge.common.bus.adapter import Bus, Feature
from hourbridge.common.bus.topology import (
    DELIVERY_LIMIT,
    QUEUES,
    UNROUTED_EXCHANGE,
    UNROUTED_QUEUE,
    Binding,
    Exchange,
    Queue,
    Topology,
)
from hourbridge.common.errors import (
    BusError,
    PayloadTooLarge,
    PublishOutcomeUnknown,
    PublishUnroutable,
    TopologyMismatch,
)
from hourbridge.common.messages.registry import EVENTS_EXCHANGE, INTAKE_EXCHANGE
from tests.integration.bus.helpers import (
    ACCEPTED,
    TO_RECONCILER,
    WORK,
    eventually,
    expect_empty,
    fetch_until,
    message,
    names,
)

Requires = Callable[[Feature], None]
RECONCILER = QUEUES["reconciler"].work


# --- topology ---------------------------------------------------------------------------------


def test_applying_the_topology_again_changes_nothing(bus: Bus, topology: Topology) -> None:
    bus.publish([message("kept")])
    bus.apply(topology)
    assert bus.problems(topology) == []
    assert bus.depth(WORK) == 1


def test_missing_objects_are_named(bus: Bus, topology: Topology) -> None:
    wanted = replace(
        topology,
        exchanges=(*topology.exchanges, Exchange("nobody.declared", "topic")),
        queues=(*topology.queues, Queue("nobody.declared.v1", {"x-queue-type": "quorum"})),
    )
    problems = bus.problems(wanted)
    assert len(problems) == 2
    assert "exchange nobody.declared" in problems[0]
    assert "queue nobody.declared.v1" in problems[1]


def test_other_arguments_are_refused_by_name(
    bus: Bus, topology: Topology, requires: Requires
) -> None:
    requires(Feature.ARGUMENT_CHECK)
    changed = [
        Queue(queue.name, {**queue.arguments, "x-delivery-limit": 7})
        if queue.name == WORK
        else queue
        for queue in topology.queues
    ]
    with pytest.raises(TopologyMismatch) as caught:
        bus.apply(replace(topology, queues=tuple(changed)))
    assert caught.value.ids["object"] == f"queue {WORK}"


# --- publishing -------------------------------------------------------------------------------


def test_a_message_arrives_as_it_was_published(bus: Bus) -> None:
    sent = replace(
        message("m1", body=b'{"hours":"1.50"}', headers={"book": "acme", "number": 7}),
        correlation_id="c1",
    )
    bus.publish([sent])
    (received,) = fetch_until(bus.subscribe(WORK, prefetch=10), 1)
    assert (received.body, received.message_id, received.type) == (sent.body, "m1", sent.type)
    assert {k: received.headers[k] for k in ("book", "number")} == {"book": "acme", "number": 7}
    assert repr(received.headers["number"]) == "7"
    assert (received.exchange, received.routing_key) == ("", WORK)
    assert (received.correlation_id, received.earlier_holders_lost) == ("c1", 0)
    assert received.content_type == sent.content_type


def test_every_subscriber_of_a_key_gets_its_copy(bus: Bus) -> None:
    bus.publish([message("m1", exchange=EVENTS_EXCHANGE, routing_key=ACCEPTED)])
    assert (bus.depth(WORK), bus.depth(RECONCILER)) == (1, 1)


def test_confirmed_means_in_the_queue(bus: Bus, requires: Requires) -> None:
    requires(Feature.CONFIRMS)
    bus.publish([message(f"m{n}") for n in range(2500)])
    assert bus.depth(WORK) == 2500


def test_nothing_to_publish_is_fine(bus: Bus) -> None:
    bus.publish([])
    assert bus.depth(WORK) == 0


def test_unroutable_messages_are_named_and_the_others_arrive(bus: Bus, requires: Requires) -> None:
    requires(Feature.MANDATORY)
    lost = message("lost", exchange=EVENTS_EXCHANGE, routing_key="nobody.listens.v1")
    with pytest.raises(PublishUnroutable) as caught:
        bus.publish([message("before"), lost, message("after")])
    assert caught.value.message_ids == {"lost"}
    assert bus.depth(WORK) == 2


def test_a_missing_exchange_is_unroutable_and_publishing_goes_on(
    bus: Bus, requires: Requires
) -> None:
    requires(Feature.MANDATORY)
    with pytest.raises(PublishUnroutable):
        bus.publish([message("lost", exchange="nobody.declared", routing_key="a")])
    bus.publish([message("next")])
    assert bus.depth(WORK) == 1


def test_alternate_exchange_keeps_what_nobody_wants(bus: Bus, requires: Requires) -> None:
    requires(Feature.ALTERNATE_EXCHANGE)
    bus.publish([message("odd", exchange=INTAKE_EXCHANGE, routing_key="nobody.listens.v1")])
    (kept,) = fetch_until(bus.subscribe(UNROUTED_QUEUE, prefetch=1), 1)
    assert (kept.exchange, kept.routing_key) == (INTAKE_EXCHANGE, "nobody.listens.v1")


def test_a_full_queue_refuses_instead_of_dropping(bus: Bus, requires: Requires) -> None:
    requires(Feature.LENGTH_LIMIT)
    arguments: dict[str, str | int | bool] = {
        "x-queue-type": "quorum",
        "x-max-length": 3,
        "x-overflow": "reject-publish",
    }
    bus.apply(Topology((), (Queue("small.v1", arguments),), (), ()))

    def is_refused() -> bool:
        try:
            bus.publish([message("m", routing_key="small.v1")], timeout_seconds=1)
        except PublishOutcomeUnknown:
            return True
        return False

    assert any(is_refused() for _ in range(20))  # a quorum queue notices a little late
    first = fetch_until(bus.subscribe("small.v1", prefetch=1), 1)
    assert names(first) == ["m"]
    bus.publish([message("elsewhere")])
    assert bus.depth(WORK) == 1


@pytest.mark.parametrize(
    "broken",
    [
        message("m", headers={"text": "x" * 200_000}),
        message("m", routing_key="k" * 256),
        message("i" * 256),
    ],
    ids=["headers", "routing-key", "message-id"],
)
def test_what_would_end_the_connection_is_refused_before(bus: Bus, broken: object) -> None:
    with pytest.raises(PayloadTooLarge):
        bus.publish([broken])  # type: ignore[list-item]
    bus.publish([message("fine", headers={"text": "x" * 20_000})])
    (received,) = fetch_until(bus.subscribe(WORK, prefetch=1), 1)
    assert len(str(received.headers["text"])) == 20_000


# --- consuming --------------------------------------------------------------------------------


def test_fetch_returns_what_is_there_in_order_and_no_more_than_asked(bus: Bus) -> None:
    bus.publish([message(f"m{n}") for n in range(25)])
    subscription = bus.subscribe(WORK, prefetch=100)
    first = fetch_until(subscription, 10)
    second = fetch_until(subscription, 15)
    assert names([*first, *second]) == [f"m{n}" for n in range(25)]


def test_fetch_from_an_empty_queue_returns_nothing(bus: Bus) -> None:
    subscription = bus.subscribe(WORK, prefetch=10)
    bus.publish([message("only")])
    subscription.acknowledge(fetch_until(subscription, 1))
    assert subscription.fetch(10, 0.05) == []


def test_lingering_fills_the_batch(bus: Bus) -> None:
    subscription = bus.subscribe(WORK, prefetch=100)
    bus.publish([message(f"m{n}") for n in range(40)])
    assert len(subscription.fetch(40, 10, linger_seconds=10)) == 40


def test_prefetch_bounds_what_is_unsettled(bus: Bus) -> None:
    bus.publish([message(f"m{n}") for n in range(10)])
    subscription = bus.subscribe(WORK, prefetch=4)
    held = fetch_until(subscription, 4)
    assert subscription.fetch(10, 0.2) == []
    subscription.acknowledge(held[:2])
    assert len(fetch_until(subscription, 2)) == 2


def test_acknowledged_messages_never_come_again(bus: Bus) -> None:
    bus.publish([message(f"m{n}") for n in range(9)])
    subscription = bus.subscribe(WORK, prefetch=100)
    deliveries = fetch_until(subscription, 9)
    subscription.acknowledge(deliveries[:3])  # a prefix: one frame
    subscription.acknowledge(deliveries[5:])  # not a prefix: one by one
    subscription.acknowledge(deliveries[5:])  # settled before: no effect
    subscription.close()
    again = fetch_until(bus.subscribe(WORK, prefetch=100), 2)
    assert names(again) == ["m3", "m4"]


def test_given_back_messages_return_to_just_their_queue(bus: Bus) -> None:
    bus.publish([message("m", exchange=EVENTS_EXCHANGE, routing_key=ACCEPTED)])
    subscription = bus.subscribe(WORK, prefetch=10)
    subscription.give_back(fetch_until(subscription, 1))
    (again,) = fetch_until(subscription, 1)
    assert again.message_id == "m"
    assert bus.depth(RECONCILER) == 1


def test_close_returns_what_is_unsettled_in_order(bus: Bus) -> None:
    bus.publish([message(f"m{n}") for n in range(5)])
    subscription = bus.subscribe(WORK, prefetch=10)
    deliveries = fetch_until(subscription, 5)
    subscription.acknowledge(deliveries[1:2])
    subscription.close()
    again = fetch_until(bus.subscribe(WORK, prefetch=10), 4)
    assert names(again) == ["m0", "m2", "m3", "m4"]


def test_stop_delivery_lets_what_is_in_hand_be_settled(bus: Bus) -> None:
    bus.publish([message("held")])
    subscription = bus.subscribe(WORK, prefetch=10)
    held = fetch_until(subscription, 1)
    subscription.stop_delivery()
    subscription.acknowledge(held)
    subscription.close()
    bus.publish([message("later")])
    assert names(fetch_until(bus.subscribe(WORK, prefetch=10), 1)) == ["later"]


def test_lost_holders_are_counted(bus: Bus, requires: Requires) -> None:
    requires(Feature.DELIVERY_COUNT)
    bus.publish([message("m")])
    counts = []
    for _ in range(3):
        subscription = bus.subscribe(WORK, prefetch=1)
        counts.append(fetch_until(subscription, 1)[0].earlier_holders_lost)
        subscription.close()
    assert counts == [0, 1, 2]


def test_the_delivery_limit_leads_to_the_dead_queue(bus: Bus, requires: Requires) -> None:
    requires(Feature.DELIVERY_LIMIT)
    requires(Feature.DEAD_LETTERING)
    bus.publish([message("killer"), message("good")])
    for _ in range(DELIVERY_LIMIT + 1):
        subscription = bus.subscribe(WORK, prefetch=1)
        assert names(fetch_until(subscription, 1)) == ["killer"]
        subscription.close()
    dead = fetch_until(bus.subscribe(QUEUES["mapper"].dead, prefetch=1), 1)
    assert names(dead) == ["killer"]
    assert dead[0].headers["x-first-death-queue"] == WORK
    assert names(fetch_until(bus.subscribe(WORK, prefetch=1), 1)) == ["good"]


def test_single_active_consumer(bus: Bus, requires: Requires) -> None:
    requires(Feature.SINGLE_ACTIVE_CONSUMER)
    queue = QUEUES["mapper"].suspect
    first = bus.subscribe(queue, prefetch=1)
    bus.publish([message("m0", routing_key=queue)])
    held = fetch_until(first, 1)
    second = bus.subscribe(queue, prefetch=1)
    bus.publish([message("m1", routing_key=queue)])
    assert second.fetch(1, 0.3) == []
    first.acknowledge(held)
    fetch_until(first, 1)
    first.close()
    assert names(fetch_until(second, 1)) == ["m1"]


# --- delay ------------------------------------------------------------------------------------


def test_a_rung_returns_to_just_the_named_queue(
    bus: Bus, topology: Topology, requires: Requires
) -> None:
    requires(Feature.DELAY)
    (rung,) = topology.rungs
    bus.publish([message("m", exchange=rung.exchange, routing_key=WORK, headers={"hb-attempt": 1})])
    assert bus.depth(WORK) == 0
    subscription = bus.subscribe(WORK, prefetch=1)
    (returned,) = fetch_until(subscription, 1)
    assert (returned.message_id, returned.headers["hb-attempt"]) == ("m", 1)
    assert (returned.exchange, returned.routing_key) == ("", WORK)
    for service in ("ingestor", "poster", "reconciler"):
        assert bus.depth(QUEUES[service].work) == 0
    subscription.acknowledge([returned])
    expect_empty(bus, rung.queue)


def test_a_message_may_go_round_a_rung_many_times(
    bus: Bus, topology: Topology, requires: Requires
) -> None:
    """Entered by publishing it is not the automatic cycle that RabbitMQ drops."""
    requires(Feature.DELAY)
    (rung,) = topology.rungs
    subscription = bus.subscribe(WORK, prefetch=1)
    bus.publish([message("m")])
    for attempt in range(1, 4):
        held = fetch_until(subscription, 1)
        again = message(
            "m", exchange=rung.exchange, routing_key=WORK, headers={"hb-attempt": attempt}
        )
        bus.publish([again])
        subscription.acknowledge(held)
    (last,) = fetch_until(subscription, 1)
    assert last.headers["hb-attempt"] == 3
    assert last.earlier_holders_lost == 0


def test_a_rung_keeps_what_it_cannot_return(
    bus: Bus, topology: Topology, requires: Requires
) -> None:
    requires(Feature.DELAY)
    (rung,) = topology.rungs
    bus.publish([message("homeless", exchange=rung.exchange, routing_key="nobody.declared.v1")])
    bus.publish([message("other", exchange=rung.exchange, routing_key=WORK)])
    assert names(fetch_until(bus.subscribe(WORK, prefetch=1), 1)) == ["other"]


# --- connections ------------------------------------------------------------------------------


def test_a_second_binding_of_the_same_queue_makes_no_second_copy(bus: Bus) -> None:
    extra = Binding(EVENTS_EXCHANGE, WORK, "#")
    bus.apply(Topology((), (), (extra,), ()))
    bus.publish([message("m", exchange=EVENTS_EXCHANGE, routing_key=ACCEPTED)])
    assert bus.depth(WORK) == 1


def test_a_closed_bus_says_so(bus: Bus) -> None:
    eventually(bus.is_connected, "connected")
    assert bus.is_alive()
    bus.close()
    assert not bus.is_connected()
    with pytest.raises(BusError):
        bus.publish([message("late")], timeout_seconds=1)


def test_unrouted_is_a_fanout(topology: Topology) -> None:
    """What the alternate exchange catches must not depend on its routing key."""
    assert Exchange(UNROUTED_EXCHANGE, "fanout") in topology.exchanges


def test_the_keys_used_here_have_the_subscribers_assumed(topology: Topology) -> None:
    bound = {key: set[str]() for key in (ACCEPTED, TO_RECONCILER)}
    for binding in topology.bindings:
        if binding.exchange == EVENTS_EXCHANGE and binding.routing_key in bound:
            bound[binding.routing_key].add(binding.queue)
    assert bound == {ACCEPTED: {WORK, RECONCILER}, TO_RECONCILER: {RECONCILER}}
