"""Exports that nobody here wrote: every row has exactly one outcome, refusals are listed."""

from __future__ import annotations

import lzma
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hourbridge.ingestor.imports.text import decompress
from services.ingestor.tests.imports.files import (
    BILLING_LOG,
    DIRTY_PSA,
    read,
    refused,
    shared_data,
    stated,
)

VENDOR_FILES = {
    "clockify_time_entries_import_test_1.csv": ("clockify", 2, {}),
    "clockify_time_entries_import_test_2.csv": ("clockify", 1, {}),
    "clockify_time_entries_import_test_3.csv": (
        "clockify",
        1,
        {1: [("Start Date", "date_invalid")]},
    ),
    "clockify_time_entries_import_test_4.csv": ("clockify", 2, {}),
    "clockify_time_entries_import_test_5.csv": ("clockify", 2, {}),
    "clockify_time_entries_import_test_6.csv": ("clockify", 2, {}),
    "clockify_time_entries_import_test_7.csv": ("clockify", 1, {1: [("(row)", "ragged_row")]}),
    "clockify_projects_import_test_1.csv": ("clockify_projects", 2, {}),
    "clockify_projects_import_test_2.csv": ("clockify_projects", 2, {}),
    "clockify_projects_import_test_3.csv": ("clockify_projects", 1, {}),
    "clockify_projects_import_test_4.csv": ("clockify_projects", 1, {}),
    "generic_projects_import_test_1.csv": ("generic_projects", 3, {}),
    "generic_time_entries_import_test_1.csv": ("generic_csv", 2, {}),
    "harvest_clients_import_test_1.csv": ("harvest_clients", 2, {}),
    "harvest_projects_import_test_1.csv": ("harvest_projects", 2, {}),
    "harvest_time_entries_import_test_1.csv": ("harvest", 2, {}),
    "toggl_time_entries_import_test_1.csv": ("toggl", 2, {}),
    "toggl_time_entries_import_test_2.csv": ("toggl", 1, {}),
    "toggl_data_import_test_1/clients.json": ("toggl_data_clients", 2, {}),
    "toggl_data_import_test_1/projects.json": ("toggl_data_projects", 3, {}),
    "toggl_data_import_test_1/tags.json": ("toggl_data_tags", 2, {}),
    "toggl_data_import_test_1/workspace_users.json": ("toggl_data_users", 1, {}),
    "toggl_data_import_test_1/tasks/401.json": ("toggl_data_tasks", 0, {}),
    "toggl_data_import_test_1/tasks/402.json": ("toggl_data_tasks", 2, {}),
    "toggl_data_import_test_1/tasks/403.json": ("toggl_data_tasks", 0, {}),
    "toggl_data_import_test_1/projects_users/401.json": ("toggl_data_project_rates", 0, {}),
    "toggl_data_import_test_1/projects_users/402.json": ("toggl_data_project_rates", 1, {}),
    "toggl_data_import_test_1/projects_users/403.json": ("toggl_data_project_rates", 0, {}),
}


def test_every_vendor_fixture_is_in_the_list() -> None:
    folder = shared_data("vendor-csv-fixtures")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == set(VENDOR_FILES)


@pytest.mark.parametrize("name", VENDOR_FILES)
def test_a_vendor_s_export(name: str) -> None:
    profile, count, expected = VENDOR_FILES[name]
    rows = stated(shared_data("vendor-csv-fixtures", name), profile)
    assert len(rows) == count
    assert refused(rows) == expected


def first(name: str, number: int = 1) -> Any:
    profile = VENDOR_FILES[name][0]
    rows = stated(shared_data("vendor-csv-fixtures", name), profile)
    return next(row.record for row in rows if row.row.number == number)


def test_harvest_s_decimal_commas_and_currency_words() -> None:
    record = first("harvest_time_entries_import_test_1.csv")
    assert (record.input.seconds, record.input.decimal_text) == (72000, "20,0")
    assert record.bill_amount == Decimal("2000.0")
    assert (record.bill_rate.amount, record.bill_rate.currency) == (Decimal("100.0"), "EUR")
    assert record.approval.state == "draft"
    assert (record.staff_id, record.billable_state) == ("Peter Tester", "non_billable")


def test_clockify_s_12_hour_clock_with_and_without_seconds() -> None:
    record = first("clockify_time_entries_import_test_1.csv", 2)
    assert record.start_at.isoformat() == "2024-03-04T10:23:00+00:00"
    assert record.end_at.isoformat() == "2024-03-04T11:23:01+00:00"
    assert record.input.seconds == 3601
    assert (record.task_id, record.staff_id) == ("Task 1", "peter.test@email.test")


def test_clockify_s_drifting_columns() -> None:
    activity = first("clockify_time_entries_import_test_5.csv", 2)
    no_billable = first("clockify_time_entries_import_test_4.csv", 2)
    no_client = first("clockify_time_entries_import_test_6.csv", 2)
    invoiced = first("clockify_time_entries_import_test_2.csv")
    assert activity.task_id == "Task 1"
    assert no_billable.billable_state == "unknown"
    assert no_client.client_id is None
    assert (invoiced.invoiced, invoiced.invoice_ref) == (True, "Invoice100")
    assert (invoiced.bill_rate.amount, invoiced.bill_rate.currency) == (Decimal("1000.00"), "EUR")


def test_toggl_s_amount_column_with_currency_and_without() -> None:
    record = first("toggl_time_entries_import_test_1.csv", 2)
    assert (record.bill_amount, record.currency) == (Decimal("111.11"), "EUR")
    rows = stated(shared_data("toggl-export", "timba_toggl.csv"), "toggl")
    assert refused(rows) == {}
    assert {row.record.currency for row in rows} == {None}  # type: ignore[union-attr]
    assert len(rows) == 11


def test_the_toggl_export_of_five_people() -> None:
    path = shared_data("toggl-export", "tira_toggl_pseudonymised.csv")
    reading = read(path, "toggl", zone="America/New_York")
    rows = list(reading.statements())
    assert len(rows) == 652
    assert refused(rows) == {}
    assert len({row.identity for row in rows}) == 652
    parsed = sum(row.record.input.seconds for row in rows)  # type: ignore[union-attr]
    assert reading.survey.seconds == parsed == 3_188_866
    differing = [row for row in rows if row.record and "differs" in str(row.record.derivation)]
    assert len(differing) <= 8
    billable = [row for row in rows if row.record.billable_state == "billable"]  # type: ignore[union-attr]
    assert len(billable) == 638


DIRTY_REFUSED = {
    "negative_hours": {
        4,
        9,
        10,
        22,
        23,
        33,
        34,
        42,
        46,
        47,
        106,
        113,
        117,
        154,
        175,
        194,
        211,
        220,
        238,
        257,
    },
    "over_24_hours": {12, 37, 38, 39, 48, 63, 222, 252, 253},
}


def test_the_dirty_professional_services_data() -> None:
    path = shared_data("dirty-psa", "time_entries.csv")
    reading = read(path, "dirty_psa", definition=DIRTY_PSA)
    rows = list(reading.statements())
    found: dict[str, set[int]] = {}
    for number, reasons in refused(rows).items():
        assert [field for field, _ in reasons] == ["hours"]
        found.setdefault(reasons[0][1], set()).add(number)
    assert len(rows) == 305
    assert found == DIRTY_REFUSED
    assert len(reading.survey.repeated_ids) == 45
    projects = {row.record.project_id for row in rows if row.record}  # type: ignore[attr-defined]
    assert all(project.startswith("PRJ-") and len(project) == 7 for project in projects)


def test_a_billing_log_of_four_years(tmp_path: Path) -> None:
    packed = shared_data("apache-synthetic-billing", "timesheet.csv.xz")
    path = decompress(packed, tmp_path / "unpacked", bytes_max=10_000_000)
    assert path.read_bytes() == lzma.decompress(packed.read_bytes())
    rows = list(read(path, "billing_log", definition=BILLING_LOG).statements())
    assert len(rows) == 8588
    assert refused(rows) == {}
    assert len({row.identity for row in rows}) == 8588
    assert len({row.record.client_id for row in rows}) == 22  # type: ignore[union-attr]


def test_expenses_as_an_expense_system_returns_them() -> None:
    rows = stated(shared_data("fyle-expenses", "expenses.json"), "fyle_expenses")
    assert len(rows) == 35
    assert refused(rows) == {1: [("id", "missing")]}
    refunds = [row for row in rows if row.record and row.record.is_refund]  # type: ignore[attr-defined]
    assert all(row.record.amount_in < 0 for row in refunds)  # type: ignore[union-attr]
