"""Billing runs."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import print_facts, print_json, print_rows
from hourbridge.common.errors import HourbridgeError

FINAL_STATES = ("completed", "failed", "nothing_to_bill")
_POLL_SECONDS = 0.2


class BillingStillWaits(HourbridgeError):
    """The run is recorded and will be performed, but not within the time we waited."""

    code = "billing_still_waits"
    advice = "It goes on by itself when what it waits for arrives; see `hourbridge report status`."


app = typer.Typer(
    help="Bill all unbilled charges through a date; list and undo runs.",
    invoke_without_command=True,
)
_RUNS = (
    "run_id", "state", "through", "client", "project", "documents", "waits_for", "requested_by",
    "requested_at",
)  # fmt: skip
_UNDONE = ("number", "kind", "client", "total", "currency", "status", "outcome", "credited_by")


@app.callback()
def bill(
    context: typer.Context,
    book: Annotated[str | None, typer.Option("--book", "-b", help="The book.")] = None,
    through: Annotated[
        str | None, typer.Option("--through", help="Last work date to bill (YYYY-MM-DD).")
    ] = None,
    client_name: Annotated[str | None, typer.Option("--client", help="Only this client.")] = None,
    project: Annotated[str | None, typer.Option("--project", help="Only this project.")] = None,
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would be billed."),
    wait_seconds: int = typer.Option(60, help="How long to wait for the run to end."),
    as_json: bool = JsonOption,
) -> None:
    """Bill all unbilled charges through a date; waits for hours still on their way."""
    if context.invoked_subcommand is not None:
        return
    if book is None or through is None:
        raise typer.BadParameter("needs --book and --through", ctx=context)
    scope = {"client": client_name, "project": project}
    with admin_client() as client:
        answer = run_billing(
            client, book, through, dry_run=dry_run, wait_seconds=wait_seconds, scope=scope
        )
    print_json(answer) if as_json else _print_run(f"Billing of {book} through {through}", answer)


@app.command("runs")
def list_runs(
    book: str = BookOption,
    limit: int = typer.Option(50, min=1, max=1000),
    as_json: bool = JsonOption,
) -> None:
    """List billing runs, the newest first."""
    with admin_client() as client:
        rows = client.get("poster", f"/v1/books/{book}/billing-runs", limit=limit)["runs"]
    print_json(rows) if as_json else print_rows("Billing runs", rows, _RUNS)


@app.command("undo")
def undo_run(
    run_id: str = typer.Argument(..., metavar="RUN"),
    note: str = typer.Option(..., "--note", help="Why; kept in the audit."),
    as_json: bool = JsonOption,
) -> None:
    """Undo a run as a whole: drafts are withdrawn, posted documents credited in full.

    All its work is unbilled again, once; automatic billing leaves it alone. What is on its way to
    the ledger follows by itself; ask again to see how far it is.
    """
    with admin_client() as client:
        answer = client.post("poster", f"/v1/billing-runs/{run_id}/undo", {"note": note})
    if as_json:
        print_json(answer)
    else:
        print_rows(f"Run {run_id}: {answer['state']}", answer["documents"], _UNDONE)


def run_billing(
    client: AdminClient,
    book: str,
    through: str,
    *,
    dry_run: bool = False,
    wait_seconds: int = 60,
    scope: dict[str, str | None] | None = None,
) -> dict[str, Any]:
    """Ask for a billing run up to the ingestor's position, and wait for its end."""
    sequence = client.get("ingestor", f"/v1/books/{book}/position")["sequence"]
    chosen = {name: value for name, value in (scope or {}).items() if value is not None}
    request = {"through": through, "sequence": sequence, "dry_run": dry_run, **chosen}
    answer: dict[str, Any] = client.post("poster", f"/v1/books/{book}/bill", request)
    deadline = time.monotonic() + wait_seconds
    while not dry_run and answer["state"] not in FINAL_STATES:
        if time.monotonic() > deadline:
            raise BillingStillWaits(
                f"the run waits for {answer.get('waits_for') or 'its turn'}", run=answer["run_id"]
            )
        time.sleep(_POLL_SECONDS)
        answer = client.get("poster", f"/v1/billing-runs/{answer['run_id']}")
    return answer


def _print_run(title: str, answer: dict[str, Any]) -> None:
    facts = {
        "state": answer["state"],
        "waits for": answer.get("waits_for") or "nothing",
        "documents": answer.get("documents", 0),
        "total": [f"{row['total']} {row['currency']}" for row in answer.get("totals", [])],
        **_vendors(answer),
    }
    print_facts(title, facts)
    if answer.get("would_bill"):
        columns = ("kind", "client", "period", "document_date", "lines", "total", "currency")
        print_rows("Would bill", answer["would_bill"], columns)
    if answer.get("warnings"):
        columns = ("warning", "client", "project", "work_date", "staff", "task", "description")
        print_rows("To look at before billing", answer["warnings"], columns)
    if answer.get("leakage"):
        print_rows("Not billable in whole increments", answer["leakage"])


def _vendors(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what the run makes us owe; most runs say nothing of it."""
    if not answer.get("vendor_bills"):
        return {}
    totals = [f"{row['total']} {row['currency']}" for row in answer["vendor_totals"]]
    return {"vendor bills": answer["vendor_bills"], "owed": totals}
