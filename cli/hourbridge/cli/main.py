"""The `hourbridge` command."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from hourbridge.cli.commands import (
    auditing,
    billing,
    currencies,
    dead,
    documents,
    explaining,
    imports,
    journal,
    ledgers,
    lists,
    mapping,
    parked,
    payables,
    periods,
    policy_documents,
    recognition,
    reconciling,
    reports,
    retainers,
    reviewing,
    running,
    sandbox,
    sources,
    system,
    timekeeping,
)
from hourbridge.cli.commands.context import EXIT_FAILED
from hourbridge.cli.output import errors, print_error
from hourbridge.common.errors import ConfigurationInvalid

app = typer.Typer(
    name="hourbridge",
    help="Approved time and expenses in, correct accounting documents out, exactly once.",
    epilog="Exit codes: 0 done; 1 failed, or a check found problems; 2 wrong command line; "
    "3 reconciled, with discrepancies left open.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command("run")(running.run)
app.command("import")(imports.import_file)
app.add_typer(billing.app, name="bill")
app.command("reconcile")(reconciling.reconcile)
app.command("explain")(explaining.explain)
app.command("audit")(auditing.audit)
mapping.app.command("document")(policy_documents.document)
app.add_typer(mapping.app, name="mapping")
app.add_typer(documents.app, name="documents")
app.add_typer(reviewing.app, name="review")
reports.app.command("warnings")(timekeeping.warnings)
app.add_typer(reports.app, name="report")
reports.app.command("retainers")(retainers.report_retainers)
reports.app.command("recognition")(recognition.report_recognition)
reports.app.command("settlements")(payables.report_settlements)
app.add_typer(journal.app, name="journal")
app.add_typer(retainers.app, name="retainer")
app.add_typer(recognition.app, name="recognition")
app.add_typer(payables.app, name="holdback")
app.add_typer(currencies.rates, name="rates")
app.add_typer(currencies.fx, name="fx")
app.add_typer(timekeeping.time_app, name="time")
app.add_typer(timekeeping.payroll_app, name="payroll")
app.add_typer(parked.app, name="parked")
app.add_typer(periods.app, name="period")
app.add_typer(dead.app, name="dead")
app.add_typer(sources.app, name="source")
app.add_typer(ledgers.app, name="ledger")
app.add_typer(lists.app, name="lists")
app.add_typer(system.database, name="database")
app.add_typer(system.topology, name="topology")
app.add_typer(system.schemas, name="schemas")
app.add_typer(sandbox.app, name="sandbox")


def main() -> None:
    """Run the command line; a wrong setting is named, not traced."""
    try:
        app()
    except ValidationError as error:
        settings = [
            f"HOURBRIDGE_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        invalid = ConfigurationInvalid(
            "; ".join(settings), advice="Correct the environment variable (docs/settings.md)."
        )
        print_error(errors, invalid.code, invalid)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
