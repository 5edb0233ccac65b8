"""Call budgets: used up while there is work, never exceeded, documents before everything else."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from hourbridge.common.errors import LedgerThrottled
from hourbridge.connectors.access import Caller
from hourbridge.connectors.connections import ConnectionStore
from hourbridge.connectors.connections.buckets import Bucket, Buckets
from hourbridge.connectors.quickbooks_online.connecting import open_transport
from hourbridge.connectors.quickbooks_online.transport import Transport
from hourbridge.sandbox.quickbooks_online import CompanySeed, SandboxServer, seed_company

START = datetime(2026, 1, 1, tzinfo=UTC)
PER_MINUTE, PER_SECOND, BATCHES = 450, 8, 35


@dataclass
class Worker:
    """Somebody who calls one thing after the other."""

    caller: Caller
    latency_seconds: float = 0.05
    is_batch: bool = False
    calls_max: int = 1_000_000


def simulate(
    workers: Sequence[Worker], seconds: int, per_minute: int = PER_MINUTE
) -> dict[int, list[float]]:
    """Let workers share one budget in simulated time; return when each one's calls were made."""
    state = Buckets(
        Bucket(0, per_minute, 60),
        Bucket(0, PER_SECOND, 1),
        START,
        Bucket(0, BATCHES, 60),
        Bucket(0, per_minute // 5, 60),
    )
    made: dict[int, list[float]] = {index: [] for index in range(len(workers))}
    queue = [(0.0, index) for index in range(len(workers))]
    while queue:
        now, index = heapq.heappop(queue)
        worker = workers[index]
        if now > seconds or len(made[index]) >= worker.calls_max:
            continue
        held = state.at(START + timedelta(seconds=now))
        admitted = held.admit(worker.caller)
        if admitted is None:
            again = now + min(held.yields(worker.caller), 1.0) + 0.002
            heapq.heappush(queue, (again, index))
            continue
        state = admitted.less_one(is_batch=worker.is_batch)
        at = now + state.wait_of(is_batch=worker.is_batch)
        made[index].append(at)
        heapq.heappush(queue, (at + worker.latency_seconds, index))
    return made


def rate(times: Sequence[float], first: float, last: float) -> float:
    return sum(first <= at < last for at in times) / (last - first)


def most_in(times: Sequence[float], seconds: float) -> int:
    ordered = sorted(times)
    first = 0
    most = 0
    for index, at in enumerate(ordered):
        while ordered[first] <= at - seconds:
            first += 1
        most = max(most, index - first + 1)
    return most


@pytest.mark.parametrize(
    "callers",
    [
        ["posting"],
        ["history"],
        ["lists", "reading"],
        ["posting", "posting", "lists", "reading", "history", "history"],
        ["history"] * 12,
    ],
)
def test_a_backlog_uses_the_budget_and_never_more(callers: list[Caller]) -> None:
    made = simulate([Worker(caller) for caller in callers], 300)
    every = [at for times in made.values() for at in times]
    assert rate(every, 60, 300) >= 0.95 * PER_MINUTE / 60
    assert most_in(every, 60) < 500
    assert most_in(every, 1) <= 10


def test_documents_go_before_history_and_history_takes_what_they_leave() -> None:
    made = simulate([Worker("history", 0.01)] * 6 + [Worker("posting", 0.5)], 300)
    alone = simulate([Worker("posting", 0.5)], 300)
    assert rate(made[6], 60, 300) >= 0.85 * rate(alone[0], 60, 300)
    every = [at for times in made.values() for at in times]
    assert rate(every, 60, 300) >= 0.95 * PER_MINUTE / 60


def test_nobody_starves_while_documents_could_use_everything() -> None:
    made = simulate([Worker("posting", 0.01)] * 3 + [Worker("history", 0.01)], 300)
    assert rate(made[3], 60, 300) >= 0.15 * PER_MINUTE / 60
    documents = sum(rate(made[index], 60, 300) for index in range(3))
    assert documents >= 0.75 * PER_MINUTE / 60


def test_lists_go_before_history_in_what_documents_leave() -> None:
    made = simulate([Worker("posting", 0.01)] * 3 + [Worker("history"), Worker("lists")], 300)
    assert rate(made[4], 60, 300) > 4 * rate(made[3], 60, 300)


def test_batches_have_a_limit_of_their_own() -> None:
    made = simulate([Worker("posting", is_batch=True), Worker("posting", 0.2)], 300)
    assert 0.95 * BATCHES / 60 <= rate(made[0], 60, 300) <= BATCHES / 60 * 1.02
    assert most_in(made[0], 60) < 40
    assert rate(made[1], 60, 300) > 3, "other calls don't wait for batches"


def test_a_small_budget_is_shared_too() -> None:
    made = simulate([Worker("history"), Worker("posting")], 600, per_minute=25)
    every = [at for times in made.values() for at in times]
    assert rate(every, 60, 600) >= 0.95 * 25 / 60
    assert len(made[1]) > 3 * len(made[0]) > 30


# --- against the stand-in's own throttle ----------------------------------------------------


REALMS = ("4620816365000000001", "4620816365000000002")


@pytest.fixture
def throttling() -> Iterator[SandboxServer]:
    """A stand-in with the service's real limits."""
    server = SandboxServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def realms(
    throttling: SandboxServer, new_connection: Any, connections_store: Any
) -> Callable[..., Transport]:
    """Two companies with the default budget; each call opens another caller's transport."""
    keys = [Fernet.generate_key().decode()]
    kind = type(new_connection)
    for number, realm in enumerate(REALMS):
        token = seed_company(throttling.world, CompanySeed(realm))
        fields = {
            **new_connection.__dict__,
            "name": f"r{number}",
            "company_id": realm,
            "api_base_url": throttling.base_url,
            "token_url": throttling.token_url,
            "refresh_token": type(new_connection.refresh_token)(token),
            "calls_per_minute": PER_MINUTE,
            "calls_per_second": PER_SECOND,
        }
        ConnectionStore(connections_store, keys).save(kind(**fields), actor="test")

    def open_as(number: int, caller: Caller) -> Transport:
        store = ConnectionStore(connections_store, keys)
        return open_transport(
            store.get(f"r{number}"),
            store,
            timeout_seconds=10,
            observer=lambda exchange: None,
            caller=caller,
        )

    return open_as


def work_off(transport: Transport, ends_at: float, done: Counter[str], name: str) -> None:
    """Call until the time is over, waiting as a lane does when it is told to."""
    while time.monotonic() < ends_at:
        try:
            transport.get("preferences")
            done[name] += 1
        except LedgerThrottled as error:
            time.sleep(min(error.retry_after_seconds, max(0.0, ends_at - time.monotonic())))
    transport.close()


def storm(
    realms: Callable[..., Transport], server: SandboxServer, seconds: int
) -> tuple[Counter[str], dict[str, list[dict[str, Any]]]]:
    """Two posters and a reader of history in each realm; the second realm throttles for a while."""
    callers: list[Caller] = ["posting", "posting", "history"]
    done: Counter[str] = Counter()
    for number in (0, 1):
        realms(number, "posting").get("preferences")  # tokens are there
    pause = seconds // 4
    with server.world.lock:
        last = max(row["sequence"] for row in server.world.audit.exchanges())
        server.world.disturbances.set(
            "throttle",
            {"next": 2, "on": "all", "path": REALMS[1], "retry_after_seconds": pause},
        )
    ends_at = time.monotonic() + seconds
    threads = [
        threading.Thread(
            target=work_off, args=(realms(number, caller), ends_at, done, f"{number}-{caller}-{n}")
        )
        for number, (n, caller) in itertools.product((0, 1), enumerate(callers))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with server.world.lock:
        log = server.world.audit.exchanges(after=last)
    return done, {realm: [row for row in log if row["realm"] == realm] for realm in REALMS}


def check_storm(realms: Callable[..., Transport], server: SandboxServer, seconds: int) -> None:
    done, seen = storm(realms, server, seconds)
    calm, stormy = (Counter(row["outcome"] for row in seen[realm]) for realm in REALMS)
    assert set(calm) == {"executed"}, "no 429 in steady state"
    assert calm["executed"] >= 0.95 * seconds * PER_MINUTE / 60, "the budget is used up"
    assert stormy["throttled"] <= 2, "one storm, not one per caller"
    left = seconds - seconds // 4 - 1
    assert stormy["executed"] >= 0.9 * left * PER_MINUTE / 60, "it goes on after the pause"
    for number in (0, 1):
        assert done[f"{number}-history-2"] > 0
    posted = done["0-posting-0"] + done["0-posting-1"]
    assert posted > done["0-history-2"], "documents first"


@pytest.mark.database
def test_two_realms_through_a_throttling_storm(
    realms: Callable[..., Transport], throttling: SandboxServer
) -> None:
    check_storm(realms, throttling, 20)


@pytest.mark.database
@pytest.mark.long
def test_two_realms_through_minutes_of_backlog(
    realms: Callable[..., Transport], throttling: SandboxServer
) -> None:
    check_storm(realms, throttling, 150)
