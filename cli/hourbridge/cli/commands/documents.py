"""Documents: list, show, release drafts, withdraw, restore, adjust, credit."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_facts, print_json, print_rows
from hourbridge.common.runtime.admin import NotFound, RequestInvalid

app = typer.Typer(help="Documents: list, show, release, withdraw, restore, adjust, credit.")
COLUMNS = ("number", "kind", "status", "document_date", "client", "total", "currency")
LINE_COLUMNS = ("position", "description", "quantity", "unit_price", "amount")
_DOCUMENT_ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_SHOWN = (
    "document_id", "kind", "status", "version", "client", "period", "document_date", "due_date",
    "memo", "reason", "posted", "credits_document_id",
)  # fmt: skip

DocumentArgument = typer.Argument(..., metavar="DOCUMENT", help="Its id, or its number with -b.")
NumberBookOption = Annotated[
    str | None, typer.Option("--book", "-b", help="The book that a document number belongs to.")
]
NoteOption = typer.Option(..., "--note", help="Why; kept in the audit.")


@app.command("list")
def list_documents(
    book: str = BookOption,
    status: Annotated[
        str | None, typer.Option(help="draft, posting, posted, parked, withdrawn, ...")
    ] = None,
    limit: int = typer.Option(200, min=1, max=1000),
    as_json: bool = JsonOption,
) -> None:
    """List documents, the newest first."""
    with admin_client() as client:
        answer = client.get("poster", f"/v1/books/{book}/documents", status=status, limit=limit)
    rows = answer["documents"]
    print_json(rows) if as_json else print_rows("Documents", rows, COLUMNS)


@app.command("show")
def show_document(
    document: str = DocumentArgument, book: NumberBookOption = None, as_json: bool = JsonOption
) -> None:
    """Show one document with its lines."""
    with admin_client() as client:
        found = client.get("poster", f"/v1/documents/{document_id(client, document, book)}")
    if as_json:
        print_json(found)
        return
    facts = {name: found[name] for name in _SHOWN if found.get(name) is not None}
    total = f"{found['total']} {found['currency']}"
    print_facts(f"Document {found['number']}", {**facts, "total": total})
    print_rows("Lines", found["lines"], LINE_COLUMNS)


@app.command("release")
def release_document(
    document: str = DocumentArgument,
    book: NumberBookOption = None,
    note: str = typer.Option("", "--note", help="Why; kept in the audit."),
    date: Annotated[str | None, typer.Option("--date", help="Another document date.")] = None,
) -> None:
    """Release a draft: it is posted."""
    present = {name: value for name, value in {"note": note, "date": date}.items() if value}
    _decide("release", document, book, present)


@app.command("withdraw")
def withdraw_document(
    document: str = DocumentArgument, book: NumberBookOption = None, note: str = NoteOption
) -> None:
    """Drop a document that was never posted; its charges are unbilled again."""
    _decide("withdraw", document, book, {"note": note})


@app.command("restore")
def restore_document(
    document: str = DocumentArgument, book: NumberBookOption = None, note: str = NoteOption
) -> None:
    """Put a document that was edited or deleted in the ledger back as it was posted."""
    _decide("restore", document, book, {"note": note})


@app.command("adjust")
def adjust_document(
    document: str = DocumentArgument,
    book: NumberBookOption = None,
    amount: str = typer.Option(..., "--amount", help="What it is to come to, before tax."),
    line: Annotated[
        int | None, typer.Option("--line", min=1, help="Only this line; default: shared over all.")
    ] = None,
    reason: str = typer.Option(..., "--reason", help="Why; kept on the lines and in the audit."),
) -> None:
    """Write a draft up or down."""
    request = {"amount": amount, "reason": reason, **({} if line is None else {"line": line})}
    with admin_client() as client:
        found = document_id(client, document, book)
        answer = client.post("poster", f"/v1/documents/{found}/adjust", request)
    realised = answer["realisation_percent"]
    total = f"{answer['total']} {answer['currency']}"
    console.print(f"{answer['kind']} {answer['number']}: {total}, {realised} % of its price")


@app.command("credit")
def credit_document(
    document: str = DocumentArgument, book: NumberBookOption = None, note: str = NoteOption
) -> None:
    """Take a posted invoice back by a credit memo; its work can be billed again."""
    _decide("credit", document, book, {"note": note})


def document_id(client: AdminClient, document: str, book: str | None) -> str:
    """Return the id of a document that is named by its id, or by its number in ``book``."""
    if _DOCUMENT_ID.match(document):
        return document
    if book is None:
        raise RequestInvalid(
            f"{document!r} is no document id",
            advice="Name the book of a document number: --book BOOK.",
        )
    rows = client.get("poster", f"/v1/books/{book}/documents", number=document)["documents"]
    if not rows:
        raise NotFound("no document has this number", book=book, number=document)
    if len(rows) > 1:
        ids = ", ".join(row["document_id"] for row in rows)
        raise RequestInvalid("several documents have this number", advice=f"Name one: {ids}.")
    return str(rows[0]["document_id"])


def _decide(action: str, document: str, book: str | None, request: dict[str, Any]) -> None:
    with admin_client() as client:
        found = document_id(client, document, book)
        answer = client.post("poster", f"/v1/documents/{found}/{action}", request)
    console.print(f"{answer['kind']} {answer['number']}: {answer['status']}")
