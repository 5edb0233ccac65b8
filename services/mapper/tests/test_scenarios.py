"""Acceptance scenarios as far as the mapper decides them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.messages.events import MappingOutcome
from hourbridge.connectors.ledger import LedgerEntity
from tests.support.mapping import (
    BOOK,
    MapperBench,
    by_record,
    charge_sets,
    configuration,
    time_entry,
)

pytestmark = pytest.mark.database
HOUR = 3600


def test_a12_four_hours_worked_three_billable(bench: MapperBench) -> None:
    bench.apply()
    entry = time_entry(
        input={"seconds": 4 * HOUR},
        billable={"seconds": 3 * HOUR},
        billable_state="partially_billable",
        cost_rate={"amount": "60.00", "currency": "USD"},
    )
    [change] = bench.feed(bench.accept(entry))
    [charge] = change.charges
    assert (charge.worked_seconds, charge.billable_seconds) == (4 * HOUR, 3 * HOUR)
    assert charge.rate is not None
    assert charge.rate.amount * charge.billable_seconds / HOUR == Decimal("450.00")
    assert (change.worked_seconds, change.billable_seconds) == (4 * HOUR, 3 * HOUR)


def test_a13_non_billable_is_neither_charged_nor_leaking(bench: MapperBench) -> None:
    bench.apply()
    changes = bench.feed(
        bench.accept(time_entry("n", input={"seconds": 2 * HOUR}, billable_state="non_billable")),
        bench.accept(time_entry("b")),
    )
    by_outcome = {change.outcome: change for change in changes}
    skipped = by_outcome[MappingOutcome.SKIPPED]
    assert [reason.code for reason in skipped.reasons] == ["non_billable"]
    assert (skipped.worked_seconds, skipped.billable_seconds) == (2 * HOUR, 0)
    [charge] = by_outcome[MappingOutcome.CHARGED].charges
    assert charge.billable_seconds == HOUR


def test_a63_a_missing_mapping_parks_and_its_arrival_releases(bench: MapperBench) -> None:
    bench.apply()
    changes = bench.feed(
        bench.accept(time_entry("a", task_name="Audit")), bench.accept(time_entry("d"))
    )
    outcomes = {change.outcome: change for change in changes}
    waiting = outcomes[MappingOutcome.PARKED]
    assert [(reason.code, reason.waits_for) for reason in waiting.reasons] == [
        ("no_mapping", "task:Audit")
    ]
    assert len(outcomes[MappingOutcome.CHARGED].charges) == 1
    bench.bus.take()
    tasks = [{"task": "Design", "item": {"id": "5"}}, {"task": "Audit", "item": {"id": "8"}}]
    bench.apply(tasks=tasks)
    [released] = charge_sets(bench.bus.take())
    assert released.record_id == waiting.record_id
    assert released.outcome is MappingOutcome.CHARGED
    assert released.mapping_version == waiting.mapping_version + 1
    bench.apply(tasks=tasks)
    assert bench.bus.take() == []


def test_a64_a_header_account_refuses_the_mapping(bench: MapperBench) -> None:
    class Chart:
        def resolve(self, kind: str, reference: object) -> LedgerEntity:
            return LedgerEntity(kind, "84", "Assets", currency="USD", is_header=kind == "account")

        def check(self) -> list[str]:
            return []

        def close(self) -> None:
            """Nothing to close."""

    checked = MapperBench(bench.store, bench.clock, opener=lambda _: Chart())  # type: ignore[arg-type,return-value]
    wanted = configuration(expenses=[{"category": "Hotel", "account": {"id": "84"}}])
    answer = checked.planner.plan(wanted)
    assert not answer["ok"]
    assert [problem["code"] for problem in answer["problems"]] == ["account_header"]
    with pytest.raises(ConfigurationInvalid):
        checked.applier.apply(wanted, actor="ann")
    assert checked.bus.take() == []


def test_a65_a_renamed_client_stays_the_same_customer(bench: MapperBench) -> None:
    options = {
        "clients": [{"client": "77", "customer": {"id": "17", "name": "Acme Corp."}}],
        "rates": {"rules": [{"client": "77", "amount": "150.00"}]},
    }
    bench.apply(**options)
    old = bench.accept(time_entry("1", client_id="77", client_name="Acme"))
    new = bench.accept(time_entry("2", client_id="77", client_name="ACME Holding"))
    charges = [change.charges[0] for change in by_record(bench.feed(old, new)).values()]
    assert {charge.customer.key for charge in charges} == {"id:17"}
    assert {charge.client for charge in charges} == {"Acme Corp."}
    assert bench.planner.plan(configuration(**options))["name_conflicts"] == [
        {
            "client": "77",
            "tracker_names": ["ACME Holding", "Acme"],
            "ledger_name": "Acme Corp.",
        }
    ]
    assert bench.parked.list(book=BOOK)["parked"] == []
