"""What is written down for auditors: from the configuration in force and from real lines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.tests.conftest import Shell
from hourbridge.cli.main import app
from hourbridge.cli.policy_documents.gathered import Gathered
from hourbridge.cli.policy_documents.pages import PAGES, write_pages
from hourbridge.common.book import parse_book_configuration


def facts(**changes: Any) -> Gathered:
    document = {
        "book": "firm",
        "currency": "USD",
        "zone": "Europe/Berlin",
        "ledger": {"connection": "main", "company_id": "42"},
        "sources": [{"name": "toggl", "zone": "Australia/Lord_Howe"}],
        "clients": [
            {
                "client": "Acme | Co",
                "customer": {"id": "17", "name": "Acme Corp."},
                "zone": "Asia/Tokyo",
                "rounding": {"increment_seconds": 900, "mode": "up", "minimum_seconds": 450},
            },
            {
                "client": "Beta",
                "customer": {"name": "Beta"},
                "currency": "EUR",
                "effective_from": "2026-02-01",
                "invoicing": {"grouping": "client_quarter", "automatic": True, "due_days": 10},
            },
        ],
        "projects": [{"project": "Web", "client": "Beta", "job": {"id": "9"}, "billable": False}],
        "tasks": [{"task": "Design", "item": {"name": "Design hours"}}],
        "expenses": [{"category": "Hotel", "account": {"id": "84"}, "markup_percent": "15"}],
        "rates": {"rules": [{"client": "Beta", "amount": "140.00", "currency": "EUR"}]},
        "time": {"work_day": "worker", "locale": "de_DE"},
        **changes,
    }
    return Gathered(
        book=parse_book_configuration(document),
        version=3,
        applied_at=datetime(2026, 3, 31, 22, 30, tzinfo=UTC),
        applied_by="ann",
        note="new prices",
        tzdata="2026f",
        year=2026,
    )


def page(name: str, **changes: Any) -> str:
    return PAGES[name](facts(**changes))


def test_every_page_says_of_which_version_it_is(tmp_path: Path) -> None:
    for path in write_pages(facts(), tmp_path / "new"):
        text = path.read_text(encoding="utf-8")
        assert "Version 3 of the configuration, in force since 01.04.2026, 00:30:00" in text
        assert "applied by ann (new prices)" in text
        assert "None" not in text


def test_the_mapping_names_both_sides_and_since_when() -> None:
    text = page("mapping.md")
    assert "| Acme \\| Co | any | Acme Corp. (id 17) | USD |" in text
    assert "| Beta | any | Beta | EUR |  |  |  | from 2026-02-01 |" in text
    assert "| Web | Beta | id 9 | never |" in text
    assert "| Hotel | id 84 | account | 15 % |" in text
    assert "| client Beta | 140.00 EUR/h | always |" in text


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"nonexistent": "shift"}, "is moved forward by the gap's length"),
        ({"ambiguous": "later"}, "means the second of the two"),
        ({"work_day": "project"}, "the local day of the project"),
        ({"split_at": "month_end"}, "local midnight that ends a month"),
    ],
)
def test_the_time_policy_is_said_in_words(policy: dict[str, str], words: str) -> None:
    assert words in page("time-zone-policy.md", time=policy)


def test_the_clock_changes_of_the_year_are_listed() -> None:
    text = page("time-zone-policy.md")
    assert "tzdata 2026f" in text
    assert "| client Acme \\| Co | Asia/Tokyo |" in text
    changes = [line for line in text.splitlines() if "forward by" in line or "back by" in line]
    assert len(changes) == 4  # Berlin and Lord Howe; Tokyo's clocks stay
    assert any("never are | 2026-03-29 02:00 | 2026-03-29 03:00" in line for line in changes)
    assert any("happen twice | 2026-04-05 01:30 | 2026-04-05 02:00" in line for line in changes)
    assert any("back by 60 min" in line for line in changes)
    assert "No clock of these zones changes." in page(
        "time-zone-policy.md", zone="Asia/Tokyo", sources=[{"name": "toggl"}]
    )


def test_the_rounding_policy_is_illustrated_until_there_are_lines() -> None:
    text = page("rounding-policy.md")
    assert "3. round to the billing increment" in text
    assert (
        "| client Acme \\| Co | 15 min | up | per entry | 450 s per group, as it stands |" in text
    )
    assert "| 3 min | 6 min | increment: -180 s |" in text
    assert "| 1 min | 0 min | increment: 60 s |" in text


def test_the_calendar_gives_each_policy_its_periods() -> None:
    text = page("billing-calendar.md", review={"kinds": ["invoice"]})
    own, others = text.index("## client Beta"), text.index("## everybody else")
    quarters = text[own:] if own > others else text[own:others]
    assert quarters.count("| 2026-Q") == 4
    assert "by itself when the period is over" in quarters
    assert (
        "| 2026-Q1 | 31.03.2026 | 01.04.2026, 00:00:00 +02:00 | 31.03.2026 | 10.04.2026 |" in text
    )
    assert text.count("| 2026-1") == 3
    assert "A person releases each of these before it is posted: invoice." in text


def test_what_is_billed_on_demand_has_no_periods() -> None:
    text = page("billing-calendar.md", invoicing={"grouping": "client_on_demand"})
    assert "A document per client, when asked for" in text
    assert "| 2026-1" not in text


def test_the_examples_are_lines_of_real_documents(billed: Shell) -> None:
    folder = billed.directory / "policies"
    told = billed.run("mapping", "document", "-b", billed.book, "--out", folder, "--year", "2026")
    assert len(told.splitlines()) == 4
    text = (folder / "rounding-policy.md").read_text(encoding="utf-8")
    assert "Worked examples, from documents of this book" in text
    assert "| increment | " in text
    assert "$150.00 = $" in text


def test_an_unknown_book_has_nothing_to_write(shell: Shell, tmp_path: Path) -> None:
    arguments = ["mapping", "document", "-b", "nobody", "--out", str(tmp_path)]
    done: Result = CliRunner().invoke(app, arguments, env=shell.environment)
    assert done.exit_code == 1
    assert list(tmp_path.iterdir()) == []
