"""The gate: what waits for a person is listed, selected, released or rejected."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hourbridge.cli.commands.context import EXIT_FAILED, BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_json, print_rows

app = typer.Typer(help="Drafts: what waits for a person, to be selected, released or rejected.")
_COLUMNS = (
    "number", "kind", "purpose", "client", "document_date", "lines", "total", "currency",
    "warnings", "selected_by", "note",
)  # fmt: skip
_TITLES = {"release": "Released", "reject": "Rejected"}
_OUTCOMES = ("number", "status", "total", "currency", "error", "what")

Documents = Annotated[
    list[str] | None, typer.Argument(metavar="[DOCUMENT]...", help="Numbers or ids of drafts.")
]
RunOption = Annotated[str | None, typer.Option("--run", help="Drafts of this billing run.")]
ClientOption = Annotated[str | None, typer.Option("--client", help="Drafts of this client.")]
KindOption = Annotated[str | None, typer.Option("--kind", help="invoice, credit_memo, ...")]
SelectedOption = Annotated[bool, typer.Option("--selected", help="Only what was selected.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every draft of the book.")]
NoteOption = Annotated[str, typer.Option("--note", help="Why; kept in the audit.")]


@app.command("list")
def list_drafts(
    book: str = BookOption,
    run: RunOption = None,
    client_name: ClientOption = None,
    kind: KindOption = None,
    selected: SelectedOption = False,
    limit: int = typer.Option(200, min=1, max=1000),
    as_json: bool = JsonOption,
) -> None:
    """List drafts with who selected them and what to look at first."""
    query = {"run": run, "client": client_name, "kind": kind, "limit": limit}
    with admin_client() as client:
        path = f"/v1/books/{book}/review"
        answer = client.get("poster", path, **query, selected="true" if selected else None)
    print_json(answer["drafts"]) if as_json else print_rows("Drafts", answer["drafts"], _COLUMNS)


@app.command("select")
def select_drafts(
    book: str = BookOption,
    documents: Documents = None,
    run: RunOption = None,
    client_name: ClientOption = None,
    kind: KindOption = None,
    all_drafts: AllOption = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take the selection back.")] = False,
    note: NoteOption = "",
) -> None:
    """Select drafts for release, as they are now: one that changes loses its selection."""
    meant = _meant(documents, run, client_name, kind, all_drafts)
    answer = _ask(book, "clear" if clear else "select", {**meant, "note": note})
    name = "unselected" if clear else "selected"
    console.print(f"{name}: {', '.join(answer[name]) or 'none'}")


@app.command("release")
def release_drafts(
    book: str = BookOption,
    documents: Documents = None,
    run: RunOption = None,
    client_name: ClientOption = None,
    kind: KindOption = None,
    all_drafts: AllOption = False,
    note: NoteOption = "",
    as_json: bool = JsonOption,
) -> None:
    """Release drafts to be posted: those named, or all that were selected."""
    meant = _meant(documents, run, client_name, kind, all_drafts)
    _decide(book, "release", {**(meant or {"selected": True}), "note": note}, as_json=as_json)


@app.command("reject")
def reject_drafts(
    book: str = BookOption,
    documents: Documents = None,
    run: RunOption = None,
    client_name: ClientOption = None,
    kind: KindOption = None,
    all_drafts: AllOption = False,
    note: str = typer.Option(..., "--note", help="Why; kept in the audit."),
    as_json: bool = JsonOption,
) -> None:
    """Withdraw drafts: their work is unbilled again, until somebody asks for it to be billed."""
    meant = _meant(documents, run, client_name, kind, all_drafts)
    _decide(book, "reject", {**meant, "note": note}, as_json=as_json)


def _meant(
    documents: list[str] | None,
    run: str | None,
    client_name: str | None,
    kind: str | None,
    all_drafts: bool,
) -> dict[str, Any]:
    given = {"documents": documents, "run": run, "client": client_name, "kind": kind}
    present: dict[str, Any] = {name: value for name, value in given.items() if value}
    return {**present, "all": True} if all_drafts else present


def _ask(book: str, what: str, request: dict[str, Any]) -> dict[str, Any]:
    with admin_client() as client:
        path = f"/v1/books/{book}/review/{what}"
        answer: dict[str, Any] = client.post("poster", path, request)
    return answer


def _decide(book: str, what: str, request: dict[str, Any], *, as_json: bool) -> None:
    answer = _ask(book, what, request)
    rows = answer["documents"]
    print_json(rows) if as_json else print_rows(_TITLES[what], rows, _OUTCOMES)
    if any("error" in row for row in rows):
        raise typer.Exit(EXIT_FAILED)
