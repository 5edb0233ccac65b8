"""Reports and documents, as tables and as JSON."""

from __future__ import annotations

import pytest

from cli.tests.conftest import Shell
from hourbridge.cli.control_totals import LEVELS


def test_totals_stand_side_by_side(billed: Shell) -> None:
    lines = billed.run("report", "totals", "-b", billed.book).splitlines()
    acme = next(line.split() for line in lines if line.startswith("Acme"))
    assert acme == ["Acme", "3.75", "3.75", "3.80", "562.50", "570.00"]
    assert any("(USD; charged is exact" in line for line in lines)


def test_totals_name_projects_on_request(billed: Shell) -> None:
    assert "Website" in billed.run("report", "totals", "-b", billed.book, "--by-project")


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_of_the_totals_can_be_shown(billed: Shell, level: str) -> None:
    billed.run("reconcile", "-b", billed.book)
    shown = billed.run("report", "totals", "-b", billed.book, "--level", level)
    assert f"{level} of {billed.book}" in shown
    assert "none" not in shown
    assert "…" not in shown


def test_an_unknown_level_is_a_wrong_command(shell: Shell) -> None:
    assert "none of source" in shell.run("report", "totals", "-b", "b", "--level", "x", code=2)


def test_unbilled_work_shows_with_money_and_age(book: Shell) -> None:
    book.hours()
    book.run("bill", "-b", book.book, "--through", "2026-03-31", "--client", "Birch")
    report = book.json("report", "unbilled", "-b", book.book)
    assert report["unbilled_hours"] == "3.75"
    shown = book.run("report", "unbilled", "-b", book.book)
    assert "562.50 USD" in shown
    assert "no_mapping" in shown
    assert "non_billable" in shown


def test_status_tells_where_the_book_stands(billed: Shell) -> None:
    shown = billed.run("report", "status", "-b", billed.book)
    assert "configuration        version 1" in shown
    assert "parked               1" in shown
    assert "last reconciliation  never" in shown
    assert billed.json("report", "status", "-b", billed.book)["charges"] == 3


def test_time_to_invoice_counts_posted_records(billed: Shell) -> None:
    (row,) = billed.json("report", "time-to-invoice", "-b", billed.book)["workflows"]
    assert (row["workflow"], row["records"]) == ("standard", 3)
    assert "standard" in billed.run("report", "time-to-invoice", "-b", billed.book)


def test_reports_of_an_unknown_book_are_empty(shell: Shell) -> None:
    assert "nothing was recorded yet" in shell.run("report", "totals", "-b", "nobody")
    assert "Unbilled: none" in shell.run("report", "unbilled", "-b", "nobody")
    assert "version none" in shell.run("report", "status", "-b", "nobody")


def test_a_document_is_found_by_its_number_or_id(billed: Shell) -> None:
    row = next(row for row in billed.documents() if row["client"] == "Acme")
    by_number = billed.run("documents", "show", row["number"], "-b", billed.book)
    assert "Website: Kim - Development" in by_number
    assert billed.run("documents", "show", row["document_id"]) == by_number
    assert billed.json("documents", "show", row["document_id"])["total"] == "570.00"


def test_a_number_needs_its_book(billed: Shell) -> None:
    assert "--book BOOK" in billed.run("documents", "show", "EX-1", code=1)
    missing = billed.run("documents", "show", "EX-0", "-b", billed.book, code=1)
    assert "no document has this number" in missing


def test_what_was_posted_can_be_restored_but_not_withdrawn(billed: Shell) -> None:
    number = billed.documents()[0]["number"]
    named = (number, "-b", billed.book, "--note", "checked by hand")
    assert "can be withdrawn" in billed.run("documents", "withdraw", *named, code=1)
    assert f"invoice {number}: posting" in billed.run("documents", "restore", *named)


def test_a_draft_waits_for_its_release(connected: Shell) -> None:
    draft = connected.mapping(**{"number_prefix: EX": "number_prefix: EX, status: draft"})
    connected.run("mapping", "apply", draft)
    connected.hours()
    connected.run("bill", "-b", connected.book, "--through", "2026-03-31")
    first, second = (row["number"] for row in connected.documents())
    assert {row["status"] for row in connected.documents()} == {"draft"}

    assert "posting" in connected.run("documents", "release", first, "-b", connected.book)
    withdrawn = connected.run(
        "documents", "withdraw", second, "-b", connected.book, "--note", "not yet"
    )
    assert "withdrawn" in withdrawn


def test_connections_are_listed(connected: Shell) -> None:
    rows = connected.json("ledger", "list")
    mine = next(row for row in rows if row["name"] == connected.book)
    assert mine["state"] == "connected"
    assert connected.book in connected.run("ledger", "list")


def test_a_ledger_that_answers_has_no_stopped_lane(billed: Shell) -> None:
    assert all(billed.realm not in row["ledger"] for row in billed.json("ledger", "lanes"))
    assert "Stopped lanes" in billed.run("ledger", "lanes")


def test_a_connection_s_secrets_come_from_the_environment(shell: Shell) -> None:
    command = ("ledger", "connect", "--name", "x", "--company-id", "1", "--client-id", "y")
    assert "HOURBRIDGE_CLIENT_SECRET is not set" in shell.run(*command, code=1)
