"""Recognition: revenue that counts when it isn't invoiced."""

from __future__ import annotations

from typing import Annotated

import typer

from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_json, print_rows

app = typer.Typer(help="Revenue that counts when it isn't invoiced: deferred, unbilled.")
_DEFERRALS = ("number", "client", "first_month", "last_month", "total", "earned", "deferred")
_REALISED = (
    "client", "project", "recognized", "gross", "billed", "written_down", "realisation_percent",
)  # fmt: skip


@app.command("run")
def run(
    through: Annotated[str, typer.Option(help="Last day to recognize (YYYY-MM-DD).")],
    book: str = BookOption,
    as_json: bool = JsonOption,
) -> None:
    """Recognize what is due up to a day; months that are over are recognized by themselves."""
    with admin_client() as client:
        path = f"/v1/books/{book}/recognition"
        answer = client.post("poster", path, {"through": through})
    if as_json:
        print_json(answer)
    else:
        console.print(f"through {answer['through']}: {answer['entries']} entries")


def report_recognition(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Show deferral schedules, unbilled work by client, and what invoices realised."""
    with admin_client() as client:
        answer = client.get("poster", f"/v1/books/{book}/recognition")
    if as_json:
        print_json(answer)
        return
    print_rows(
        f"Deferred revenue of {book} ({answer['currency']})", answer["deferrals"], _DEFERRALS
    )
    print_rows("Unbilled work", answer["unbilled"], ("client", "amount"))
    print_rows("Realisation", answer["realisation"], _REALISED)
