"""Book configurations: check, plan, apply."""

from __future__ import annotations

from pathlib import Path

import typer

from hourbridge.cli.commands.context import JsonOption, admin_client
from hourbridge.cli.output import print_facts, print_json

app = typer.Typer(help="Load a book's configuration: check, plan (difference and effect), apply.")
FileArgument = typer.Argument(..., exists=True, dir_okay=False, help="The book's YAML file.")


@app.command("check")
def check(file: Path = FileArgument, as_json: bool = JsonOption) -> None:
    """Check a configuration without changing anything."""
    _send("check", file, as_json)


@app.command("plan")
def plan(file: Path = FileArgument, as_json: bool = JsonOption) -> None:
    """Show the difference to the active version, and its effect, before it is applied."""
    _send("plan", file, as_json)


@app.command("apply")
def apply(file: Path = FileArgument, as_json: bool = JsonOption) -> None:
    """Put a configuration into force; what waited for it goes on by itself."""
    _send("apply", file, as_json)


def _send(action: str, file: Path, as_json: bool) -> None:
    with admin_client() as client:
        answer = client.post("mapper", f"/v1/mappings/{action}", content=file.read_bytes())
    print_json(answer) if as_json else print_facts(f"{action} {file.name}", answer)
