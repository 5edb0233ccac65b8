"""Billing runs and documents."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.commands.reports import print_report
from hourbridge.cli.output import print_facts, print_json, print_rows
from hourbridge.common.errors import TransientFailure

documents = typer.Typer(help="Documents: list, show, release drafts, restore.")
COLUMNS = ("document_id", "number", "kind", "status", "client", "document_date", "total", "currency")
FINAL_STATES = ("completed", "failed", "nothing_to_bill")


def bill(
    book: str = BookOption,
    through: str = typer.Option(..., "--through", help="Last work date to bill (YYYY-MM-DD)."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would be billed."),
    wait_seconds: int = typer.Option(60, help="How long to wait for the run to end."),
    as_json: bool = JsonOption,
) -> None:
    """Bill all unbilled charges through a date; waits for hours still on their way."""
    with admin_client() as client:
        answer = run_billing(client, book, through, dry_run=dry_run, wait_seconds=wait_seconds)
    print_json(answer) if as_json else print_report(f"Billing of {book} through {through}", answer)


def run_billing(
    client: AdminClient, book: str, through: str, *, dry_run: bool = False, wait_seconds: int = 60
) -> dict[str, Any]:
    """Ask for a billing run up to the ingestor's position, and wait for its end."""
    sequence = client.get("ingestor", f"/v1/books/{book}/position")["sequence"]
    request = {"through": through, "sequence": sequence, "dry_run": dry_run}
    answer: dict[str, Any] = client.post("poster", f"/v1/books/{book}/bill", request)
    deadline = time.monotonic() + wait_seconds
    while not dry_run and answer["state"] not in FINAL_STATES:
        if time.monotonic() > deadline:
            raise TransientFailure(
                "the billing run still waits", run=answer["run_id"], state=answer["state"]
            )
        time.sleep(0.2)
        answer = client.get("poster", f"/v1/billing-runs/{answer['run_id']}")
    return answer


@documents.command("list")
def list_documents(
    book: str = BookOption,
    status: Annotated[str | None, typer.Option()] = None,
    limit: int = typer.Option(200, min=1, max=1000),
    as_json: bool = JsonOption,
) -> None:
    """List documents."""
    with admin_client() as client:
        answer = client.get("poster", f"/v1/books/{book}/documents", status=status, limit=limit)
    rows = answer["documents"]
    print_json(rows) if as_json else print_rows("Documents", rows, COLUMNS)


@documents.command("show")
def show_document(document_id: str) -> None:
    """Show one document whole."""
    with admin_client() as client:
        print_json(client.get("poster", f"/v1/documents/{document_id}"))


@documents.command("release")
def release_document(document_id: str) -> None:
    """Release a draft: it is posted."""
    with admin_client() as client:
        print_facts(document_id, client.post("poster", f"/v1/documents/{document_id}/release", {}))


@documents.command("restore")
def restore_document(
    document_id: str, note: str = typer.Option(..., help="Why; kept in the audit.")
) -> None:
    """Put a document that was edited or deleted in the ledger back as we posted it."""
    with admin_client() as client:
        path = f"/v1/documents/{document_id}/restore"
        print_facts(document_id, client.post("poster", path, {"note": note}))
