"""AMQP intake on the embedded bus, through the common consumer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hourbridge.common.bus.adapter import Delivery, Outgoing
from hourbridge.common.bus.consumer import Lane, LaneWorker
from hourbridge.common.bus.topology import Binding, Queue, Topology, build_topology
from hourbridge.common.clock import SystemClock
from hourbridge.common.messages.registry import INTAKE_EXCHANGE, REGISTRY, REJECTED_EXCHANGE
from hourbridge.common.store import objects
from hourbridge.ingestor.acceptor import Acceptor
from hourbridge.ingestor.amqp_events import AmqpIntake
from services.ingestor.tests.waiting import wait_until

pytestmark = pytest.mark.database
KEY = "time_entry.reported.v1"


def body(external_id: str = "te-1", **changes: Any) -> bytes:
    document = {
        "specversion": "1.0",
        "id": f"ev-{external_id}",
        "source": "bigtime",
        "type": f"hourbridge.{KEY}",
        "book": "acme",
        "time": "2026-03-02T10:00:00Z",
        "data": {
            "external_id": external_id,
            "staff_id": "ada",
            "work_date": "2026-03-02",
            "input": {"seconds": 3600},
        },
    }
    document.update(changes)
    return json.dumps(document).encode()


def delivery(content: bytes, tag: int = 1, **headers: str) -> Delivery:
    return Delivery(
        queue="ingestor.work.v1",
        tag=tag,
        body=content,
        exchange=INTAKE_EXCHANGE,
        routing_key=KEY,
        message_id=None,
        type=None,
        headers=headers,
        correlation_id=None,
        earlier_holders_lost=0,
    )


@pytest.fixture
def intake(clock: Any) -> AmqpIntake:
    return AmqpIntake(Acceptor(clock), clock=clock)


def handle(store: Any, intake: AmqpIntake, *deliveries: Delivery) -> list[Outgoing]:
    with store.transaction() as connection:
        return list(intake.handle(deliveries, connection))


def ids(messages: list[Outgoing]) -> set[str]:
    return {message.message_id for message in messages}


def test_a_redelivery_publishes_the_same_messages_again(store: Any, intake: AmqpIntake) -> None:
    batch = [
        delivery(body("1")),
        delivery(body("2")),
        delivery(b"{"),
        delivery(body("3", book="No!")),
    ]
    first = handle(store, intake, *batch)
    again = handle(store, intake, *batch)
    assert len(first) == 4
    assert ids(again) == ids(first)
    accepted = [m for m in first if m.exchange != REJECTED_EXCHANGE]
    again_accepted = [m for m in again if m.exchange != REJECTED_EXCHANGE]
    assert [m.body for m in again_accepted] == [m.body for m in accepted]


def test_a_redelivery_after_a_newer_revision_publishes_its_own_number_again(
    store: Any, intake: AmqpIntake
) -> None:
    """Else that number would never be covered, and no billing run could pass it."""
    first = handle(store, intake, delivery(body("1")))
    newer = json.loads(body("1", time="2026-03-02T11:00:00Z"))
    newer["data"]["notes"] = "corrected"
    handle(store, intake, delivery(json.dumps(newer).encode()))
    again = handle(store, intake, delivery(body("1")))
    assert [m.body for m in again] == [m.body for m in first]
    assert REGISTRY.decode(again[0].type, again[0].body).data.sequence == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "\ud800"},
        {"type": "hourbridge.\ud800"},
        {"type": "hourbridge.client.reported.v1", "data": {"external_parent_ids": {"\ud800": 1}}},
        {"correlationid": "\ud800"},
    ],
)
def test_text_that_nothing_can_hold_is_refused_in_words(
    store: Any, intake: AmqpIntake, changes: Any
) -> None:
    (answer,) = handle(store, intake, delivery(body("1", **changes)))
    codes = {reason.code for reason in REGISTRY.decode(answer.type, answer.body).data.reasons}
    assert answer.exchange == REJECTED_EXCHANGE
    assert "text_invalid" in codes


def test_refusals_are_answered_by_source_with_the_reason(store: Any, intake: AmqpIntake) -> None:
    answers = handle(
        store,
        intake,
        delivery(body("1", specversion="0.3"), **{"hb-source": "toggl"}),
        delivery(b"\xff"),
        delivery(body("2", source="https://example.com/not a name")),
        delivery(body("3", book=None)),
    )
    told = [
        (m.exchange, m.routing_key, REGISTRY.decode(m.type, m.body).data.reasons[0].code)
        for m in answers
    ]
    assert told == [
        (REJECTED_EXCHANGE, "toggl", "unsupported"),
        (REJECTED_EXCHANGE, "unknown", "envelope_unreadable"),
        (REJECTED_EXCHANGE, "unknown", "source_unknown"),
        (REJECTED_EXCHANGE, "bigtime", "missing"),
    ]


def test_a_reference_from_outside_is_refused_and_never_followed(
    store: Any, intake: AmqpIntake
) -> None:
    """Else an outsider could name any object: another book's documents, say."""
    record = json.loads(body("1"))["data"]
    with store.transaction() as connection:
        known = objects.put(connection, json.dumps(record).encode(), "application/json")
    by_reference = json.loads(body("1", dataref=known))
    del by_reference["data"]
    binary = {
        f"cloudEvents:{name}": str(by_reference[name])
        for name in ("specversion", "id", "source", "type", "book", "time", "dataref")
    }
    answers = handle(
        store,
        intake,
        delivery(json.dumps(by_reference).encode()),
        delivery(body("2", dataref=known)),
        delivery(json.dumps(record).encode(), **binary),
    )
    told = [REGISTRY.decode(m.type, m.body).data.reasons[0] for m in answers]
    assert {m.exchange for m in answers} == {REJECTED_EXCHANGE}
    assert [(reason.field, reason.code) for reason in told] == [
        ("dataref", "reference_not_accepted")
    ] * 3


def test_every_body_is_kept(store: Any, intake: AmqpIntake) -> None:
    from sqlalchemy import text

    handle(store, intake, delivery(body("1")), delivery(b"\x00\xff"), delivery(b""))
    with store.transaction() as connection:
        kept = connection.execute(
            text("SELECT outcome, body FROM received_payload ORDER BY size_bytes")
        ).all()
    assert [(row.outcome, bytes(row.body)) for row in kept] == [
        ("rejected", b""),
        ("rejected", b"\x00\xff"),
        ("accepted", body("1")),
    ]


def test_settings_restrict_who_may_report(store: Any, clock: Any) -> None:
    intake = AmqpIntake(Acceptor(clock), clock=clock, allowed=("acme/toggl", "other/*"))
    answers = handle(
        store,
        intake,
        delivery(body("1")),
        delivery(body("2"), **{"hb-source": "toggl"}),
        delivery(body("3", book="other")),
    )
    refused = [m for m in answers if m.exchange == REJECTED_EXCHANGE]
    assert len(answers) == 3
    assert len(refused) == 1
    assert REGISTRY.decode(refused[0].type, refused[0].body).data.event_id == "ev-1"


@pytest.fixture
def worker(store: Any, bus: Any, intake: AmqpIntake) -> Iterator[LaneWorker]:
    lane = Lane("ingestor.work.v1", intake, raw=True)
    started = LaneWorker(
        "ingestor", lane, bus=bus, store=store, topology=build_topology(), clock=SystemClock()
    )
    started.start()
    yield started
    started.stop(10)


def test_the_lane_takes_good_events_and_answers_bad_ones(
    store: Any, bus: Any, worker: LaneWorker
) -> None:
    answers = Queue("answers.v1", {"x-queue-type": "quorum"})
    bound = Binding(REJECTED_EXCHANGE, answers.name, "bigtime")
    bus.apply(Topology((), (answers,), (bound,), ()))
    bodies = [body(str(n)) for n in range(20)] + [body("bad", data={})] + [body("0")]
    bus.publish(
        [
            Outgoing(INTAKE_EXCHANGE, KEY, content, f"m-{n}", f"hourbridge.{KEY}")
            for n, content in enumerate(bodies)
        ]
    )
    wait_until(lambda: bus.depth("answers.v1") == 1 and bus.depth("mapper.work.v1") >= 20)
    wait_until(lambda: bus.depth("ingestor.work.v1") == 0)
    assert bus.depth("ingestor.dead.v1") == 0
    assert worker.is_alive()
