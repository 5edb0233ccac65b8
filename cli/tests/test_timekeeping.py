"""Time on the command line: doubtful local times, payroll, warnings, newer zone rules."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.tests.conftest import Shell, wait_until
from hourbridge.common.zones import use_zones
from tests.support.zones import without_winter_time

NEW_YORK = "America/New_York"
HEADER = "id,staff,client,date,start,end,hours,zone,billable,approved,notes"


@pytest.fixture
def configured(connected: Shell) -> Shell:
    """A book that takes the worker's days and wants some words with each entry."""
    add_policies(connected, "  work_day: worker", "  ambiguous: quarantine")
    return connected


def add_policies(shell: Shell, *time: str) -> None:
    path = shell.mapping()
    text = path.read_text(encoding="utf-8")
    text += "\ntime:\n" + "\n".join(time)
    text += "\nexpense_policy: {description_characters_min: 10}\n"
    path.write_text(text, encoding="utf-8")
    shell.run("mapping", "apply", path)


def keep(shell: Shell, *lines: str) -> str:
    """Import rows of hours."""
    file = shell.directory / "times.csv"
    file.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return shell.hours(file=file)


def row(external_id: str, start: str, end: str, hours: str = "", notes: str = "") -> str:
    day = start[:10]
    return f"{external_id},Ann,Acme,{day},{start},{end},{hours},{NEW_YORK},yes,approved,{notes}"


DOUBTFUL = row("1", "2026-11-01 01:30", "2026-11-01 03:00", notes="Moved the database")


def test_a_doubtful_time_is_released_with_the_one_that_is_meant(configured: Shell) -> None:
    keep(configured, DOUBTFUL)
    wait_until(configured.parked)
    (parked,) = configured.parked()
    assert parked["code"] == "ambiguous_local_time"
    refused = configured.run("parked", "release", parked["id"], "--fold", "sooner", code=1)
    assert "earlier or later" in refused
    assert "happens twice" in configured.run("parked", "release", parked["id"], code=1)
    command = ("parked", "release", parked["id"], "--fold", "earlier", "--note", "asked her")
    assert "charged" in configured.run(*command)
    assert configured.parked() == []
    payroll = paid(configured, "2026-11-01", "2026-11-30")
    assert [row["worked_seconds"] for row in payroll] == ["9000"]


def paid(shell: Shell, first: str, last: str) -> list[dict[str, str]]:
    out = shell.directory / "payroll.csv"
    command = ("payroll", "export", "-b", shell.book, "--from", first, "--to", last)
    told = shell.run(*command, "--out", out)
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert f"{len(rows)} rows" in told
    assert shell.run(*command).splitlines()[0].startswith("staff_id,staff,day,day_of")
    return rows


def test_a_fold_is_for_local_times_alone(shell: Shell) -> None:
    told = shell.run("parked", "release", "poster:x", "--fold", "later", code=1)
    assert "waits for no such thing" in told


def test_a_wall_time_that_never_was_follows_the_books_policy(connected: Shell) -> None:
    never = row("1", "2026-03-08 02:30", "2026-03-08 03:30", "1.00")
    connected.run("mapping", "apply", connected.mapping())
    keep(connected, never)
    rejected = (connected.directory / "rejected.csv").read_text(encoding="utf-8")
    assert "nonexistent_local_time" in rejected
    add_policies(connected, "  nonexistent: shift")
    keep(connected, never)
    wait_until(lambda: paid(connected, "2026-03-01", "2026-03-31"))


def test_thin_descriptions_are_pointed_out_before_billing(configured: Shell) -> None:
    keep(
        configured,
        row("1", "2026-03-03 10:00", "2026-03-03 11:00", notes="Call"),
        row("2", "2026-03-03 12:00", "2026-03-03 13:00", notes="Call about the new website"),
    )
    wait_until(lambda: configured.json("report", "warnings", "-b", configured.book))
    (warned,) = configured.json("report", "warnings", "-b", configured.book)
    assert (warned["warning"], warned["description"]) == ("description_thin", "Call")
    shown = configured.run("bill", "-b", configured.book, "--through", "2026-03-31", "--dry-run")
    assert "description_thin" in shown
    early = ("report", "warnings", "-b", configured.book, "--through", "2026-03-02")
    assert configured.json(*early) == []


@pytest.fixture
def newer_rules(tmp_path: Path) -> Iterator[Path]:
    yield without_winter_time(tmp_path, NEW_YORK, 2026, version="2027x")
    use_zones(None)


def test_newer_rules_are_shown_and_taken_over_on_request(
    configured: Shell, newer_rules: Path
) -> None:
    lines = [
        {
            "external_id": "1", "staff_id": "Ann", "staff_name": "Ann", "client_name": "Acme",
            "work_date": "2026-12-14", "start_at": "2026-12-15T04:15:00Z",
            "end_at": "2026-12-15T04:45:00Z", "zone": {"iana": NEW_YORK},
            "input": {"seconds": 1800}, "billable_state": "billable",
            "approval": {"state": "approved"},
        }
    ]  # fmt: skip
    file = configured.directory / "times.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    configured.run("import", file, "-b", configured.book, "-s", "timesheets", "-p", "jsonl")
    command = ("time", "renormalise", "-b", configured.book)
    wait_until(lambda: paid(configured, "2026-12-01", "2026-12-31"))
    assert ": none" in configured.run(*command)
    use_zones(newer_rules)
    shown = configured.run(*command)
    assert "not billed" in shown
    assert "- 2026-12-14 1800 s" in shown
    assert "+ 2026-12-15 1800 s" in shown
    assert "taken over: 1" in configured.run(*command, "--apply", "--note", "new law")
    answer: dict[str, Any] = configured.json(*command)
    assert (answer["tzdata"], answer["proposals"]) == ("2027x", [])


def test_tables_are_shown_in_the_readers_locale(billed: Shell) -> None:
    shown = billed.run(
        "documents", "list", "-b", billed.book, HOURBRIDGE_LOCALE="de_DE", HOURBRIDGE_ZONE=NEW_YORK
    )
    assert "31.03.2026" in shown
    assert "570,00" in shown
