"""Parked things: they wait for a decision or a missing fact, and go on by themselves."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import JsonOption, admin_client
from hourbridge.cli.output import print_facts, print_json, print_rows
from hourbridge.cli.references import parse_reference
from hourbridge.common.runtime.admin import NotFound

app = typer.Typer(help="What waits for a decision or a missing fact.")
COLUMNS = ("id", "book", "kind", "subject", "code", "waits_for", "since", "detail")
PARKING_SERVICES = ("ingestor", "mapper", "poster")


@app.command("list")
def list_parked(
    book: Annotated[str | None, typer.Option("--book", "-b")] = None,
    limit: int = typer.Option(100, min=1, max=1000),
    as_json: bool = JsonOption,
) -> None:
    """List what is parked and what it waits for."""
    with admin_client() as client:
        rows = _parked(client, book, limit)
    print_json(rows) if as_json else print_rows("Parked", rows, COLUMNS)


@app.command("show")
def show_parked(reference: str = typer.Argument(..., metavar="SERVICE:ID")) -> None:
    """Show one parked thing with all that is known of it."""
    with admin_client() as client:
        rows = [row for row in _parked(client, None, 1000) if row["id"] == reference]
        if not rows:
            raise NotFound("nothing parked has this id", id=reference)
        print_facts(reference, rows[0])


@app.command("release")
def release(
    reference: str = typer.Argument(..., metavar="SERVICE:ID"),
    note: str = typer.Option("", "--note", help="Why; kept in the audit."),
    date: Annotated[
        str | None, typer.Option("--date", help="Approved document date (closed periods).")
    ] = None,
    choice: Annotated[
        str | None, typer.Option("--choice", help="Which content holds (conflicts): kept or new.")
    ] = None,
) -> None:
    """Let one parked thing go on now."""
    with admin_client() as client:
        target = parse_reference(reference)
        request = {"note": note, "date": date, "choice": choice}
        present = {name: value for name, value in request.items() if value}
        answer = client.post(target.service, f"/v1/parked/{target.id}/release", present)
        print_facts(reference, answer or {"released": True})


def _parked(client: AdminClient, book: str | None, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for service in PARKING_SERVICES:
        answer = client.get(service, "/v1/parked", book=book, limit=limit)
        rows += [{**row, "id": f"{service}:{row['id']}"} for row in answer["parked"]]
    return rows
