"""Wall times and instants, beginnings of days, and the version of the rules that were used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hourbridge.common.book import TimePolicy
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.local_time import (
    cuts,
    day_begins,
    moved,
    offset_at,
    offset_zone,
    parse_stamp,
    readings,
    wall_of,
)
from hourbridge.common.zones import use_zones, zone_of, zones_version
from tests.support.zones import without_winter_time

ZONES = st.sampled_from(
    [
        "America/New_York",
        "America/Santiago",
        "America/Havana",
        "Australia/Lord_Howe",
        "Europe/Berlin",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "UTC",
    ]
)
MOMENTS = st.datetimes(
    datetime.fromisoformat("2005-01-01"), datetime.fromisoformat("2030-01-01")
).map(lambda moment: moment.replace(microsecond=0))


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "local", "offset_minutes", "zone"),
    [
        ("2026-03-29T02:30", "2026-03-29T02:30:00", None, None),
        ("2026-03-29 02:30:15", "2026-03-29T02:30:15", None, None),
        ("2026-03-29T02:30:15.750", "2026-03-29T02:30:15", None, None),
        ("2026-03-29T02:30:00+02:00", "2026-03-29T02:30:00", 120, None),
        (" 2026-03-29T02:30:00-0330 ", "2026-03-29T02:30:00", -210, None),
        (
            "2026-03-29T02:30:00+01:00[Europe/Berlin]",
            "2026-03-29T02:30:00",
            60,
            "Europe/Berlin",
        ),
        ("2026-03-29T02:30:00[!Europe/Berlin]", "2026-03-29T02:30:00", None, "Europe/Berlin"),
    ],
)
def test_stamps(text: str, local: str, offset_minutes: int | None, zone: str | None) -> None:
    stamp = parse_stamp(text)
    assert stamp is not None
    assert stamp.wall == wall(local)
    assert stamp.zone == zone
    assert stamp.is_utc is False
    if offset_minutes is None:
        assert (stamp.offset, stamp.instant) == (None, None)
    else:
        assert stamp.offset == timedelta(minutes=offset_minutes)
        assert stamp.instant == (wall(local) - timedelta(minutes=offset_minutes)).replace(
            tzinfo=UTC
        )


@pytest.mark.parametrize("text", ["2026-03-29T02:30:00Z", "2026-03-29T02:30:00+00:00"])
def test_a_zero_offset_names_an_instant_and_no_place(text: str) -> None:
    stamp = parse_stamp(text)
    assert stamp is not None
    assert stamp.is_utc
    assert stamp.instant == utc("2026-03-29T02:30:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3:00pm",
        "29.03.2026 02:30",
        "2026-03-29",
        "2026-02-30T10:00",
        "2026-03-29T25:00",
        "2026-03-29T10:00+24:00",
        "2026-03-29T10:00+05:75",
    ],
)
def test_other_notations_are_for_people(text: str) -> None:
    assert parse_stamp(text) is None


def test_a_bare_time_of_day_needs_its_day() -> None:
    stamp = parse_stamp("02:30", date(2026, 3, 29))
    assert stamp is not None
    assert stamp.wall == wall("2026-03-29T02:30")
    assert parse_stamp("02:30") is None
    assert parse_stamp("2:30 pm", date(2026, 3, 29)) is None


def test_an_instant_outside_of_the_calendar_is_none() -> None:
    stamp = parse_stamp("0001-01-01T00:00+10:00")
    assert stamp is not None
    assert stamp.instant is None


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("Europe/Berlin", "2026-10-25T02:30", ["2026-10-25T00:30:00", "2026-10-25T01:30:00"]),
        ("Europe/Berlin", "2026-03-29T02:30", []),
        ("Australia/Lord_Howe", "2026-04-05T01:45", ["2026-04-04T14:45:00", "2026-04-04T15:15:00"]),
        ("Asia/Kathmandu", "2026-04-05T01:45", ["2026-04-04T20:00:00"]),
    ],
)
def test_readings(zone: str, text: str, expected: list[str]) -> None:
    assert readings(wall(text), ZoneInfo(zone)) == tuple(map(utc, expected))


def test_a_time_in_a_gap_is_moved_by_the_gaps_length() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    never = wall("2026-10-04T02:10")
    assert wall_of(moved(never, zone), zone) == wall("2026-10-04T02:40")
    assert wall_of(moved(never, zone, "earlier"), zone) == wall("2026-10-04T01:40")


@given(MOMENTS, ZONES)
def test_what_a_wall_shows_reads_back_as_the_instant(moment: datetime, name: str) -> None:
    zone, instant = ZoneInfo(name), moment.replace(tzinfo=UTC)
    found = readings(wall_of(instant, zone), zone)
    assert instant in found
    assert list(found) == sorted(set(found))


@given(MOMENTS, ZONES)
def test_a_wall_time_in_a_gap_lies_between_where_it_is_moved_to(
    moment: datetime, name: str
) -> None:
    zone = ZoneInfo(name)
    if not readings(moment, zone):
        before, after = (wall_of(moved(moment, zone, fold), zone) for fold in ("earlier", "later"))
        assert before < moment < after


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00"),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00"),  # midnight happens twice
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00"),  # it begins at one o'clock
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00"),  # from 23:30 to 00:30
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00"),  # the day before never was
    ],
)
def test_days_begin_where_they_begin(zone: str, day: str, expected: str) -> None:
    assert day_begins(date.fromisoformat(day), ZoneInfo(zone)) == utc(expected)


@given(st.dates(date(2005, 1, 2), date(2030, 1, 1)), ZONES)
def test_a_day_begins_at_its_first_instant(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    begins = day_begins(day, zone)
    second = timedelta(seconds=1)
    assert wall_of(begins, zone).date() >= day
    assert wall_of(begins - second, zone).date() < day


@pytest.mark.parametrize(
    ("split_at", "expected"),
    [
        ("never", []),
        ("midnight", ["2026-01-30T23:00:00", "2026-01-31T23:00:00", "2026-02-01T23:00:00"]),
        ("month_end", ["2026-01-31T23:00:00"]),
    ],
)
def test_cuts(split_at: Any, expected: list[str]) -> None:
    zone = ZoneInfo("Europe/Berlin")
    start, end = utc("2026-01-30T20:00:00"), utc("2026-02-02T01:00:00")
    assert list(cuts(start, end, zone, split_at)) == list(map(utc, expected))


def test_what_ends_at_midnight_is_not_cut_there() -> None:
    start, end = utc("2026-01-30T20:00:00"), utc("2026-01-31T00:00:00")
    assert list(cuts(start, end, offset_zone(0), "midnight")) == []
    assert len(list(cuts(start, end, offset_zone(60), "midnight"))) == 1


@given(MOMENTS, st.integers(1, 400), ZONES, st.sampled_from(["midnight", "month_end"]))
def test_each_stretch_between_cuts_lies_on_one_day_or_in_one_month(
    moment: datetime, hours: int, name: str, split_at: Any
) -> None:
    zone = ZoneInfo(name)
    start = moment.replace(tzinfo=UTC)
    end = start + timedelta(hours=hours)
    points = [start, *cuts(start, end, zone, split_at), end]
    assert points == sorted(set(points))
    for begins, ends in zip(points, points[1:], strict=False):
        first, last = (wall_of(at, zone) for at in (begins, ends - timedelta(seconds=1)))
        if split_at == "midnight":
            assert first.date() == last.date() or offset_at(begins, zone) > offset_at(ends, zone)
        else:
            assert (first.year, first.month) == (last.year, last.month)


# --- the rules ------------------------------------------------------------------------------


@pytest.fixture
def packaged() -> Iterator[None]:
    yield
    use_zones(None)


def test_the_packaged_rules_are_used_and_named() -> None:
    assert zones_version() == tzdata.IANA_VERSION


@pytest.mark.usefixtures("packaged")
def test_an_installation_may_bring_newer_rules(tmp_path: Path) -> None:
    winter = utc("2026-12-15T12:00:00")
    assert offset_at(winter, ZoneInfo("Europe/Berlin")) == timedelta(hours=1)
    assert use_zones(without_winter_time(tmp_path, "Europe/Berlin", 2026, version="2099a"))
    assert zones_version() == "2099a"
    berlin = zone_of("Europe/Berlin")
    assert berlin is not None
    assert offset_at(winter, berlin) == timedelta(hours=2)
    assert offset_at(utc("2025-12-15T12:00:00"), berlin) == timedelta(hours=1)
    assert zone_of("Asia/Tokyo") is not None
    use_zones(None)
    assert offset_at(winter, ZoneInfo("Europe/Berlin")) == timedelta(hours=1)


@pytest.mark.usefixtures("packaged")
def test_the_version_may_stand_in_the_compact_file(tmp_path: Path) -> None:
    (tmp_path / "tzdata.zi").write_text("# version 2099b\n# rest\n", encoding="ascii")
    assert use_zones(tmp_path) == "2099b"


@pytest.mark.parametrize("content", [None, "", "\xff"])
def test_rules_without_a_version_are_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "+VERSION").write_text(content, encoding="latin-1")
    with pytest.raises(ConfigurationInvalid, match="which version"):
        use_zones(tmp_path)
    assert zones_version() == tzdata.IANA_VERSION


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "America", "../etc/passwd", "/etc/passwd"])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone_of(name) is None


@pytest.mark.parametrize("name", ["de_AT", "en-GB", "ja", "pt_BR", "en_US"])
def test_locales_that_are_described_are_taken(name: str) -> None:
    assert TimePolicy(locale=name).locale == name


@pytest.mark.parametrize("name", ["xx_YY", "english", ""])
def test_locales_that_nobody_describes_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="locale"):
        TimePolicy(locale=name)
