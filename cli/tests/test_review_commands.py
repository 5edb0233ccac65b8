"""review and bill undo: a person's gate, and a run taken back."""

from __future__ import annotations

import pytest

from cli.tests.conftest import Shell, wait_until

GATE = {"rounding: {": "review: {kinds: [invoice, credit_memo]}\nrounding: {"}


@pytest.fixture
def drafted(connected: Shell) -> Shell:
    """A book with a gate, its example hours billed: two drafts."""
    connected.run("mapping", "apply", connected.mapping(**GATE))
    connected.hours()
    connected.run("bill", "-b", connected.book, "--through", "2026-03-31")
    return connected


def statuses(shell: Shell) -> list[str]:
    return sorted(row["status"] for row in shell.documents())


def number_of(shell: Shell, client: str) -> str:
    (number,) = (row["number"] for row in shell.documents() if row["client"] == client)
    return str(number)


def test_drafts_are_listed_selected_and_released(drafted: Shell) -> None:
    number = number_of(drafted, "Acme")
    assert "570.00" in drafted.run("review", "list", "-b", drafted.book)
    drafted.run("review", "select", "-b", drafted.book, number, "--note", "as agreed")
    (row,) = drafted.json("review", "list", "-b", drafted.book, "--selected")
    assert (row["number"], row["note"]) == (number, "as agreed")
    assert number in drafted.run("review", "release", "-b", drafted.book)
    wait_until(lambda: statuses(drafted) == ["draft", "posted"])
    drafted.run("review", "release", "-b", drafted.book, "--all")
    wait_until(lambda: statuses(drafted) == ["posted", "posted"])


def test_a_rejected_draft_is_withdrawn(drafted: Shell) -> None:
    shown = drafted.run(
        "review", "reject", "-b", drafted.book, "--client", "Birch", "--note", "not agreed"
    )
    assert "withdrawn" in shown
    assert statuses(drafted) == ["draft", "withdrawn"]


def test_what_is_meant_must_be_said(drafted: Shell) -> None:
    assert "--all" in drafted.run("review", "select", "-b", drafted.book, code=1)
    assert "no draft" in drafted.run("review", "release", "-b", drafted.book, "EX-99", code=1)


def test_a_selection_can_be_taken_back(drafted: Shell) -> None:
    drafted.run("review", "select", "-b", drafted.book, "--all")
    drafted.run("review", "select", "-b", drafted.book, "--client", "Acme", "--clear")
    (row,) = drafted.json("review", "list", "-b", drafted.book, "--selected")
    assert row["client"] == "Birch"


def test_a_run_is_undone_as_a_whole(billed: Shell) -> None:
    (run,) = billed.json("bill", "runs", "-b", billed.book)
    undo = ("bill", "undo", run["run_id"], "--note", "wrong month")
    for _ in range(2):
        billed.run(*undo)
        wait_until(lambda: statuses(billed) == ["posted"] * 4)
        answer = billed.json(*undo)
        assert answer["state"] == "undone"
        assert {row["outcome"] for row in answer["documents"]} == {"credited"}
    assert billed.json("report", "unbilled", "-b", billed.book)["unbilled_hours"] == "6.75"
    again = billed.json("bill", "-b", billed.book, "--through", "2026-03-31")
    assert again["documents"] == 2


def test_an_unknown_run_and_a_wrong_command_line(shell: Shell) -> None:
    assert "no such billing run" in shell.run("bill", "undo", "nope", "--note", "x", code=1)
    assert "--through" in shell.run("bill", "--book", "b", code=2)
