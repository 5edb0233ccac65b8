"""Dead letters in the table: archived once, listed, replayed, edited, discarded, audited."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from hourbridge.common.bus import headers as h
from hourbridge.common.bus.adapter import Bus, Outgoing
from hourbridge.common.bus.archiver import Archiver
from hourbridge.common.bus.consumer import Lane, LaneWorker
from hourbridge.common.bus.dead import DeadLetterMissing, DeadLetters, DecisionInvalid, Selection
from hourbridge.common.bus.dead_routes import dead_routes
from hourbridge.common.bus.topology import DELIVERY_LIMIT, QUEUES, Topology
from hourbridge.common.clock import SystemClock
from hourbridge.common.errors import BusError, MessageInvalid
from hourbridge.common.faults import arm
from hourbridge.common.runtime.admin import parse_tokens
from hourbridge.common.runtime.http import build_application
from hourbridge.common.store.engine import Store
from tests.integration.bus.helpers import (
    WORK,
    ScriptedHandler,
    event_message,
    eventually,
    expect_empty,
    fetch_until,
    message,
)

pytestmark = pytest.mark.database
MAPPER = QUEUES["mapper"]


@pytest.fixture
def store(database_for: Callable[..., str]) -> Iterator[Store]:
    made = Store(database_for("mapper"), "mapper")
    yield made
    made.close()


@pytest.fixture
def archiver(bus: Bus, store: Store) -> Iterator[Archiver]:
    made = Archiver("mapper", bus=bus, store=store)
    made.start()
    yield made
    made.stop(20)


@pytest.fixture
def dead(bus: Bus, store: Store, archiver: Archiver) -> DeadLetters:
    return DeadLetters(store, bus)


def dead_message(
    name: str, cause: str = "message_invalid", headers: dict[str, str | int] | None = None
) -> Outgoing:
    own: dict[str, str | int] = {
        h.CAUSE: cause,
        h.ERROR_CODE: cause,
        h.ERROR_TEXT: "why",
        h.ATTEMPT: 3,
        h.FIRST_FAILED_AT: "2026-03-02T10:00:00Z",
        h.QUEUE: WORK,
        h.EXCHANGE: "hourbridge.events",
        h.ROUTING_KEY: "time_entry.accepted.v1",
        "book": "acme",
    }
    return message(
        name, routing_key=MAPPER.dead, body=name.encode(), headers={**own, **(headers or {})}
    )


def archive(bus: Bus, dead: DeadLetters, *messages: Outgoing) -> list[dict[str, Any]]:
    """Publish to the dead queue and return the open dead letters."""
    wanted = len(dead.find(messages_max=1000)) + len(messages)
    bus.publish(list(messages))
    eventually(lambda: len(dead.find(messages_max=1000)) == wanted, "archived")
    return dead.find(messages_max=1000)


def audit_entries(store: Store) -> list[Any]:
    with store.transaction() as connection:
        return list(
            connection.execute(text("SELECT actor, action, subject FROM audit ORDER BY id"))
        )


# --- archiving --------------------------------------------------------------------------------


def test_everything_about_it_is_kept(bus: Bus, dead: DeadLetters) -> None:
    (row,) = archive(bus, dead, dead_message("m"))
    expected = {
        "queue": WORK,
        "message_id": "m",
        "cause": "message_invalid",
        "error_text": "why",
        "attempts": 3,
        "book": "acme",
        "state": "dead",
    }
    assert {name: row[name] for name in expected} == expected
    full = dead.show(row["id"])
    assert (bytes(full["body"]), full["exchange"]) == (b"m", "hourbridge.events")
    assert full["routing_key"] == "time_entry.accepted.v1"
    assert full["first_failed_at"].isoformat() == "2026-03-02T10:00:00+00:00"
    expect_empty(bus, MAPPER.dead)


def test_the_same_dead_letter_twice_is_one_row(bus: Bus, dead: DeadLetters) -> None:
    archive(bus, dead, dead_message("m"))
    bus.publish([dead_message("m"), dead_message("m"), dead_message("other")])
    eventually(lambda: len(dead.find()) >= 2, "archived")
    expect_empty(bus, MAPPER.dead)
    assert [row["message_id"] for row in dead.find()] == ["m", "other"]


def test_what_the_broker_gave_up_has_the_cause_delivery_limit(bus: Bus, dead: DeadLetters) -> None:
    bus.publish([event_message("killer", MAPPER.bulk)])
    for _ in range(DELIVERY_LIMIT + 1):
        subscription = bus.subscribe(MAPPER.bulk, prefetch=1)
        fetch_until(subscription, 1)
        subscription.close()
    (row,) = eventually(dead.find, "archived")
    assert (row["cause"], row["queue"]) == ("delivery_limit", MAPPER.bulk)


@pytest.mark.parametrize(
    "hostile",
    [
        {h.FIRST_FAILED_AT: "yesterday, perhaps"},
        {h.QUEUE: "poster.work.v1"},
        {h.ATTEMPT: "many"},
        {"nul": "a\x00b"},
    ],
    ids=["no-instant", "other-services-queue", "no-number", "nul"],
)
def test_foreign_headers_cannot_stop_the_archiver_or_steer_a_replay(
    bus: Bus, dead: DeadLetters, hostile: dict[str, str | int]
) -> None:
    (row,) = archive(bus, dead, dead_message("m", headers=hostile))
    assert row["queue"] == WORK


# --- replay -----------------------------------------------------------------------------------


def test_replay_sends_it_to_its_queue_as_if_it_had_never_failed(
    bus: Bus, dead: DeadLetters
) -> None:
    (row,) = archive(bus, dead, dead_message("m"))
    assert dead.replay(Selection(ids=[row["id"]]), actor="ann") == {
        "replayed": [row["id"]],
        "unchanged": [],
    }
    (replayed,) = fetch_until(bus.subscribe(WORK, prefetch=5), 1)
    assert (replayed.message_id, replayed.body) == ("m", b"m")
    assert h.ATTEMPT_HEADERS.isdisjoint(replayed.headers)
    assert replayed.headers[h.REPLAY] == str(row["id"])
    assert replayed.headers["book"] == "acme"
    assert h.as_first_published(replayed).routing_key == "time_entry.accepted.v1"
    assert dead.find() == []
    assert dead.find(state="replayed")[0]["decided_by"] == "ann"


def test_a_second_replay_has_no_effect_but_a_record(
    bus: Bus, dead: DeadLetters, store: Store
) -> None:
    (row,) = archive(bus, dead, dead_message("m"))
    dead.replay(Selection(ids=[row["id"]]), actor="ann")
    again = dead.replay(Selection(ids=[row["id"]]), actor="bob")
    assert again == {"replayed": [], "unchanged": [row["id"]]}
    assert bus.depth(WORK) == 1
    subject = f"dead:{row['id']}"
    assert audit_entries(store) == [
        ("ann", "dead.replayed", subject),
        ("bob", "dead.replayed_without_effect", subject),
    ]


def test_an_edited_replay_keeps_both_bodies(bus: Bus, dead: DeadLetters) -> None:
    (row,) = archive(bus, dead, dead_message("m"))
    dead.replay(Selection(ids=[row["id"]]), actor="ann", body=b"corrected")
    (replayed,) = fetch_until(bus.subscribe(WORK, prefetch=5), 1)
    assert replayed.body == b"corrected"
    full = dead.show(row["id"])
    assert (bytes(full["body"]), bytes(full["edited_body"])) == (b"m", b"corrected")


def test_replay_by_cause_leaves_other_causes_alone(bus: Bus, dead: DeadLetters) -> None:
    many = [dead_message(f"m{n}", "message_type_unknown") for n in range(450)]
    archive(bus, dead, *many, dead_message("other"))
    assert dead.causes() == {"message_invalid": 1, "message_type_unknown": 450}
    result = dead.replay(Selection(cause="message_type_unknown"), actor="ann")
    assert len(result["replayed"]) == 450
    assert bus.depth(WORK) == 450
    assert dead.causes() == {"message_invalid": 1}


def test_what_dies_again_after_a_replay_is_a_new_dead_letter(bus: Bus, dead: DeadLetters) -> None:
    (row,) = archive(bus, dead, dead_message("m"))
    dead.replay(Selection(ids=[row["id"]]), actor="ann")
    (again,) = archive(bus, dead, dead_message("m", headers={h.REPLAY: str(row["id"])}))
    assert again["id"] != row["id"]


def test_a_crash_between_publishing_and_marking_leaves_it_open(bus: Bus, dead: DeadLetters) -> None:
    (row,) = archive(bus, dead, dead_message("m"))
    arm("dead.after_replay=raise")
    try:
        with pytest.raises(Exception, match="fault injected"):
            dead.replay(Selection(ids=[row["id"]]), actor="ann")
    finally:
        arm("")
    assert [each["id"] for each in dead.find()] == [row["id"]]
    assert bus.depth(WORK) == 1  # a second replay duplicates it, which consumers absorb


def test_a_failed_publish_leaves_it_open(
    bus: Bus, dead: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = archive(bus, dead, dead_message("m"))

    def fails(_messages: Sequence[Outgoing], *, timeout_seconds: float = 10) -> None:
        raise BusError("away")

    with monkeypatch.context() as patch:
        patch.setattr(bus, "publish", fails)
        with pytest.raises(BusError):
            dead.replay(Selection(ids=[row["id"]]), actor="ann")
    assert [each["id"] for each in dead.find()] == [row["id"]]


def test_from_poison_to_handled_through_a_replay_after_the_fix(
    bus: Bus, dead: DeadLetters, store: Store, topology: Topology
) -> None:
    is_fixed = False

    def script(_name: str) -> list[Outgoing]:
        if not is_fixed:
            raise MessageInvalid("a bug of ours")
        return []

    handler = ScriptedHandler(script)
    worker = LaneWorker(
        "mapper", Lane(WORK, handler), bus=bus, store=store, topology=topology, clock=SystemClock()
    )
    worker.start()
    try:
        bus.publish([event_message("m")])
        (row,) = eventually(dead.find, "archived")
        is_fixed = True
        dead.replay(Selection(cause=row["cause"]), actor="ann")
        eventually(lambda: handler.handled == ["m"], "handled after the fix")
    finally:
        worker.stop(20)
    assert dead.find() == []


# --- discard ----------------------------------------------------------------------------------


def test_a_discard_needs_a_reason_and_is_final(bus: Bus, dead: DeadLetters) -> None:
    (row,) = archive(bus, dead, dead_message("m"))
    selection = Selection(ids=[row["id"]])
    with pytest.raises(DecisionInvalid):
        dead.discard(selection, actor="ann", reason="  ")
    dead.discard(selection, actor="ann", reason="sent twice by the tracker")
    assert dead.show(row["id"])["decision_note"] == "sent twice by the tracker"
    assert dead.replay(selection, actor="bob")["unchanged"] == [row["id"]]
    assert bus.depth(WORK) == 0


def test_decisions_must_name_what_they_are_about(dead: DeadLetters) -> None:
    for wrong in ({}, {"ids": [1], "cause": "defect"}):
        with pytest.raises(DecisionInvalid):
            Selection(**wrong)  # type: ignore[arg-type]
    with pytest.raises(DecisionInvalid):
        dead.replay(Selection(cause="defect"), actor="ann", body=b"same for all?")
    with pytest.raises(DeadLetterMissing):
        dead.show(999)


# --- HTTP -------------------------------------------------------------------------------------


@pytest.fixture
def client(dead: DeadLetters) -> Iterator[TestClient]:
    application = build_application(
        dead_routes(dead),
        liveness=list,
        readiness=list,
        actors=parse_tokens({"t-op": "ann:operator", "t-view": "vera:viewer"}),
    )
    with contextlib.closing(TestClient(application)) as made:
        yield made


def test_the_routes(bus: Bus, dead: DeadLetters, client: TestClient) -> None:
    rows = archive(bus, dead, dead_message("a"), dead_message("b"), dead_message("c"))
    first, second, third = (row["id"] for row in rows)
    client.headers["Authorization"] = "Bearer t-op"
    listed = client.get("/v1/dead", params={"cause": "message_invalid", "limit": 2}).json()
    assert [row["id"] for row in listed["dead"]] == [first, second]
    assert listed["causes"] == {"message_invalid": 3}
    assert client.get(f"/v1/dead/{first}").json()["body"] == "a"
    answer = client.post("/v1/dead/replay", json={"ids": [first], "body": "fixed"})
    assert answer.json() == {"replayed": [first], "unchanged": []}
    answer = client.post("/v1/dead/discard", json={"ids": [second], "reason": "old"})
    assert answer.json() == {"discarded": [second], "unchanged": []}
    assert [row["id"] for row in client.get("/v1/dead").json()["dead"]] == [third]


@pytest.mark.parametrize(
    ("method", "path", "content", "token", "status"),
    [
        ("GET", "/v1/dead", None, None, 401),
        ("POST", "/v1/dead/replay", {"ids": [1]}, "t-view", 403),
        ("GET", "/v1/dead/999", None, "t-view", 404),
        ("GET", "/v1/dead?limit=all", None, "t-view", 422),
        ("POST", "/v1/dead/replay", {}, "t-op", 422),
        ("POST", "/v1/dead/replay", {"ids": ["x"]}, "t-op", 422),
        ("POST", "/v1/dead/discard", {"ids": [1], "reason": ""}, "t-op", 422),
        ("POST", "/v1/dead/discard", {"ids": [1], "because": "typo"}, "t-op", 422),
    ],
)
def test_refusals(
    client: TestClient, method: str, path: str, content: Any, token: str | None, status: int
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = client.request(method, path, json=content, headers=headers)
    assert answer.status_code == status, answer.text


def test_a_body_that_is_not_text_is_shown_in_base64(
    bus: Bus, dead: DeadLetters, client: TestClient
) -> None:
    bus.publish([message("m", routing_key=MAPPER.dead, body=b"\xff\x00", headers={h.CAUSE: "x"})])
    (row,) = eventually(dead.find, "archived")
    shown = client.get(f"/v1/dead/{row['id']}", headers={"Authorization": "Bearer t-view"}).json()
    assert shown["body_base64"] == "/wA="
