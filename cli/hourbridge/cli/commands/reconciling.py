"""Reconciliation: compare all levels, show discrepancies, repair on command."""

from __future__ import annotations

from typing import Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_facts, print_json, print_rows

COLUMNS = ("cause", "level", "subject", "expected", "found", "client", "period", "opened_at")
REPAIRABLE = ("ledger_edit", "ledger_deleted", "ledger_void")


def reconcile(
    book: str = BookOption,
    repair: bool = typer.Option(
        False, "--repair", help="Put documents edited or deleted in the ledger back as posted."
    ),
    as_json: bool = JsonOption,
) -> None:
    """Compare source, records, charges, documents and the ledger; list open discrepancies."""
    with admin_client() as client:
        summary = client.post("reconciler", f"/v1/books/{book}/reconcile", {})
        found = open_discrepancies(client, book)
        repaired = repair_all(client, found) if repair else []
    if as_json:
        print_json({"summary": summary, "discrepancies": found, "repaired": repaired})
    else:
        print_facts(f"Reconciliation of {book}", summary)
        print_rows("Open discrepancies", found, COLUMNS)
        for document_id in repaired:
            console.print(f"repair asked for document {document_id}")
    if found and not repair:
        raise typer.Exit(2)


def open_discrepancies(client: AdminClient, book: str) -> list[dict[str, Any]]:
    """Return the book's open discrepancies."""
    answer = client.get("reconciler", f"/v1/books/{book}/discrepancies", state="open")
    rows: list[dict[str, Any]] = answer["discrepancies"]
    return rows


def repair_all(client: AdminClient, discrepancies: list[dict[str, Any]]) -> list[str]:
    """Ask the poster to restore every document that somebody edited or deleted in the ledger."""
    repaired = []
    for row in discrepancies:
        if row["cause"] in REPAIRABLE:
            document_id = row["document_id"]
            client.post(
                "poster",
                f"/v1/documents/{document_id}/restore",
                {"note": f"repair of discrepancy {row['id']}"},
            )
            repaired.append(document_id)
    return repaired
