"""Files for import tests: made here, or real ones of nobody here, read in place."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pytest

from hourbridge.ingestor.imports.options import ImportOptions
from hourbridge.ingestor.imports.profiles import built_in, load
from hourbridge.ingestor.imports.reading import FileReading
from hourbridge.ingestor.imports.stated import StatedRow

_BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[5] / "shared" / "data"


def shared_data(*parts: str) -> Path:
    """Return a path under the data that others collected; skip loudly when it is absent."""
    root = Path(os.environ.get("HOURBRIDGE_SHARED_DATA", _BESIDE_THE_REPOSITORY))
    path = root.joinpath("timesheets", *parts)
    if not path.exists():
        text = f"no {path}: set HOURBRIDGE_SHARED_DATA to read real exports"
        warnings.warn(text, stacklevel=2)
        pytest.skip(text)
    return path


def options(profile: str = "generic_csv", **changes: Any) -> ImportOptions:
    """Return options for book acme, source files."""
    return ImportOptions.model_validate(
        {"book": "acme", "source": "files", "profile": profile} | changes
    )


def read(path: Path, profile: str, *, definition: str | None = None, **changes: Any) -> FileReading:
    """Return a file read through a built-in or a declared profile."""
    chosen = load(definition) if definition else built_in(profile)
    return FileReading(path, chosen, options(profile, **changes))


def stated(path: Path, profile: str, **changes: Any) -> list[StatedRow]:
    """Return what each row states; every row has exactly one outcome."""
    rows = list(read(path, profile, **changes).statements())
    for row in rows:
        assert [row.record is not None, bool(row.reasons), row.is_blank].count(True) == 1
    assert sorted(row.row.number for row in rows) == list(range(1, len(rows) + 1))
    return rows


def refused(rows: list[StatedRow]) -> dict[int, list[tuple[str, str]]]:
    """Return row number -> (field, code) of every refused row."""
    return {
        row.row.number: [(reason.field, reason.code) for reason in row.reasons]
        for row in rows
        if row.reasons
    }


DIRTY_PSA = r"""
profile: dirty_psa
base: generic_csv
columns: {staff_id: [employee_id]}
dates: ["%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d-%b-%Y", "%b %d, %Y"]
rewrites:
  project_id: {pattern: '(?:PRJ)?[-_]?(\d+)', replace: 'PRJ-\1'}
"""

BILLING_LOG = """
profile: billing_log
base: generic_csv
columns: {client: [code]}
constants: {staff: consultant, approved: "yes", billable: "yes"}
key: [date, start_time]
zone: America/New_York
"""
