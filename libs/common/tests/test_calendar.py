"""Billing periods, their ends in local time, and wall-clock times that are not one instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.calendar import (
    Period,
    Term,
    cut_off,
    period_of,
)
from hourbridge.common.local_time import LocalTimeProblem, resolve_local

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"
days = st.dates(min_value=date(1990, 1, 8), max_value=date(2100, 12, 20))


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("day", "term", "first", "last", "label"),
    [
        ("2026-03-31", Term.DAY, "2026-03-31", "2026-03-31", "2026-03-31"),
        ("2026-03-31", Term.WEEK, "2026-03-30", "2026-04-05", "2026-W14"),
        ("2026-12-31", Term.WEEK, "2026-12-28", "2027-01-03", "2026-W53"),
        ("2024-02-29", Term.MONTH, "2024-02-01", "2024-02-29", "2024-02"),
        ("2026-12-05", Term.MONTH, "2026-12-01", "2026-12-31", "2026-12"),
        ("2026-05-17", Term.QUARTER, "2026-04-01", "2026-06-30", "2026-Q2"),
        ("2026-12-31", Term.QUARTER, "2026-10-01", "2026-12-31", "2026-Q4"),
        ("2026-07-01", Term.YEAR, "2026-01-01", "2026-12-31", "2026"),
    ],
)
def test_periods(day: str, term: Term, first: str, last: str, label: str) -> None:
    period = period_of(date.fromisoformat(day), term)
    assert period == Period(date.fromisoformat(first), date.fromisoformat(last))
    assert period.label == label


def test_other_spans_are_labelled_by_their_ends() -> None:
    assert Period(date(2026, 3, 2), date(2026, 4, 3)).label == "2026-03-02..2026-04-03"


@given(days, st.sampled_from(list(Term)))
def test_periods_tile_the_calendar(day: date, term: Term) -> None:
    period = period_of(day, term)
    assert day in period
    assert period_of(period.first, term) == period_of(period.last, term) == period
    after = period_of(period.last + timedelta(days=1), term)
    assert after.first == period.last + timedelta(days=1)
    assert after > period


def test_only_days_are_in_a_period() -> None:
    period = period_of(date(2026, 3, 1), Term.MONTH)
    assert date(2026, 4, 1) not in period
    assert "2026-03-01" not in period


@pytest.mark.parametrize(
    ("zone", "end"),
    [
        (NEW_YORK, "2026-04-01T04:00:00Z"),
        ("Asia/Tokyo", "2026-03-31T15:00:00Z"),
        ("America/Los_Angeles", "2026-04-01T07:00:00Z"),
        ("Asia/Kathmandu", "2026-03-31T18:15:00Z"),
        ("UTC", "2026-04-01T00:00:00Z"),
    ],
)
def test_march_ends_when_it_ends_there(zone: str, end: str) -> None:
    assert cut_off(period_of(date(2026, 3, 15), Term.MONTH), zone) == instant(end)


def test_a_day_that_begins_twice_begins_the_first_time() -> None:
    october = period_of(date(2026, 10, 1), Term.MONTH)
    assert cut_off(october, "America/Havana") == instant("2026-11-01T04:00:00Z")


def test_a_day_without_midnight_begins_after_the_jump() -> None:
    saturday = Period(date(2026, 9, 5), date(2026, 9, 5))
    assert cut_off(saturday, "America/Santiago") == instant("2026-09-06T04:00:00Z")


def test_local_days_decide_the_month_not_utc() -> None:
    march = period_of(date(2026, 3, 1), Term.MONTH)
    los_angeles = instant("2026-03-31T22:00:00-07:00")
    tokyo = instant("2026-04-01T08:00:00+09:00")
    assert los_angeles.astimezone(ZoneInfo("America/Los_Angeles")).date() in march
    assert tokyo.astimezone(ZoneInfo("Asia/Tokyo")).date() not in march
    assert los_angeles.date() not in march
    assert tokyo.date() in march


def test_months_of_usage_over_a_change_of_the_clock() -> None:
    texts = [
        *("2023-03-01T04:00", "2023-03-15T00:00", "2023-03-31T23:59"),
        *("2023-04-01T00:00", "2023-04-01T00:01", "2023-04-15T00:00", "2023-04-30T23:59"),
        *("2023-05-01T00:00", "2023-05-01T00:01"),
    ]
    labels = []
    for text in texts:
        resolved = resolve_local(wall(text), NEW_YORK)
        assert isinstance(resolved, datetime)
        labels.append(period_of(resolved.astimezone(ZoneInfo(NEW_YORK)).date(), Term.MONTH).label)
    counts = [labels.count(label) for label in ("2023-03", "2023-04", "2023-05")]
    assert counts == [3, 4, 2]


@pytest.mark.parametrize(
    ("zone", "text", "problem"),
    [
        (NEW_YORK, "2026-03-08T02:30", LocalTimeProblem.NONEXISTENT),
        (NEW_YORK, "2026-11-01T01:30", LocalTimeProblem.AMBIGUOUS),
        ("Europe/Berlin", "2026-03-29T02:00", LocalTimeProblem.NONEXISTENT),
        ("Europe/Berlin", "2026-10-25T02:59", LocalTimeProblem.AMBIGUOUS),
        (LORD_HOWE, "2026-10-04T02:15", LocalTimeProblem.NONEXISTENT),
        (LORD_HOWE, "2026-04-05T01:45", LocalTimeProblem.AMBIGUOUS),
        ("Africa/Casablanca", "2026-02-15T02:30", LocalTimeProblem.AMBIGUOUS),
        ("Africa/Casablanca", "2026-03-22T02:30", LocalTimeProblem.NONEXISTENT),
    ],
)
def test_wall_times_that_are_none_or_two(zone: str, text: str, problem: LocalTimeProblem) -> None:
    assert resolve_local(wall(text), zone) is problem


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        (NEW_YORK, "2026-03-08T01:30", "2026-03-08T06:30:00Z"),
        (NEW_YORK, "2026-03-08T03:00", "2026-03-08T07:00:00Z"),
        (NEW_YORK, "2026-11-01T00:59", "2026-11-01T04:59:00Z"),
        (NEW_YORK, "2026-11-01T02:00", "2026-11-01T07:00:00Z"),
        ("Asia/Kathmandu", "2026-03-31T09:10", "2026-03-31T03:25:00Z"),
    ],
)
def test_wall_times_that_are_one_instant(zone: str, text: str, expected: str) -> None:
    assert resolve_local(wall(text), zone) == instant(expected)


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        (NEW_YORK, "2026-03-08T01:30", "2026-03-08T03:30", 1.0),
        (NEW_YORK, "2026-03-08T00:30", "2026-03-08T04:00", 2.5),
        (NEW_YORK, "2026-11-01T00:30", "2026-11-01T03:00", 3.5),
        (LORD_HOWE, "2026-04-05T01:00", "2026-04-05T03:00", 2.5),
        (LORD_HOWE, "2026-10-04T01:00", "2026-10-04T03:00", 1.5),
    ],
)
def test_durations_are_differences_of_instants(
    zone: str, start: str, end: str, hours: float
) -> None:
    first, last = resolve_local(wall(start), zone), resolve_local(wall(end), zone)
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    assert last - first == timedelta(hours=hours)


@given(st.datetimes(min_value=wall("1975-01-01"), max_value=wall("2100-01-01")))
def test_what_resolves_shows_the_same_wall_time(naive: datetime) -> None:
    for zone in (NEW_YORK, LORD_HOWE, "Africa/Casablanca"):
        resolved = resolve_local(naive, zone)
        if isinstance(resolved, datetime):
            assert resolved.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == naive
