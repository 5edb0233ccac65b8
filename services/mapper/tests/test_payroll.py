"""The payroll export: worked time, by the worker's days, whoever pays for it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from hourbridge.common.runtime.admin import NotFound
from hourbridge.mapper.payroll import Payroll, Per, Period
from hourbridge.mapper.rules.moments import Folds
from tests.support.mapping import BOOK, MapperBench, expense, time_entry

pytestmark = pytest.mark.database
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


@pytest.fixture
def rows(bench: MapperBench) -> Any:
    def export(per: Per = "day", period: Period = MARCH) -> list[dict[str, str]]:
        lines: Iterator[str] = Payroll(bench.store, bench.configurations).export(BOOK, period, per)
        return list(csv.DictReader("".join(lines).splitlines()))

    return export


def test_worked_time_is_added_up_by_person_and_day(bench: MapperBench, rows: Any) -> None:
    bench.apply(rounding={"increment_seconds": 900, "mode": "up"})
    bench.feed(
        bench.accept(time_entry("1", input={"seconds": 421})),
        bench.accept(time_entry("2", input={"seconds": 3600}, billable={"seconds": 1800},
                                billable_state="partially_billable")),
        bench.accept(time_entry("3", staff_id="Bea", staff_name="Bea", input={"seconds": 60})),
        bench.accept(expense()),
    )  # fmt: skip
    ann, bea = rows()
    assert (ann["staff"], ann["day"], ann["entries"]) == ("Ann", "2026-03-02", "2")
    assert (ann["worked_seconds"], ann["worked"], ann["hours"]) == ("4021", "1:07:01", "1.1169")
    assert (bea["staff"], bea["worked_seconds"], bea["day_of"]) == ("Bea", "60", "stated")


def test_who_pays_does_not_matter_but_approval_does(bench: MapperBench, rows: Any) -> None:
    bench.apply()
    bench.feed(
        bench.accept(time_entry("unpaid", billable_state="non_billable")),
        bench.accept(time_entry("unmapped", client_name="Nobody")),
        bench.accept(time_entry("free", task_name="Admin", entry_type="time_off",
                                payroll_category="pto")),
        bench.accept(time_entry("lunch", entry_type="break")),
        bench.accept(time_entry("draft", approval={"state": "submitted"})),
        bench.accept(time_entry("gone", deleted={"how": "feed"})),
        bench.accept(time_entry("runs", running=True)),
    )  # fmt: skip
    found = {row["external_id"]: row for row in rows("entry")}
    assert set(found) == {"unpaid", "unmapped", "free"}
    assert (found["free"]["entry_type"], found["free"]["payroll_category"]) == ("time_off", "pto")
    bench.apply(billable={"approved_only": False})
    assert "draft" in {row["external_id"] for row in rows("entry")}


def test_days_are_the_workers_and_end_at_midnight(bench: MapperBench, rows: Any) -> None:
    bench.apply(time={"work_day": "company"})
    entry = time_entry(
        work_date="2026-03-31",
        start_at="2026-03-31T12:00:00Z",
        end_at="2026-03-31T18:00:00Z",
        input={"seconds": 21600},
        zone={"iana": "Asia/Tokyo"},
    )
    bench.feed(bench.accept(entry))
    [row] = rows()
    assert (row["day"], row["worked_seconds"]) == ("2026-03-31", "10800")
    assert (row["day_of"], row["zone"]) == ("worker", "Asia/Tokyo")
    [rest] = rows(period=Period(date(2026, 4, 1), date(2026, 4, 30)))
    assert (rest["day"], rest["worked_seconds"]) == ("2026-04-01", "10800")


def test_doubtful_times_are_paid_as_stated_until_they_are_decided(
    bench: MapperBench, rows: Any
) -> None:
    bench.apply()
    entry = time_entry(
        work_date="2026-11-01",
        original_start_text="2026-11-01T01:10",
        original_end_text="2026-11-01T01:40",
        input={"seconds": 1800},
        zone={"iana": "America/New_York"},
    )
    [change] = bench.feed(bench.accept(entry))
    november = Period(date(2026, 11, 1), date(2026, 11, 30))
    [row] = rows("entry", november)
    assert (row["doubt"], row["worked_seconds"]) == ("ambiguous_local_time", "1800")
    folds = Folds("earlier", "later")
    bench.parked.release(change.record_id, actor="ann", folds=folds)
    [row] = rows("entry", november)
    assert (row["doubt"], row["worked_seconds"]) == ("wall_clock_duration", "5400")


def test_subcontractors_are_paid_by_bill(bench: MapperBench, rows: Any) -> None:
    bench.apply(
        subcontractors=[{"staff": "Ann", "vendor": {"name": "Ann Ltd"}, "cost_rate": "75.00"}],
        accounts=[{"role": "subcontractor_cost", "ledger": {"name": "Subcontractors"}}],
    )
    bench.feed(bench.accept(time_entry()))
    assert rows() == []


def test_a_book_without_a_configuration_is_refused(rows: Any) -> None:
    with pytest.raises(NotFound):
        rows()
