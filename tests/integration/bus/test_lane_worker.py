"""The consumer of a lane, on both adapters: what becomes of messages that fail."""

from __future__ import annotations

import threading

import pytest

from hourbridge.common.bus import headers as h
from hourbridge.common.bus.adapter import Bus, Outgoing
from hourbridge.common.errors import (
    MessageInvalid,
    TransientFailure,
)
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
    to_events,
)

# --- the way that works -----------------------------------------------------------------------


def test_a_batch_is_one_transaction_and_its_outputs_follow(
    bus: Bus, start: Start, store: FakeStore
) -> None:
    handler = ScriptedHandler(lambda name: [to_events(f"out-{name}")])
    bus.publish([event_message(f"m{n}") for n in range(100)])
    start(handler, linger_seconds=0.5)
    eventually(lambda: len(handler.handled) == 100, "handled")
    eventually(lambda: bus.depth(DOWNSTREAM.work) == 100, "published")
    assert store.commits == len(handler.batches) < 100
    assert handler.seen[0].event.data.source == "m0"


def test_outputs_of_the_bulk_lane_stay_on_bulk_lanes(bus: Bus, start: Start) -> None:
    handler = ScriptedHandler(
        lambda _name: [
            to_events("out"),
            message("direct", routing_key=DOWNSTREAM.work),
        ]
    )
    bus.publish([event_message("m", MAPPER.bulk)])
    start(handler, MAPPER.bulk)
    eventually(lambda: bus.depth(DOWNSTREAM.bulk) == 1, "on the bulk lane")
    (direct,) = fetch_until(bus.subscribe(DOWNSTREAM.work, prefetch=5), 1)
    assert direct.message_id == "direct"


def test_traceparent_goes_along(bus: Bus, start: Start) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    bus.publish([event_message("m", traceparent=parent)])
    start(ScriptedHandler(lambda _name: [to_events("out")]))
    (out,) = fetch_until(bus.subscribe(DOWNSTREAM.work, prefetch=5), 1)
    assert out.headers["traceparent"] == parent


def test_a_raw_lane_hands_over_what_came(bus: Bus, start: Start) -> None:
    handler = ScriptedHandler()
    bus.publish([message("junk", body=b"\xff\x00 not json")])
    start(handler, raw=True)
    eventually(lambda: handler.handled == ["junk"], "handled")
    assert handler.seen[0].body == b"\xff\x00 not json"


def test_stop_finishes_the_batch_and_leaves_nothing_half_done(
    bus: Bus, start: Start, store: FakeStore
) -> None:
    entered, may_go_on = threading.Event(), threading.Event()

    def slow(name: str) -> list[Outgoing]:
        entered.set()
        may_go_on.wait(20)
        return [to_events(f"out-{name}")]

    handler = ScriptedHandler(slow)
    bus.publish([event_message(f"m{n}") for n in range(3)])
    worker = start(handler, batch_messages_max=1)
    assert entered.wait(20)
    stopper = threading.Thread(target=worker.stop, args=(20,))
    stopper.start()
    may_go_on.set()
    stopper.join(30)
    assert not worker.is_alive()
    handled = len(handler.handled)
    assert handled >= 1
    assert bus.depth(DOWNSTREAM.work) == handled == store.commits
    eventually(lambda: bus.depth(WORK) == 3 - handled, "the rest is back")


# --- one message fails ------------------------------------------------------------------------


def test_the_poison_stands_alone_and_its_neighbours_go_through(bus: Bus, start: Start) -> None:
    def script(name: str) -> list[Outgoing]:
        if name == "m500":
            raise MessageInvalid("never possible", [{"field": "a", "code": "b", "detail": "c"}])
        return [to_events(f"out-{name}")]

    handler = ScriptedHandler(script)
    bus.publish([event_message(f"m{n}") for n in range(1001)])
    start(handler)
    (dead,) = dead_letters(bus, 1)
    assert dead.message_id == "m500"
    assert dead.headers[h.CAUSE] == dead.headers[h.ERROR_CODE] == "message_invalid"
    assert dead.headers[h.ERROR_TEXT] == "a: b: c"
    assert (dead.headers[h.QUEUE], dead.headers[h.ATTEMPT]) == (WORK, 1)
    eventually(lambda: bus.depth(DOWNSTREAM.work) == 1000, "all others went through")
    expect_empty(bus, WORK)


def test_a_passing_failure_is_retried_after_a_delay(bus: Bus, start: Start) -> None:
    failures = iter([True, True])

    def script(_name: str) -> list[Outgoing]:
        if next(failures, False):
            raise TransientFailure("not now")
        return [to_events("out")]

    handler = ScriptedHandler(script)
    bus.publish([event_message("m")])
    start(handler)
    eventually(lambda: handler.handled == ["m"], "handled at the third attempt")
    delivery = handler.seen[0].delivery
    assert delivery.headers[h.ATTEMPT] == 2
    assert delivery.headers[h.ERROR_CODE] == "transient_failure"
    assert delivery.earlier_holders_lost == 0


def test_attempts_used_up_mean_dead_with_the_last_reason(bus: Bus, start: Start) -> None:
    def script(_name: str) -> list[Outgoing]:
        raise TransientFailure("x" * 5000)

    bus.publish([event_message("m")])
    start(ScriptedHandler(script), attempts_max=2)
    (dead,) = dead_letters(bus, 1)
    assert dead.headers[h.ATTEMPT] == 2
    assert dead.headers[h.CAUSE] == "transient_failure"
    assert len(str(dead.headers[h.ERROR_TEXT])) == h.ERROR_TEXT_CHARACTERS_MAX


def test_an_unforeseen_exception_is_a_defect(bus: Bus, start: Start) -> None:
    def script(_name: str) -> list[Outgoing]:
        raise ZeroDivisionError("oops")

    bus.publish([event_message("m")])
    start(ScriptedHandler(script), attempts_max=1)
    (dead,) = dead_letters(bus, 1)
    assert dead.headers[h.CAUSE] == "defect"
    assert "ZeroDivisionError: oops at script:" in str(dead.headers[h.ERROR_TEXT])


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        (message("m"), "message_type_unknown"),
        (
            Outgoing("", WORK, event_message("m").body[:-1], "m", event_message("m").type),
            "message_invalid",
        ),
        (Outgoing("", WORK, b"\xff\xfe", "m", event_message("m").type), "message_invalid"),
        (Outgoing("", WORK, b"{}", "", ""), "message_type_unknown"),
    ],
    ids=["unknown-type", "cut-off", "not-text", "no-type"],
)
def test_what_cannot_be_decoded_is_dead_at_once(
    bus: Bus, start: Start, broken: Outgoing, cause: str
) -> None:
    handler = ScriptedHandler()
    bus.publish([broken, event_message("good")])
    start(handler)
    (dead,) = dead_letters(bus, 1)
    assert (dead.headers[h.CAUSE], dead.body) == (cause, broken.body)
    eventually(lambda: handler.handled == ["good"], "the good one is handled")


def test_an_output_too_large_is_the_fault_of_its_message(bus: Bus, start: Start) -> None:
    def script(name: str) -> list[Outgoing]:
        headers: dict[str, str | int] = {"text": "x" * 200_000} if name == "huge" else {}
        return [message(f"out-{name}", routing_key=DOWNSTREAM.work, headers=headers)]

    bus.publish([event_message("a"), event_message("huge"), event_message("b")])
    start(ScriptedHandler(script))
    (dead,) = dead_letters(bus, 1)
    assert (dead.message_id, dead.headers[h.CAUSE]) == ("huge", "payload_too_large")
    eventually(lambda: bus.depth(DOWNSTREAM.work) == 2, "the others went through")


def test_the_brokers_own_headers_are_never_copied(bus: Bus, start: Start) -> None:
    def script(_name: str) -> list[Outgoing]:
        raise MessageInvalid("no")

    foreign: dict[str, str | int] = {"x-first-death-queue": "elsewhere", "x-mine": 1}
    sent = event_message("m", WORK, book="acme", **foreign)
    bus.publish([sent])
    start(ScriptedHandler(script))
    (dead,) = dead_letters(bus, 1)
    assert [
        name for name in dead.headers if name.startswith("x-") and name != "x-delivery-count"
    ] == []
    assert dead.headers["book"] == "acme"
