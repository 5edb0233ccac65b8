"""Periodic work: every book reconciled, gauges that say what reports say, documents timed once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import REGISTRY

from hourbridge.common.store.leases import Leases
from hourbridge.reconciler.reconcile import Reconciler
from hourbridge.reconciler.upkeep import Upkeep
from tests.support.reconciling import BOOK, changed, charged, document, line

pytestmark = pytest.mark.database


def upkeep(bench: Any, holder: str = "one") -> Upkeep:
    reconciler = Reconciler(
        bench.settings, store=bench.store, clock=bench.clock, ledgers=bench.ledger.open
    )
    return Upkeep(
        bench.settings,
        store=bench.store,
        clock=bench.clock,
        leases=Leases(bench.store, holder),
        reconciler=reconciler,
    )


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"book": BOOK, **labels})


def test_gauges_say_what_is_unbilled_and_open(bench: Any) -> None:
    bench.feed(charged("r1", 1), charged("r2", 2, 1800))
    posted = bench.ledger.post(document("doc-1", [line(1, ["r1"], "1")]))
    bench.feed(changed(posted))
    bench.ledger.delete(posted)
    work = upkeep(bench)

    work.reconcile()
    work.measure()

    assert sample("hourbridge_unbilled_hours", age="0-30") == 0.5
    assert sample("hourbridge_unbilled_hours", age="over_90") == 0
    assert sample("hourbridge_unbilled_amount", currency="USD", age="0-30") == 75
    assert sample("hourbridge_discrepancies_open", cause="target_deleted") == 1
    assert sample("hourbridge_discrepancies_open", cause="target_edit") == 0


def test_replicas_take_turns(bench: Any) -> None:
    bench.feed(charged("r1", 1))
    posted = bench.ledger.post(document("doc-1", [line(1, ["r1"], "1")]))
    bench.feed(changed(posted))
    upkeep(bench, "one").reconcile()
    upkeep(bench, "two").reconcile()
    assert len(bench.ledger.opened) == 1


def test_each_posted_record_is_timed_once(bench: Any) -> None:
    name = "hourbridge_time_to_invoice_seconds"
    before = sample(f"{name}_count", workflow="standard") or 0
    total = sample(f"{name}_sum", workflow="standard") or 0
    bench.feed(charged("r1", 1), charged("r2", 2))
    posted = bench.ledger.post(document("doc-1", [line(1, ["r1", "r2"], "2")]))
    bench.feed(changed(posted))
    work = upkeep(bench)

    work.time_documents()
    work.time_documents()
    bench.feed(changed(posted.model_copy(update={"version": 9})))
    work.time_documents()

    assert sample(f"{name}_count", workflow="standard") == before + 2
    assert sample(f"{name}_sum", workflow="standard") == total + 2 * 25 * 3600


def test_the_cut_off_counts_when_it_is_later_than_the_acceptance(bench: Any) -> None:
    name = "hourbridge_time_to_invoice_seconds_sum"
    before = sample(name, workflow="standard") or 0
    bench.feed(charged("r1", 1))
    cut_off = datetime(2026, 4, 1, 4, tzinfo=UTC)
    stated = document("doc-1", [line(1, ["r1"], "1")], cut_off_at=cut_off)
    bench.feed(changed(bench.ledger.post(stated)))
    upkeep(bench).time_documents()
    assert sample(name, workflow="standard") == before + 6 * 3600


def test_cleaning_up_changes_no_conclusion(bench: Any) -> None:
    bench.feed(charged("r1", 1))
    bench.feed(charged("r2", 2))
    first = document("doc-1", [line(1, ["r1"], "1")])
    bench.feed(changed(first))
    second = document("doc-1", [line(1, ["r1", "r2"], "2")], version=2)
    bench.feed(changed(bench.ledger.post(second)))
    before = bench.reconcile()
    upkeep(bench).compact()
    assert bench.reconcile().totals_hash == before.totals_hash
