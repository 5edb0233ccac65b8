"""The flood gate: one book's flood is bounded, a quiet book passes, nothing is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hourbridge.common.bus.adapter import Delivery, Outgoing
from hourbridge.common.bus.consumer import Lane, LaneWorker
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.clock import SystemClock
from hourbridge.common.errors import BusError
from hourbridge.common.messages.registry import INTAKE_EXCHANGE, REGISTRY
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor.acceptor import Acceptor
from hourbridge.ingestor.amqp_events import AmqpIntake
from hourbridge.ingestor.amqp_holding import Holding
from hourbridge.ingestor.flood_gate import FloodGate, FloodGates, make_gates
from hourbridge.ingestor.imports import job as job_module
from hourbridge.ingestor.imports.importer import Importer
from hourbridge.ingestor.settings import IngestorSettings
from hourbridge.ingestor.wiring import build
from services.ingestor.tests.imports.files import options
from services.ingestor.tests.test_amqp_events import KEY, body, delivery
from services.ingestor.tests.waiting import wait_until

RUNGS = build_topology((1, 2)).rungs


def gate(clock: Any, *, backlog_max: int = 100, events_per_second: int = 20) -> FloodGate:
    return FloodGate(
        "work", backlog_max=backlog_max, events_per_second=events_per_second, clock=clock
    )


def admitted(opened: FloodGate, book: str, attempts: int) -> int:
    """Return how many of some attempts pass, one event each."""
    passed = 0
    for _ in range(attempts):
        if not opened.wait_seconds(book):
            opened.charge(book)
            passed += 1
    return passed


# --- the gate -----------------------------------------------------------------------------------


def test_up_to_the_limit_everything_passes(clock: Any) -> None:
    opened = gate(clock)
    opened.observe(100)
    assert opened.is_open
    assert admitted(opened, "a", 1000) == 1000


def test_beyond_the_limit_a_book_gets_its_rate_and_a_quiet_one_passes_at_once(clock: Any) -> None:
    closed = gate(clock)
    closed.observe(200)
    assert admitted(closed, "a", 1000) == 10
    assert admitted(closed, "b", 1) == 1
    clock.step(seconds=0.5)
    assert admitted(closed, "a", 1000) == 5
    clock.step(seconds=3600)
    assert admitted(closed, "a", 1000) == 10  # nothing is saved up


def test_the_rate_shrinks_as_the_backlog_grows_and_one_event_always_fits(clock: Any) -> None:
    closed = gate(clock)
    closed.observe(400)
    assert admitted(closed, "a", 1000) == 5
    closed.observe(200_000)
    assert admitted(closed, "a", 1000) == 0
    assert admitted(closed, "b", 1000) == 1
    assert closed.wait_seconds("b") == 60.0
    clock.step(seconds=101)
    assert admitted(closed, "b", 1000) == 1


def test_a_batch_passes_whole_and_its_book_then_pays_its_debt(clock: Any) -> None:
    closed = gate(clock)
    closed.observe(200)
    assert closed.wait_seconds("a") == 0
    closed.charge("a", 500)
    assert closed.wait_seconds("a") == pytest.approx(49.1, abs=0.001)
    clock.step(seconds=49)
    assert closed.wait_seconds("a") > 0
    clock.step(seconds=1)
    assert closed.wait_seconds("a") == 0


def test_it_opens_again_and_forgets_debts(clock: Any) -> None:
    closed = gate(clock)
    closed.observe(1000)
    closed.charge("a", 5000)
    closed.observe(76)
    assert closed.wait_seconds("a") > 0
    closed.observe(75)
    assert closed.wait_seconds("a") == 0
    closed.observe(1000)
    assert closed.wait_seconds("a") == 0


def test_a_limit_of_zero_switches_it_off(clock: Any) -> None:
    off = gate(clock, backlog_max=0)
    off.observe(10**9)
    assert admitted(off, "a", 1000) == 1000


def test_replicas_together_let_through_their_rates_and_no_more(clock: Any) -> None:
    replicas = [gate(clock), gate(clock)]
    total = 0
    for _second in range(60):
        for each in replicas:
            each.observe(200)
            total += admitted(each, "a", 1000)
        clock.step(seconds=1)
    assert total == 2 * 60 * 10


# --- measuring ----------------------------------------------------------------------------------


def gates(clock: Any, **changes: int) -> FloodGates:
    return make_gates(**{"backlog_max": 5, "events_per_second": 10, **changes}, clock=clock)


def waiting(queue: str, count: int) -> list[Outgoing]:
    return [Outgoing("", queue, b"{}", f"{queue}-{n}", "t") for n in range(count)]


@pytest.mark.database
def test_what_waits_for_mapper_and_poster_counts_by_lane(store: Any, bus: Any, clock: Any) -> None:
    both = gates(clock)
    bus.publish([*waiting("mapper.work.v1", 3), *waiting("poster.work.v1", 3)])
    bus.publish([*waiting("mapper.bulk.v1", 5), *waiting("reconciler.bulk.v1", 50)])
    both.measure(bus, Outbox(store, bus))
    assert (both.work.is_open, both.bulk.is_open) == (False, True)


@pytest.mark.database
def test_while_the_broker_is_away_the_outbox_counts(
    store: Any, bus: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(queue: str) -> int:
        raise BusError(f"no connection to ask for {queue}")

    both = gates(clock)
    outbox = Outbox(store, bus)
    with store.transaction() as connection:
        outbox.add(connection, waiting("mapper.work.v1", 6))
    monkeypatch.setattr(bus, "depth", away)
    both.measure(bus, outbox)
    assert (both.work.is_open, both.bulk.is_open) == (False, False)


# --- AMQP ---------------------------------------------------------------------------------------


def closed_intake(clock: Any, backlog: int = 200) -> AmqpIntake:
    closed = gate(clock)
    closed.observe(backlog)
    return AmqpIntake(Acceptor(clock), clock=clock, holding=Holding(closed, RUNGS))


def handle(store: Any, intake: AmqpIntake, *deliveries: Delivery) -> list[Outgoing]:
    with store.transaction() as connection:
        return list(intake.handle(deliveries, connection))


@pytest.mark.database
def test_a_flood_waits_on_a_rung_while_another_book_passes(store: Any, clock: Any) -> None:
    flood = [delivery(body(str(n), book="flood"), tag=n) for n in range(50)]
    quiet = delivery(body("quiet"))
    told = handle(store, closed_intake(clock), *flood, quiet)
    held = [message for message in told if message.exchange == RUNGS[0].exchange]
    taken = [REGISTRY.decode(m.type, m.body) for m in told if m not in held]
    assert Counter(event.book for event in taken) == {"flood": 10, "acme": 1}
    assert [message.body for message in held] == [each.body for each in flood[10:]]
    assert {message.routing_key for message in held} == {"ingestor.work.v1"}
    assert held[0].headers["hb-held"] == 1
    assert "hb-attempt" not in held[0].headers


@pytest.mark.database
def test_held_again_waits_longer_and_keeps_its_origin(store: Any, clock: Any) -> None:
    intake = closed_intake(clock, 10_000)
    handle(store, intake, delivery(body("first")))
    headers = {"hb-held": 1, "hb-exchange": INTAKE_EXCHANGE, "hb-routing-key": KEY}
    (held,) = handle(store, intake, delivery(body("1"), **headers))  # type: ignore[arg-type]
    assert held.exchange == RUNGS[1].exchange
    assert held.headers == {**headers, "hb-held": 2, "hb-queue": "ingestor.work.v1"}


@pytest.mark.database
def test_what_names_no_book_is_refused_not_held(store: Any, clock: Any) -> None:
    intake = closed_intake(clock, 10_000)
    bad = [delivery(b"{"), delivery(b"[]"), delivery(body("1", book=7)), delivery(b"\xff")]
    told = handle(store, intake, *bad, *bad)
    assert {message.type for message in told} == {"hourbridge.intake.rejected.v1"}
    assert len(told) == 8


@pytest.fixture
def running(store: Any, bus: Any) -> Iterator[FloodGate]:
    """An ingestor's lane behind a closed gate of ten events a second."""
    closed = gate(SystemClock())
    closed.observe(200)
    intake = AmqpIntake(
        Acceptor(SystemClock()), clock=SystemClock(), holding=Holding(closed, RUNGS)
    )
    topology = build_topology((1, 2))
    bus.apply(topology)
    lane = Lane("ingestor.work.v1", intake, raw=True)
    worker = LaneWorker(
        "ingestor", lane, bus=bus, store=store, topology=topology, clock=SystemClock()
    )
    worker.start()
    yield closed
    worker.stop(10)


@pytest.mark.database
def test_the_quiet_book_is_ahead_of_the_flood_and_nothing_is_lost(
    bus: Any, running: FloodGate
) -> None:
    bodies = [body(str(n), book="flood") for n in range(400)] + [body("quiet")]
    bus.publish(
        [
            Outgoing(INTAKE_EXCHANGE, KEY, content, f"m-{n}", f"hourbridge.{KEY}")
            for n, content in enumerate(bodies)
        ]
    )
    mapper = bus.subscribe("mapper.work.v1", prefetch=1000)
    books: list[str] = []

    def arrived(book: str, count: int) -> bool:
        deliveries = mapper.fetch(1000, 0.05)
        books.extend(json.loads(each.body)["book"] for each in deliveries)
        return books.count(book) == count

    wait_until(lambda: arrived("acme", 1))
    assert books.index("acme") < 100
    running.observe(0)
    wait_until(lambda: arrived("flood", 400))
    assert bus.depth("ingestor.dead.v1") == 0


# --- HTTP ---------------------------------------------------------------------------------------


def post(api: Any, content: Any) -> Any:
    headers = {"content-type": "application/cloudevents-batch+json", "x-api-key": api.key}
    return api.http.post("/v1/events", content=json.dumps(content), headers=headers)


def closed_work_gate(api: Any) -> FloodGate:
    """Return the application's own gate, closed."""
    [route] = [each for each in api.http.app.routes if getattr(each, "path", "") == "/v1/events"]
    found: FloodGate = route.endpoint.__self__._gate
    found.observe(found.backlog_max * 2)
    return found


@pytest.mark.database
def test_over_http_the_sender_is_asked_to_wait_and_loses_nothing(api: Any, clock: Any) -> None:
    closed_work_gate(api)
    batches = [[json.loads(body(f"{n}-{m}")) for m in range(20)] for n in range(10)]
    answers = [post(api, batch) for batch in batches]
    assert [answer.status_code for answer in answers] == [202] * 3 + [429] * 7
    assert answers[3].json()["error"] == "held_back"
    assert answers[3].headers["retry-after"] == "1"
    assert len(api.received()) == 60
    for batch in batches[3:]:
        clock.step(seconds=1)
        assert post(api, batch).status_code == 202
    assert len(api.received()) == 140


# --- imports ------------------------------------------------------------------------------------


class PatientClock:
    """A clock whose sleeps are noted; each lets the backlog go down."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self.slept: list[float] = []
        self.now = clock.now
        self.monotonic_seconds = clock.monotonic_seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._clock.step(seconds=seconds)


@pytest.mark.database
def test_an_import_pauses_between_batches_and_completes(
    store: Any, bus: Any, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "BATCH_ROWS", 4)
    path = tmp_path / "f.csv"
    rows = [f"{n},,a,c,2026-03-{n:02},1,yes,n" for n in range(1, 13)]
    path.write_text("\n".join(("id,updated_at,staff,client,date,hours,billable,notes", *rows)))
    patient = PatientClock(clock)
    closed = gate(clock, events_per_second=4)
    closed.observe(200)
    importer = Importer(store, Outbox(store, bus), Acceptor(clock), patient, gate=closed)
    summary = importer.import_file(path, options("generic_csv"), actor="olga")
    assert summary["outcomes"] == {"accepted": 12}
    assert bus.depth("mapper.bulk.v1") == 12
    assert sum(patient.slept) == pytest.approx(3.5)
    dry = importer.import_file(path, options("generic_csv", dry_run=True), actor="olga")
    assert dry["outcomes"] == {"unchanged": 12}


# --- settings -----------------------------------------------------------------------------------


@pytest.mark.database
def test_switched_off_nothing_is_measured(store: Any, bus: Any, clock: Any) -> None:
    def tasks(**changes: int) -> list[str]:
        settings = IngestorSettings(_env_file=None, **changes)  # type: ignore[call-arg, arg-type]
        return [task.name for task in build(settings, store=store, bus=bus, clock=clock).tasks]

    assert "flood-gate" in tasks()
    assert "flood-gate" not in tasks(intake_backlog_max=0)
