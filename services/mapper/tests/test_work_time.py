"""The time policy: what wall times mean that happen never or twice, and how long work took."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from hourbridge.common.messages.events import MappingOutcome
from hourbridge.common.messages.records import TimeEntry
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.moments import Folds
from hourbridge.mapper.rules.outcome import Mapped
from hourbridge.mapper.rules.record import map_record
from hourbridge.mapper.rules.work_time import Remembered
from services.mapper.tests.timed import BERLIN, TOKYO, by_wall, charges, timed, worked
from tests.support.mapping import BOOK, SOURCE, codes, configuration, mapped, time_entry


def released(record: TimeEntry, folds: Folds, **changes: Any) -> Mapped:
    book = CompiledBook(configuration(**changes), 1)
    return map_record(
        book, book_name=BOOK, source=SOURCE, record_id="r1", record=record,
        remembered=Remembered(folds),
    )  # fmt: skip


# --- without any question -----------------------------------------------------------------------


def test_an_entry_without_times_has_no_span() -> None:
    [charge] = charges(time_entry(), time={"work_day": "worker", "split_at": "midnight"})
    assert (charge.span, charge.work_date) == (None, date(2026, 3, 2))


def test_instants_are_passed_on_and_the_stated_day_counts() -> None:
    entry = timed("2026-03-02T23:00:00Z", "2026-03-03T00:00:00Z", zone={"iana": TOKYO})
    [charge] = charges(entry)
    assert charge.work_date == date(2026, 3, 2)
    assert charge.span is not None
    assert charge.span.zone == TOKYO
    assert (charge.span.day_of, charge.span.tzdata, charge.span.split_at) == ("stated", None, None)


def test_texts_for_people_raise_no_question() -> None:
    entry = time_entry(original_start_text="3:00pm", original_end_text="4:00pm")
    [charge] = charges(entry, time={"work_day": "worker"})
    assert charge.span is None


# --- wall times that are none or two --------------------------------------------------------


NEVER = by_wall("2026-03-29T02:15", "2026-03-29T03:15")
TWICE = by_wall("2026-10-25T02:15", "2026-10-25T03:15", 2)


@pytest.mark.parametrize(
    ("entry", "code"), [(NEVER, "nonexistent_local_time"), (TWICE, "ambiguous_local_time")]
)
def test_by_policy_they_are_rejected(entry: TimeEntry, code: str) -> None:
    result = mapped(entry, time={"nonexistent": "reject", "ambiguous": "reject"})
    assert (result.outcome, codes(result)) == (MappingOutcome.SKIPPED, [code])
    assert result.billable_seconds == 0


@pytest.mark.parametrize(
    ("entry", "code"), [(NEVER, "nonexistent_local_time"), (TWICE, "ambiguous_local_time")]
)
def test_by_policy_they_are_quarantined(entry: TimeEntry, code: str) -> None:
    result = mapped(entry, time={"nonexistent": "quarantine", "ambiguous": "quarantine"})
    assert (result.outcome, codes(result)) == (MappingOutcome.PARKED, [code])
    text = entry.original_start_text
    assert result.waits_for == (f"local_time:{text} {BERLIN}",)
    assert result.billable_seconds == entry.input.seconds


def test_all_that_is_missing_is_named_at_once() -> None:
    result = mapped(TWICE.model_copy(update={"task_name": "Audit"}))
    assert codes(result) == ["ambiguous_local_time", "no_mapping"]


def test_work_that_nobody_pays_for_asks_nothing() -> None:
    unpaid = by_wall("2026-10-25T02:15", None, billable_state="non_billable")
    assert codes(mapped(unpaid)) == ["non_billable"]
    internal = {"projects": [{"project": "Website", "billable": False}]}
    assert codes(mapped(TWICE, **internal)) == ["non_billable"]


def test_a_shifted_time_keeps_the_stated_duration() -> None:
    [charge] = charges(NEVER, time={"nonexistent": "shift", "work_day": "worker"})
    assert charge.span is not None
    assert charge.span.started_at is not None
    assert charge.span.started_at.isoformat() == "2026-03-29T01:15:00+00:00"
    assert str(charge.span.ended_at) == "2026-03-29 02:15:00+00:00"
    assert (charge.worked_seconds, charge.billable_seconds) == (3600, 3600)


@pytest.mark.parametrize(("policy", "seconds"), [("earlier", 7200), ("later", 3600)])
def test_a_policy_may_choose_which_of_two_is_meant(policy: str, seconds: int) -> None:
    [charge] = charges(TWICE, time={"ambiguous": policy})
    assert charge.span is not None
    assert charge.span.started_at is not None
    assert charge.span.ended_at is not None
    lasted = charge.span.ended_at - charge.span.started_at
    assert lasted.total_seconds() == seconds
    assert charge.span.tzdata is not None


def test_a_person_says_which_of_two_is_meant() -> None:
    [charge] = released(TWICE, Folds("later")).charges
    assert charge.span is not None
    assert str(charge.span.started_at) == "2026-10-25 01:15:00+00:00"


@pytest.mark.parametrize(
    ("fold", "start"), [("later", "2026-03-29 01:15:00"), ("earlier", "2026-03-29 00:15:00")]
)
def test_a_person_says_where_a_time_in_a_gap_belongs(fold: Any, start: str) -> None:
    result = released(NEVER, Folds(fold), time={"nonexistent": "quarantine"})
    span = result.charges[0].span
    assert span is not None
    assert str(span.started_at) == f"{start}+00:00"


@pytest.mark.parametrize(
    ("start", "end", "hours", "folds", "seconds"),
    [
        ("02:30", "02:30", 1, Folds("earlier"), 3600),
        ("02:30", "02:30", 0, Folds("earlier"), 3600),
        ("02:10", "02:50", 40 / 60, Folds("earlier"), 2400),
        ("02:10", "02:50", 100 / 60, Folds("earlier"), 6000),
        ("02:10", "02:50", 40 / 60, Folds("earlier", "later"), 6000),
        ("02:50", "02:10", 20 / 60, Folds("earlier"), 1200),
        ("02:10", "02:50", 0.5, Folds("earlier"), 1800),
        ("02:50", "02:10", 0.5, Folds("later"), 1800),
        ("02:50", "02:10", 0.5, Folds("later", "earlier"), 1800),
        ("01:50", "02:10", 80 / 60, Folds("later"), 4800),
        ("02:10", "02:50", 40 / 60, Folds("later"), 2400),
    ],
)
def test_the_end_is_what_fits_the_start_and_the_stated_duration(
    start: str, end: str, hours: float, folds: Folds, seconds: int
) -> None:
    night = "2026-10-25T"
    entry = by_wall(night + start, night + end, hours)
    result = released(entry, folds)
    assert [charge.worked_seconds for charge in result.charges] == [seconds]


def test_an_entry_of_no_length_waits_if_its_times_are_doubtful() -> None:
    entry = by_wall("2026-10-25T02:30", "2026-10-25T02:30", 0)
    assert codes(mapped(entry)) == ["ambiguous_local_time"]
    same = by_wall("2026-10-24T02:30", "2026-10-24T02:30", 0)
    assert codes(mapped(same)) == ["zero_time"]


@pytest.mark.parametrize(
    ("day", "start", "end", "instants"),
    [
        ("2026-05-04", "09:00", "10:30", ("2026-05-04T07:00:00", "2026-05-04T08:30:00")),
        ("2026-05-04", "22:00:30", "01:00", ("2026-05-04T20:00:30", "2026-05-04T23:00:00")),
        ("2026-10-24", "23:00", "04:00", ("2026-10-24T21:00:00", "2026-10-25T03:00:00")),
        ("2026-03-28", "23:00", "02:30", ("2026-03-28T22:00:00", "2026-03-29T01:30:00")),
    ],
)
def test_bare_times_of_day_are_of_the_stated_day(
    day: str, start: str, end: str, instants: tuple[str, str]
) -> None:
    entry = by_wall(start, end, work_date=day)
    [charge] = charges(entry, time={"nonexistent": "shift"})
    span = charge.span
    assert span is not None
    assert (span.started_at, span.ended_at) == tuple(
        datetime.fromisoformat(f"{instant}+00:00") for instant in instants
    )


def test_a_bare_time_may_be_in_the_hour_that_clocks_repeat() -> None:
    entry = by_wall("02:50", "02:10", 20 / 60, work_date="2026-10-25")
    assert codes(mapped(entry)) == ["ambiguous_local_time"]
    [charge] = released(entry, Folds("earlier")).charges
    assert charge.worked_seconds == 1200


def test_a_text_with_an_offset_names_its_instant() -> None:
    entry = time_entry(
        original_start_text="2026-10-25T02:30:00+02:00",
        original_end_text="2026-10-25T02:30:00+01:00",
        zone={"iana": BERLIN},
    )
    [charge] = charges(entry)
    assert charge.span is not None
    assert str(charge.span.started_at) == "2026-10-25 00:30:00+00:00"
    assert charge.span.tzdata is None


# --- how long it took -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "stated", "seconds"),
    [
        ("2026-03-29T01:00", "2026-03-29T04:00", 3, 7200),
        ("2026-10-25T01:00", "2026-10-25T04:00", 3, 14400),
        ("2026-10-25T01:00", "2026-10-25T04:00", 4, 14400),
        ("2026-10-25T01:00", "2026-10-25T04:00", 3.5, 12600),
        ("2026-10-24T01:00", "2026-10-24T04:00", 2.5, 9000),
    ],
)
def test_a_difference_of_wall_clocks_is_no_duration(
    start: str, end: str, stated: float, seconds: int
) -> None:
    assert worked(by_wall(start, end, stated)) == [(start[:10], seconds)]


def test_a_source_that_gives_no_duration_gets_the_one_that_passed() -> None:
    entry = by_wall("2026-05-04T09:00", "2026-05-04T12:00", 0, break_seconds=600)
    assert worked(entry) == [("2026-05-04", 10200)]


def test_the_correction_is_told_and_breaks_stay_breaks() -> None:
    entry = by_wall("2026-10-25T01:00", "2026-10-25T09:00", 7.5, break_seconds=1800)
    [charge] = charges(entry)
    assert (charge.worked_seconds, charge.billable_seconds) == (30600, 30600)
    assert charge.warnings == ("wall_clock_duration",)


def test_what_the_client_pays_follows_if_it_was_all_of_it() -> None:
    entry = by_wall("2026-10-25T01:00", "2026-10-25T04:00", 3, billable={"seconds": 10800})
    [charge] = charges(entry)
    assert (charge.worked_seconds, charge.billable_seconds) == (14400, 14400)


def test_thin_descriptions_are_pointed_out_too() -> None:
    policy = {"description_characters_min": 12}
    wordy = by_wall("2026-10-24T01:00", None, notes="Moved the database")
    assert charges(wordy, expense_policy=policy)[0].warnings is None
    thin = by_wall("2026-10-25T01:00", "2026-10-25T04:00", 3, notes="Moved")
    [charge] = charges(thin, expense_policy=policy)
    assert charge.warnings == ("wall_clock_duration", "description_thin")


def test_what_the_client_pays_stays_as_it_was_stated() -> None:
    entry = by_wall(
        "2026-10-25T01:00", "2026-10-25T04:00", 3,
        billable={"seconds": 3600}, billable_state="partially_billable",
    )  # fmt: skip
    [charge] = charges(entry)
    assert (charge.worked_seconds, charge.billable_seconds) == (14400, 3600)
