"""Stand-ins for outside systems, to try against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from hourbridge.cli.commands.context import JsonOption, fail
from hourbridge.cli.output import console, print_json, print_rows
from hourbridge.cli.sandbox_books import READERS, SandboxClient, columns_of
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.exact_json import dumps
from hourbridge.sandbox.bigtime import __main__ as bigtime
from hourbridge.sandbox.quickbooks_online import __main__ as quickbooks_online
from hourbridge.sandbox.toggl import __main__ as toggl

app = typer.Typer(help="Stand-ins for outside systems, faults included.")
SYSTEMS = {
    "quickbooks-online": quickbooks_online.main,
    "bigtime": bigtime.main,
    "toggl": toggl.main,
}
DATASETS_OF = ("bigtime",)
"""The systems that have ready-made data sets."""


@app.command("run")
def run_sandbox(
    system: str = typer.Argument(..., help=f"One of: {', '.join(SYSTEMS)}."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on; 0.0.0.0 in a container."),
    port: int = typer.Option(8090, help="Port on this machine."),
    seed: Annotated[list[Path] | None, typer.Option(help="Company JSON file.")] = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="File that keeps the books across restarts.")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Ready-made firm (bigtime: agency, studio, volume).")
    ] = None,
    throttle: bool = typer.Option(True, help="Refuse calls beyond the vendor's limits."),
) -> None:
    """Serve a stand-in on a port of this machine until interrupted."""
    if system not in SYSTEMS:
        raise typer.BadParameter(f"{system!r} is none of {', '.join(SYSTEMS)}")
    arguments = ["--host", host, "--port", str(port)]
    for path in seed or []:
        arguments += ["--seed", str(path)]
    if dataset and system not in DATASETS_OF:
        raise typer.BadParameter(f"{system} has no ready-made data sets")
    for name in dataset or []:
        arguments += ["--dataset", name]
    if snapshot is not None:
        arguments += ["--snapshot", str(snapshot)]
    if not throttle:
        arguments.append("--no-throttle")
    SYSTEMS[system](arguments)


@app.command("show")
def show_books(
    system: str = typer.Argument(..., help=f"One of: {', '.join(READERS)}."),
    url: str = typer.Option(..., help="Address of the running stand-in."),
    account: str = typer.Option(None, help="Only this firm or company."),
    listed: str = typer.Option(
        None, "--list", help="Records of one list instead, e.g. clients, time or Invoice."
    ),
    as_json: bool = JsonOption,
) -> None:
    """Show a stand-in's books: lists, entries by state, invoices, balances."""
    if system not in READERS:
        raise typer.BadParameter(f"{system!r} is none of {', '.join(READERS)}")
    try:
        found = READERS[system](SandboxClient(url), account, listed)
    except HourbridgeError as error:
        fail(error)
    if as_json:
        shown = [{"title": books.title, "tables": dict(books.tables)} for books in found]
        print_json(json.loads(dumps(shown)))
        return
    for books in found:
        console.rule(Text(books.title))
        for title, rows in books.tables.items():
            print_rows(title, rows, columns_of(title, rows))
