"""Local times at the door: what is completed, what is kept as it is, what contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import TimeEntry
from hourbridge.ingestor.cloudevents import validate_record

BERLIN, KATHMANDU = "Europe/Berlin", "Asia/Kathmandu"


def stated(**fields: Any) -> tuple[TimeEntry | None, list[FieldReason]]:
    reasons: list[FieldReason] = []
    data = {
        "external_id": "1",
        "staff_id": "ada",
        "work_date": "2026-03-29",
        "input": {"seconds": 3600},
        **fields,
    }
    record = validate_record(TimeEntry, data, reasons, prefix="data.")
    assert record is None or isinstance(record, TimeEntry)
    return record, reasons


def accepted(**fields: Any) -> TimeEntry:
    record, reasons = stated(**fields)
    assert reasons == []
    assert record is not None
    return record


def refused(**fields: Any) -> list[tuple[str, str]]:
    record, reasons = stated(**fields)
    assert record is None
    return [(reason.field, reason.code) for reason in reasons]


def test_an_entry_without_times_stays_as_it_is() -> None:
    entry = accepted()
    assert (entry.start_at, entry.zone, entry.original_start_text) == (None, None, None)


def test_an_offset_is_kept_beside_the_instant() -> None:
    entry = accepted(start_at="2026-03-29T10:00:00+05:45", end_at="2026-03-29T11:00:00+05:45")
    assert entry.start_at is not None
    assert entry.start_at.isoformat() == "2026-03-29T04:15:00+00:00"
    assert entry.original_start_text == "2026-03-29T10:00:00+05:45"
    assert entry.original_end_text == "2026-03-29T11:00:00+05:45"
    assert entry.zone is not None
    assert (entry.zone.iana, entry.zone.offset_minutes) == (None, 345)


@pytest.mark.parametrize("text", ["2026-03-29T10:00:00Z", "2026-03-29T10:00:00+00:00"])
def test_utc_says_nothing_of_the_place(text: str) -> None:
    entry = accepted(start_at=text)
    assert (entry.zone, entry.original_start_text) == (None, None)
    assert accepted(start_at=text, zone={"iana": BERLIN}).start_at == entry.start_at


def test_a_wall_time_is_kept_as_it_is() -> None:
    never = "2026-03-29T02:30:00"
    entry = accepted(original_start_text=never, zone={"iana": BERLIN})
    assert (entry.start_at, entry.original_start_text) == (None, never)
    assert entry.zone is not None
    assert entry.zone.offset_minutes is None


def test_an_original_text_with_an_offset_gives_the_instant() -> None:
    entry = accepted(
        original_start_text="2026-10-25T02:30:00+02:00",
        original_end_text="2026-10-25T02:30:00+01:00",
        zone={"iana": BERLIN},
    )
    assert entry.start_at is not None
    assert entry.end_at is not None
    assert (entry.end_at - entry.start_at).total_seconds() == 3600
    assert entry.zone is not None
    assert entry.zone.offset_minutes == 120


def test_a_name_in_brackets_is_the_zone() -> None:
    text = "2026-03-29T10:00:00+05:45[Asia/Kathmandu]"
    entry = accepted(start_at=text)
    assert entry.start_at is not None
    assert entry.start_at.isoformat() == "2026-03-29T04:15:00+00:00"
    assert entry.original_start_text == text
    assert entry.zone is not None
    assert (entry.zone.iana, entry.zone.confidence) == (KATHMANDU, "explicit")


def test_a_wall_time_with_a_name_in_brackets_waits_for_the_policy() -> None:
    text = "2026-10-25T02:30:00[Europe/Berlin]"
    entry = accepted(start_at=text)
    assert (entry.start_at, entry.original_start_text) == (None, text)


def test_texts_in_a_notation_of_their_own_are_for_people() -> None:
    entry = accepted(start_at="2026-03-29T10:00:00Z", original_start_text="10:00am")
    assert entry.original_start_text == "10:00am"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"start_at": "2026-07-01T10:00:00+01:00", "zone": {"iana": BERLIN}},
            ("data.start_at", "offset_zone_mismatch"),
        ),
        (
            {
                "start_at": "2026-07-01T10:00:00+02:00",
                "end_at": "2026-07-01T11:00:00+03:00",
                "zone": {"iana": BERLIN},
            },
            ("data.end_at", "offset_zone_mismatch"),
        ),
        (
            {"start_at": "2026-03-29T02:30:00+01:00", "zone": {"iana": BERLIN}},
            ("data.start_at", "nonexistent_local_time"),
        ),
        (
            {"original_start_text": "2026-03-29T02:30:00+01:00", "zone": {"iana": BERLIN}},
            ("data.original_start_text", "nonexistent_local_time"),
        ),
        (
            {
                "start_at": "2026-07-01T10:00:00Z",
                "zone": {"iana": BERLIN, "offset_minutes": 60},
            },
            ("data.zone.offset_minutes", "offset_zone_mismatch"),
        ),
        (
            {"start_at": "2026-07-01T10:00:00Z", "zone": {"iana": "Mars/Olympus"}},
            ("data.zone.iana", "zone_unknown"),
        ),
        (
            {
                "original_start_text": "2026-07-01T10:00",
                "original_end_text": "2026-07-01T09:00",
                "zone": {"iana": BERLIN},
            },
            ("data.original_end_text", "end_before_start"),
        ),
        (
            {"start_at": "2026-07-01T10:00:00Z", "original_end_text": "2026-07-01T09:00Z"},
            ("data.original_end_text", "end_before_start"),
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    fields: dict[str, Any], reason: tuple[str, str]
) -> None:
    assert refused(**fields) == [reason]


def test_times_that_happen_twice_may_seem_to_run_backwards() -> None:
    entry = accepted(
        original_start_text="2026-10-25T02:50",
        original_end_text="2026-10-25T02:10",
        zone={"iana": BERLIN},
    )
    assert entry.start_at is None


@pytest.mark.parametrize(
    "zone", [{"iana": BERLIN, "confidence": "firm"}, {"iana": "UTC", "confidence": "assumed"}]
)
def test_the_firms_zone_is_no_statement_about_one_entry(zone: dict[str, Any]) -> None:
    entry = accepted(start_at="2026-07-01T10:00:00-07:00", zone=zone)
    assert entry.zone is not None
    assert (entry.zone.iana, entry.zone.offset_minutes) == (zone["iana"], -420)
