"""holdback list and release, report settlements: what vendors are owed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cli.tests.conftest import Shell

ACCOUNTS = {"subcontractor_cost": "Subcontractors", "retainage_payable": "Retainage Payable"}


def with_subcontractor(path: Path, staff: str) -> Path:
    """Let a person of the example be a subcontractor, at 50.00 an hour less a tenth."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["subcontractors"] = [
        {
            "staff": staff,
            "vendor": {"name": "Bravo"},
            "cost_rate": "50.00",
            "holdback_percent": "10",
        }
    ]
    document["accounts"] = [
        {"role": role, "ledger": {"name": name}} for role, name in ACCOUNTS.items()
    ]
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def owed(connected: Shell) -> Shell:
    """A book whose example hours are billed, and Lee's are owed to Bravo."""
    connected.run("mapping", "apply", with_subcontractor(connected.mapping(), "Lee"))
    connected.hours()
    connected.bill()
    return connected


def test_what_is_held_back_is_listed_and_released_once(owed: Shell) -> None:
    held = owed.json("holdback", "list", "-b", owed.book)
    assert {row["vendor"] for row in held} == {"Bravo"}
    assert "Bravo" in owed.run("holdback", "list", "-b", owed.book)
    review = owed.run("report", "settlements", "-b", owed.book, "-q", "2026-Q1")
    assert "Bills of 2026-Q1" in review
    assert "Paid when the client pays: none" in review
    shown = owed.json("report", "settlements", "-b", owed.book, "-q", "2026-Q1")
    assert [row["open"] for row in shown["open_holdbacks"]] == [row["open"] for row in held]
    command = ("holdback", "release", "-b", owed.book, "--vendor", "Bravo", "--date", "2026-04-30")
    assert "HBJ-1" in owed.run(*command)
    assert "nothing is held back" in owed.run(*command)
    assert owed.json("holdback", "list", "-b", owed.book) == []
    [whole] = owed.json("holdback", "list", "-b", owed.book, "--all")
    assert whole["released"] == whole["held"]


def test_what_cannot_be_released_says_why(owed: Shell) -> None:
    assert "name a vendor or a bill" in owed.run("holdback", "release", "-b", owed.book, code=1)
    command = ("holdback", "release", "-b", owed.book, "--vendor", "Bravo")
    assert "is held back" in owed.run(*command, "--amount", "99999", code=1)
    assert "no quarter" in owed.run(
        "report", "settlements", "-b", owed.book, "-q", "spring", code=1
    )
    assert owed.json(*command)["released"][0]["currency"] == "USD"
