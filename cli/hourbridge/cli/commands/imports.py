"""File import with a progress bar and a rejected-rows file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import JsonOption, admin_client
from hourbridge.cli.output import console, errors, print_facts, print_json

_CHUNK_BYTES = 1 << 16


def import_file(
    file: Path = typer.Argument(..., exists=True, dir_okay=False),
    book: str = typer.Option(..., "--book", "-b"),
    source: str = typer.Option(..., "--source", "-s"),
    profile: str = typer.Option(
        ..., "--profile", "-p", help="toggl, clockify, harvest, generic_csv, jsonl."
    ),
    profile_file: Annotated[
        Path | None, typer.Option(help="YAML that declares the columns of a generic CSV.")
    ] = None,
    mode: str = typer.Option("append", help="append, or snapshot of a window."),
    first: Annotated[str | None, typer.Option(help="First day of a snapshot's window.")] = None,
    last: Annotated[str | None, typer.Option(help="Last day of a snapshot's window.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="When the file was exported (RFC 3339); orders imports.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="IANA zone of the file's local times.")] = None,
    dry_run: bool = typer.Option(False, "--dry-run", help="Show outcomes; write nothing."),
    rejected: Annotated[
        Path | None, typer.Option(help="Where rejected rows go; default <FILE>.rejected.csv.")
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Import a time tracker's export; every row gets exactly one outcome."""
    query = {
        "book": book,
        "source": source,
        "profile": profile,
        "profile_definition": profile_file.read_text(encoding="utf-8") if profile_file else None,
        "mode": mode,
        "first": first,
        "last": last,
        "as_of": as_of,
        "zone": zone,
        "filename": file.name,
        "dry_run": "true" if dry_run else None,
    }
    with admin_client() as client:
        summary = run_import(client, file, query, show_progress=not as_json)
        _save_rejected(client, summary, rejected or file.with_name(file.name + ".rejected.csv"))
    print_json(summary) if as_json else print_facts(f"Import of {file.name}", summary)


def run_import(
    client: AdminClient, file: Path, query: dict[str, Any], *, show_progress: bool
) -> dict[str, Any]:
    """Send the file; return the summary line of the answer."""
    summary: dict[str, Any] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, disable=not show_progress) as progress:
        task = progress.add_task(file.name, total=None)
        for line in client.stream_lines("ingestor", "/v1/imports", _chunks(file), query):
            if line.get("kind") == "progress":
                progress.update(task, completed=line["rows_done"], total=line.get("rows_total"))
            else:
                summary = line
    return summary


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


def _save_rejected(client: AdminClient, summary: dict[str, Any], target: Path) -> None:
    outcomes = summary.get("outcomes", {})
    reading = summary.get("reading_id")
    if not outcomes.get("rejected") or summary.get("dry_run") or not reading:
        return
    target.write_text(client.text("ingestor", f"/v1/imports/{reading}/rejected"), encoding="utf-8")
    console.print(f"{outcomes['rejected']} rejected rows with reasons: {target}")
