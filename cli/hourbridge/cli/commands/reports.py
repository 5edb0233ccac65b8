"""Reports: totals, unbilled, status, time-to-invoice."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any

import typer

from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.control_totals import LEVELS, currencies, side_by_side
from hourbridge.cli.output import cell, console, print_facts, print_json, print_rows

app = typer.Typer(help="What was worked, charged, billed and posted, and what is still open.")
_TOTALS = (
    "client",
    "project",
    "worked_hours",
    "charged_hours",
    "billed_hours",
    "charged",
    "billed",
    "in_ledger",
)
_WORK = ("client", "project", "age", "why", "charges", "hours", "amount", "currency")
_UNCHARGED = ("client", "project", "code", "records", "hours")
_COUNTS = ("records", "charges", "parked", "unbilled_hours", "open_discrepancies")
_LEAKAGE = ("client", "project", "hours", "amount", "currency", "percent")


@app.command("totals")
def totals(
    book: str = BookOption,
    by_project: bool = typer.Option(False, "--by-project", help="A row for each project."),
    level: Annotated[
        str | None, typer.Option(help=f"All columns of one level: {', '.join(LEVELS)}.")
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Show control totals of every level, side by side, by period and client."""
    if level is not None and level not in LEVELS:
        raise typer.BadParameter(f"{level!r} is none of {', '.join(LEVELS)}")
    answer = _report("totals", book)
    if as_json:
        print_json(answer)
    elif level is not None:
        print_rows(f"{level} of {book}", [_without_seconds(row) for row in answer[level]])
    else:
        _print_side_by_side(book, answer, by_project=by_project)


@app.command("unbilled")
def unbilled(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show unbilled hours and money by client, project and age."""
    answer = _report("unbilled", book)
    if as_json:
        print_json(answer)
        return
    facts = {
        "as_of": answer["as_of"],
        "unbilled_hours": answer["unbilled_hours"],
        "unbilled_money": [f"{row['amount']} {row['currency']}" for row in answer["unbilled"]],
        "on their way": f"{answer['in_flight']['records']} records",
        "leakage after": f"{answer['leakage_after_days']} days",
    }
    print_facts(f"Unbilled work of {book}", facts)
    print_rows("Unbilled", answer["rows"], _WORK)
    print_rows(
        "Leakage",
        answer["leakage_rows"],
        ("client", "project", "hours", "amount", "currency", "percent"),
    )
    print_rows("Parked", answer["parked"], _UNCHARGED)
    print_rows("Skipped by rule", answer["skipped"], _UNCHARGED)


@app.command("status")
def status(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show positions, parked things and open discrepancies."""
    answer = _report("status", book)
    if as_json:
        print_json(answer)
        return
    last = answer["last_run"]
    facts = {
        "configuration": f"version {answer['configuration_version'] or 'none'}",
        **{f"{name} up to": place["contiguous"] for name, place in answer["positions"].items()},
        **{name: answer[name] for name in _COUNTS},
        "open_by_cause": answer["open_by_cause"],
        "last reconciliation": f"{cell(last['finished_at'])} by {last['asked_by']}"
        if last
        else "never",
    }
    print_facts(f"Status of {book}", facts)
    print_rows("Records by outcome", answer["outcomes"], ("outcome", "code", "records"))
    columns = ("kind", "status", "documents", "total", "currency")
    print_rows("Documents", answer["documents"], columns)
    if last:
        print_rows("Ledgers read back", last["ledgers"])


@app.command("time-to-invoice")
def time_to_invoice(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show how long records took from acceptance (or cut-off) to the ledger."""
    answer = _report("time-to-invoice", book)
    if as_json:
        print_json(answer)
    else:
        print_rows(f"Time to invoice of {book}", answer["workflows"])


def _report(name: str, book: str) -> dict[str, Any]:
    with admin_client() as client:
        answer: dict[str, Any] = client.get("reconciler", f"/v1/books/{book}/reports/{name}")
    return answer


def _print_side_by_side(book: str, answer: dict[str, Any], *, by_project: bool) -> None:
    """Print a table for each period, and the sum of all."""
    money = ", ".join(currencies(answer)) or "no money"
    console.print(f"[bold]Totals of {book}[/] ({money}; charged is exact, before rounding)")
    console.print()
    rows = side_by_side(answer, by_project=by_project)
    if not rows:
        console.print("nothing was recorded yet")
    for period, group in groupby(rows, key=itemgetter("period")):
        print_rows(period, list(group), _TOTALS)
    console.print("from charged to billed: --level pricing; every level: --json")
    console.print(answer["totals_hash"], soft_wrap=True)


def _without_seconds(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with hours only; the JSON holds both."""
    return {name: value for name, value in row.items() if not name.endswith("_seconds")}
