"""Dead messages: list, show, replay, discard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hourbridge.cli.client import SERVICES
from hourbridge.cli.commands.context import JsonOption, admin_client
from hourbridge.cli.output import (
    cell,
    console,
    print_cards,
    print_facts,
    print_json,
    print_rows,
    print_text,
)
from hourbridge.cli.references import parse_reference, parse_service
from hourbridge.common.exact_json import loads
from hourbridge.common.runtime.admin import RequestInvalid

app = typer.Typer(help="Messages that failed for good: kept until somebody decides.")
CauseOption = Annotated[str | None, typer.Option("--cause", help="Only those of this cause.")]
ServiceOption = Annotated[str | None, typer.Option("--service", help="Only this service.")]
References = Annotated[list[str] | None, typer.Argument(metavar="SERVICE:ID...")]
_BODIES = ("body", "edited_body", "body_base64", "edited_body_base64")


@app.command("list")
def list_dead(
    cause: CauseOption = None,
    service: ServiceOption = None,
    limit: int = typer.Option(100, min=1, max=1000, help="At most so many of each service."),
    as_json: bool = JsonOption,
) -> None:
    """List dead messages with their causes."""
    rows: list[dict[str, Any]] = []
    causes: list[dict[str, Any]] = []
    with admin_client() as client:
        for name in _services(service):
            answer = client.get(name, "/v1/dead", cause=cause, limit=limit)
            rows += [{**row, "id": f"{name}:{row['id']}"} for row in answer["dead"]]
            causes += [
                {"service": name, "cause": each, "messages": count}
                for each, count in answer["causes"].items()
            ]
    if as_json:
        print_json(rows)
        return
    if causes:
        print_rows("Dead messages by cause", causes)
    print_cards("Dead messages", [(row["id"], _summary(row)) for row in rows])


@app.command("show")
def show_dead(
    reference: str = typer.Argument(..., metavar="SERVICE:ID"), as_json: bool = JsonOption
) -> None:
    """Show one dead message: reason, headers and body."""
    with admin_client() as client:
        target = parse_reference(reference)
        found = client.get(target.service, f"/v1/dead/{target.id}")
    if as_json:
        print_json(found)
        return
    facts = {name: value for name, value in found.items() if name not in (*_BODIES, "headers")}
    print_facts(reference, {name: value for name, value in facts.items() if value is not None})
    print_facts("Headers", found.get("headers") or {})
    for name in _BODIES:
        if found.get(name) is not None:
            console.print(f"[bold]{name.replace('_', ' ').capitalize()}[/]")
            print_text(readable(found[name]))


@app.command("replay")
def replay(
    references: References = None,
    cause: CauseOption = None,
    service: ServiceOption = None,
    body: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Send this corrected body (audited)."),
    ] = None,
) -> None:
    """Send dead messages to their queue again: by id, or all of a cause."""
    edited = {} if body is None else {"body": body.read_text(encoding="utf-8")}
    _decide("replay", references, cause, service, edited)


@app.command("discard")
def discard(
    references: References = None,
    cause: CauseOption = None,
    service: ServiceOption = None,
    reason: str = typer.Option(..., "--reason", help="Why; kept in the audit."),
) -> None:
    """Close dead messages without handling them; they stay in the table."""
    _decide("discard", references, cause, service, {"reason": reason})


def _decide(
    action: str,
    references: list[str] | None,
    cause: str | None,
    service: str | None,
    more: dict[str, Any],
) -> None:
    """Carry a decision out at each service; exit with 1 when a named message was not open."""
    unchanged: list[str] = []
    done = "replayed" if action == "replay" else "discarded"
    with admin_client() as client:
        for name, request in _targets(references, cause, service):
            answer = client.post(name, f"/v1/dead/{action}", {**request, **more})
            console.print(f"{name}: {done} {len(answer[done])}")
            unchanged += [f"{name}:{each}" for each in answer["unchanged"]]
    if unchanged:
        console.print(f"not open any more, left alone: {', '.join(unchanged)}")
        raise typer.Exit(1)


def _targets(
    references: list[str] | None, cause: str | None, service: str | None
) -> list[tuple[str, dict[str, Any]]]:
    if bool(references) == bool(cause):
        raise RequestInvalid("name messages, or a cause, and not both")
    if cause:
        return [(name, {"cause": cause}) for name in _services(service)]
    by_service: dict[str, list[int]] = {}
    for target in map(parse_reference, references or []):
        if not target.id.isdecimal():
            raise RequestInvalid(
                f"{target.id!r} is no number", advice="See `hourbridge dead list`."
            )
        by_service.setdefault(target.service, []).append(int(target.id))
    return [(name, {"ids": ids}) for name, ids in by_service.items()]


def _services(service: str | None) -> tuple[str, ...]:
    return (parse_service(service),) if service else SERVICES


def _summary(row: dict[str, Any]) -> tuple[str, ...]:
    book = f", book {row['book']}" if row["book"] else ""
    return (
        f"{row['cause']}: {row['type']}{book}",
        f"{row['attempts']} attempts, archived {cell(row['archived_at'])}",
        row["error_text"] or "",
    )


def readable(body: str) -> str:
    """Return a body as indented JSON where that changes no digit, as it is otherwise."""
    try:
        return json.dumps(loads(body), indent=2, ensure_ascii=False)
    except (ValueError, TypeError):  # no JSON, or with fractions that must stay as written
        return body
