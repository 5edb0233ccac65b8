"""File import with a progress bar and a rejected-rows file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hourbridge.cli.client import AdminClient, ServiceRefused
from hourbridge.cli.commands.context import JsonOption, admin_client
from hourbridge.cli.output import console, errors, print_facts, print_json
from hourbridge.common.book import TimePolicy
from hourbridge.common.errors import HourbridgeError

_CHUNK_BYTES = 1 << 16
_FACTS = ("reading_id", "as_of", "rows", "first", "last")


ProfileFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="YAML of a profile of your own.")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        help="When the file was exported (RFC 3339); orders imports. "
        "Default: when the file was last changed."
    ),
]
Zone = Annotated[str | None, typer.Option(help="IANA zone of the file's local times.")]
Gaps = Annotated[
    str | None,
    typer.Option(
        help="Wall times that clocks went forward over: reject the row, or keep it for the book's "
        "time policy. Default: reject if the book does."
    ),
]
Rejected = Annotated[
    Path | None, typer.Option(help="Where rejected rows go; default <FILE>.rejected.csv.")
]


def import_file(
    file: Path = typer.Argument(..., exists=True, dir_okay=False),
    book: str = typer.Option(..., "--book", "-b"),
    source: str = typer.Option(..., "--source", "-s"),
    profile: str = typer.Option(..., "--profile", "-p", help="toggl, generic_csv, jsonl, ..."),
    profile_file: ProfileFile = None,
    mode: str = typer.Option("append", help="append, or snapshot of a window."),
    first: Annotated[str | None, typer.Option(help="First day of a snapshot's window.")] = None,
    last: Annotated[str | None, typer.Option(help="Last day of a snapshot's window.")] = None,
    as_of: AsOf = None,
    zone: Zone = None,
    currency: Annotated[str | None, typer.Option(help="Of amounts that name none.")] = None,
    date_order: Annotated[str | None, typer.Option(help="mdy or dmy.")] = None,
    decimal: Annotated[str | None, typer.Option(help="auto, point or comma.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Default: found out.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Default: found out.")] = None,
    gaps: Gaps = None,
    dry_run: bool = typer.Option(False, "--dry-run", help="Show outcomes; write nothing."),
    rejected: Rejected = None,
    as_json: bool = JsonOption,
) -> None:
    """Import a time tracker's export; every row gets exactly one outcome.

    Rejected rows do no harm to the others; they are written to a file with their reasons.
    """
    query = {
        "book": book,
        "source": source,
        "profile": profile,
        "profile_definition": profile_file.read_text(encoding="utf-8") if profile_file else None,
        "mode": mode,
        "first": first,
        "last": last,
        "as_of": as_of or changed_at(file),
        "zone": zone,
        "currency": currency,
        "date_order": date_order,
        "decimal": decimal,
        "encoding": encoding,
        "delimiter": delimiter,
        "filename": file.name,
        "dry_run": "true" if dry_run else None,
    }
    with admin_client() as client:
        query["gaps"] = gaps or _gaps_of(client, book)
        summary = run_import(client, file, query, show_progress=not as_json)
        target = rejected or file.with_name(file.name + ".rejected.csv")
        saved = _save_rejected(client, summary, target)
    if as_json:
        print_json(summary)
    else:
        _print_summary(f"Import of {file.name}", summary, target if saved else None)


def _gaps_of(client: AdminClient, book: str) -> str | None:
    """Return what the book's time policy wants of a file; None where the book has none yet."""
    try:
        found = client.get("mapper", f"/v1/books/{book}/configuration")
    except HourbridgeError:
        return None
    policy = TimePolicy.model_validate(found["document"].get("time") or {})
    return "reject" if policy.nonexistent == "reject" else "keep"


def changed_at(file: Path) -> str:
    """Return when a file was last changed, as an instant in UTC."""
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat()


def run_import(
    client: AdminClient, file: Path, query: dict[str, Any], *, show_progress: bool
) -> dict[str, Any]:
    """Send the file; return the summary line of the answer.

    Raises ServiceRefused when the answer ends with an error, or without a summary.
    """
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
            elif line.get("kind") == "error":
                raise _interrupted(line)
            else:
                summary: dict[str, Any] = line
                return summary
    raise ServiceRefused(
        "the answer ended without a summary",
        advice="Import the same file again: it goes on where it was.",
        service="ingestor",
    )


def _interrupted(line: dict[str, Any]) -> ServiceRefused:
    return ServiceRefused(
        str(line.get("what")),
        refusal=str(line.get("error")),
        advice=f"{line.get('advice')} Then import the same file again: it goes on where it was.",
        service="ingestor",
        reading_id=line.get("reading_id"),
    )


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


def _save_rejected(client: AdminClient, summary: dict[str, Any], target: Path) -> bool:
    """Write the rejected rows beside the file; return whether there were any."""
    reading = summary.get("reading_id")
    rejects = summary.get("outcomes", {}).get("rejected")
    if not rejects or summary.get("dry_run") or not reading:
        return False
    text = client.text("ingestor", f"/v1/imports/{reading}/rejected")
    target.write_text(text, encoding="utf-8", newline="")
    return True


def _print_summary(title: str, summary: dict[str, Any], rejected: Path | None) -> None:
    facts = {name: summary[name] for name in _FACTS if summary.get(name) is not None}
    facts |= {f"rows {outcome}": count for outcome, count in summary["outcomes"].items() if count}
    if summary.get("deleted"):
        facts["records deleted"] = summary["deleted"]
    if summary.get("deletions_withheld"):
        facts["deletions withheld"] = summary["deletions_withheld"]
    if summary.get("imported_before"):
        facts["note"] = "this file was imported before"
    if summary.get("dry_run"):
        facts["note"] = "dry run: nothing was written"
    print_facts(title, facts)
    if rejected is not None:
        console.print(f"rejected rows with their reasons: {rejected}", soft_wrap=True)
