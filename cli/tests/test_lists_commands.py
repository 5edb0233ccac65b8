"""lists and audit: what they show, write and how they end."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from cli.tests.conftest import Shell


def test_a_book_without_lists_says_so(book: Shell) -> None:
    assert "Lists: none" in book.run("lists", "status", "-b", book.book)
    assert "Entries (0): none" in book.run("lists", "show", "-b", book.book)
    assert "Waits for a person: none" in book.run("lists", "held", "-b", book.book)


def test_plans_can_be_tried_from_a_file(book: Shell) -> None:
    shown = book.run("lists", "plan", "-b", book.book, "--file", book.mapping())
    assert "Changes: none" in shown
    assert book.json("lists", "plan", "-b", book.book)["changes"] == []
    assert "compared" in book.run("lists", "sync", "-b", book.book)


def test_what_does_not_exist_can_not_be_linked_or_approved(book: Shell) -> None:
    command = ("lists", "link", "timesheets", "client", "c1", "17", "-b", book.book)
    assert "timesheets has no client 'c1'" in book.run(*command, code=1)
    assert "no decision about lists" in book.run("lists", "approve", "x", "-b", book.book, code=1)
    refused = book.run("lists", "block", "ledger", "customer", "9", "-b", book.book, code=1)
    assert "the ledger has no customer '9'" in refused


def test_the_export_is_written_to_a_file(book: Shell, tmp_path: Path) -> None:
    target = tmp_path / "lists.json"
    assert "written to" in book.run("lists", "export", "-b", book.book, "-o", target, "--json")
    assert json.loads(target.read_text())["entries"] == []


def test_the_audit_of_the_ledger_itself(book: Shell) -> None:
    """The example's company is clean but for what its books tell."""
    answer = json.loads(book.run("audit", "-b", book.book, "--live", "--format", "json"))
    found = [row for row in answer["findings"] if row["severity"] == "error"]
    assert found == []
    assert {"customer", "item", "account"} <= {row["list"] for row in answer["entries"]}


def test_the_audit_ends_with_1_when_there_are_errors(book: Shell) -> None:
    shown = book.run("audit", "-b", book.book, code=1)
    assert "Errors: documents would be refused" in shown
    assert "ledger not read: the ledger" in shown


def test_the_audit_as_markdown_and_csv(book: Shell) -> None:
    page = book.run("audit", "-b", book.book, "-f", "markdown", code=1)
    assert page.startswith(f"# Audit of book {book.book}")
    assert "| [ ] | the ledger | it couldn't be looked at" in page
    rows = list(
        csv.DictReader(io.StringIO(book.run("audit", "-b", book.book, "-f", "csv", code=1)))
    )
    assert [row["code"] for row in rows] == ["ledger_not_read"]
    assert "none of table" in book.run("audit", "-b", book.book, "-f", "pdf", code=2)
