"""Time: what new time zone rules would change, worked time for payroll, doubtful charges."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_cards, print_json, print_rows

time_app = typer.Typer(help="Local time: what newer time zone rules would change.")
payroll_app = typer.Typer(help="Worked time for the payroll system; never what was billed of it.")
_WARNED = ("warning", "client", "project", "work_date", "staff", "task", "description", "amount")
FromOption = typer.Option(..., "--from", metavar="DAY", help="First local day (YYYY-MM-DD).")
ToOption = typer.Option(..., "--to", metavar="DAY", help="Last local day, included.")
OutOption = Annotated[
    Path | None, typer.Option("--out", dir_okay=False, help="File to write; else shown here.")
]


@time_app.command("renormalise")
def renormalise(
    book: str = BookOption,
    apply: bool = typer.Option(False, "--apply", help="Take the changes over where unbilled."),
    note: str = typer.Option("", "--note", help="Why; kept in the audit."),
    as_json: bool = JsonOption,
) -> None:
    """List what the time zone rules of today would change of work that was charged.

    Nothing changes by itself when a government moves its clocks. With --apply, work that is not
    billed yet takes its new days; what is billed stays as it is, and is listed.
    """
    with admin_client() as client:
        answer = renormalisation(client, book, apply=apply, note=note)
    if as_json:
        print_json(answer)
    else:
        _print_proposals(book, answer)


def renormalisation(
    client: AdminClient, book: str, *, apply: bool = False, note: str = ""
) -> dict[str, Any]:
    """Return the proposals, each with where its work stands; take them over if asked."""
    path = f"/v1/books/{book}/time/renormalisation"
    answer: dict[str, Any] = client.get("mapper", path)
    proposals = answer["proposals"]
    named = {"records": [row["record_id"] for row in proposals]}
    billed: dict[str, list[str]] = {}
    if proposals:
        found = client.post("poster", f"/v1/books/{book}/billed-records", named)["billed"]
        for row in found:
            billed.setdefault(row["record_id"], []).append(row["number"])
    for row in proposals:
        row["billed_on"] = billed.get(row["record_id"], [])
    answer["changed"] = 0
    open_records = [row["record_id"] for row in proposals if not row["billed_on"]]
    if apply and open_records:
        request = {"records": open_records, "note": note or None}
        answer["changed"] = client.post("mapper", path, request)["changed"]
    return answer


def _print_proposals(book: str, answer: dict[str, Any]) -> None:
    rules = f"time zone rules {answer['tzdata']}"
    cards = []
    for row in answer["proposals"]:
        where = " / ".join(part for part in (row["client"], row["project"], row["staff"]) if part)
        stands = f"billed on {', '.join(row['billed_on'])}" if row["billed_on"] else "not billed"
        lines = [f"- {_stints(row['before'])} ({row['made_under']})"]
        lines.append(f"+ {_stints(row['after']) or '; '.join(row['reasons'])}")
        cards.append((f"{row['source']} {row['external_id']}: {where}; {stands}", lines))
    print_cards(f"Changes of {book} under {rules}", cards)
    if answer["changed"]:
        console.print(f"taken over: {answer['changed']}; what is billed stays as it is")


def _stints(stints: list[dict[str, Any]]) -> str:
    return ", ".join(
        f"{stint['day']} {stint['worked_seconds']} s from {stint['started_at'] or '?'}"
        for stint in stints
    )


@payroll_app.command("export")
def export(
    book: str = BookOption,
    first: str = FromOption,
    last: str = ToOption,
    per: str = typer.Option("day", help="A row for each person and day, or for each entry."),
    out: OutOption = None,
) -> None:
    """Export worked time as CSV: by the worker's local days, approved, whoever pays for it."""
    query = {"from": first, "to": last, "per": per}
    with admin_client() as client:
        pieces = client.stream_text("mapper", f"/v1/books/{book}/payroll", query)
        if out is None:
            for piece in pieces:
                console.print(piece, markup=False, soft_wrap=True, end="")
            return
        partial = out.with_name(out.name + ".part")
        try:
            with partial.open("w", encoding="utf-8", newline="") as file:
                rows = sum(file.write(piece) and piece.count("\n") for piece in pieces)
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
    console.print(f"{out}: {max(rows - 1, 0)} rows", soft_wrap=True)


def warnings(
    book: str = BookOption,
    through: Annotated[
        str | None, typer.Option("--through", help="Only work dates up to this one.")
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Show what to look at before billing: missing receipts, thin descriptions, odd durations."""
    with admin_client() as client:
        path = f"/v1/books/{book}/warnings"
        rows = client.get("poster", path, through=through)["warnings"]
    print_json(rows) if as_json else print_rows("To look at before billing", rows, _WARNED)
