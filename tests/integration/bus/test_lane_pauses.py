"""The consumer of a lane, on both adapters: absent dependencies, and messages that kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from hourbridge.common.bus import flow
from hourbridge.common.bus import headers as h
from hourbridge.common.bus.adapter import Bus, Feature, Outgoing
from hourbridge.common.bus.consumer import Lane, with_suspect_lane
from hourbridge.common.bus.topology import Binding, Topology
from hourbridge.common.errors import (
    PublishOutcomeUnknown,
    StoreUnavailable,
    TransientFailure,
)
from hourbridge.common.messages.registry import BULK_EXCHANGE, EVENTS_EXCHANGE
from tests.integration.bus.helpers import (
    DOWNSTREAM,
    MAPPER,
    WORK,
    FakeStore,
    ScriptedHandler,
    Start,
    dead_letters,
    event_message,
    eventually,
    expect_empty,
    fetch_until,
    message,
    names,
    paused,
    to_events,
)

# --- something else fails ---------------------------------------------------------------------


def test_an_absent_database_pauses_the_lane_and_burns_no_attempts(
    bus: Bus, start: Start, store: FakeStore
) -> None:
    store.unavailable = StoreUnavailable("down")
    handler = ScriptedHandler()
    bus.publish([event_message(f"m{n}") for n in range(20)])
    start(handler)
    eventually(lambda: paused() == 1, "paused")
    bus.publish([event_message("late")])
    store.unavailable = None
    eventually(lambda: len(handler.handled) == 21, "all handled")
    assert {item.delivery.headers.get(h.ATTEMPT, 0) for item in handler.seen} == {0}
    eventually(lambda: paused() == 0, "resumed")
    assert bus.depth(MAPPER.dead) == 0
    assert handler.batches[0] == 1  # the probe


def test_a_message_that_alone_finds_a_dependency_away_holds_up_nobody(
    bus: Bus, start: Start
) -> None:
    def script(name: str) -> list[Outgoing]:
        if name == "m0":
            raise StoreUnavailable("so it says")
        return []

    handler = ScriptedHandler(script)
    bus.publish([event_message(f"m{n}") for n in range(6)])
    start(handler, attempts_max=1)
    eventually(lambda: set(handler.handled) == {f"m{n}" for n in range(1, 6)}, "others handled")
    bus.publish([event_message(f"later{n}") for n in range(6)])
    (dead,) = dead_letters(bus, 1)
    assert (dead.message_id, dead.headers[h.CAUSE]) == ("m0", "store_unavailable")


def test_an_output_without_a_queue_pauses_the_lane_and_is_never_dropped(
    bus: Bus, start: Start
) -> None:
    lost = message("out", exchange=EVENTS_EXCHANGE, routing_key="brand_new.happened.v1")
    bus.publish([event_message("m")])
    start(ScriptedHandler(lambda _name: [lost, to_events("fine")]))
    eventually(lambda: paused() == 1, "paused loudly")
    bus.apply(Topology((), (), (Binding(EVENTS_EXCHANGE, DOWNSTREAM.bulk, lost.routing_key),), ()))
    assert names(fetch_until(bus.subscribe(DOWNSTREAM.bulk, prefetch=5), 1)) == ["out"]
    eventually(lambda: paused() == 0, "resumed")
    assert bus.depth(DOWNSTREAM.work) == 1  # what had a queue was not published again


def test_an_unknown_publish_outcome_publishes_again_before_acknowledging(
    bus: Bus, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, failures = bus.publish, iter([True])

    def unreliable(messages: Sequence[Outgoing], *, timeout_seconds: float = 10) -> None:
        publish(messages, timeout_seconds=timeout_seconds)
        if messages[0].message_id == "out" and next(failures, False):
            raise PublishOutcomeUnknown("lost answer")

    monkeypatch.setattr(bus, "publish", unreliable)
    handler = ScriptedHandler(lambda _name: [to_events("out")])
    bus.publish([event_message("m")])
    start(handler)
    eventually(lambda: bus.depth(DOWNSTREAM.work) == 2, "published twice: consumers deduplicate")
    assert handler.handled == ["m"]
    expect_empty(bus, WORK)


def test_what_is_held_in_a_long_pause_is_renewed_uncharged(
    bus: Bus, start: Start, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "HOLD_SECONDS_MAX", 0.2)
    published: list[str] = []
    publish = bus.publish

    def recording(messages: Sequence[Outgoing], *, timeout_seconds: float = 10) -> None:
        published.extend(each.message_id for each in messages)
        publish(messages, timeout_seconds=timeout_seconds)

    bus.publish([event_message(f"m{n}") for n in range(10)])
    monkeypatch.setattr(bus, "publish", recording)
    store.unavailable = StoreUnavailable("down for long")
    handler = ScriptedHandler()
    start(handler)
    eventually(lambda: published.count("m3") >= 2, "renewed twice")
    store.unavailable = None
    eventually(lambda: set(handler.handled) == {f"m{n}" for n in range(10)}, "all handled")
    assert {item.delivery.earlier_holders_lost for item in handler.seen} == {0}


# --- messages whose holders died --------------------------------------------------------------


def lose_holders(bus: Bus, queue: str, times: int) -> None:
    for _ in range(times):
        subscription = bus.subscribe(queue, prefetch=1)
        fetch_until(subscription, 1)
        subscription.close()


def test_a_suspect_moves_to_its_own_lane_untouched(
    bus: Bus, start: Start, requires: Callable[[Feature], None]
) -> None:
    requires(Feature.DELIVERY_COUNT)
    handler = ScriptedHandler()
    bus.publish([event_message("suspect", book="acme")])
    lose_holders(bus, WORK, 2)
    bus.publish([event_message("good")])
    start(handler)
    (moved,) = fetch_until(bus.subscribe(MAPPER.suspect, prefetch=1), 1)
    assert (moved.message_id, moved.earlier_holders_lost) == ("suspect", 0)
    assert (moved.headers[h.QUEUE], moved.headers["book"]) == (WORK, "acme")
    eventually(lambda: handler.handled == ["good"], "only the good one was handled")


def test_a_suspect_that_is_harmless_is_handled_alone(
    bus: Bus, start: Start, requires: Callable[[Feature], None]
) -> None:
    requires(Feature.DELIVERY_COUNT)
    handler = ScriptedHandler(lambda _name: [to_events("out")])
    bus.publish([event_message("suspect", MAPPER.suspect, **{h.QUEUE: MAPPER.bulk})])
    work = Lane(WORK, handler)
    suspect = with_suspect_lane("mapper", [work])[1]
    start(handler, suspect.queue, batch_messages_max=suspect.batch_messages_max, prefetch=1)
    eventually(lambda: handler.handled == ["suspect"], "handled")
    eventually(lambda: bus.depth(DOWNSTREAM.bulk) == 1, f"on {BULK_EXCHANGE}, where it came from")


def test_a_suspect_that_loses_its_holders_again_is_dead(
    bus: Bus, start: Start, requires: Callable[[Feature], None]
) -> None:
    requires(Feature.DELIVERY_COUNT)
    handler = ScriptedHandler()
    bus.publish([event_message("killer", MAPPER.suspect, **{h.QUEUE: WORK})])
    lose_holders(bus, MAPPER.suspect, 2)
    start(handler, MAPPER.suspect, batch_messages_max=1, prefetch=1)
    (dead,) = dead_letters(bus, 1)
    assert (dead.headers[h.CAUSE], dead.headers[h.QUEUE]) == ("killed_its_holder", WORK)
    assert handler.handled == []


def test_a_retry_on_the_suspect_lane_comes_back_to_it(
    bus: Bus, start: Start, requires: Callable[[Feature], None]
) -> None:
    requires(Feature.DELAY)
    failures = iter([True])

    def script(_name: str) -> list[Outgoing]:
        if next(failures, False):
            raise TransientFailure("not now")
        return []

    handler = ScriptedHandler(script)
    bus.publish([event_message("m", MAPPER.suspect, **{h.QUEUE: WORK})])
    start(handler, MAPPER.suspect, batch_messages_max=1, prefetch=1)
    eventually(lambda: handler.handled == ["m"], "handled on the suspect lane")
    assert handler.seen[0].delivery.queue == MAPPER.suspect
