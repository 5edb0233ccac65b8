"""What goes wrong: throttling, refused keys, outages, kills, replicas, defects."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hourbridge.common import faults
from hourbridge.common.errors import (
    SourceAnswerUnreadable,
    SourceAuthorizationExpired,
    SourceThrottled,
    SourceUnavailable,
    TransientFailure,
)
from hourbridge.ingestor.polling import pages, vanished
from hourbridge.ingestor.polling.parts import PollingParts
from tests.support.polling import Polling
from tests.support.scripted_source import ScriptedSource


@pytest.fixture(autouse=True)
def _disarm() -> Iterator[None]:
    yield
    faults.arm("")


def put_entries(polling: Polling, count: int) -> None:
    for number in range(count):
        polling.source.put("time", f"e{number}")


def test_a_throttled_connection_waits_as_asked_with_all_its_feeds(polling: Polling) -> None:
    put_entries(polling, 3)
    polling.attach("time", "clients")
    with polling.source.failing(None, None, SourceThrottled("slow down", retry_after_seconds=90)):
        polling.run()
    calls = len(polling.source.calls)
    polling.clock.step(seconds=89)
    assert polling.run() == 0
    assert len(polling.source.calls) == calls
    assert polling.feed("time")["failures"] == 0

    polling.clock.step(seconds=1)
    polling.run()
    assert len(polling.records()) == 3


def test_an_outage_is_met_with_growing_pauses_and_the_page_is_read_again(
    polling: Polling,
) -> None:
    put_entries(polling, 3)
    polling.attach("time")
    outage = [SourceUnavailable("maintenance")] * 2
    with polling.source.failing(None, *outage):
        polling.run()
        assert polling.feed("time")["state"] == "failing"
        assert polling.feed("time")["last_error_code"] == "source_unavailable"
        polling.clock.step(seconds=30)
        polling.run()
        polling.clock.step(seconds=59)
        assert polling.run() == 0
        polling.clock.step(seconds=1)
    polling.run()

    assert len(polling.records()) == 3
    assert polling.feed("time")["failures"] == 0
    (reading,) = polling.get("readings")["readings"]
    assert reading["counts"] == {"time_entry": {"accepted": 3}}


def test_a_person_can_end_the_pause_after_failures(polling: Polling) -> None:
    polling.attach("time")
    with polling.source.failing(SourceUnavailable("maintenance")):
        polling.run()
    polling.post("poll")
    assert polling.run() == 1


def test_a_refused_key_stops_all_feeds_until_it_is_connected_again(polling: Polling) -> None:
    put_entries(polling, 3)
    polling.attach("time", "clients")
    with polling.source.failing(SourceAuthorizationExpired("the key was revoked")):
        polling.run()
    (state,) = polling.connections.states()
    assert (state.state, state.state_reason) == ("broken", "the key was revoked")
    assert polling.feed("time")["state"] == polling.feed("clients")["state"] == "disconnected"
    calls = len(polling.source.calls)
    polling.clock.step(days=2)
    assert polling.run() == 0
    assert len(polling.source.calls) == calls

    polling.connections.connect("firm")
    polling.run()
    assert len(polling.records()) == 3
    assert polling.feed("time")["state"] == "waiting"


def test_a_connection_given_other_settings_is_opened_again(polling: Polling) -> None:
    polling.attach("time")
    polling.run()
    old = polling.source
    polling.sources["firm"] = ScriptedSource(polling.clock)
    polling.source.put("time", "e1")
    polling.clock.step(hours=1)
    polling.connections.connect("firm")
    polling.run()
    assert old.closed
    assert polling.records() == {"e1": False}


def test_an_unreadable_answer_is_kept(polling: Polling) -> None:
    polling.attach("time")
    page = b"<html>Sorry, we're down</html>"
    with polling.source.failing(SourceAnswerUnreadable("HTML instead of JSON", raw=page)):
        polling.run()
    (row,) = polling.rows("SELECT body, outcome FROM received_payload")
    assert (bytes(row.body), row.outcome) == (page, "unreadable")


def test_a_defect_of_one_connector_stops_neither_others_nor_the_loop(polling: Polling) -> None:
    polling.sources["other"] = ScriptedSource(polling.clock)
    polling.connections.connect("other")
    polling.sources["other"].put("time", "x1")
    polling.attach("time")
    polling.attach("time", via="other", source="second")
    with polling.source.failing(ZeroDivisionError("a defect")):
        polling.run()
    assert polling.records() == {"x1": False}
    assert polling.feed("time")["last_error_code"] == "defect"
    polling.clock.step(seconds=30)
    polling.run()
    assert polling.feed("time")["state"] == "waiting"


@pytest.mark.parametrize("point", [pages.BEFORE_COMMIT, pages.AFTER_COMMIT])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_kill_around_any_commit_loses_and_doubles_nothing(
    polling: Polling, point: str, nth: int
) -> None:
    put_entries(polling, 5)
    polling.attach("time")
    faults.arm(f"{point}=raise@{nth}")
    polling.run()
    polling.clock.step(minutes=5)
    polling.run()
    polling.dispatcher._tools.pages.outbox.flush()

    assert polling.records() == {f"e{number}": False for number in range(5)}
    sequences = polling.rows("SELECT sequence FROM record ORDER BY sequence")
    assert [row.sequence for row in sequences] == [1, 2, 3, 4, 5]
    announced = polling.received()
    assert len({event["id"] for event in announced}) == len(announced) == 5
    last = polling.get("readings")["readings"]
    assert [reading["counts"] for reading in last][-1] == {"time_entry": {"accepted": 5}}


def test_cursor_and_records_are_one_transaction(polling: Polling) -> None:
    put_entries(polling, 5)
    polling.attach("time")
    faults.arm(f"{pages.BEFORE_COMMIT}=raise@2")
    polling.run()
    (row,) = polling.rows("SELECT cursor FROM polled_feed WHERE feed = 'time'")
    assert '"after": "e1"' in row.cursor
    assert sorted(polling.records()) == ["e0", "e1"]


def test_a_kill_amid_deletions_is_gone_on_with(
    polling: Polling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vanished, "ASKED_AT_ONCE", 2)
    put_entries(polling, 8)
    polling.attach("time")
    polling.run()
    polling.source.remove("time", "e1", "e2", "e3", "e4", "e5")
    polling.clock.step(minutes=5)
    faults.arm(f"{vanished.BETWEEN_DELETIONS}=raise@1")
    polling.run()
    assert sum(polling.records().values()) == 2
    reads = polling.source.calls.count(("read", "time"))

    polling.clock.step(minutes=1)
    polling.run()
    assert sorted(key for key, deleted in polling.records().items() if not deleted) == [
        "e0",
        "e6",
        "e7",
    ]
    assert polling.source.calls.count(("read", "time")) == reads
    assert polling.get("readings")["readings"][0]["deleted"] == 5


def test_two_replicas_never_read_one_connection_at_once(
    polling: Polling, replica: Callable[..., PollingParts]
) -> None:
    put_entries(polling, 40)
    polling.attach("time")
    inside, most = 0, 0
    lock = threading.Lock()

    def watch() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.01)
        with lock:
            inside -= 1

    polling.source.on_read = [watch] * 20
    second = replica(polling.connections, lambda _connection: polling.source)
    assert second.dispatcher is not None
    dispatchers = [polling.dispatcher, second.dispatcher]
    threads = [
        threading.Thread(target=lambda each=each: [each.run_due() for _ in range(10)])
        for each in dispatchers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1
    assert len(polling.records()) == 40
    assert polling.source.calls.count(("read", "time")) == 20


def test_a_page_read_under_a_lost_lease_is_not_stored(polling: Polling) -> None:
    put_entries(polling, 1)
    polling.attach("time")

    def lose() -> None:
        with polling.store.transaction() as connection:
            from sqlalchemy import text

            connection.execute(text("UPDATE lease SET fencing = fencing + 1, holder = 'other'"))

    polling.source.on_read = [lose]
    polling.run()
    assert polling.records() == {}
    assert polling.feed("time")["failures"] == 0


def test_a_feed_paused_while_its_page_is_read_stores_nothing(polling: Polling) -> None:
    put_entries(polling, 1)
    polling.attach("time")
    polling.source.on_read = [lambda: polling.post("pause", {"feeds": ["time"]})]
    polling.run()
    assert polling.records() == {}


def test_one_slow_source_holds_up_no_other(polling: Polling) -> None:
    slow, quick = polling.source, ScriptedSource(polling.clock)
    polling.sources["other"] = quick
    polling.connections.connect("other")
    release = threading.Event()
    slow.on_read = [lambda: release.wait(20)]
    quick.put("time", "x1")
    polling.attach("time")
    polling.attach("time", via="other", source="second")

    polling.dispatcher.tick()
    try:
        assert _within(10, lambda: polling.records() == {"x1": False})
    finally:
        release.set()


def _within(seconds: float, holds: Callable[[], Any]) -> bool:
    waiting = threading.Event()
    for _ in range(int(seconds * 20)):
        if holds():
            return True
        waiting.wait(0.05)
    return bool(holds())


def test_a_fault_in_the_database_is_no_failure_of_the_source(polling: Polling) -> None:
    put_entries(polling, 1)
    polling.attach("time")
    with polling.source.failing(TransientFailure("deadlock")):
        polling.run()
    assert polling.feed("time")["last_error_code"] == "transient_failure"
