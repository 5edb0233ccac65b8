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
_PLACE = ("period", "client", "project")
_STEP = ("step", "policy", "mode", "roundings")
_PASSED_BY = ("client", "project", "cause", "charges", "seconds", "amount", "currency")
_REALIZED = ("day", "document", "client", "item", "currency", "gain", "status")
_REVALUATIONS = ("last_day", "entry", "entry_status", "reversal", "reversal_status", "generation")
_OPEN_FOREIGN = ("kind", "document", "client", "amount", "currency", "carried")
_FOREIGN_COSTS = (
    "document", "line", "client", "cost", "currency", "spent_on", "spent_base", "rate_of",
    "billed_base", "difference", "cause",
)  # fmt: skip
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
    columns = ("client", "project", "lines", "hours", "amount", "currency")
    print_rows("Held back by caps from lines that they cut", answer["capped"], columns)
    print_rows(
        "Leakage",
        answer["leakage_rows"],
        ("client", "project", "hours", "amount", "currency", "percent"),
    )
    print_rows("Parked", answer["parked"], _UNCHARGED)
    print_rows("Skipped by rule", answer["skipped"], _UNCHARGED)


@app.command("passed-by")
def passed_by(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show work that billing runs passed by: over a cap, below the billing increment."""
    with admin_client() as client:
        rows = client.get("poster", f"/v1/books/{book}/passed-by")["passed_by"]
    print_json(rows) if as_json else print_rows("Passed by", rows, _PASSED_BY)


@app.command("residue")
def residue(
    book: str = BookOption,
    month: Annotated[str | None, typer.Option("--month", help="Only this month (2026-03).")] = None,
    as_json: bool = JsonOption,
) -> None:
    """Show what rounding took and added, and where all worked time and its value went."""
    with admin_client() as client:
        answer = client.get("reconciler", f"/v1/books/{book}/reports/residue", period=month)
    if as_json:
        print_json(answer)
        return
    print_rows("Residues in all", answer["totals"], ("step", "residue", "unit", "shown"))
    print_rows("Residues of time", answer["time"], (*_PLACE, *_STEP, "seconds"))
    print_rows("Residues of money", answer["money"], (*_PLACE, *_STEP, "amount", "currency"))
    _print_shares(answer["balance"], answer["balance_money"])


@app.command("categories")
def categories(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show where worked time and its value went: billed, written down, capped, unbilled, ..."""
    answer = _report("categories", book)
    if as_json:
        print_json(answer)
    else:
        _print_shares(answer["time"], answer["money"])


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


@app.command("fx")
def foreign_exchange(
    book: str = BookOption,
    day: Annotated[
        str | None, typer.Option("--day", help="For what is open at its end; default today.")
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Show realized and unrealized differences, open foreign items, costs by another day's rate."""
    with admin_client() as client:
        answer = client.get("poster", f"/v1/books/{book}/exchange", day=day)
    if as_json:
        print_json(answer)
        return
    print_rows("Realized", answer["realized"], _REALIZED)
    print_rows("Realized by month", answer["months"])
    print_rows("Revaluations", answer["revaluations"], _REVALUATIONS)
    print_rows(f"Open on {answer['day']}", answer["open"], _OPEN_FOREIGN)
    print_rows("Costs billed by the rate of another day", answer["costs"], _FOREIGN_COSTS)


def _print_shares(time: list[dict[str, Any]], money: list[dict[str, Any]]) -> None:
    """Print what became of worked hours and of their value, a row per month and project."""
    hours = [name for name in time[0] if name.endswith("_hours")] if time else []
    print_rows("Worked hours, and what became of them", time, (*_PLACE, *hours))
    print_rows("Their value, and what became of it", money)


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
