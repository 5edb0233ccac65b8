"""Parked records: listed with what they wait for, counted, mapped again on request."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from hourbridge.common.messages.events import MappingOutcome
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.mapper.rules.moments import Folds
from tests.support.mapping import BOOK, MapperBench, charge_sets, configuration, time_entry

pytestmark = pytest.mark.database
WITH_AUDIT = [{"task": "Design", "item": {"id": "5"}}, {"task": "Audit", "item": {"id": "8"}}]


def park(bench: MapperBench) -> str:
    bench.apply()
    changes = bench.feed(
        bench.accept(time_entry("1", task_name="Audit", client_name="Nobody")),
        bench.accept(time_entry("2", task_name="Audit")),
        bench.accept(time_entry("3")),
    )
    bench.bus.take()
    [only_task] = [change for change in changes if len(change.reasons) == 1]
    return only_task.record_id


def test_the_list_says_what_waits_for_what(bench: MapperBench) -> None:
    park(bench)
    answer = bench.parked.list(book=BOOK)
    assert answer["waits_for"] == [
        {"key": "task:Audit", "records": 2},
        {"key": "client:Nobody", "records": 1},
    ]
    assert len(answer["parked"]) == 2
    [both] = [item for item in answer["parked"] if len(item["waits_for"]) == 2]
    assert both["book"] == BOOK
    assert both["kind"] == "time_entry"
    assert both["code"] == "no_mapping"
    assert both["subject"] == "2026-03-02 / Nobody / Website / toggl"
    assert "no customer for client 'Nobody'" in both["detail"]
    assert both["since"] == bench.clock.now()


def test_the_list_filters(bench: MapperBench) -> None:
    park(bench)
    assert bench.parked.list(book="other")["parked"] == []
    assert len(bench.parked.list(waits_for="client:Nobody")["parked"]) == 1
    assert len(bench.parked.list(limit=1)["parked"]) == 1


def test_release_maps_again_but_overrides_nothing(bench: MapperBench) -> None:
    record_id = park(bench)
    answer = bench.parked.release(record_id, actor="ann", note="try")
    assert answer["released"] is False
    assert [reason["waits_for"] for reason in answer["reasons"]] == ["task:Audit"]
    assert bench.bus.take() == []


def test_release_need_not_wait_for_the_remapping(bench: MapperBench) -> None:
    record_id = park(bench)
    bench.applier.apply(configuration(tasks=WITH_AUDIT), actor="ann")
    bench.bus.take()
    answer = bench.parked.release(record_id, actor="ann")
    assert answer == {"released": True, "outcome": "charged", "reasons": []}
    [change] = charge_sets(bench.bus.take())
    assert change.outcome is MappingOutcome.CHARGED
    assert change.mapping_version == 2
    with pytest.raises(NotFound):
        bench.parked.release(record_id, actor="ann")
    bench.work()
    assert record_id not in {change.record_id for change in charge_sets(bench.bus.take())}


DOUBTFUL = {
    "work_date": "2026-11-01",
    "original_start_text": "2026-11-01T01:20",
    "original_end_text": "2026-11-01T01:50",
    "zone": {"iana": "America/New_York"},
    "input": {"seconds": 1800},
}


def quarantine(bench: MapperBench) -> str:
    bench.apply()
    [change] = bench.feed(bench.accept(time_entry("1", **DOUBTFUL)))
    assert [reason.code for reason in change.reasons] == ["ambiguous_local_time"]
    bench.bus.take()
    return change.record_id


def test_a_doubtful_time_goes_on_with_the_one_that_is_meant(bench: MapperBench) -> None:
    record_id = quarantine(bench)
    assert bench.parked.release(record_id, actor="ann")["released"] is False
    answer = bench.parked.release(record_id, actor="ann", note="asked", folds=Folds("later"))
    assert answer["outcome"] == "charged"
    [change] = charge_sets(bench.bus.take())
    span = change.charges[0].span
    assert span is not None
    assert str(span.started_at) == "2026-11-01 06:20:00+00:00"


def test_what_was_decided_of_a_time_outlives_mappings_and_revisions(bench: MapperBench) -> None:
    record_id = quarantine(bench)
    bench.parked.release(record_id, actor="ann", folds=Folds("later"))
    bench.bus.take()
    bench.apply(default_item={"id": "9"})
    assert charge_sets(bench.bus.take()) == []
    longer = time_entry("1", **{**DOUBTFUL, "notes": "more words"})
    [change] = bench.feed(bench.accept(longer, revision=2))
    assert change.outcome is MappingOutcome.CHARGED
    moved = time_entry("1", **{**DOUBTFUL, "original_start_text": "2026-11-01T01:30"})
    [change] = bench.feed(bench.accept(moved, revision=3))
    assert change.outcome is MappingOutcome.PARKED


def test_a_decision_about_time_is_for_what_waits_for_one(bench: MapperBench) -> None:
    record_id = park(bench)
    with pytest.raises(RequestInvalid):
        bench.parked.release(record_id, actor="ann", folds=Folds("later"))


def test_release_of_the_unknown(bench: MapperBench) -> None:
    with pytest.raises(NotFound):
        bench.parked.release("nothing", actor="ann")


def test_parked_records_are_counted_by_reason(bench: MapperBench) -> None:
    park(bench)

    def gauge(code: str) -> float | None:
        return REGISTRY.get_sample_value("hourbridge_mapper_parked_records", {"code": code})

    bench.parked.count()
    assert gauge("no_mapping") == 2
    bench.apply(
        tasks=WITH_AUDIT,
        clients=[{"client": name, "customer": {"id": name}} for name in ("Acme", "Nobody")],
        rates={"rules": [{"amount": "1"}]},
    )
    bench.parked.count()
    assert gauge("no_mapping") is None
