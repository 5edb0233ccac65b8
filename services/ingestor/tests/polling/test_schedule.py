"""When a feed is read next: the rules alone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.ingestor.polling.schedule import (
    Schedule,
    changed,
    failure_pause,
    next_local,
    rest_after,
)

NOON = datetime(2026, 3, 27, 12, tzinfo=UTC)
ADAPTIVE = Schedule("adaptive", 240, 4 * 3600)


def test_the_pause_doubles_from_four_minutes_to_four_hours_and_starts_anew_with_a_change() -> None:
    seconds = 240
    pauses = []
    for _ in range(8):
        rest = rest_after(ADAPTIVE, seconds, changed=False, started=NOON, now=NOON)
        seconds = rest.interval_now_seconds
        pauses.append(seconds // 60)
        assert rest.next_due_at == NOON + timedelta(seconds=seconds)

    assert pauses == [8, 16, 32, 64, 128, 240, 240, 240]
    rest = rest_after(ADAPTIVE, seconds, changed=True, started=NOON, now=NOON)
    assert rest.interval_now_seconds == 240


def test_a_fixed_cadence_does_not_drift_by_what_reading_takes() -> None:
    schedule = Schedule("fixed", 3600, 3600)
    ended = NOON + timedelta(minutes=10)

    rest = rest_after(schedule, 3600, changed=False, started=NOON, now=ended)
    assert rest.next_due_at == NOON + timedelta(hours=1)

    late = NOON + timedelta(hours=2)
    assert rest_after(schedule, 3600, changed=True, started=NOON, now=late).next_due_at == late


@pytest.mark.parametrize(
    ("at", "after", "expected"),
    [
        (time(6, 30), "2026-03-27T05:29Z", "2026-03-27T05:30Z"),
        (time(6, 30), "2026-03-27T05:30Z", "2026-03-28T05:30Z"),
        # Clocks go forward over 02:30 on the 29th in Berlin: it comes an hour later.
        (time(2, 30), "2026-03-28T12:00Z", "2026-03-29T01:30Z"),
        # On 25 October 02:30 comes twice: once is enough.
        (time(2, 30), "2026-10-24T12:00Z", "2026-10-25T00:30Z"),
        (time(2, 30), "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
    ],
)
def test_a_daily_cadence_keeps_local_time(at: time, after: str, expected: str) -> None:
    schedule = Schedule("daily", 240, 3600, at_time=at, zone="Europe/Berlin")
    assert next_local(schedule, datetime.fromisoformat(after)) == datetime.fromisoformat(expected)


def test_a_weekly_cadence_comes_on_its_day() -> None:
    schedule = Schedule("weekly", 240, 3600, at_time=time(9), weekday=1, zone="America/New_York")
    monday = next_local(schedule, NOON)
    assert monday == datetime(2026, 3, 30, 13, tzinfo=UTC)
    assert next_local(schedule, monday) == monday + timedelta(days=7)


def test_failures_double_the_pause_up_to_an_hour() -> None:
    pauses = [failure_pause(number).total_seconds() for number in (1, 2, 3, 8, 50)]
    assert pauses == [30, 60, 120, 3600, 3600]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"cadence": "daily"}, "time of day"),
        ({"cadence": "daily", "at_time": time(6)}, "zone"),
        ({"cadence": "daily", "at_time": time(6), "zone": "Mars/Base"}, "zone"),
        ({"cadence": "weekly", "at_time": time(6), "zone": "UTC"}, "weekday"),
        ({"interval_seconds_max": 10}, "interval"),
    ],
)
def test_a_schedule_that_can_not_hold_is_refused(changes: dict[str, object], what: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=what):
        changed(ADAPTIVE, **changes)


def test_a_longer_interval_takes_its_maximum_along() -> None:
    assert changed(ADAPTIVE, interval_seconds=86_400).interval_seconds_max == 86_400
