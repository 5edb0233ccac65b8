"""Stand-ins for outside systems, to try against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hourbridge.sandbox.quickbooks_online import __main__ as quickbooks_online

app = typer.Typer(help="Stand-ins for outside systems, faults included.")
SYSTEMS = {"quickbooks-online": quickbooks_online.main}


@app.command("run")
def run_sandbox(
    system: str = typer.Argument(..., help=f"One of: {', '.join(SYSTEMS)}."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on; 0.0.0.0 in a container."),
    port: int = typer.Option(8090, help="Port on this machine."),
    seed: Annotated[list[Path] | None, typer.Option(help="Company JSON file.")] = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="File that keeps the books across restarts.")
    ] = None,
    throttle: bool = typer.Option(True, help="Refuse calls beyond the vendor's limits."),
) -> None:
    """Serve a stand-in on a port of this machine until interrupted."""
    if system not in SYSTEMS:
        raise typer.BadParameter(f"{system!r} is none of {', '.join(SYSTEMS)}")
    arguments = ["--host", host, "--port", str(port)]
    for path in seed or []:
        arguments += ["--seed", str(path)]
    if snapshot is not None:
        arguments += ["--snapshot", str(snapshot)]
    if not throttle:
        arguments.append("--no-throttle")
    SYSTEMS[system](arguments)


@app.callback()
def _group() -> None:
    """Keep `run` a subcommand, for further commands to come beside it."""
