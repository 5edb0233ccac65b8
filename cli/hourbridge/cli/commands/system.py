"""Set-up: topology, database, schemas, API keys of sources."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.text import Text

from hourbridge.cli.commands.context import EXIT_FAILED, BookOption, admin_client, fail
from hourbridge.cli.output import console, print_text
from hourbridge.common.bus.factory import open_bus
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.messages import schemas as message_schemas
from hourbridge.common.runtime.settings import EMBEDDED, CommonSettings
from hourbridge.common.store.provision import migrate_all, provision

topology = typer.Typer(help="The broker's exchanges, queues and bindings.")
database = typer.Typer(help="Schemas, roles and migrations.")
schemas = typer.Typer(help="Message schemas, examples and the AsyncAPI document.")
source = typer.Typer(help="Upstream systems that publish to a book.")


@topology.command("apply")
def topology_apply() -> None:
    """Declare everything that the registry names; fail where the broker holds something else."""
    _with_topology(check_only=False)


@topology.command("check")
def topology_check() -> None:
    """Report what the broker lacks; exit with 1 if anything."""
    _with_topology(check_only=True)


def _with_topology(*, check_only: bool) -> None:
    settings = CommonSettings()
    if settings.broker_url == EMBEDDED:
        console.print("embedded broker: each start makes the topology; there is nothing to do")
        return
    wanted = build_topology(settings.retry_delays_seconds)
    try:
        bus = open_bus(settings)
        try:
            if not check_only:
                bus.apply(wanted)
            problems = bus.problems(wanted)
        finally:
            bus.close()
    except HourbridgeError as error:
        fail(error)
    for problem in problems:
        console.print(Text.assemble(("problem ", "red"), problem))
    if problems:
        raise typer.Exit(EXIT_FAILED)
    console.print(
        f"topology whole: {len(wanted.exchanges)} exchanges, {len(wanted.queues)} queues, "
        f"{len(wanted.bindings)} bindings"
    )


@database.command("setup")
def database_setup() -> None:
    """Create schemas and roles, and bring every schema to its newest version."""
    settings = CommonSettings()
    if settings.database_url == EMBEDDED:
        console.print("embedded database: each start makes an empty one; there is nothing to do")
        return
    try:
        provision(settings.database_url)
        migrate_all(settings.database_url)
    except HourbridgeError as error:
        fail(error)
    console.print("database ready")


@schemas.command("export")
def schemas_export(directory: Path = typer.Argument(Path("docs"))) -> None:
    """Write JSON Schemas, golden examples and the AsyncAPI document."""
    message_schemas.export(directory)
    console.print(f"schemas written to {directory}")


@schemas.command("check")
def schemas_check(directory: Path = typer.Argument(Path("docs"))) -> None:
    """Fail when files are stale or a change breaks readers of a released version."""
    problems = message_schemas.check(directory)
    for problem in problems:
        console.print(Text.assemble(("problem ", "red"), problem))
    if problems:
        raise typer.Exit(EXIT_FAILED)
    console.print("schemas fresh and compatible")


@source.command("key")
def source_key(
    book: str = BookOption, source_name: str = typer.Option(..., "--source", "-s")
) -> None:
    """Make a new API key for a source; it is shown once."""
    with admin_client() as client:
        answer = client.post("ingestor", f"/v1/books/{book}/sources/{source_name}/keys", {})
    print_text(answer["key"])
