"""Reports: totals, unbilled, status, time-to-invoice."""

from __future__ import annotations

from typing import Any

import typer

from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import print_facts, print_json, print_rows

app = typer.Typer(help="What was worked, charged, billed and posted, and what is still open.")


@app.command("totals")
def totals(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show control totals by period, project and client on every level."""
    _report("totals", book, as_json)


@app.command("unbilled")
def unbilled(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show unbilled hours and money by client, project and age."""
    _report("unbilled", book, as_json)


@app.command("status")
def status(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show positions, parked things and open discrepancies."""
    _report("status", book, as_json)


@app.command("time-to-invoice")
def time_to_invoice(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show how long records took from acceptance (or cut-off) to the ledger."""
    _report("time-to-invoice", book, as_json)


def _report(name: str, book: str, as_json: bool) -> None:
    with admin_client() as client:
        answer = client.get("reconciler", f"/v1/books/{book}/reports/{name}")
    print_json(answer) if as_json else print_report(f"{name} of {book}", answer)


def print_report(title: str, answer: dict[str, Any]) -> None:
    """Print scalars as facts and every list of rows as a table."""
    facts = {name: value for name, value in answer.items() if not _is_rows(value)}
    print_facts(title, facts)
    for name, value in answer.items():
        if _is_rows(value):
            print_rows(name.replace("_", " "), value, list(value[0]))


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
