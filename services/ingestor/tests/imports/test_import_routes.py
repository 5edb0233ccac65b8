"""POST /v1/imports and what belongs to it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest

pytestmark = pytest.mark.database
OPERATOR = {"authorization": "Bearer operator-token"}
QUERY = {
    "book": "acme",
    "source": "files",
    "profile": "generic_csv",
    "as_of": "2026-04-01T00:00:00Z",
}
FILE = b'id,staff,date,hours,notes\n1,a,2026-03-02,1,x\n2,a,2026-03-03,-1,"y, z"\n'


def post(api: Any, content: bytes = FILE, headers: Any = OPERATOR, **query: Any) -> Any:
    return api.http.post("/v1/imports", content=content, params=QUERY | query, headers=headers)


def test_progress_lines_then_the_summary(api: Any) -> None:
    answer = post(api, filename="hours.csv")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["kind"] for line in lines] == ["progress", "summary"]
    assert (lines[0]["rows_done"], lines[0]["rows_total"]) == (2, 2)
    assert lines[1]["outcomes"] == {"accepted": 1, "rejected": 1}
    run = api.http.get(f"/v1/imports/{lines[1]['reading_id']}", headers=OPERATOR).json()
    assert (run["state"], run["file_name"], run["started_by"]) == ("done", "hours.csv", "olga")


def test_rejected_rows_come_back_as_a_file_with_number_and_reasons(api: Any) -> None:
    reading = json.loads(post(api).text.splitlines()[-1])["reading_id"]
    answer = api.http.get(f"/v1/imports/{reading}/rejected", headers=OPERATOR)
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows == [
        ["row", "reasons", "id", "staff", "date", "hours", "notes"],
        [
            "2",
            "hours: negative_hours ('-1' is less than nothing)",
            "2",
            "a",
            "2026-03-03",
            "-1",
            "y, z",
        ],
    ]


def test_compressed_files_and_profiles_of_one_s_own(api: Any) -> None:
    definition = "{profile: mine, base: generic_csv, columns: {staff: [Wer], hours: [Std]}}"
    content = gzip.compress(b"id;Wer;date;Std\n1;a;2026-03-02;1,5\n")
    answer = post(api, content, profile="mine", profile_definition=definition)
    assert json.loads(answer.text.splitlines()[-1])["outcomes"] == {"accepted": 1}
    assert api.rows("SELECT state->'input'->>'seconds' FROM record") == [("5400",)]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"profile": "nonesuch"}, "nonesuch"),
        ({"book": "No Book"}, "book"),
        ({"mode": "merge"}, "mode"),
        ({"mode": "snapshot", "first": "2026-03-01"}, "window"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"colour": "red"}, "colour"),
        ({"profile": "toggl"}, "header"),
    ],
)
def test_what_is_wrong_with_an_import_is_said_before_it_begins(
    api: Any, query: dict[str, str], named: str
) -> None:
    answer = post(api, **query)
    assert answer.status_code == 422
    assert named in answer.text
    assert api.rows("SELECT 1 FROM record") == []


def test_a_file_too_large_is_refused(api: Any) -> None:
    assert post(api, b"x" * 1_000_001).status_code in (413, 422)


def test_importing_needs_an_operator(api: Any) -> None:
    assert post(api, headers={"authorization": "Bearer viewer-token"}).status_code == 403
    assert post(api, headers={}).status_code == 401


def test_an_unknown_import_is_not_found(api: Any) -> None:
    assert api.http.get("/v1/imports/none", headers=OPERATOR).status_code == 404
