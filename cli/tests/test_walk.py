"""The way that the README describes, command by command."""

from __future__ import annotations

import csv
import os
from datetime import UTC, datetime

import httpx

from cli.tests.conftest import EXAMPLES, Shell, wait_until


def test_hours_become_posted_invoices(book: Shell) -> None:
    shown = book.hours()
    assert "rows accepted  5" in shown
    assert "rows rejected  1" in shown

    (waiting,) = book.parked()
    assert waiting["waits_for"] == ["task:Audit"]

    book.bill()
    totals = sorted((row["client"], row["total"]) for row in book.documents())
    assert totals == [("Acme", "570.00"), ("Birch", "360.00")]
    assert "Open discrepancies: none" in book.run("reconcile", "-b", book.book)


def test_a_parked_record_goes_on_when_its_rule_arrives(book: Shell) -> None:
    book.hours()
    wait_until(book.parked)

    task = "  - task: Audit\n    item: {name: Consulting}\ndefault_item"
    book.run("mapping", "apply", book.mapping(default_item=task), "--note", "audits are billed")
    wait_until(lambda: not book.parked())

    book.bill()
    assert sorted(row["total"] for row in book.documents()) == ["570.00", "600.00"]


def test_the_same_file_again_changes_nothing(billed: Shell) -> None:
    again = billed.hours()
    assert "rows unchanged  5" in again
    assert "this file was imported before" in again
    dry = billed.json("bill", "-b", billed.book, "--through", "2026-03-31", "--dry-run")
    assert (dry["state"], dry["documents"]) == ("dry_run", 0)


def test_a_dry_run_writes_nothing(book: Shell) -> None:
    shown = book.hours("--dry-run")
    assert "dry run: nothing was written" in shown
    assert not (book.directory / "rejected.csv").exists()
    assert book.json("report", "status", "-b", book.book)["records"] == 0


def test_rejected_rows_are_written_with_their_reasons(book: Shell) -> None:
    book.hours()
    with (book.directory / "rejected.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["row"], row["external_id"], row["date"]) == ("6", "106", "2026-02-30")
    assert row["reasons"].startswith("date: date_invalid ('2026-02-30' is no date")


def test_as_of_is_when_the_file_was_changed_unless_told(book: Shell) -> None:
    file = book.directory / "hours.csv"
    file.write_bytes((EXAMPLES / "hours.csv").read_bytes())
    changed = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
    os.utime(file, (changed.timestamp(), changed.timestamp()))
    command = ("import", file, "-b", book.book, "-s", "timesheets", "-p", "generic_csv")

    assert book.json(*command, "--dry-run")["as_of"] == "2026-03-10T08:30:00Z"
    told = book.json(*command, "--dry-run", "--as-of", "2026-03-11T00:00:00Z")
    assert told["as_of"] == "2026-03-11T00:00:00Z"


def test_a_refused_import_says_what_there_is(book: Shell) -> None:
    command = ("import", EXAMPLES / "hours.csv", "-b", book.book, "-s", "timesheets")
    refused = book.run(*command, "-p", "nonesuch", code=1)
    assert "no import profile 'nonesuch'" in refused
    assert "generic_csv" in refused


def test_a_key_is_good_for_reporting(book: Shell) -> None:
    key = book.run("source", "key", "-b", book.book, "-s", "timesheets").strip()
    event = {
        "specversion": "1.0",
        "id": "1@1",
        "source": "timesheets",
        "type": "hourbridge.time_entry.reported.v1",
        "data": {
            "external_id": "1",
            "source_updated_at": "2026-03-09T17:00:00Z",
            "staff_id": "Kim",
            "client_name": "Acme",
            "work_date": "2026-03-09",
            "input": {"seconds": 5400},
            "billable_state": "billable",
            "approval": {"state": "approved"},
        },
    }
    answer = httpx.post(
        book.environment["HOURBRIDGE_INGESTOR_URL"] + "/v1/events",
        json=event,
        headers={"X-Api-Key": key, "Content-Type": "application/cloudevents+json"},
    )
    assert (answer.status_code, answer.json()["events"][0]["status"]) == (202, "accepted")


def test_a_stranger_s_edit_is_found_and_repaired(billed: Shell) -> None:
    invoice = next(row for row in billed.documents() if row["client"] == "Acme")
    change = {"action": "edit_line", "line": 1, "changes": {"UnitPrice": 1}}
    billed.somebody_in_the_ledger({**change, "number": invoice["number"]})

    shown = billed.run("reconcile", "-b", billed.book, code=3)
    assert f"target_edit {invoice['number']} (Acme, 2026-03)" in shown
    assert "expected: total 570.00" in shown

    repaired = billed.json("reconcile", "-b", billed.book, "--repair")["repaired"]
    assert repaired == [invoice["document_id"]]
    wait_until(lambda: {row["status"] for row in billed.documents()} == {"posted"})
    assert billed.json("reconcile", "-b", billed.book)["discrepancies"] == []
