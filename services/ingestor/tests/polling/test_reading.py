"""Reading a scripted source: records, counts, totals, pauses, waking."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.ingestor.polling.schedule import wake
from tests.support.polling import BOOK, SOURCE, Polling


def put_entries(polling: Polling, count: int) -> None:
    for number in range(count):
        polling.source.put("time", f"e{number}", input={"seconds": 3600 + number})


def test_a_feed_is_read_page_by_page_and_announced(polling: Polling) -> None:
    put_entries(polling, 5)
    polling.attach("time")

    assert polling.run() == 3

    assert polling.records() == {f"e{number}": False for number in range(5)}
    accepted = polling.received()
    assert len(accepted) == 5
    assert {event["data"]["state"]["external_id"] for event in accepted} == set(polling.records())
    (reading,) = polling.get("readings")["readings"]
    assert (reading["state"], reading["pages"]) == ("done", 3)
    assert reading["counts"] == {"time_entry": {"accepted": 5}}


def test_the_pause_grows_while_nothing_changes_and_starts_anew_with_a_change(
    polling: Polling,
) -> None:
    put_entries(polling, 1)
    polling.attach("time")
    pauses = []
    for _ in range(8):
        polling.run()
        pauses.append(polling.minutes_to_next("time"))
        polling.clock.step(minutes=pauses[-1])
    assert pauses == [4, 8, 16, 32, 64, 128, 240, 240]

    polling.source.put("time", "e9")
    polling.run()
    assert polling.minutes_to_next("time") == 4
    assert polling.feed("time")["last_changed_at"] == polling.feed("time")["last_finished_at"]


def test_nothing_is_read_before_it_is_due(polling: Polling) -> None:
    polling.attach("time")
    polling.run()
    polling.clock.step(minutes=3)
    assert polling.run() == 0
    polling.clock.step(minutes=5)
    assert polling.run() == 1


def test_a_person_can_ask_for_a_reading_now(polling: Polling) -> None:
    polling.attach("time")
    polling.run()
    put_entries(polling, 1)

    assert polling.post("poll", {"feeds": ["time"]}) == {"due": ["time"]}
    polling.run()

    assert polling.records() == {"e0": False}


def test_waking_during_a_reading_is_followed_by_another_one(polling: Polling) -> None:
    put_entries(polling, 3)
    polling.attach("time")

    def change_what_was_read_and_hint() -> None:
        polling.source.put("time", "e0", notes="changed behind the cursor")
        polling.clock.step(seconds=1)
        with polling.store.transaction() as connection:
            assert wake(
                connection,
                book=BOOK,
                source=SOURCE,
                feed="time",
                reason="webhook",
                entity="Time",
                entity_id="e0",
                now=polling.clock.now(),
            )

    polling.source.on_read = [lambda: None, change_what_was_read_and_hint]
    polling.run()

    states = polling.rows("SELECT state FROM record WHERE external_id = 'e0'")
    assert states[0].state["notes"] == "changed behind the cursor"
    assert polling.feed("time")["wake_requested_at"] is None
    assert polling.feed("time")["next_due_at"] is not None


def test_waking_an_unknown_feed_does_nothing(polling: Polling) -> None:
    with polling.store.transaction() as connection:
        assert not wake(connection, book=BOOK, source=SOURCE, feed="time", reason="webhook")


def test_a_schedule_is_changed_while_polling_runs(polling: Polling) -> None:
    polling.attach("time", "clients")
    polling.run()

    polling.post("schedule", {"feeds": ["clients"], "cadence": "daily", "at_time": "06:00"})
    polling.post("schedule", {"feeds": ["time"], "interval_seconds": 60})
    # 1 April, noon in UTC: six o'clock in Berlin is 16 hours away, in summer time.
    assert polling.minutes_to_next("clients") == 16 * 60
    assert polling.run() == 1
    assert polling.minutes_to_next("time") == 2

    polling.clock.step(hours=16)
    polling.source.calls.clear()
    polling.run()
    assert sorted(polling.source.calls) == [("read", "clients"), ("read", "time")]
    assert polling.minutes_to_next("clients") == 24 * 60


def test_a_paused_feed_rests_and_goes_on_where_it_was(polling: Polling) -> None:
    polling.source.put("expenses", "x1")
    polling.attach("expenses")
    polling.run()
    polling.post("pause", {"feeds": ["expenses"]})
    polling.source.put("expenses", "x2")
    polling.clock.step(hours=9)
    assert polling.run() == 0
    assert polling.feed("expenses")["state"] == "paused"

    polling.post("resume", {"feeds": ["expenses"]})
    polling.run()
    assert polling.records("expense") == {"x1": False, "x2": False}
    assert polling.get("readings")["readings"][0]["counts"] == {"expense": {"accepted": 1}}


def test_only_the_feeds_that_are_named_are_read(polling: Polling) -> None:
    polling.attach("time")
    polling.run()
    assert {feed for _, feed in polling.source.calls} == {"time"}
    assert polling.feed("clients")["state"] == "paused"


def test_control_totals_are_told_with_outcomes_but_a_quiet_feed_is_not_told_again(
    polling: Polling,
) -> None:
    put_entries(polling, 2)
    polling.source.put("time", "e2", broken="1,5x")
    polling.attach("time")
    polling.run()

    (told,) = polling.totals()
    assert told["totals"] == [{"group": "all", "rows": 3}]
    assert told["outcomes"] == {"accepted": 2, "rejected": 1}
    assert told["is_snapshot"] is True
    assert (told["window_first"], told["window_last"]) == ("2026-03-01", "2026-04-30")

    polling.clock.step(hours=1)
    polling.run()
    assert polling.totals() == []

    polling.source.put("time", "e3")
    polling.clock.step(hours=9)
    polling.run()
    (told,) = polling.totals()
    assert told["outcomes"] == {"accepted": 1, "unchanged": 2, "rejected": 1}


def test_what_can_not_be_used_is_kept_once_with_its_reason(polling: Polling) -> None:
    polling.source.put("time", "e1", broken="1,5x")
    polling.attach("time")
    polling.run()
    polling.clock.step(hours=1)
    polling.run()

    (row,) = polling.get("rejected")["rejected"]
    assert (row["external_id"], row["location"], row["times"]) == ("e1", "row e1", 2)
    assert row["reasons"] == [{"field": "hours", "code": "not_a_number", "detail": "1,5x"}]
    answer = polling.rows("SELECT convert_from(body, 'UTF8') AS body FROM received_payload")
    assert len(answer) == 1
    assert "1,5x" in answer[0].body


def test_every_form_is_kept_as_it_came_and_each_once(polling: Polling) -> None:
    put_entries(polling, 2)
    polling.attach("time")
    polling.run()
    polling.clock.step(hours=1)
    polling.run()
    polling.source.put("time", "e0", notes="new")
    polling.clock.step(hours=1)
    polling.run()

    kept = polling.rows("SELECT convert_from(body, 'UTF8') AS body FROM received_payload")
    assert len(kept) == 3
    (now,) = polling.rows("SELECT raw_ref FROM record WHERE external_id = 'e0'")
    answer = polling.rows(
        "SELECT convert_from(body, 'UTF8') AS body FROM received_payload "
        "WHERE payload_id = CAST(:id AS uuid)",
        id=now.raw_ref.removeprefix("payload:"),
    )
    assert '"notes": "new"' in answer[0].body


def test_reading_everything_again_changes_nothing(polling: Polling) -> None:
    put_entries(polling, 3)
    polling.source.put("expenses", "x1")
    polling.attach("time", "expenses")
    polling.run()
    query = "SELECT record_id, revision, sequence FROM record ORDER BY record_id"
    before = polling.rows(query)
    polling.received()

    polling.post("poll", {"whole": True})
    polling.run()

    assert (
        polling.rows("SELECT record_id, revision, sequence FROM record ORDER BY record_id")
        == before
    )
    assert polling.received() == []


def test_two_sources_of_one_book_are_kept_apart(polling: Polling) -> None:
    from tests.support.scripted_source import ScriptedSource

    polling.sources["other"] = ScriptedSource(polling.clock)
    polling.connections.connect("other")
    polling.source.put("time", "e1", notes="of the one")
    polling.sources["other"].put("time", "e1", notes="of the other")
    polling.attach("time")
    polling.attach("time", via="other", source="second")
    polling.run()

    found = polling.rows("SELECT source, state->>'notes' AS notes FROM record ORDER BY source")
    assert [tuple(row) for row in found] == [
        ("second", "of the other"),
        ("tracker", "of the one"),
    ]


@pytest.mark.parametrize(
    ("path", "body", "what"),
    [
        ("poll", {"feeds": ["nope"]}, "no such feed: nope"),
        ("schedule", {"feeds": ["time"], "cadence": "weekly", "at_time": "06:00"}, "weekday"),
        ("history", {"feeds": ["clients"], "first": "2026-01-01", "last": "2026-01-02"}, "history"),
        ("history", {"first": "2026-01-03", "last": "2026-01-02"}, "before its first"),
    ],
)
def test_an_order_that_can_not_be_followed_names_the_reason(
    polling: Polling, path: str, body: dict[str, Any], what: str
) -> None:
    polling.attach("time", "clients")
    url = f"/v1/books/{BOOK}/sources/{SOURCE}/{path}"
    answer = polling.http.post(url, json=body, headers={"authorization": "Bearer admin-token"})
    assert answer.status_code in (404, 422)
    assert what in answer.json()["what"]
