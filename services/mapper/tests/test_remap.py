"""Mapping stored records again: releases first, only what changed, through kills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from hourbridge.common import faults
from hourbridge.common.errors import BusError, TransientFailure
from hourbridge.common.messages.events import ChargeSetChanged, MappingOutcome
from hourbridge.common.store.leases import Leases
from hourbridge.mapper import remap
from tests.support.mapping import (
    MapperBench,
    by_record,
    charge_sets,
    client,
    configuration,
    project,
    time_entry,
)

pytestmark = pytest.mark.database

WITH_AUDIT = {
    "tasks": [
        {"task": "Design", "item": {"id": "5"}},
        {"task": "Audit", "item": {"id": "8"}},
    ]
}


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    faults.arm("")


def fill(bench: MapperBench, count: int = 10) -> None:
    """Store entries of which every other waits for the task Audit."""
    bench.feed(
        *(
            bench.accept(time_entry(str(number), task_name="Audit" if number % 2 else "Design"))
            for number in range(count)
        )
    )


def published(bench: MapperBench) -> dict[str, ChargeSetChanged]:
    return by_record(charge_sets(bench.bus.take()))


def test_applying_the_mapping_releases_what_waits(bench: MapperBench) -> None:
    bench.apply()
    fill(bench)
    bench.bus.take()
    bench.apply(**WITH_AUDIT)
    released = published(bench)
    assert len(released) == 5
    assert {change.outcome for change in released.values()} == {MappingOutcome.CHARGED}
    assert {change.mapping_version for change in released.values()} == {2}
    assert {change.covers for change in released.values()} == {()}
    assert bench.rows("DISTINCT outcome, mapping_version", "1") == [("charged", 2)]


def test_only_changed_charge_sets_are_published(bench: MapperBench) -> None:
    bench.apply()
    fill(bench)
    bench.bus.take()
    bench.apply(rates={"rules": [{"client": "Acme", "amount": "150.00"}, {"amount": "1"}]})
    assert published(bench) == {}
    assert bench.rows("DISTINCT mapping_version", "1") == [(2,)]


def test_released_ones_are_events_and_the_rest_bulk(bench: MapperBench) -> None:
    bench.apply()
    fill(bench, 4)
    bench.bus.take()
    bench.apply(**WITH_AUDIT, rates={"rules": [{"client": "Acme", "amount": "160.00"}]})
    lanes = [(message.exchange, message.type.split(".")[1]) for message in bench.bus.take()]
    assert lanes == [
        ("hourbridge.events", "book"),
        *[("hourbridge.events", "charge_set")] * 2,
        *[("hourbridge.bulk", "charge_set")] * 2,
    ]


def test_new_records_use_the_new_version_while_old_ones_are_mapped_again(
    bench: MapperBench,
) -> None:
    bench.apply()
    fill(bench, 6)
    bench.applier.apply(configuration(**WITH_AUDIT), actor="ann")
    [change] = bench.feed(bench.accept(time_entry("new", task_name="Audit")))
    assert change.outcome is MappingOutcome.CHARGED
    assert change.mapping_version == 2


def test_a_redelivery_meets_the_remapping_halfway(bench: MapperBench) -> None:
    bench.apply()
    message = bench.accept(time_entry(task_name="Audit"))
    bench.feed(message)
    bench.applier.apply(configuration(**WITH_AUDIT), actor="ann")
    [change] = bench.feed(message)
    assert change.outcome is MappingOutcome.CHARGED
    bench.work()
    assert bench.rows("outcome, mapping_version") == [("charged", 2)]


@pytest.mark.parametrize("point", [remap.IN_BATCH, remap.AFTER_BATCH])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_killed_remapping_goes_on(bench: MapperBench, point: str, nth: int) -> None:
    bench.apply()
    fill(bench)
    bench.bus.take()
    bench.applier.apply(configuration(**WITH_AUDIT), actor="ann")
    faults.arm(f"{point}=raise@{nth}")
    with pytest.raises(TransientFailure):
        bench.remapper().run()
    faults.arm("")
    bench.work()
    bench.outbox.flush()
    assert len(published(bench)) == 5
    assert bench.rows("DISTINCT outcome, mapping_version", "1") == [("charged", 2)]


def test_an_absent_broker_postpones_publishing_only(bench: MapperBench) -> None:
    bench.apply()
    fill(bench)
    bench.bus.take()
    bench.bus.failure = BusError("away")
    bench.apply(**WITH_AUDIT)
    assert bench.rows("DISTINCT outcome", "1") == [("charged",)]
    bench.bus.failure = None
    bench.outbox.flush()
    assert len(published(bench)) == 5


def test_one_replica_at_a_time(bench: MapperBench) -> None:
    bench.apply()
    fill(bench)
    bench.applier.apply(configuration(**WITH_AUDIT), actor="ann")
    lease = Leases(bench.store, "another").acquire(remap.LEASE, ttl_seconds=60)
    assert lease is not None
    assert not bench.remapper().run()
    assert ("parked", 1) in bench.rows("DISTINCT outcome, mapping_version", "1")
    Leases(bench.store, "another").release(lease)
    bench.work()
    assert bench.rows("DISTINCT outcome", "1") == [("charged",)]


def test_a_newer_version_replaces_an_unfinished_remapping(bench: MapperBench) -> None:
    bench.apply()
    fill(bench)
    bench.applier.apply(configuration(rates={"rules": []}), actor="ann")
    bench.applier.apply(configuration(**WITH_AUDIT), actor="ann")
    bench.work()
    with bench.store.transaction() as connection:
        states = [task["state"] for task in remap.progress(connection, "acme-books", 10)]
    assert states == ["done", "superseded", "done"]
    assert bench.rows("DISTINCT outcome, mapping_version", "1") == [("charged", 3)]


def test_master_data_is_not_mapped_again(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(bench.accept(client("c1", "Acme")))
    bench.bus.take()
    bench.apply(**WITH_AUDIT)
    assert published(bench) == {}


# --- facts ------------------------------------------------------------------------------------


def by_id(external_id: str, **changes: Any) -> Any:
    return time_entry(external_id, client_name=None, project_name=None, project_id="p1", **changes)


def test_late_master_data_releases_what_waits_for_it(bench: MapperBench) -> None:
    bench.apply()
    [waiting] = bench.feed(bench.accept(by_id("1")))
    assert [reason.waits_for for reason in waiting.reasons] == ["project:p1"]
    bench.feed(bench.accept(project("p1", "Website", client_id="c1")))
    bench.work()
    assert bench.rows("outcome", "outcome") == [("noted",), ("parked",)]
    bench.feed(bench.accept(client("c1", "Acme")))
    bench.work()
    released = published(bench)[waiting.record_id]
    assert released.outcome is MappingOutcome.CHARGED
    assert (released.client, released.project) == ("Acme", "Website")
    order = (released.record_revision, released.mapping_version)
    assert order > (waiting.record_revision, waiting.mapping_version)


def test_a_renaming_maps_what_depends_on_it_again(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(bench.accept(project("p1", "Website", client_name="Acme")))
    bench.feed(bench.accept(by_id("1")), bench.accept(time_entry("2")))
    bench.bus.take()
    bench.feed(bench.accept(project("p1", "Web shop", client_name="Acme"), 2))
    bench.work()
    assert [change.project for change in published(bench).values()] == ["Web shop"]


def test_facts_that_nobody_asked_for_make_no_version(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(bench.accept(time_entry("1")))
    bench.feed(bench.accept(project("p1", "Website", client_name="Acme")))
    bench.work()
    with bench.store.transaction() as connection:
        versions = bench.configurations.history(connection, "acme-books", 10)
    assert [version["version"] for version in versions] == [1]


def test_an_unchanged_fact_maps_nothing_again(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(bench.accept(project("p1", "Website", client_name="Acme")))
    bench.work()
    bench.feed(bench.accept(by_id("1")))
    bench.feed(bench.accept(project("p1", "Website", client_name="Acme", code="W"), 2))
    with bench.store.transaction() as connection:
        noted = connection.execute(text("SELECT count(*) FROM fact_change")).scalar_one()
    assert noted == 0


def test_an_older_fact_changes_nothing(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(bench.accept(project("p1", "New name", client_name="Acme"), 2))
    bench.feed(bench.accept(project("p1", "Old name", client_name="Acme"), 1))
    bench.feed(bench.accept(by_id("1")))
    assert bench.rows("charge_set::jsonb->>'project'", "1")[0] == ("New name",)
