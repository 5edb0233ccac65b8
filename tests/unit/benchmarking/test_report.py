"""The benchmark's verdict is what its numbers say."""

from __future__ import annotations

import json

import pytest

from benchmarks.report import Direction, Finding, Promise, Report


@pytest.mark.parametrize(
    ("value", "direction", "limit", "kept"),
    [
        (0.6, "at least", 0.6, True),
        (0.59, "at least", 0.6, False),
        (1.2, "at most", 1.2, True),
        (1.21, "at most", 1.2, False),
        (24.9, "below", 25, True),
        (25, "below", 25, False),
    ],
)
def test_a_promise_is_kept_on_the_right_side_of_its_limit(
    value: float, direction: Direction, limit: float, kept: bool
) -> None:
    assert Promise("p", value, direction, limit).is_kept is kept


def test_one_missed_promise_fails_the_report_and_the_line_names_it() -> None:
    report = Report()
    report.add(promises=[Promise("fast", 10, "at least", 5), Promise("small", 9, "below", 5)])
    report.add(findings=[Finding("rate", 2000, "records/s")])

    line = json.loads(report.json_line())

    assert report.is_kept is False
    assert line["kept"] is False
    assert [name for name, found in line["promises"].items() if not found["kept"]] == ["small"]
    assert line["findings"] == {"rate": 2000}
