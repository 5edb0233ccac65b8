"""The audit before go-live: what a bookkeeper should set right in both systems."""

from __future__ import annotations

import csv
import sys
from itertools import groupby
from typing import Annotated, Any, Literal, get_args

import typer

from hourbridge.cli.commands.context import EXIT_FAILED, BookOption, admin_client
from hourbridge.cli.output import console, print_cards, print_json, print_rows, print_text

Format = Literal["table", "markdown", "json", "csv"]
_COLUMNS = ("severity", "area", "code", "subject", "detail", "advice")
_HEADINGS = {
    "error": "Errors: documents would be refused, or posted wrongly",
    "warning": "Warnings: they cost work later",
    "note": "Notes",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def audit(
    book: str = BookOption,
    live: bool = typer.Option(
        False, "--live", help="Ask the ledger itself, not only what was read of it last."
    ),
    form: Annotated[
        str, typer.Option("--format", "-f", help="table, markdown, json or csv.")
    ] = "table",
) -> None:
    """Audit both systems before go-live; exit with 1 when there are errors.

    Looks for duplicates and near-duplicates, names that the ledger would refuse, accounts and items
    that don't fit the mapping, missing links, closed periods and settings that matter.
    """
    if form not in get_args(Format):
        raise typer.BadParameter(f"{form!r} is none of {', '.join(get_args(Format))}")
    with admin_client() as client:
        answer = client.get("mapper", f"/v1/books/{book}/audit", live="true" if live else None)
    if form == "json":
        print_json(answer)
    elif form == "csv":
        _print_csv(answer["findings"])
    elif form == "markdown":
        print_text(markdown(answer))
    else:
        _print_table(answer)
    if not answer["ok"]:
        raise typer.Exit(EXIT_FAILED)


def _print_table(answer: dict[str, Any]) -> None:
    print_rows("What was looked at", answer["entries"])
    for severity, group in groupby(answer["findings"], key=lambda row: row["severity"]):
        cards = [
            (f"{row['code'].replace('_', ' ')}: {row['subject']}", (row["detail"], row["advice"]))
            for row in group
        ]
        print_cards(_HEADINGS[severity], cards)
    counts = ", ".join(f"{number} {name}s" for name, number in answer["counts"].items())
    console.print(f"book {answer['book']}: {counts}", markup=False)


def _print_csv(findings: list[dict[str, str]]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(_COLUMNS)
    for row in findings:
        texts = (row[name] for name in _COLUMNS)
        writer.writerow(f"'{text}" if text.startswith(_FORMULA) else text for text in texts)


def markdown(answer: dict[str, Any]) -> str:
    """Return the report as a Markdown document."""
    lines = [f"# Audit of book {answer['book']}", ""]
    how = "the ledger was asked just now" if answer["live"] else "from what was read last"
    lines += [f"Configuration version {answer['version']}, {how}.", ""]
    lines += ["| side | list | active entries |", "|---|---|---|"]
    lines += [f"| {row['side']} | {row['list']} | {row['active']} |" for row in answer["entries"]]
    for severity, group in groupby(answer["findings"], key=lambda row: row["severity"]):
        lines += ["", f"## {_HEADINGS[severity]}", ""]
        lines += ["| | what | found | what to do |", "|---|---|---|---|"]
        for row in group:
            cells = (row["subject"], row["detail"], row["advice"])
            lines.append(f"| [ ] | {' | '.join(_escaped(cell) for cell in cells)} |")
    if not answer["findings"]:
        lines += ["", "Nothing was found."]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
