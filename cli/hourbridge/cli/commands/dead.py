"""Dead messages: list, show, replay, discard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hourbridge.cli.client import SERVICES, AdminClient
from hourbridge.cli.commands.context import JsonOption, admin_client
from hourbridge.cli.output import console, print_facts, print_json, print_rows
from hourbridge.cli.references import Reference, parse_reference
from hourbridge.common.runtime.admin import RequestInvalid

app = typer.Typer(help="Messages that failed for good: kept until somebody decides.")
COLUMNS = ("id", "cause", "type", "book", "attempts", "archived_at", "error_text")
CauseOption = Annotated[str | None, typer.Option("--cause", help="Only those of this cause.")]
ServiceOption = Annotated[str | None, typer.Option("--service", help="Only this service.")]


@app.command("list")
def list_dead(
    cause: CauseOption = None,
    service: ServiceOption = None,
    limit: int = typer.Option(100, min=1, max=1000),
    as_json: bool = JsonOption,
) -> None:
    """List dead messages with their causes."""
    rows: list[dict[str, Any]] = []
    with admin_client() as client:
        for name in [service] if service else SERVICES:
            answer = client.get(name, "/v1/dead", cause=cause, limit=limit)
            rows += [{**row, "id": f"{name}:{row['id']}"} for row in answer["dead"]]
    print_json(rows) if as_json else print_rows("Dead messages", rows, COLUMNS)


@app.command("show")
def show_dead(reference: str = typer.Argument(..., metavar="SERVICE:ID")) -> None:
    """Show one dead message: headers, reason and body."""
    with admin_client() as client:
        target = parse_reference(reference)
        print_facts(reference, client.get(target.service, f"/v1/dead/{target.id}"))


@app.command("replay")
def replay(
    references: Annotated[list[str] | None, typer.Argument(metavar="SERVICE:ID...")] = None,
    cause: CauseOption = None,
    service: ServiceOption = None,
    body: Annotated[Path | None, typer.Option(help="Replay with this edited body (audited).")] = None,
) -> None:
    """Send dead messages to their queue again: by id, or all of a cause."""
    with admin_client() as client:
        for name, request in _targets(client, references, cause, service):
            if body is not None:
                request["body"] = body.read_text(encoding="utf-8")
            answer = client.post(name, "/v1/dead/replay", request)
            console.print(f"{name}: replayed {answer['replayed']}")


@app.command("discard")
def discard(
    references: Annotated[list[str] | None, typer.Argument(metavar="SERVICE:ID...")] = None,
    cause: CauseOption = None,
    service: ServiceOption = None,
    reason: str = typer.Option(..., "--reason", help="Why; kept in the audit."),
) -> None:
    """Close dead messages without handling them; they stay in the table."""
    with admin_client() as client:
        for name, request in _targets(client, references, cause, service):
            answer = client.post(name, "/v1/dead/discard", {**request, "reason": reason})
            console.print(f"{name}: discarded {answer['discarded']}")


def _targets(
    _client: AdminClient, references: list[str] | None, cause: str | None, service: str | None
) -> list[tuple[str, dict[str, Any]]]:
    if bool(references) == bool(cause):
        raise RequestInvalid("name messages, or a cause, and not both")
    if cause:
        return [(name, {"cause": cause}) for name in ([service] if service else SERVICES)]
    by_service: dict[str, list[Reference]] = {}
    for reference in references or []:
        target = parse_reference(reference)
        by_service.setdefault(target.service, []).append(target)
    return [(name, {"ids": [int(t.id) for t in targets]}) for name, targets in by_service.items()]
