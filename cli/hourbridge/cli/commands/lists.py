"""Lists kept in step: what belongs together, what waits for a decision, and the decisions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_cards, print_facts, print_json, print_rows

app = typer.Typer(help="Keep clients, projects, people, items and so on in step with the ledger.")

IdArgument = typer.Argument(..., metavar="ID", help="A decision's id, as `lists held` shows it.")
NoteOption = typer.Option("--note", help="Why; kept in the audit.")
ListOption = typer.Option("--list", "-l", help="Only this list: client, project, ...")
_OPEN_KINDS = "hold,change,suggestion"


@app.command("status")
def status(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show how many entries each list has, how many are linked, and what is open."""
    with admin_client() as client:
        answer = client.get("mapper", f"/v1/books/{book}/lists")
    if as_json:
        print_json(answer)
        return
    print_rows("Lists", answer["lists"])
    print_rows("Decisions", answer["decisions"])


@app.command("show")
def show(
    book: str = BookOption,
    list_name: Annotated[str | None, ListOption] = None,
    side: Annotated[
        str | None, typer.Option("--side", help="`ledger`, or the name of a source.")
    ] = None,
    linked: Annotated[
        bool | None, typer.Option("--linked/--not-linked", help="Only those with or without.")
    ] = None,
    limit: int = typer.Option(500, min=1, max=5000),
    as_json: bool = JsonOption,
) -> None:
    """Show entries of both sides with what they are linked to."""
    asks = None if linked is None else "yes" if linked else "no"
    with admin_client() as client:
        path = f"/v1/books/{book}/lists/entries"
        answer = client.get("mapper", path, list=list_name, side=side, linked=asks, limit=limit)
    if as_json:
        print_json(answer)
        return
    columns = ("side", "list", "id", "name", "active", "linked_to", "how", "mark")
    print_rows(f"Entries ({answer['total']})", answer["entries"], columns)


@app.command("held")
def held(
    book: str = BookOption,
    list_name: Annotated[str | None, ListOption] = None,
    state: str = typer.Option("open,refused", "--state", help="Or: requested, written, all ..."),
    kind: str = typer.Option(
        _OPEN_KINDS, "--kind", help="hold, change, suggestion, difference; several with commas."
    ),
    limit: int = typer.Option(200, min=1, max=5000),
    as_json: bool = JsonOption,
) -> None:
    """List what waits for a person: proposed changes, doubts and suggestions."""
    with admin_client() as client:
        path = f"/v1/books/{book}/lists/decisions"
        answer = client.get("mapper", path, list=list_name, state=state, kind=kind, limit=limit)
    if as_json:
        print_json(answer["decisions"])
        return
    print_cards("Waits for a person", [_card(row) for row in answer["decisions"]])


def _card(row: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    reasons = "; ".join(reason["detail"] for reason in row["reasons"])
    headline = f"{row['id']} {row['code'].replace('_', ' ')}"
    state = "" if row["state"] == "open" else f"{row['state']}: "
    return headline, (f"{state}{row['detail']}", reasons, row["advice"] or "")


@app.command("approve")
def approve(
    id: str = IdArgument,
    book: str = BookOption,
    note: Annotated[str | None, NoteOption] = None,
    as_json: bool = JsonOption,
) -> None:
    """Let a proposed change be made, or link what was suggested."""
    _decide("approve", book, id, note, as_json)


@app.command("reject")
def reject(
    id: str = IdArgument,
    book: str = BookOption,
    note: Annotated[str | None, NoteOption] = None,
    as_json: bool = JsonOption,
) -> None:
    """Turn a proposed change or a suggested pair down; it isn't proposed again."""
    _decide("reject", book, id, note, as_json)


def _decide(action: str, book: str, id: str, note: str | None, as_json: bool) -> None:
    with admin_client() as client:
        path = f"/v1/books/{book}/lists/decisions/{id}/{action}"
        answer = client.post("mapper", path, {"note": note})
    if as_json:
        print_json(answer)
    else:
        console.print(f"{answer['state']}: {answer['what']}", markup=False, soft_wrap=True)


@app.command("link")
def link(
    source: str = typer.Argument(..., help="The tracker's name in the book."),
    list_name: str = typer.Argument(..., metavar="LIST", help="client, project, staff, ..."),
    id: str = typer.Argument(..., metavar="ID", help="The entry's id in the tracker."),
    ledger_id: str = typer.Argument(..., metavar="LEDGER_ID", help="The ledger's id."),
    ledger_list: Annotated[
        str | None, typer.Option("--to", help="employee or vendor, item or account.")
    ] = None,
    book: str = BookOption,
    note: Annotated[str | None, NoteOption] = None,
) -> None:
    """Link an entry of a tracker to one of the ledger; what waits for it goes on."""
    request = {
        "source": source,
        "list": list_name,
        "id": id,
        "ledger_list": ledger_list,
        "ledger_id": ledger_id,
        "note": note,
    }
    with admin_client() as client:
        answer = client.post("mapper", f"/v1/books/{book}/lists/link", request)
    console.print(f"linked: {answer['linked']}", markup=False, soft_wrap=True)


@app.command("unlink")
def unlink(
    source: str = typer.Argument(..., help="The tracker's name in the book."),
    list_name: str = typer.Argument(..., metavar="LIST"),
    id: str = typer.Argument(..., metavar="ID", help="The entry's id in the tracker."),
    ledger_list: Annotated[str | None, typer.Option("--to")] = None,
    book: str = BookOption,
    note: Annotated[str | None, NoteOption] = None,
) -> None:
    """End a link; it isn't made again by itself."""
    request = {
        "source": source,
        "list": list_name,
        "id": id,
        "ledger_list": ledger_list,
        "note": note,
    }
    with admin_client() as client:
        answer = client.post("mapper", f"/v1/books/{book}/lists/unlink", request)
    console.print(f"no longer linked to {answer['unlinked']}", markup=False)


SideArgument = typer.Argument(..., help="`ledger`, or the tracker's name in the book.")


@app.command("block")
def block(
    side: str = SideArgument,
    list_name: str = typer.Argument(..., metavar="LIST"),
    id: str = typer.Argument(..., metavar="ID"),
    book: str = BookOption,
    note: Annotated[str | None, NoteOption] = None,
) -> None:
    """Keep one entry from coming across, for good."""
    _mark(book, side, list_name, id, "blocked", note)


@app.command("allow")
def allow(
    side: str = SideArgument,
    list_name: str = typer.Argument(..., metavar="LIST"),
    id: str = typer.Argument(..., metavar="ID"),
    reset: bool = typer.Option(False, "--reset", help="Leave it to the rules again."),
    book: str = BookOption,
    note: Annotated[str | None, NoteOption] = None,
) -> None:
    """Let one entry come across whatever the rules' patterns say."""
    _mark(book, side, list_name, id, None if reset else "allowed", note)


def _mark(
    book: str, side: str, list_name: str, id: str, mark: str | None, note: str | None
) -> None:
    request = {"side": side, "list": list_name, "id": id, "mark": mark, "note": note}
    with admin_client() as client:
        client.post("mapper", f"/v1/books/{book}/lists/mark", request)
    console.print(f"{side} {list_name} {id}: {mark or 'as the rules say'}", markup=False)


@app.command("plan")
def plan(
    book: str = BookOption,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", "-f", exists=True, dir_okay=False, help="A book's YAML file to try."
        ),
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Show what would be linked and written now, under the rules in force or those of a file."""
    path = f"/v1/books/{book}/lists/plan"
    with admin_client() as client:
        if file is None:
            answer = client.get("mapper", path)
        else:
            answer = client.post("mapper", path, content=file.read_bytes())
    if as_json:
        print_json(answer)
        return
    facts = {
        name: len(answer[name])
        for name in ("links", "changes", "holds", "suggestions", "differences", "waiting")
    }
    print_facts(f"Lists of book {book}", facts)
    changes = [
        (
            f"{'propose' if each['needs_approval'] else 'do'}: {each['what']}",
            tuple(each["reasons"]),
        )
        for each in answer["changes"]
    ]
    print_cards("Changes", changes)
    print_cards("Links", [(told, ()) for told in answer["links"]])
    print_cards("Doubts", [(each["detail"], (each["advice"],)) for each in answer["holds"]])
    print_cards("Waiting for others", [(told, ()) for told in answer["waiting"]])


@app.command("sync")
def sync(book: str = BookOption) -> None:
    """Compare both sides now, from what was read of them last."""
    with admin_client() as client:
        client.post("mapper", f"/v1/books/{book}/lists/sync", {})
    console.print("compared as soon as possible; see `hourbridge lists held`", markup=False)


@app.command("export")
def export(
    book: str = BookOption,
    file: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="Else standard output.")
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Write all entries of both sides with their links: CSV, or JSON. Do it before big changes."""
    query = {"format": "json" if as_json else "csv"}
    with admin_client() as client:
        pieces = client.stream_text("mapper", f"/v1/books/{book}/lists/export", query)
        if file is None:
            for piece in pieces:
                sys.stdout.write(piece)
            return
        with file.open("w", encoding="utf-8", newline="") as target:
            for piece in pieces:
                target.write(piece)
    console.print(f"written to {file}", markup=False, soft_wrap=True)
