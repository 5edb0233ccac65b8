"""The journal from the command line: exported, checked, balances."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cli.tests.conftest import Shell
from hourbridge.cli.commands import journal
from tests.support.oracles import check_beancount, check_hledger

JUDGES = {"hledger": check_hledger, "beancount": check_beancount}


def test_an_export_is_what_the_programs_read(billed: Shell, tmp_path: Path) -> None:
    for name, judge in JUDGES.items():
        out = tmp_path / f"journal.{name}"
        shown = billed.run("journal", "export", "-b", billed.book, "--format", name, "--out", out)
        assert f"{out}: {len(out.read_text())} characters" in shown
        judge(out)
    assert sorted(path.suffix for path in tmp_path.glob("journal.*")) == [".beancount", ".hledger"]


def test_an_export_up_to_a_day_ends_there(billed: Shell, tmp_path: Path) -> None:
    out = tmp_path / "early"
    billed.run(
        "journal", "export", "-b", billed.book, "--out", out, "--through", "2026-01-31"
    )  # fmt: skip
    assert "account" not in out.read_text()


def test_a_refused_export_leaves_no_file(billed: Shell, tmp_path: Path) -> None:
    out = tmp_path / "journal"
    command = ("journal", "export", "-b", billed.book, "--out", out)
    assert "none of hledger" in billed.run(*command, "--format", "excel", code=2)
    assert "a date" in billed.run(*command, "--through", "soon", code=1)
    assert list(tmp_path.glob("journal*")) == []


def test_balances_are_shown_by_account(billed: Shell) -> None:
    shown = billed.run("journal", "balances", "-b", billed.book, "--client", "Acme")
    assert "Assets:Receivable" in shown and "570.00" in shown
    answer = billed.json("journal", "balances", "-b", billed.book, "--through", "2026-01-31")
    assert answer == {"balances": []}


def test_a_journal_that_is_right(billed: Shell) -> None:
    found = billed.json("journal", "check", "-b", billed.book)
    assert (found["entries"] > 0, found["unbalanced"], found["documents"]) == (True, [], [])
    results = {row["program"]: row["result"] for row in found["programs"]}
    assert results["bean-check"] == "accepted"
    assert "unbalanced               0" in billed.run("journal", "check", "-b", billed.book)


def test_what_a_program_refuses_is_shown_and_fails(
    billed: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grumpy = tmp_path / "hledger"
    grumpy.write_text("#!/bin/sh\necho 'I do not like it' >&2\nexit 1\n")
    grumpy.chmod(grumpy.stat().st_mode | stat.S_IXUSR)

    def installed(program: str) -> str | None:
        return str(grumpy) if program == "hledger" else None

    monkeypatch.setattr(journal, "_installed", installed)
    shown = billed.run("journal", "check", "-b", billed.book, code=1)
    assert "hledger: refused" in shown
    assert "bean-check: not installed" in shown
    assert "I do not like it" in shown


def test_disagreements_are_listed_and_fail(
    billed: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = {
        "entries": 1,
        "unbalanced": [{"entry_id": "e", "currency": "USD", "off_by": "0.01"}],
        "documents": [{"document_id": "d", "number": "HB-1", "problem": "has no entry"}],
        "programs": [],
    }
    assert journal.has_problems(answer)
    journal._print_findings("office", answer)
    shown = capsys.readouterr().out
    assert "has no entry" in shown and "0.01" in shown
