"""Large messages over both adapters: they travel by reference wherever a message may go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from hourbridge.common.bus.adapter import Bus, Outgoing
from hourbridge.common.bus.archiver import Archiver
from hourbridge.common.bus.consumer import LaneWorker, Received
from hourbridge.common.bus.dead import DeadLetters, Selection
from hourbridge.common.bus.topology import QUEUES
from hourbridge.common.errors import TransientFailure
from hourbridge.common.messages.events import BookConfigured
from hourbridge.common.messages.examples import Style, example
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.registry import BOOK_CONFIGURED, REGISTRY
from hourbridge.common.store import claim_check, objects
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from tests.integration.bus.helpers import (
    WORK,
    ScriptedHandler,
    event_message,
    eventually,
    expect_empty,
    fetch_until,
)

pytestmark = pytest.mark.database
TO_POSTER = QUEUES["poster"].work
LARGE = 3_000_000


@pytest.fixture
def store(database_for: Callable[..., str]) -> Iterator[Store]:
    made = Store(database_for("mapper"), "mapper")
    yield made
    made.close()


@pytest.fixture
def dead(bus: Bus, store: Store) -> Iterator[DeadLetters]:
    archiver = Archiver("mapper", bus=bus, store=store)
    archiver.start()
    yield DeadLetters(store, bus)
    archiver.stop(20)


def configured(name: str, characters: int = LARGE) -> Outgoing:
    """Return an event with ``characters`` of explanation in its data."""
    document = example(REGISTRY.get(BOOK_CONFIGURED), Style.MINIMAL)["data"]
    data = BookConfigured.model_validate({**document, "note": "x" * characters})
    instant = datetime(2026, 3, 2, tzinfo=UTC)
    event = new_event(
        BOOK_CONFIGURED, data, book="acme", source="test", id=name, subject="acme", time=instant
    )
    return outgoing(event)


class Noting:
    """Notes what it read; ``failures`` are raised first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.read: list[tuple[str, int]] = []
        self.batches: list[int] = []

    def handle(self, received: Sequence[Received], _connection: Any) -> list[Outgoing]:
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(len(received))
        self.read += [(each.event.id, len(each.event.data.note)) for each in received]
        return []


def objects_stored(store: Store) -> int:
    with store.transaction() as connection:
        return int(connection.execute(text("SELECT count(*) FROM objects.object")).scalar_one())


def reference_to(store: Store, name: str, queue: str = WORK) -> Outgoing:
    """Return, for a queue, the message that a service would publish for a large event."""
    with store.transaction() as connection:
        (travelling,) = claim_check.check_in(connection, [configured(name)])
    assert len(travelling.body) < 2000
    return replace(travelling, exchange="", routing_key=queue)


def test_what_a_handler_returns_travels_by_reference_and_arrives_whole(
    bus: Bus, store: Store, start: Callable[..., LaneWorker]
) -> None:
    start(ScriptedHandler(lambda name: [configured(name), configured(f"{name}-small", 5)]))
    bus.publish([event_message("m1")])
    large, small = fetch_until(bus.subscribe(TO_POSTER, prefetch=10), 2)
    assert (large.message_id, large.type, large.headers["book"]) == ("m1", BOOK_CONFIGURED, "acme")
    envelope = json.loads(large.body)
    assert "data" not in envelope
    assert (envelope["id"], envelope["subject"], envelope["book"]) == ("m1", "acme", "acme")
    assert "data" in json.loads(small.body)
    noting = Noting()
    start(noting, QUEUES["mapper"].bulk)
    copies = [(each.body, each.message_id or "", each.type or "") for each in (large, small)]
    bus.publish([Outgoing("", QUEUES["mapper"].bulk, *copy) for copy in copies])
    eventually(lambda: len(noting.read) == 2, "both are read")
    assert sorted(noting.read) == [("m1", LARGE), ("m1-small", 5)]


def test_a_rolled_back_batch_leaves_no_object(
    bus: Bus, store: Store, start: Callable[..., LaneWorker], dead: DeadLetters
) -> None:
    unpublishable = Outgoing("", "k" * 300, b"{}", "long", "t")
    start(ScriptedHandler(lambda name: [configured(name), unpublishable]), attempts_max=1)
    bus.publish([event_message("m1")])
    eventually(dead.find, "the message is dead")
    assert dead.causes() == {"payload_too_large": 1}
    assert objects_stored(store) == 0


def test_the_outbox_keeps_and_publishes_references(bus: Bus, store: Store) -> None:
    outbox = Outbox(store, bus)
    with store.transaction() as connection:
        outbox.add(connection, [configured("m1"), configured("m2", 5)])
        kept = connection.execute(text("SELECT max(length(body)) FROM outbox")).scalar_one()
    assert kept < 10_000  # the small body, and a reference instead of the large one
    assert outbox.flush() == 2
    large, _small = fetch_until(bus.subscribe(TO_POSTER, prefetch=10), 2)
    assert "dataref" in json.loads(large.body)


def test_large_messages_of_a_batch_are_handled_one_by_one(
    bus: Bus, store: Store, start: Callable[..., LaneWorker]
) -> None:
    messages = [reference_to(store, f"large-{n}") for n in range(3)]
    small = configured("small", 5)
    bus.publish([*messages, Outgoing("", WORK, small.body, "small", small.type)])
    noting = Noting()
    start(noting)
    eventually(lambda: len(noting.read) == 4, "all are read")
    assert noting.batches == [1, 1, 1, 1]
    expect_empty(bus, WORK)


def test_a_retried_message_finds_its_data_again(
    bus: Bus, store: Store, start: Callable[..., LaneWorker]
) -> None:
    noting = Noting(TransientFailure("not yet"))
    start(noting)
    bus.publish([reference_to(store, "m1")])
    eventually(lambda: noting.read, "it is read after a rung")
    assert noting.read == [("m1", LARGE)]


def test_a_dead_letter_shows_its_data_and_is_replayed_by_reference(
    bus: Bus, store: Store, start: Callable[..., LaneWorker], dead: DeadLetters
) -> None:
    noting = Noting(TransientFailure("for good"))
    start(noting, attempts_max=1)
    bus.publish([reference_to(store, "m1")])
    (found,) = eventually(dead.find, "it is dead")
    assert len(json.loads(dead.show(found["id"])["body"])["data"]["note"]) == LARGE
    dead.replay(Selection(ids=[found["id"]]), actor="ann")
    eventually(lambda: noting.read, "it is read after the replay")
    assert noting.read == [("m1", LARGE)]


def test_missing_data_is_retried_then_dead_with_the_reference_and_comes_back(
    bus: Bus, store: Store, start: Callable[..., LaneWorker], dead: DeadLetters
) -> None:
    travelling = reference_to(store, "m1")
    reference = json.loads(travelling.body)["dataref"]
    with store.transaction() as connection:
        data = objects.get(connection, reference)
    _delete_objects(store)
    noting = Noting()
    start(noting, attempts_max=2)
    bus.publish([travelling])
    (found,) = eventually(dead.find, "it is dead")
    assert (found["cause"], found["attempts"]) == ("dataref_missing", 2)
    assert reference in found["error_text"]
    assert json.loads(dead.show(found["id"])["body"])["dataref"] == reference
    with store.transaction() as connection:
        objects.put(connection, data, "application/json")
    dead.replay(Selection(cause="dataref_missing"), actor="ann")
    eventually(lambda: noting.read, "it is read once the object is back")
    assert noting.read == [("m1", LARGE)]


def _delete_objects(store: Store) -> None:
    """Lose every object, as a restored database would; services themselves may not."""
    with store.transaction() as connection:
        connection.execute(text("RESET ROLE"))
        connection.execute(text("DELETE FROM objects.object"))


def test_data_that_breaks_its_schema_is_dead_with_field_exact_reasons(
    bus: Bus, store: Store, start: Callable[..., LaneWorker], dead: DeadLetters
) -> None:
    with store.transaction() as connection:
        reference = objects.put(connection, b'{"version":"one"}', "application/json")
    envelope = {**json.loads(configured("m1", 1).body), "dataref": reference}
    del envelope["data"]
    start(Noting())
    bus.publish([Outgoing("", WORK, json.dumps(envelope).encode(), "m1", BOOK_CONFIGURED)])
    (found,) = eventually(dead.find, "it is dead")
    assert found["cause"] == "message_invalid"
    assert "data.version: int_parsing" in found["error_text"]


def test_a_raw_lane_never_follows_a_reference(
    bus: Bus, store: Store, start: Callable[..., LaneWorker]
) -> None:
    handler = ScriptedHandler()
    start(handler, raw=True)
    travelling = reference_to(store, "m1")
    bus.publish([travelling])
    eventually(lambda: handler.seen, "it reached the handler")
    assert handler.seen[0].body == travelling.body
    from_outside = DeadLetters(store, bus, from_outside=True)
    with store.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO dead_message (queue, exchange, routing_key, headers, body, "
                "content_key, cause, error_text, attempts) "
                "VALUES ('q', '', 'q', '{}', :body, 'k', 'c', 'e', 1)"
            ),
            {"body": travelling.body},
        )
    (found,) = from_outside.find()
    assert bytes(from_outside.show(found["id"])["body"]) == travelling.body
