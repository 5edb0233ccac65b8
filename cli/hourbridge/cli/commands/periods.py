"""Closing months: totals and their hash are stored, and nothing is posted into them any more."""

from __future__ import annotations

from typing import Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_facts, print_json, print_rows

app = typer.Typer(help="Closed months: close, reopen, list.")
_COLUMNS = ("period", "closed_at", "closed_by", "note", "reopened_at", "reopened_by", "totals_hash")
_EXPLAINED = ("cause", "number", "client", "difference_amount", "currency")

MonthOption = typer.Option(..., "--month", help="The month, for example 2026-03.")
NoteOption = typer.Option(..., "--note", help="Why; kept in the audit.")


@app.command("close")
def close_month(
    book: str = BookOption,
    month: str = MonthOption,
    note: str = NoteOption,
    as_json: bool = JsonOption,
) -> None:
    """Reconcile and close a month: its totals and their hash are stored.

    Refused while anything of the month is unexplained, on its way or waiting. Closing a month
    that is closed changes nothing.
    """
    with admin_client() as client:
        closed = close_period(client, book, month, note)
    if as_json:
        print_json(closed)
        return
    facts = {name: closed[name] for name in ("closed_at", "closed_by", "note")}
    print_facts(f"{month} of {book}: closed", {**facts, **closed["frozen"]})
    print_rows("Explained differences", closed["explained"], _EXPLAINED)
    console.print(closed["totals_hash"], soft_wrap=True)


@app.command("reopen")
def reopen_month(book: str = BookOption, month: str = MonthOption, note: str = NoteOption) -> None:
    """Reopen a closed month; what it was closed with is kept."""
    with admin_client() as client:
        reopen_period(client, book, month, note)
    console.print(f"{month} of {book}: reopened")


@app.command("list")
def list_months(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """List closes, also those that were reopened."""
    with admin_client() as client:
        rows = client.get("reconciler", f"/v1/books/{book}/periods")["closes"]
    print_json(rows) if as_json else print_rows(f"Closed months of {book}", rows, _COLUMNS)


def close_period(client: AdminClient, book: str, month: str, note: str) -> dict[str, Any]:
    """Close a month in the reconciler, which checks it, and in the poster, which guards it."""
    position = client.get("ingestor", f"/v1/books/{book}/position")["sequence"]
    documents = client.get("poster", f"/v1/books/{book}/status")["documents"]
    path = f"/v1/books/{book}/periods/{month}/close"
    request = {"note": note, "sequence": position, "documents": documents}
    closed: dict[str, Any] = client.post("reconciler", path, request)
    client.post("poster", path, {"note": note})
    return closed


def reopen_period(client: AdminClient, book: str, month: str, note: str) -> None:
    """Reopen a month in both services."""
    for service in ("poster", "reconciler"):
        client.post(service, f"/v1/books/{book}/periods/{month}/reopen", {"note": note})
