"""The handler on a real database: newest wins, every sequence is settled, order doesn't matter."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from hourbridge.common.bus.consumer import Received
from hourbridge.common.messages.events import ChargeSetChanged, MappingOutcome
from hourbridge.common.messages.registry import REGISTRY
from hourbridge.mapper.mapping import same_content
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


def settled(changes: list[ChargeSetChanged]) -> list[int]:
    return sorted(number for change in changes for number in change.covers)


def test_an_entry_becomes_a_charge(bench: MapperBench) -> None:
    bench.apply()
    [change] = bench.feed(bench.accept(time_entry()))
    assert change.outcome is MappingOutcome.CHARGED
    assert change.mapping_version == 1
    assert change.covers == (1,)
    [charge] = change.charges
    assert charge.customer.id == "17"
    assert str(charge.rate and charge.rate.amount) == "150.00"


def test_without_configuration_all_wait_for_it(bench: MapperBench) -> None:
    [change] = bench.feed(bench.accept(time_entry()))
    assert change.outcome is MappingOutcome.PARKED
    assert change.mapping_version == 0
    assert [reason.code for reason in change.reasons] == ["no_configuration"]
    assert bench.rows("waits_for") == [(["configuration:acme-books"],)]


def test_a_redelivery_changes_nothing_and_publishes_the_same_message(bench: MapperBench) -> None:
    bench.apply()
    message = bench.accept(time_entry())
    [first] = bench.feed_raw(message)
    before = bench.rows("*")
    [again] = bench.feed_raw(message)
    assert again == first
    assert bench.rows("*") == before


def test_an_older_state_publishes_the_stored_one_for_its_own_sequence(bench: MapperBench) -> None:
    bench.apply()
    old = bench.accept(time_entry(), revision=1)
    new = bench.accept(time_entry(input={"seconds": 7200}), revision=2)
    bench.feed(new)
    [change] = bench.feed(old)
    assert change.record_revision == 2
    assert change.worked_seconds == 7200
    assert change.covers == (1,)


def test_a_batch_with_two_states_publishes_the_newer_once_for_both(bench: MapperBench) -> None:
    bench.apply()
    old = bench.accept(time_entry(), revision=1)
    new = bench.accept(time_entry(input={"seconds": 7200}), revision=2)
    [change] = bench.feed(new, old, new)
    assert change.covers == (1, 2)
    assert change.worked_seconds == 7200


def corrected_entries(bench: MapperBench) -> list[Received]:
    messages = []
    for number in range(12):
        for revision in (1, 2, 3):
            entry = time_entry(str(number), input={"seconds": 600 * (number + revision)})
            messages.append(bench.accept(entry, revision))
    messages.append(bench.accept(client("c1", "Acme")))
    messages.append(bench.accept(project("p1", "Website", client_id="c1")))
    messages.append(
        bench.accept(time_entry("x", client_name=None, project_name=None, project_id="p1"))
    )
    return messages


@pytest.mark.parametrize("seed", range(4))
def test_three_deliveries_in_any_order_converge_and_settle_every_sequence(
    bench: MapperBench, seed: int
) -> None:
    bench.apply()
    messages = corrected_entries(bench)
    changes = bench.feed_shuffled(messages * 3, seed)
    bench.work()
    expected = {message.event.data.record_id: message.event.data.revision for message in messages}
    assert set(settled(changes)) == set(range(1, len(messages) + 1))
    assert dict(bench.rows("record_id, revision")) == expected
    final = by_record([*changes, *charge_sets(bench.bus.take())])
    outcomes = {change.outcome for change in final.values()}
    assert outcomes == {MappingOutcome.CHARGED, MappingOutcome.NOTED}
    hours = {id: change.worked_seconds for id, change in final.items() if change.charges}
    assert sum(hours.values()) == sum(600 * (number + 3) for number in range(12)) + 3600


def test_a_deleted_record_has_no_charges(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(bench.accept(time_entry(), revision=1))
    [change] = bench.feed(bench.accept(time_entry(deleted={"how": "feed"}), revision=2))
    assert change.outcome is MappingOutcome.SKIPPED
    assert change.deleted
    assert change.charges == ()
    assert [reason.code for reason in change.reasons] == ["deleted"]


def test_books_do_not_share_records_or_configurations(bench: MapperBench) -> None:
    bench.apply()
    here = bench.accept(time_entry())
    there = bench.accept(time_entry(), book="other-books")
    outcomes = {change.outcome for change in bench.feed(here, there)}
    assert outcomes == {MappingOutcome.CHARGED, MappingOutcome.PARKED}


def test_the_body_is_the_event_byte_for_byte(bench: MapperBench) -> None:
    bench.apply()
    for message in bench.feed_raw(bench.accept(time_entry(notes='Quote " and \u20ac'))):
        event = REGISTRY.decode(message.type, message.body)
        assert event.to_json() == message.body
        assert event.id == message.message_id


@pytest.mark.parametrize("seed", range(3))
def test_lanes_that_work_at_once_agree(bench: MapperBench, seed: int) -> None:
    bench.apply()
    messages = corrected_entries(bench)
    orders = [random.Random(seed * 10 + lane).sample(messages, len(messages)) for lane in range(4)]

    def work(order: list[Received]) -> list[ChargeSetChanged]:
        found = []
        for start in range(0, len(order), 5):
            found += bench.feed(*order[start : start + 5])
        return found

    with ThreadPoolExecutor(4) as pool:
        changes = [change for lane in pool.map(work, orders) for change in lane]
    bench.work()
    changes += charge_sets(bench.bus.take())
    assert set(settled(changes)) == set(range(1, len(messages) + 1))
    expected = {message.event.data.record_id: message.event.data.revision for message in messages}
    assert dict(bench.rows("record_id, revision")) == expected
    final = by_record(changes)
    for record_id, stored in bench.rows("record_id, charge_set::text"):
        assert same_content(final[record_id], ChargeSetChanged.model_validate_json(stored))
    assert {change.outcome for change in final.values()} == {
        MappingOutcome.CHARGED,
        MappingOutcome.NOTED,
    }


def test_an_apply_in_the_middle_of_the_flow_misses_nothing(bench: MapperBench) -> None:
    entries = [bench.accept(time_entry(str(number))) for number in range(60)]
    with ThreadPoolExecutor(2) as pool:
        flow = pool.submit(
            lambda: [bench.feed(*entries[start : start + 3]) for start in range(0, 60, 3)]
        )
        applied = pool.submit(bench.applier.apply, configuration(), actor="ann")
        flow.result()
        applied.result()
    bench.work()
    assert bench.rows("DISTINCT outcome, mapping_version", "1") == [("charged", 1)]
