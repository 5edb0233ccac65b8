"""Parked things: they wait for a decision or a missing fact, and go on by themselves."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import EXIT_FAILED, JsonOption, admin_client
from hourbridge.cli.output import cell, console, print_cards, print_facts, print_json, print_rows
from hourbridge.cli.references import Reference, parse_reference
from hourbridge.common.runtime.admin import NotFound, RequestInvalid

app = typer.Typer(help="What waits for a decision or a missing fact.")
PARKING_SERVICES = ("ingestor", "mapper", "poster")
LIST_MAX = 1000


@app.command("list")
def list_parked(
    book: Annotated[str | None, typer.Option("--book", "-b")] = None,
    limit: int = typer.Option(100, min=1, max=LIST_MAX, help="At most so many of each service."),
    as_json: bool = JsonOption,
) -> None:
    """List what is parked and what it waits for."""
    with admin_client() as client:
        rows = _parked(client, book, limit)
    if as_json:
        print_json(rows)
        return
    if rows:
        counts = Counter(key for row in rows for key in _keys(row))
        summary = [{"waits_for": key, "listed": count} for key, count in counts.most_common()]
        print_rows("What is waited for", summary)
    print_cards("Parked", [(row["id"], _summary(row)) for row in rows])


@app.command("show")
def show_parked(
    reference: str = typer.Argument(..., metavar="SERVICE:ID"), as_json: bool = JsonOption
) -> None:
    """Show one parked thing with all that is known of it."""
    with admin_client() as client:
        parse_reference(reference)
        rows = [row for row in _parked(client, None, LIST_MAX) if row["id"] == reference]
        if not rows:
            raise NotFound("nothing parked has this id", id=reference)
    print_json(rows[0]) if as_json else print_facts(reference, rows[0])


@app.command("release")
def release(
    reference: str = typer.Argument(..., metavar="SERVICE:ID"),
    note: str = typer.Option("", "--note", help="Why; kept in the audit."),
    date: Annotated[
        str | None,
        typer.Option("--date", help="Documents of a closed period: the approved date."),
    ] = None,
    choice: Annotated[
        str | None,
        typer.Option(
            "--choice",
            help="Conflicts and changed vendor bills: kept or new. Suspected doubles of expenses: "
            "distinct or duplicate.",
        ),
    ] = None,
    fold: Annotated[
        str | None,
        typer.Option("--fold", help="Local times that happen twice or never: earlier or later."),
    ] = None,
    end_fold: Annotated[
        str | None,
        typer.Option("--end-fold", help="The same for the end; else what fits the start."),
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Let one parked thing go on now; exit with 1 when it still waits."""
    with admin_client() as client:
        target = parse_reference(reference)
        given = {
            "note": note,
            "date": date,
            "choice": choice,
            "fold": fold,
            "end_fold": end_fold,
        }
        request = _release_request(target, given)
        answer = client.post(target.service, f"/v1/parked/{target.id}/release", request)
    if as_json:
        print_json(answer)
    else:
        _print_release(reference, answer)
    if answer.get("released") is False:
        raise typer.Exit(EXIT_FAILED)


def _release_request(target: Reference, given: dict[str, str | None]) -> dict[str, str]:
    """Return what is sent; each service's parked things take a decision of their own."""
    if target.service == "ingestor" and given["choice"] not in ("kept", "new"):
        raise RequestInvalid(
            "a conflict needs a decision",
            advice="--choice kept (what stands stays) or --choice new (what was stated holds).",
        )
    if target.service == "mapper" and given["choice"]:
        raise RequestInvalid("--choice decides conflicts and doubles; this is none")
    if target.service != "poster" and given["date"]:
        raise RequestInvalid("--date is for parked documents; this is none")
    if target.service != "mapper" and (given["fold"] or given["end_fold"]):
        raise RequestInvalid("--fold says which local time is meant; this waits for no such thing")
    return {name: value for name, value in given.items() if value}


def _print_release(reference: str, answer: dict[str, Any]) -> None:
    if "number" in answer:
        console.print(f"{answer['kind']} {answer['number']}: {answer['status']}")
    elif "outcome" in answer:
        console.print(f"{reference}: {answer['outcome']}", soft_wrap=True)
        for reason in answer.get("reasons", []):
            console.print(f"  {reason.get('detail', reason)}", markup=False)
    else:
        made = ", ".join(answer.get("documents", ()))
        told = f"{reference}: {answer.get('choice', 'released')}"
        console.print(f"{told} ({made})" if made else told, soft_wrap=True)


def _parked(client: AdminClient, book: str | None, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for service in PARKING_SERVICES:
        answer = client.get(service, "/v1/parked", book=book, limit=limit)
        rows += [{**row, "id": f"{service}:{row['id']}"} for row in answer["parked"]]
    return rows


def _keys(row: dict[str, Any]) -> list[str]:
    """Return what a row waits for; every conflict waits for a decision of its own."""
    waits_for = row["waits_for"]
    keys = waits_for if isinstance(waits_for, list) else [waits_for] if waits_for else []
    return ["decision" if key.startswith("decision:") else key for key in keys]


def _summary(row: dict[str, Any]) -> tuple[str, ...]:
    waits_for = ", ".join(_keys(row)) or "a decision"
    return (
        f"{row['code']}: {row['detail'] or ''}",
        f"{row['kind']} {row['subject']}, book {row['book']}",
        f"waits for {waits_for} since {cell(row['since'])}",
    )
