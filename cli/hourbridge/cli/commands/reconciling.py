"""Reconciliation: compare all levels, show discrepancies, repair on command."""

from __future__ import annotations

from typing import Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import (
    EXIT_DISCREPANCIES,
    BookOption,
    JsonOption,
    admin_client,
)
from hourbridge.cli.output import cell, console, print_cards, print_facts, print_json

REPAIRABLE = ("target_edit", "target_deleted", "target_void")


def reconcile(
    book: str = BookOption,
    repair: bool = typer.Option(
        False, "--repair", help="Put documents edited or deleted in the ledger back as posted."
    ),
    as_json: bool = JsonOption,
) -> None:
    """Compare source, records, charges, documents and the ledger; list open discrepancies.

    Exits with 3 while discrepancies are open for which no repair was asked.
    """
    with admin_client() as client:
        summary = client.post("reconciler", f"/v1/books/{book}/reconcile", {})
        found = summary.pop("discrepancies")
        repaired = repair_all(client, found) if repair else []
    if as_json:
        print_json({"summary": summary, "discrepancies": found, "repaired": repaired})
    else:
        print_facts(f"Reconciliation of {book}", summary)
        print_cards("Open discrepancies", [(_headline(row), _summary(row)) for row in found])
        for document_id in repaired:
            console.print(f"repair asked for document {document_id}")
    if any(row.get("document_id") not in repaired for row in found):
        raise typer.Exit(EXIT_DISCREPANCIES)


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


def _headline(row: dict[str, Any]) -> str:
    number = (row.get("detail") or {}).get("number")
    place = ", ".join(str(row[name]) for name in ("client", "project", "period") if row.get(name))
    return f"{row['cause']} {number or row['subject']}" + (f" ({place})" if place else "")


def _summary(row: dict[str, Any]) -> tuple[str, ...]:
    amount = f"{row['difference_amount']} {row['currency']}" if row["difference_amount"] else ""
    seconds = f"{row['difference_seconds']} seconds" if row["difference_seconds"] else ""
    difference = ", ".join(part for part in (amount, seconds) if part)
    return (
        f"expected: {row['expected']}",
        f"found: {row['found']}",
        f"difference: {difference}" if difference else "",
        f"level {row['level']}, opened {cell(row['opened_at'])}, id {row['id']}",
    )
