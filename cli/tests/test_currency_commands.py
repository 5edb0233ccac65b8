"""rates, fx and report fx: what was published, and what it does to a book."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from cli.tests.conftest import Shell, wait_until

TABLE = "Date,USD,JPY\n2026-02-27,1.1805,184.13\n2026-02-26,1.1811,N/A\n"
HEADED = ("Realized", "Revaluations", "Open on")


@pytest.fixture
def applied(book: Shell) -> Shell:
    """A book whose configuration has arrived where documents are made."""
    path = f"/v1/books/{book.book}/status"
    url = book.platform.runners["poster"].http.url + path
    headers = {"Authorization": f"Bearer {book.platform.admin_token}"}
    wait_until(lambda: httpx.get(url, headers=headers).json()["configuration_version"])
    return book


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    path = tmp_path / "eurofxref.csv"
    path.write_text(TABLE)
    return path


def test_rates_are_imported_and_listed(applied: Shell, rates: Path) -> None:
    source = f"of-{applied.book}"
    for new, known in ((3, 0), (0, 3)):
        answer = applied.json("rates", "import", rates, "--source", source)
        assert (answer["new"], answer["known"]) == (new, known)
    shown = applied.run("rates", "list", "--source", source, "--currency", "USD")
    assert "1.1805" in shown
    rows = applied.json("rates", "list", "--source", source, "--from", "2026-02-27")
    assert {row["currency"] for row in rows} == {"USD", "JPY"}


def test_what_is_no_file_of_rates_is_refused(applied: Shell, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("Day,Dollars\n")
    assert "rates_invalid" in applied.run("rates", "import", wrong, code=1)


def test_a_month_is_revalued(applied: Shell, rates: Path) -> None:
    applied.run("rates", "import", rates)
    command = ("fx", "revalue", "-b", applied.book, "--month", "2026-02")
    assert "nothing is open" in applied.run(*command)
    item = ("fx", "open-item", "-b", applied.book, "--reference", "OLD-1", "--client", "Acme")
    item = (*item, "--currency", "EUR", "--amount", "100.00", "--base-amount", "119.19")
    for says in ("taken over as HBJ-1", "taken over before"):
        assert says in applied.run(*item, "--date", "2026-01-30")
    applied.run(*command)
    run = applied.json(*command)
    (ledger,) = run["result"]["ledgers"]
    assert (ledger["gain"], ledger["generation"]) == ("-1.14", 1)
    shown = applied.run("report", "fx", "-b", applied.book, "--day", "2026-02-28")
    assert all(title in shown for title in HEADED)
    (row,) = applied.json("report", "fx", "-b", applied.book, "--day", "2026-02-28")["open"]
    assert (row["amount"], row["carried"]) == ("100.00", "119.19")


def test_a_month_without_rates_is_parked(applied: Shell) -> None:
    item = ("fx", "open-item", "-b", applied.book, "--reference", "OLD-2", "--client", "Acme")
    item = (*item, "--currency", "EUR", "--amount", "1.00", "--base-amount", "1.10")
    assert applied.json(*item, "--date", "2020-01-30")["changed"] is True
    command = ("fx", "revalue", "-b", applied.book, "--month", "2020-01")
    assert "no_rate" in applied.run(*command, code=1)
    assert applied.json(*command, code=1)["state"] == "parked"
    (row, *_) = (row for row in applied.parked() if row["kind"] == "revaluation")
    applied.run("parked", "release", row["id"])


def test_residues_are_listed_and_cleared(applied: Shell) -> None:
    item = ("fx", "open-item", "-b", applied.book, "--reference", "OLD-3", "--client", "Acme")
    applied.run(*item, "--currency", "EUR", "--base-amount", "0.02", "--date", "2026-01-30")
    (row,) = applied.json("fx", "residues", "-b", applied.book)
    assert (row["base_amount"], "entry" in row) == ("0.02", False)
    assert "HBJ-" in applied.run("fx", "residues", "-b", applied.book, "--clear")
    assert applied.json("fx", "residues", "-b", applied.book) == []


def test_a_debt_to_a_vendor_is_taken_over(applied: Shell) -> None:
    item = ("fx", "open-item", "-b", applied.book, "--reference", "B-1", "--client", "Bravo")
    item = (*item, "--payable", "--currency", "EUR", "--amount", "5.00", "--base-amount", "6.00")
    applied.run(*item, "--date", "2026-01-30")
    (row,) = applied.json("report", "fx", "-b", applied.book)["open"]
    assert row["kind"] == "payable"
