"""What vendors are owed: hold-backs and their release, and the quarterly settlement review."""

from __future__ import annotations

from typing import Annotated

import typer

from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_json, print_rows

app = typer.Typer(help="What is held back of vendors' work: list it, release it.")
_HELD = (
    "vendor",
    "bill",
    "vendor_bill_number",
    "bill_date",
    "held",
    "released",
    "open",
    "currency",
)
_VENDORS = ("vendor", "bills", "billed", "held_back", "payable", "currency")
_WAITING = ("vendor", "bill", "total", "currency", "state", "waits_for")


@app.command("list")
def list_holdbacks(
    book: str = BookOption,
    everything: bool = typer.Option(False, "--all", help="Also what was released whole."),
    as_json: bool = JsonOption,
) -> None:
    """List what is held back, the oldest bill of each vendor first."""
    with admin_client() as client:
        query = {"all": "true"} if everything else {}
        answer = client.get("poster", f"/v1/books/{book}/holdbacks", **query)
    rows = answer["holdbacks"]
    print_json(rows) if as_json else print_rows("Held back", rows, _HELD)


@app.command("release")
def release_holdback(
    book: str = BookOption,
    vendor: Annotated[str | None, typer.Option(help="The vendor's name or id.")] = None,
    number: Annotated[str | None, typer.Option(help="One bill: our number or theirs.")] = None,
    amount: Annotated[str | None, typer.Option(help="Default: all that is held.")] = None,
    date: Annotated[str | None, typer.Option("--date", help="Default: today.")] = None,
    as_json: bool = JsonOption,
) -> None:
    """Make what was held back payable: all of it, or an amount, of the oldest bills first."""
    given = {"vendor": vendor, "number": number, "amount": amount, "date": date}
    request = {name: value for name, value in given.items() if value is not None}
    with admin_client() as client:
        answer = client.post("poster", f"/v1/books/{book}/holdbacks/release", request)
    if as_json:
        print_json(answer)
        return
    if not answer["released"]:
        console.print("nothing is held back")
    for row in answer["released"]:
        console.print(f"{row['number']}: {row['amount']} {row['currency']}, {row['memo']}")


def report_settlements(
    quarter: Annotated[str, typer.Option("--quarter", "-q", help="For example 2026-Q1.")],
    book: str = BookOption,
    as_json: bool = JsonOption,
) -> None:
    """Show the quarter's bills by vendor, what was held back at its end, and who waits."""
    with admin_client() as client:
        path = f"/v1/books/{book}/reports/settlements"
        answer = client.get("poster", path, quarter=quarter)
    if as_json:
        print_json(answer)
        return
    print_rows(f"Bills of {answer['quarter']}", answer["vendors"], _VENDORS)
    columns = (*_HELD, "age_days")
    print_rows(f"Held back on {answer['as_of']}", answer["open_holdbacks"], columns)
    print_rows("Paid when the client pays", answer["pay_when_paid"], _WAITING)
