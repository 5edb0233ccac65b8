"""The `hourbridge` command."""

from __future__ import annotations

import typer

from hourbridge.cli.commands import (
    billing,
    dead,
    imports,
    ledgers,
    mapping,
    parked,
    reconciling,
    reports,
    running,
    sandbox,
    system,
)

app = typer.Typer(
    name="hourbridge",
    help="Approved time and expenses in, correct accounting documents out, exactly once.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command("run")(running.run)
app.command("import")(imports.import_file)
app.command("bill")(billing.bill)
app.command("reconcile")(reconciling.reconcile)
app.add_typer(system.topology, name="topology")
app.add_typer(system.database, name="database")
app.add_typer(system.schemas, name="schemas")
app.add_typer(system.source, name="source")
app.add_typer(mapping.app, name="mapping")
app.add_typer(dead.app, name="dead")
app.add_typer(parked.app, name="parked")
app.add_typer(billing.documents, name="documents")
app.add_typer(reports.app, name="report")
app.add_typer(ledgers.app, name="ledger")
app.add_typer(sandbox.app, name="sandbox")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
