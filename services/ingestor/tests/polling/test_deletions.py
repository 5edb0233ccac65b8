"""What a complete reading lacks: deleted when confirmed, renamed, or withheld with a reason."""

from __future__ import annotations

from hourbridge.common.errors import SourceUnavailable
from tests.support.polling import Polling


def put_entries(polling: Polling, count: int, **fields: object) -> list[str]:
    names = [f"e{number:02d}" for number in range(count)]
    for number, name in enumerate(names):
        polling.source.put("time", name, input={"seconds": 3600 + number}, **fields)
    return names


def read_again(polling: Polling, feed: str = "time") -> dict[str, object]:
    polling.clock.step(hours=9)
    polling.run()
    found: list[dict[str, object]] = polling.get(f"readings?feed={feed}")["readings"]
    return found[0]


def deleted(polling: Polling, record_type: str = "time_entry") -> list[str]:
    return sorted(name for name, gone in polling.records(record_type).items() if gone)


def test_what_the_source_confirms_to_be_gone_is_deleted(polling: Polling) -> None:
    put_entries(polling, 5)
    polling.attach("time")
    polling.run()
    polling.received()
    polling.source.remove("time", "e01", "e03")

    reading = read_again(polling)

    assert deleted(polling) == ["e01", "e03"]
    assert (reading["deleted"], reading["deletions_withheld"]) == (2, None)
    told = [event["data"]["state"] for event in polling.received()]
    assert {state["external_id"] for state in told} == {"e01", "e03"}
    assert {state["deleted"]["how"] for state in told} == {"diff"}
    assert polling.minutes_to_next("time") == 4


def test_what_the_source_still_has_is_not_deleted(polling: Polling) -> None:
    put_entries(polling, 5)
    polling.attach("time")
    polling.run()
    polling.source.hidden = {"e01", "e03"}
    polling.source.remove("time", "e04")

    reading = read_again(polling)

    assert deleted(polling) == ["e04"]
    assert reading["deletions_withheld"] == (
        "2 time_entry records are missing, but the source has them"
    )


def test_a_few_are_deleted_where_the_source_can_not_confirm(polling: Polling) -> None:
    put_entries(polling, 12)
    polling.attach("time")
    polling.run()
    polling.source.confirms = False
    polling.source.remove("time", "e01", "e03")
    read_again(polling)
    assert deleted(polling) == ["e01", "e03"]


def test_suspiciously_many_are_withheld_until_a_person_allows_it(polling: Polling) -> None:
    names = put_entries(polling, 14)
    polling.attach("time")
    polling.run()
    polling.source.confirms = False
    polling.source.remove("time", *names[:11])

    reading = read_again(polling)
    assert deleted(polling) == []
    assert reading["deletions_withheld"] == (
        "11 of 14 time_entry records are missing, and the source can't confirm it"
    )
    (entry,) = polling.rows("SELECT detail FROM audit WHERE action = 'deletions_withheld'")
    assert "11 of 14" in entry.detail["reason"]

    polling.post("poll", {"feeds": ["time"], "allow_deletions": True})
    polling.run()
    assert deleted(polling) == names[:11]
    assert polling.feed("time")["deletions_allowed_by"] is None


def test_a_window_that_is_empty_at_once_is_withheld_even_if_confirmed(polling: Polling) -> None:
    names = put_entries(polling, 11)
    polling.attach("time")
    polling.run()
    polling.source.remove("time", *names)
    reading = read_again(polling)
    assert deleted(polling) == []
    assert "states none at all" in str(reading["deletions_withheld"])


def test_many_are_deleted_when_each_is_confirmed(polling: Polling) -> None:
    names = put_entries(polling, 60)
    polling.attach("time")
    polling.run()
    polling.source.remove("time", *names[:59])
    reading = read_again(polling)
    assert (len(deleted(polling)), reading["deleted"]) == (59, 59)
    assert polling.source.calls.count(("gone", "time")) == 2


def test_an_outage_while_asking_deletes_nothing_and_is_gone_on_with(polling: Polling) -> None:
    put_entries(polling, 3)
    polling.attach("time")
    polling.run()
    polling.source.remove("time", "e01")
    gone, polling.source.gone = polling.source.gone, _failing  # type: ignore[method-assign]
    read_again(polling)
    assert deleted(polling) == []
    assert polling.feed("time")["last_error_code"] == "source_unavailable"
    reads = polling.source.calls.count(("read", "time"))

    polling.source.gone = gone  # type: ignore[method-assign]
    polling.clock.step(minutes=1)
    polling.run()
    assert deleted(polling) == ["e01"]
    assert polling.source.calls.count(("read", "time")) == reads


def _failing(feed: str, external_ids: object) -> frozenset[str]:
    raise SourceUnavailable("no answer")


def test_what_lies_outside_the_window_is_not_missing(polling: Polling) -> None:
    polling.source.put("time", "old", work_date="2026-01-05")
    put_entries(polling, 2)
    polling.attach("time")
    polling.post("history", {"feeds": ["time"], "first": "2026-01-01", "last": "2026-01-31"})
    polling.run()
    assert set(polling.records()) == {"old", "e00", "e01"}
    read_again(polling)
    assert deleted(polling) == []
    assert ("gone", "time") not in polling.source.calls


def test_feeds_of_one_record_type_do_not_miss_each_others_records(polling: Polling) -> None:
    polling.source.put("tasks", "t1")
    polling.source.put("codes", "c1")
    polling.source.put("codes", "c2")
    polling.attach("tasks", "codes")
    polling.run()
    polling.source.remove("codes", "c2")
    read_again(polling, "codes")
    assert polling.records("work_item") == {"t1": False, "c1": False, "c2": True}


def test_a_refused_statement_still_counts_as_present(polling: Polling) -> None:
    put_entries(polling, 3)
    polling.attach("time")
    polling.run()
    polling.source.put("time", "e01", broken="1,5x")
    read_again(polling)
    assert deleted(polling) == []
    assert ("gone", "time") not in polling.source.calls


def test_refused_statements_without_an_id_withhold_what_can_not_be_confirmed(
    polling: Polling,
) -> None:
    put_entries(polling, 3)
    polling.attach("time")
    polling.run()
    polling.source.confirms = False
    polling.source.remove("time", "e01")
    polling.source.put("time", "e02", broken="1,5x", anonymous=True)
    reading = read_again(polling)
    assert deleted(polling) == []
    assert "1 refused statements name no id" in str(reading["deletions_withheld"])


def test_a_source_that_orders_by_versions_has_deletions_too(polling: Polling) -> None:
    for name in ("t1", "t2"):
        polling.source.put("tasks", name, external_version="7")
    polling.attach("tasks")
    polling.run()
    polling.source.remove("tasks", "t1")
    read_again(polling, "tasks")
    assert polling.records("work_item") == {"t1": True, "t2": False}

    polling.source.put("tasks", "t1", external_version="8")
    read_again(polling, "tasks")
    assert polling.records("work_item") == {"t1": False, "t2": False}


def test_an_entry_that_changed_its_id_stays_one_record(polling: Polling) -> None:
    polling.source.put("time", "-5", external_id_kind="temporary", notes="audit")
    polling.attach("time")
    polling.run()
    (before,) = polling.rows("SELECT record_id FROM record")
    polling.source.remove("time", "-5")
    polling.source.put("time", "105", notes="audit", approval={"state": "submitted"})

    reading = read_again(polling)

    assert (reading["rekeyed"], reading["deleted"]) == (1, 0)
    (after,) = polling.rows(
        "SELECT record_id, state, deleted FROM record WHERE merged_into IS NULL"
    )
    assert (after.record_id, after.deleted) == (before.record_id, False)
    assert after.state["external_id"] == "105"
    assert ("gone", "time") not in polling.source.calls

    read_again(polling)
    assert deleted(polling) == []


def test_identical_twins_are_paired_one_to_one(polling: Polling) -> None:
    for number in ("-9", "-10", "-11"):
        polling.source.put("time", number, external_id_kind="temporary", notes="call")
    polling.attach("time")
    polling.run()
    before = {row.external_id: row.record_id for row in polling.rows("SELECT * FROM record")}
    polling.source.remove("time", "-9", "-10", "-11")
    for number in ("201", "202"):
        polling.source.put("time", number, notes="call")

    reading = read_again(polling)

    assert (reading["rekeyed"], reading["deleted"]) == (2, 1)
    aliases = {row.alias: row.record_id for row in polling.rows("SELECT * FROM record_alias")}
    assert (aliases["201"], aliases["202"]) == (before["-9"], before["-10"])
    assert deleted(polling) == ["-11"]


def test_a_renamed_entry_is_asked_for_by_all_its_ids(polling: Polling) -> None:
    polling.source.put("time", "-9", external_id_kind="temporary", notes="call")
    polling.attach("time")
    polling.run()
    polling.source.remove("time", "-9")
    polling.source.put("time", "201", notes="call")
    read_again(polling)
    polling.source.hidden = {"201"}
    read_again(polling)
    assert deleted(polling) == []
    polling.source.remove("time", "201")
    read_again(polling)
    assert deleted(polling) == ["-9"]


def test_an_entry_of_a_stable_id_is_never_taken_for_another(polling: Polling) -> None:
    polling.source.put("time", "5", notes="audit")
    polling.attach("time")
    polling.run()
    polling.source.remove("time", "5")
    polling.source.put("time", "6", notes="audit")
    reading = read_again(polling)
    assert (reading["rekeyed"], reading["deleted"]) == (0, 1)
    assert polling.records() == {"5": True, "6": False}
