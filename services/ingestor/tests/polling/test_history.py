"""History: read by span, once, after today's feeds, over the bulk exchange, resumable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hourbridge.common import faults
from hourbridge.common.errors import SourceThrottled
from hourbridge.ingestor.polling import pages
from tests.support.polling import Polling

JANUARY = {"feeds": ["time"], "first": "2026-01-01", "last": "2026-01-31"}


@pytest.fixture(autouse=True)
def _disarm() -> Iterator[None]:
    yield
    faults.arm("")


def put_history(polling: Polling, count: int) -> None:
    for number in range(count):
        polling.source.put("time", f"h{number:03d}", work_date=f"2026-01-{number % 28 + 1:02d}")


def test_history_goes_through_the_bulk_exchange(polling: Polling) -> None:
    put_history(polling, 5)
    polling.source.put("time", "today")
    polling.attach("time")
    assert polling.post("history", JANUARY) == {"asked": ["time"]}
    polling.run()

    assert [event["data"]["state"]["external_id"] for event in polling.received()] == ["today"]
    assert len(polling.received("mapper.bulk.v1")) == 5
    (told,) = polling.totals("reconciler.bulk.v1")
    assert (told["window_first"], told["window_last"]) == ("2026-01-01", "2026-01-31")
    assert told["outcomes"] == {"accepted": 5}
    (span,) = polling.get("history")["history"]
    assert span["state"] == "done"
    assert span["finished_at"]
    assert (span["pages"], span["counts"]) == (3, {"time_entry": {"accepted": 5}})


def test_the_same_span_is_read_once_however_often_it_is_asked_for(polling: Polling) -> None:
    put_history(polling, 3)
    polling.attach("time")
    polling.post("history", JANUARY)
    assert polling.post("history", JANUARY) == {"asked": []}
    polling.run()
    assert polling.post("history", JANUARY) == {"asked": []}
    polling.run()
    assert polling.source.calls.count(("history", "time")) == 2
    assert polling.post("history", {**JANUARY, "last": "2026-02-28"}) == {"asked": ["time"]}


def test_today_comes_first_whenever_it_is_due(polling: Polling) -> None:
    put_history(polling, 20)
    polling.attach("time", "clients")
    polling.run()
    polling.source.calls.clear()
    polling.post("history", JANUARY)

    def somebody_works() -> None:
        polling.source.put("time", "fresh")
        polling.post("poll", {"feeds": ["time"]})

    polling.source.on_read = [lambda: None, lambda: None, somebody_works]
    polling.run()

    assert polling.source.calls[:5] == [("history", "time")] * 3 + [
        ("read", "time"),
        ("history", "time"),
    ]
    assert len(polling.records()) == 21


def test_a_kill_within_history_is_gone_on_with(polling: Polling) -> None:
    put_history(polling, 10)
    polling.attach("time")
    polling.run()
    polling.source.calls.clear()
    polling.post("history", JANUARY)
    faults.arm(f"{pages.BEFORE_COMMIT}=raise@3")
    polling.run()
    assert len(polling.records()) == 4
    polling.clock.step(minutes=1)
    polling.run()
    assert len(polling.records()) == 10
    assert polling.source.calls.count(("history", "time")) == 6  # five pages, one of them twice


def test_throttled_history_waits_without_delaying_anything_for_longer(polling: Polling) -> None:
    put_history(polling, 4)
    polling.attach("time")
    polling.run()
    polling.post("history", JANUARY)
    with polling.source.failing(SourceThrottled("slow", retry_after_seconds=60)):
        polling.run()
    assert polling.get("history")["history"][0]["last_error_code"] == "source_throttled"
    polling.clock.step(seconds=60)
    polling.run()
    assert len(polling.records()) == 4


def test_history_rests_with_its_feed(polling: Polling) -> None:
    put_history(polling, 4)
    polling.attach("time")
    polling.run()
    polling.post("history", JANUARY)
    polling.post("pause", {"feeds": ["time"]})
    assert polling.run() == 0
    polling.post("resume", {"feeds": ["time"]})
    polling.run()
    assert len(polling.records()) == 4
