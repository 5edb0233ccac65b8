"""From rows to records: what is refused, with its reason, and what is kept how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingestor.tests.imports.files import read, refused, stated

HEADER = "id,updated_at,staff,client,date,start,end,hours,zone,billable,notes,deleted"


def write(path: Path, *lines: str) -> Path:
    target = path / "f.csv"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target


def fields(path: Path, **changes: Any) -> Any:
    rows = stated(path, "generic_csv", **changes)
    assert refused(rows) == {}
    return rows[0].record


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,,,c,2026-03-02,,,1,,yes,,", ("staff", "missing")),
        ("1,,a,c,2026-02-30,,,1,,yes,,", ("date", "date_invalid")),
        ("1,,a,c,,,,1,,yes,,", ("date", "missing")),
        ("1,,a,c,2026-03-02,10:00,09:00,,,yes,,", ("end", "end_before_start")),
        ("1,,a,c,2026-03-02,,,-2,,yes,,", ("hours", "negative_hours")),
        ("1,,a,c,2026-03-02,,,25,,yes,,", ("hours", "over_24_hours")),
        ("1,,a,c,2026-03-02,,,two,,yes,,", ("hours", "duration_invalid")),
        ("1,,a,c,2026-03-02,,,,,yes,,", ("duration", "missing")),
        ("1,,a,c,2026-03-02,,,1,,perhaps,,", ("billable", "flag_invalid")),
        ("1,,a,c,2026-03-02,9:00,10:00,,Mars/Olympus,yes,,", ("zone", "zone_unknown")),
        (
            "1,,a,c,2026-03-08,02:30,04:00,,America/New_York,yes,,",
            ("start", "nonexistent_local_time"),
        ),
        ("1,,a,c,2026-03-02,,,1,,yes,", ("(row)", "ragged_row")),
        ("1,,a,c,2026-03-02,,,1,,yes,,,", ("(row)", "ragged_row")),
        (",,a,c,2026-03-02,,,1,,yes,,", ("id", "missing")),
        ("1,soon,a,c,2026-03-02,,,1,,yes,,", ("updated_at", "time_invalid")),
        ("1,,a,c,2026-03-02,,,1,,yes,x\x00y,", ("(row)", "text_invalid")),
    ],
)
def test_a_row_is_refused_with_its_reason(
    tmp_path: Path, line: str, reason: tuple[str, str]
) -> None:
    rows = stated(write(tmp_path, HEADER, line), "generic_csv")
    assert refused(rows) == {1: [reason]}


def test_every_reason_against_a_row_is_given(tmp_path: Path) -> None:
    line = "1,,,c,2026-03-02,25:00,,minus,,perhaps,,"
    found = refused(stated(write(tmp_path, HEADER, line), "generic_csv"))
    assert {code for _, code in found[1]} == {
        "time_invalid",
        "duration_invalid",
        "flag_invalid",
        "missing",
    }


def test_an_offset_decides_where_a_zone_can_t(tmp_path: Path) -> None:
    line = "1,,a,c,,2026-11-01T01:30:00-04:00,2026-11-01T01:30:00-05:00,,America/New_York,yes,,"
    record = fields(write(tmp_path, HEADER, line))
    assert record.input.seconds == 3600
    assert record.work_date.isoformat() == "2026-11-01"


@pytest.mark.parametrize("hours", ["", "1.5"])
def test_a_wall_time_that_happens_twice_is_kept_for_the_books_policy(
    tmp_path: Path, hours: str
) -> None:
    line = f"1,,a,c,2026-11-01,01:30,03:00,{hours},America/New_York,yes,,"
    record = fields(write(tmp_path, HEADER, line))
    assert (record.start_at, record.end_at.isoformat()) == (None, "2026-11-01T08:00:00+00:00")
    assert record.original_start_text == "2026-11-01T01:30:00"
    assert record.original_end_text == "03:00"
    assert record.zone.iana == "America/New_York"
    assert record.input.seconds == 5400
    assert record.derivation[-1] == "start: '01:30' names no one instant in its zone"


def test_a_wall_time_that_never_was_is_kept_on_request(tmp_path: Path) -> None:
    line = "1,,a,c,2026-03-29,02:10,03:40,0.5,Europe/Berlin,yes,,"
    record = fields(write(tmp_path, HEADER, line), gaps="keep")
    assert (record.start_at, record.original_start_text) == (None, "2026-03-29T02:10:00")


def test_the_work_day_is_the_worker_s(tmp_path: Path) -> None:
    line = "1,,a,c,,2026-04-01T05:00:00Z,2026-04-01T06:00:00Z,,America/Los_Angeles,yes,,"
    record = fields(write(tmp_path, HEADER, line))
    assert record.work_date.isoformat() == "2026-03-31"


def test_an_import_s_zone_holds_unless_the_row_names_one(tmp_path: Path) -> None:
    line = "1,,a,c,2026-03-02,09:00,10:00,,,yes,,"
    stated_zone = fields(write(tmp_path, HEADER, line), zone="Europe/Vienna")
    assumed = fields(write(tmp_path, HEADER, line))
    assert stated_zone.start_at.isoformat() == "2026-03-02T08:00:00+00:00"
    assert stated_zone.zone.confidence == "firm"
    assert assumed.zone.confidence == "assumed"


def test_a_stated_duration_goes_before_start_and_end_and_the_difference_is_noted(
    tmp_path: Path,
) -> None:
    record = fields(write(tmp_path, HEADER, "1,,a,c,2026-03-02,09:00,10:00,1.5,,yes,,"))
    assert record.input.seconds == 5400
    assert record.derivation == ("input: stated; end minus start differs by -1800 s",)


def test_deleted_rows_and_versions(tmp_path: Path) -> None:
    line = "1,2026-03-05T08:00:00+01:00,a,c,2026-03-02,,,1,,yes,,yes"
    record = fields(write(tmp_path, HEADER, line))
    assert record.deleted is not None
    assert record.source_updated_at.isoformat() == "2026-03-05T07:00:00+00:00"


def test_quoted_newlines_stay_in_their_cell(tmp_path: Path) -> None:
    record = fields(write(tmp_path, HEADER, '1,,a,c,2026-03-02,,,1,,yes,"two\nlines, ""quoted""",'))
    assert record.notes == 'two\nlines, "quoted"'


def test_blank_rows_are_skipped_and_numbering_goes_on(tmp_path: Path) -> None:
    line = "{},,a,c,2026-03-02,,,1,,yes,,"
    rows = stated(
        write(tmp_path, HEADER, line.format(1), "", "," * 11, line.format(2)), "generic_csv"
    )
    assert [(row.row.number, row.is_blank) for row in rows] == [(1, False), (2, True), (3, False)]


def test_day_first_dates_only_on_request(tmp_path: Path) -> None:
    line = "1,,a,c,04/03/2026,,,1,,yes,,"
    assert fields(write(tmp_path, HEADER, line)).work_date.isoformat() == "2026-04-03"
    day_first = fields(write(tmp_path, HEADER, line), date_order="dmy")
    assert day_first.work_date.isoformat() == "2026-03-04"


# --- rows without an id ---------------------------------------------------------------------


PLAIN = "staff,date,start_time,end_time,client,notes"


def identities(path: Path, **changes: Any) -> list[str | None]:
    return [row.identity for row in stated(path, "generic_csv", **changes)]


def test_identical_twins_stay_two_records(tmp_path: Path) -> None:
    line = "a,2026-03-02,09:00,10:00,c,x"
    found = identities(write(tmp_path, PLAIN, line, line, line))
    assert len(set(found)) == 3
    assert found == identities(write(tmp_path, PLAIN, line, line, line))


def test_identity_survives_other_formats_and_column_orders(tmp_path: Path) -> None:
    first = identities(write(tmp_path, PLAIN, "a,2026-03-02,09:00,10:00,c,x"))
    lines = ("Notes,Client,Clock_out,CLOCK_IN,Date,User", "x,c,10:30 AM,9:00:00 AM,03/02/2026,a")
    assert identities(write(tmp_path, *lines)) == first


def test_a_refused_row_keeps_its_identity(tmp_path: Path) -> None:
    good = identities(write(tmp_path, PLAIN, "a,2026-03-02,09:00,10:00,c,x"))
    bad = identities(write(tmp_path, PLAIN, "a,2026-03-02,09:00,08:00,c,x"))
    assert bad == good


# --- what is counted before parsing ----------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "seconds"),
    [
        (["01:00:01", "0:30", "-01:00:00"], 1801),
        (["7.5", "10 hrs", "bad", ""], 63000),
        (['"1,5"', '"0,25"'], 6300),
    ],
)
def test_durations_are_summed_by_their_raw_text(
    tmp_path: Path, cells: list[str], seconds: int
) -> None:
    lines = [f"a,2026-03-02,{cell}" for cell in cells]
    survey = read(write(tmp_path, "staff,date,hours", *lines), "generic_csv").survey
    assert (survey.seconds, survey.rows_total) == (seconds, len(cells))


# --- JSON Lines -----------------------------------------------------------------------------


def test_json_lines_hold_events_and_plain_records_of_any_type(tmp_path: Path) -> None:
    entry = {
        "external_id": "1",
        "staff_id": "a",
        "work_date": "2026-03-02",
        "input": {"seconds": 60},
    }
    lines = [
        {"record_type": "client", "external_id": "c", "name": "Acme"},
        entry,
        {
            "specversion": "1.0",
            "id": "x",
            "source": "s",
            "time": "2026-03-03T00:00:00Z",
            "type": "hourbridge.time_entry.reported.v1",
            "data": entry | {"external_id": "2"},
        },
        {
            "specversion": "1.0",
            "id": "y",
            "source": "s",
            "book": "other",
            "type": "hourbridge.time_entry.reported.v1",
            "data": entry,
        },
        {"record_type": "dream", "external_id": "1"},
        entry | {"input": {"seconds": 1.5}},
        [],
    ]
    path = write(tmp_path, *(json.dumps(line) for line in lines), "{", '{"notes": "\\u0000"}')
    rows = stated(path, "jsonl")
    assert refused(rows) == {
        4: [("book", "book_mismatch")],
        5: [("record_type", "type_unknown")],
        6: [("input.seconds", "int_from_float")],
        7: [("(row)", "not_an_object")],
        8: [("(row)", "not_an_object")],
        9: [("(row)", "text_invalid")],
    }
    event = next(row.record for row in rows if row.row.number == 3)
    assert event is not None
    assert event.source_updated_at is not None
