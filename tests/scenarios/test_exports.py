"""Exports of real trackers through the whole flow: every row has exactly one outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.ingestor.tests.imports.files import DIRTY_PSA
from tests.scenarios.office import BOOK, SOURCE, Office, configuration

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(600)]

FILES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "toggl-export/tira_toggl_pseudonymised.csv": ("toggl", 652, {}),
    "toggl-export/timba_toggl.csv": ("toggl", 11, {}),
    "dirty-psa/time_entries.csv": ("dirty_psa", 305, {"profile_definition": DIRTY_PSA}),
    "vendor-csv-fixtures/clockify_time_entries_import_test_1.csv": ("clockify", 2, {}),
    "vendor-csv-fixtures/clockify_time_entries_import_test_3.csv": ("clockify", 1, {}),
    "vendor-csv-fixtures/clockify_time_entries_import_test_7.csv": ("clockify", 1, {}),
    "vendor-csv-fixtures/harvest_time_entries_import_test_1.csv": ("harvest", 2, {}),
    "vendor-csv-fixtures/generic_time_entries_import_test_1.csv": ("generic_csv", 2, {}),
}
REJECTED = {
    "dirty-psa/time_entries.csv": 29,
    "vendor-csv-fixtures/clockify_time_entries_import_test_3.csv": 1,
    "vendor-csv-fixtures/clockify_time_entries_import_test_7.csv": 1,
}
PEOPLE_S_CLIENT = "17671 Software Development Studio I"


def sources() -> dict[str, str]:
    """One source per file: each is an account of a tracker of its own."""
    return {name: f"{SOURCE}-{number}" for number, name in enumerate(FILES)}


def book() -> dict[str, Any]:
    declared = [
        {"name": source, "system": "export", "zone": "America/New_York"}
        for source in sources().values()
    ]
    project = {"project": PEOPLE_S_CLIENT, "client": "Acme", "job": {"name": "Acme:Rocket"}}
    return configuration(
        sources=declared,
        projects=[project],
        billable={"approved_only": False},
        rates={"use_source_rate": False, "rules": [{"amount": "150.00"}]},
    )


def test_every_row_of_every_export_has_one_outcome(bare_office: Office, shared_data: Path) -> None:
    bare_office.connect()
    bare_office.configure(book())
    accepted = 0
    for name, source in sources().items():
        profile, rows, more = FILES[name]
        path = shared_data / "timesheets" / name
        summary = bare_office.import_file(path, profile, book=BOOK, source=source, **more)
        outcomes = summary["outcomes"]
        assert sum(outcomes.values()) == rows, name
        assert outcomes.get("rejected", 0) == REJECTED.get(name, 0), name
        accepted += outcomes.get("accepted", 0)
    bare_office.bill("2026-12-31")
    mapped = mapped_records(bare_office)
    assert sum(mapped.values()) == accepted
    assert set(mapped) == {"charged", "skipped", "parked"}
    assert bare_office.reconcile() == []
    assert sum(bare_office.invoices()) > 0


def mapped_records(office: Office) -> dict[str, int]:
    totals = office.client.get("reconciler", f"/v1/books/{BOOK}/reports/totals")
    found: dict[str, int] = {}
    for row in totals["outcomes"]:
        found[row["outcome"]] = found.get(row["outcome"], 0) + row["records"]
    return found
