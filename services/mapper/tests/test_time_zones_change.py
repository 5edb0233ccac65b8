"""New time zone rules: proposed, taken over on request, and never a side effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hourbridge.common.messages.events import ChargeSetChanged
from hourbridge.common.messages.records import StaffMember, TimeEntry
from hourbridge.common.zones import use_zones
from hourbridge.mapper.renormalising import Renormaliser
from tests.support.mapping import BOOK, MapperBench, charge_sets, time_entry
from tests.support.zones import without_winter_time

pytestmark = pytest.mark.database
BERLIN = "Europe/Berlin"
WORKER = {"time": {"work_day": "worker", "split_at": "midnight"}}


@pytest.fixture
def newer_rules(tmp_path: Path) -> Iterator[Path]:
    yield without_winter_time(tmp_path, BERLIN, 2026, version="2027x")
    use_zones(None)


@pytest.fixture
def renormaliser(bench: MapperBench) -> Renormaliser:
    parts: Any = {"outbox": bench.outbox, "clock": bench.clock}
    return Renormaliser(bench.store, bench.configurations, **parts)


def wall(external_id: str, start: str, end: str, **changes: Any) -> TimeEntry:
    return time_entry(
        external_id,
        work_date=start[:10],
        original_start_text=start,
        original_end_text=end,
        zone={"iana": BERLIN},
        **changes,
    )


def late(external_id: str = "1") -> TimeEntry:
    """Return an hour that ends at midnight in Berlin's winter, and at one without it."""
    return time_entry(
        external_id,
        work_date="2026-12-10",
        start_at="2026-12-10T22:00:00Z",
        end_at="2026-12-10T23:00:00Z",
        zone={"iana": BERLIN},
    )


def days(change: ChargeSetChanged) -> list[tuple[str, int]]:
    return [(charge.work_date.isoformat(), charge.worked_seconds) for charge in change.charges]


def test_re_mapping_keeps_the_days_that_other_rules_gave(
    bench: MapperBench, newer_rules: Path
) -> None:
    bench.apply(**WORKER)
    [change] = bench.feed(bench.accept(late()))
    assert days(change) == [("2026-12-10", 3600)]
    bench.bus.take()
    use_zones(newer_rules)
    bench.apply(**WORKER, default_item={"id": "9"})
    assert charge_sets(bench.bus.take()) == []
    bench.apply(**WORKER, rates={"rules": [{"amount": "170.00"}]})
    [repriced] = charge_sets(bench.bus.take())
    assert days(repriced) == [("2026-12-10", 3600)]
    [span] = [charge.span for charge in repriced.charges]
    assert span is not None
    assert span.tzdata != "2027x"


def test_another_policy_reads_times_afresh(bench: MapperBench, newer_rules: Path) -> None:
    bench.apply(**WORKER)
    bench.feed(bench.accept(late()))
    bench.bus.take()
    use_zones(newer_rules)
    bench.apply(time={"work_day": "worker"})
    [change] = charge_sets(bench.bus.take())
    assert days(change) == [("2026-12-11", 3600)]


def test_a_new_revision_reads_times_afresh(bench: MapperBench, newer_rules: Path) -> None:
    bench.apply(**WORKER)
    bench.feed(bench.accept(late()))
    use_zones(newer_rules)
    [change] = bench.feed(bench.accept(late(), revision=2))
    assert days(change) == [("2026-12-11", 3600)]


def test_differences_are_proposed_with_both_sides(
    bench: MapperBench, renormaliser: Renormaliser, newer_rules: Path
) -> None:
    bench.apply(**WORKER)
    bench.feed(
        bench.accept(late("moves")),
        bench.accept(wall("lasts", "2026-10-25T01:30", "2026-10-25T04:00")),
        bench.accept(wall("stays", "2026-12-10T10:00", "2026-12-10T11:00")),
        bench.accept(time_entry("untimed")),
    )
    assert renormaliser.propose(BOOK)["proposals"] == []
    use_zones(newer_rules)
    answer = renormaliser.propose(BOOK)
    assert (answer["tzdata"], answer["examined"]) == ("2027x", 3)
    found = {row["external_id"]: row for row in answer["proposals"]}
    assert set(found) == {"moves", "lasts", "stays"}  # a wall time names another instant now
    assert [stint["day"] for stint in found["moves"]["after"]] == ["2026-12-11"]
    assert found["lasts"]["before"][0]["ended_at"] == "2026-10-25T03:00:00+00:00"
    assert found["lasts"]["after"][0]["ended_at"] == "2026-10-25T02:00:00+00:00"
    assert (found["moves"]["client"], found["moves"]["staff"]) == ("Acme", "Ann")
    assert bench.bus.take() != []


def test_proposals_are_taken_over_once(
    bench: MapperBench, renormaliser: Renormaliser, newer_rules: Path
) -> None:
    bench.apply(**WORKER)
    [one, other] = bench.feed(bench.accept(late("1")), bench.accept(late("2")))
    bench.bus.take()
    use_zones(newer_rules)
    done = renormaliser.apply(BOOK, [one.record_id, "unknown"], actor="ann", note="new law")
    assert done == {"tzdata": "2027x", "examined": 1, "changed": 1}
    [change] = charge_sets(bench.bus.take())
    assert (change.record_id, days(change)) == (one.record_id, [("2026-12-11", 3600)])
    assert change.mapping_version == 2
    again = renormaliser.apply(BOOK, [one.record_id], actor="ann", note=None)
    assert again["changed"] == 0
    assert bench.bus.take() == []
    [left] = renormaliser.propose(BOOK)["proposals"]
    assert left["record_id"] == other.record_id


def test_what_newer_rules_leave_without_a_meaning_waits_only_on_request(
    bench: MapperBench, renormaliser: Renormaliser, tmp_path: Path
) -> None:
    """By rules without winter time no clock goes back; by today's this one does."""
    use_zones(without_winter_time(tmp_path, BERLIN, 2026, version="2025x"))
    try:
        bench.apply(**WORKER)
        [before] = bench.feed(bench.accept(wall("1", "2026-10-25T02:30", "2026-10-25T03:30")))
    finally:
        use_zones(None)
    bench.bus.take()
    bench.apply(**WORKER, default_item={"id": "9"})
    assert charge_sets(bench.bus.take()) == []
    [proposal] = renormaliser.propose(BOOK)["proposals"]
    assert proposal["after"] == []
    assert "happens twice" in proposal["reasons"][0]
    renormaliser.apply(BOOK, [before.record_id], actor="ann", note=None)
    [change] = charge_sets(bench.bus.take())
    assert [reason.code for reason in change.reasons] == ["ambiguous_local_time"]


def test_a_book_without_a_configuration_has_nothing_to_propose(
    renormaliser: Renormaliser,
) -> None:
    assert renormaliser.propose("nobody")["proposals"] == []
    assert renormaliser.apply("nobody", ["x"], actor="ann", note=None)["changed"] == 0


def test_where_a_person_works_is_learned_from_staff_data(bench: MapperBench) -> None:
    bench.apply(time={"work_day": "worker"})
    entry = time_entry(
        work_date="2026-05-31",
        start_at="2026-05-31T18:30:00Z",
        end_at="2026-05-31T19:30:00Z",
    )
    [change] = bench.feed(bench.accept(entry))
    assert days(change) == [("2026-05-31", 3600)]  # the company's: nobody said where Ann is
    bench.bus.take()
    person = {"external_id": "Ann", "display_name": "Ann", "home_timezone": "Asia/Kathmandu"}
    bench.feed(bench.accept(StaffMember.model_validate(person)))
    bench.work()
    [change] = charge_sets(bench.bus.take())
    assert days(change) == [("2026-06-01", 3600)]
