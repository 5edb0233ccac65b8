"""period close, reopen and list; the reports on where time and money went."""

from __future__ import annotations

from pathlib import Path

from cli.tests.conftest import EXAMPLES, Shell, wait_until

MARCH = ("--month", "2026-03", "--note", "month end")


def accept_nothing_more(billed: Shell) -> None:
    """Wait until the reconciler knows what was billed."""
    wait_until(lambda: billed.json("report", "unbilled", "-b", billed.book)["unbilled_hours"])


def test_a_month_is_closed_kept_and_reopened(billed: Shell) -> None:
    close = ("period", "close", "-b", billed.book, *MARCH)
    first = billed.json(*close)
    assert billed.json(*close)["totals_hash"] == first["totals_hash"]
    assert first["totals_hash"] in billed.run(*close)

    late = billed.directory / "late.csv"
    head, *_ = (EXAMPLES / "hours.csv").read_text(encoding="utf-8").splitlines()
    row = "201,2026-04-02T18:00:00Z,Kim,Acme,Website,Development,2026-03-20,1.00,yes,yes,Late"
    Path(late).write_text(f"{head}\n{row}\n", encoding="utf-8")
    billed.hours(file=late)
    billed.run("bill", "-b", billed.book, "--through", "2026-03-31")
    wait_until(lambda: "parked" in {document["status"] for document in billed.documents()})
    shown = billed.run("reconcile", "-b", billed.book, code=3)
    assert "period_changed 2026-03" in shown

    billed.run("period", "reopen", "-b", billed.book, *MARCH)
    (row_of_list,) = billed.json("period", "list", "-b", billed.book)
    assert row_of_list["reopened_note"] == "month end"
    refused = billed.run(*close, code=1)
    assert "is parked" in refused


def test_what_is_no_month_is_refused(shell: Shell) -> None:
    wrong = ("--month", "March", "--note", "x")
    assert "looks like 2026-03" in shell.run("period", "close", "-b", "b", *wrong, code=1)
    assert "not closed" in shell.run("period", "reopen", "-b", "b", *MARCH, code=1)


def test_residues_and_categories_are_shown(billed: Shell) -> None:
    accept_nothing_more(billed)
    report = billed.json("report", "residue", "-b", billed.book, "--month", "2026-03")
    assert {row["step"]: row["residue"] for row in report["totals"]} == {"increment": "-180"}
    assert "increment" in billed.run("report", "residue", "-b", billed.book)
    shown = billed.run("report", "categories", "-b", billed.book)
    assert "what became of them" in shown
    time = billed.json("report", "categories", "-b", billed.book)["time"]
    assert sum(row["billed_seconds"] for row in time) == 24_480
