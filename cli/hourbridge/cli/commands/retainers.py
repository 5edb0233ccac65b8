"""Retainers: balances, movements, and what people ask of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_facts, print_json, print_rows

app = typer.Typer(help="Retainers: list, show, open, apply, refund, forfeit.")
_HEAD = ("client", "engagement", "kind", "currency", "balance", "available")
_MOVEMENTS = ("date", "number", "kind", "amount", "status", "by")
_MONTHS = (
    "month", "client", "engagement", "currency", "opening", "receipts", "applications", "refunds",
    "forfeits", "closing",
)  # fmt: skip
_PROOF = ("client", "engagement", "currency", "sub_ledger", "account", "on_its_way", "agrees")

ClientOption = Annotated[str, typer.Option("--client", "-c", help="The client.")]
EngagementOption = Annotated[str, typer.Option("--engagement", "-e", help="The retainer's name.")]
AmountOption = Annotated[str | None, typer.Option(help="Default: as much as possible.")]
DateOption = Annotated[str | None, typer.Option("--date", help="Default: today.")]
NoteOption = Annotated[str, typer.Option(help="Why; kept in the audit.")]


@app.command("list")
def list_retainers(
    book: str = BookOption,
    client_name: Annotated[str | None, typer.Option("--client", "-c")] = None,
    as_json: bool = JsonOption,
) -> None:
    """List retainers with their balances, and which clients to ask for a top-up."""
    with admin_client() as client:
        answer = client.get("poster", f"/v1/books/{book}/retainers", client=client_name)
    if as_json:
        print_json(answer)
        return
    print_rows("Retainers", answer["retainers"], _HEAD)
    columns = ("client", "engagement", "balance", "amount", "currency", "asked_at")
    print_rows("Top-ups to ask for", answer["top_ups"], columns)


@app.command("show")
def show_retainer(
    client_name: ClientOption,
    engagement: EngagementOption,
    book: str = BookOption,
    as_json: bool = JsonOption,
) -> None:
    """Show every movement of a retainer, what is left, and what it could pay."""
    with admin_client() as client:
        path = f"/v1/books/{book}/retainers/show"
        found = client.get("poster", path, client=client_name, engagement=engagement)
    if as_json:
        print_json(found)
        return
    facts = {name: found[name] for name in (*_HEAD[2:], "base_balance")}
    print_facts(f"Retainer {engagement} of {client_name}", facts)
    print_rows("Movements", found["movements"], _MOVEMENTS)
    print_rows("Open invoices", found["open_invoices"])


@app.command("open")
def open_retainer(
    client_name: ClientOption,
    engagement: EngagementOption,
    amount: Annotated[str, typer.Option(help="The balance that is taken over.")],
    book: str = BookOption,
    date: DateOption = None,
    currency: Annotated[str | None, typer.Option(help="Default: the client's.")] = None,
    base_amount: Annotated[
        str | None, typer.Option(help="What it was carried at; default: at the day's rate.")
    ] = None,
    in_ledger: bool = typer.Option(
        False, "--in-ledger", help="The ledger's opening balances hold it already."
    ),
    note: NoteOption = "",
) -> None:
    """Take over the balance of a retainer that was kept elsewhere, once."""
    more = {"currency": currency, "base_amount": base_amount, "in_ledger": in_ledger}
    _ask("open", book, client_name, engagement, amount, date, note, **more)


@app.command("apply")
def apply_retainer(
    client_name: ClientOption,
    engagement: EngagementOption,
    book: str = BookOption,
    number: Annotated[
        str | None, typer.Option("--invoice", help="Its number; default: the earliest open ones.")
    ] = None,
    amount: AmountOption = None,
    date: DateOption = None,
    note: NoteOption = "",
) -> None:
    """Pay invoices of the engagement, never above the balance or what is open."""
    _ask("apply", book, client_name, engagement, amount, date, note, number=number)


@app.command("refund")
def refund_retainer(
    client_name: ClientOption,
    engagement: EngagementOption,
    book: str = BookOption,
    amount: AmountOption = None,
    date: DateOption = None,
    note: NoteOption = "",
) -> None:
    """Pay money back to the client."""
    _ask("refund", book, client_name, engagement, amount, date, note)


@app.command("forfeit")
def forfeit_retainer(
    client_name: ClientOption,
    engagement: EngagementOption,
    book: str = BookOption,
    amount: AmountOption = None,
    date: DateOption = None,
    note: NoteOption = "",
) -> None:
    """Keep money that the client gave up, as revenue."""
    _ask("forfeit", book, client_name, engagement, amount, date, note)


def report_retainers(
    book: str = BookOption,
    through: Annotated[str | None, typer.Option(help="Last day (YYYY-MM-DD).")] = None,
    as_json: bool = JsonOption,
) -> None:
    """Show retainers month by month, and that they equal the deposits account."""
    with admin_client() as client:
        answer = client.get("poster", f"/v1/books/{book}/retainers/log", through=through)
    if as_json:
        print_json(answer)
        return
    print_rows(f"Retainers of {book}", answer["months"], _MONTHS)
    print_rows("Sub-ledger against the deposits account", answer["proof"], _PROOF)


def _ask(
    action: str,
    book: str,
    client_name: str,
    engagement: str,
    amount: str | None,
    date: str | None,
    note: str,
    **more: Any,
) -> None:
    body = {
        "client": client_name,
        "engagement": engagement,
        "amount": amount,
        "date": date,
        "note": note,
        **more,
    }
    present = {name: value for name, value in body.items() if value is not None}
    with admin_client() as client:
        answer = client.post("poster", f"/v1/books/{book}/retainers/{action}", present)
    for made in answer["documents"]:
        target = "".join(f" to {settled['number']}" for settled in made["settles"])
        console.print(
            f"{made['number']}: {made['amount']} {made['currency']}{target}, "
            f"{made['document_date']}, {made['status']}"
        )
    if not answer["documents"]:
        console.print("nothing to do: that was done before")
