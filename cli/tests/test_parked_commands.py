"""parked list, show and release: conflicts, missing rules, closed periods."""

from __future__ import annotations

import httpx
import pytest

from cli.tests.conftest import EXAMPLES, Shell, wait_until


@pytest.fixture
def conflict(book: Shell) -> str:
    """The reference of an entry that was stated with two contents under one version."""
    book.hours()
    other = book.directory / "other.csv"
    text = (EXAMPLES / "hours.csv").read_text(encoding="utf-8")
    other.write_text(text.replace("1.50", "4.50"), encoding="utf-8")
    book.hours(file=other)
    (found,) = [row["id"] for row in book.parked() if row["id"].startswith("ingestor:")]
    return str(found)


def test_the_list_says_what_waits_for_what(book: Shell, conflict: str) -> None:
    wait_until(lambda: len(book.parked()) == 2)
    shown = book.run("parked", "list", "-b", book.book)
    assert "task:Audit" in shown
    assert "no_mapping: no item for task 'Audit' on 2026-03-05" in shown
    assert f"{conflict}\n  conflict:" in shown
    assert "was stated with two contents" in shown


def test_one_parked_thing_shows_both_contents(book: Shell, conflict: str) -> None:
    shown = book.run("parked", "show", conflict)
    assert "stored" in shown
    assert "stated" in shown
    assert book.json("parked", "show", conflict)["stated"]["external_id"] == "101"


def test_a_conflict_needs_a_choice(book: Shell, conflict: str) -> None:
    assert "--choice kept" in book.run("parked", "release", conflict, code=1)
    assert "new" in book.run("parked", "release", conflict, "--choice", "new", "--note", "as told")
    book.bill()
    assert "1020.00" in {row["total"] for row in book.documents()}


def test_what_still_lacks_its_rule_stays_parked(book: Shell) -> None:
    book.hours()
    wait_until(book.parked)
    (row,) = book.parked()
    shown = book.run("parked", "release", row["id"], code=1)
    assert "no item for task 'Audit'" in shown


def test_a_document_of_a_closed_period_takes_the_approved_date(book: Shell) -> None:
    url = f"{book.sandbox.base_url}/_sandbox/companies/{book.realm}/preferences"
    closed = {"AccountingInfoPrefs": {"BookCloseDate": "2026-03-31"}}
    httpx.put(url, json=closed, timeout=10).raise_for_status()
    book.hours()
    book.run("bill", "-b", book.book, "--through", "2026-03-31")
    wait_until(lambda: {row["status"] for row in book.documents()} == {"parked"})

    for row in book.parked():
        if row["id"].startswith("poster:"):
            assert row["code"] == "period_closed"
            shown = book.run("parked", "release", row["id"], "--date", "2026-04-01")
            assert "posting" in shown
    wait_until(lambda: {row["status"] for row in book.documents()} == {"posted"})
    assert {row["document_date"] for row in book.documents()} == {"2026-04-01"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonsense",), "is not SERVICE:ID"),
        (("mapper:1", "--choice", "new"), "decides conflicts"),
        (("ingestor:1", "--choice", "kept", "--date", "2026-04-01"), "parked documents"),
        (("poster:00000000-0000-0000-0000-000000000000",), "not_found"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shell: Shell, arguments: tuple[str, ...], words: str
) -> None:
    assert words in shell.run("parked", "release", *arguments, code=1)


def test_nothing_parked_has_an_unknown_id(shell: Shell) -> None:
    assert "nothing parked" in shell.run("parked", "show", "mapper:nobody", code=1)


def test_an_unknown_book_has_nothing_parked(shell: Shell) -> None:
    assert shell.run("parked", "list", "-b", "nobody").strip() == "Parked: none"
