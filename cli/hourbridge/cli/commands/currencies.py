"""Exchange rates and what they do: import, revaluation, residues, items taken over."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import EXIT_FAILED, BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_facts, print_json, print_rows
from hourbridge.common.errors import HourbridgeError

rates = typer.Typer(help="Exchange rates as their sources published them.")
fx = typer.Typer(help="Foreign exchange: month-end revaluation, residues, open items taken over.")
_RATES = ("rate_date", "currency", "value", "pivot", "source", "revision", "rate_id")
_ITEMS = ("kind", "document", "client", "amount", "currency", "carried", "rate", "rate_date",
          "value", "difference")  # fmt: skip
_RESIDUES = ("document", "client", "amount", "currency", "base_amount", "base_currency", "entry")
_FINAL = ("completed", "parked")
_POLL_SECONDS = 0.2


class RevaluationStillWaits(HourbridgeError):
    """The run is recorded and will be performed, but not within the time we waited."""

    code = "revaluation_still_waits"
    advice = "It goes on by itself when what it waits for arrives; see `hourbridge report fx`."


@rates.command("import")
def import_rates(
    file: Path = typer.Argument(..., exists=True, dir_okay=False, help="As the source publishes."),
    source: str = typer.Option("ecb", help="Whose rates they are; books choose by this name."),
    pivot: str = typer.Option("EUR", help="The currency that all rates are quoted against."),
    since: Annotated[str | None, typer.Option(help="Leave out earlier days (YYYY-MM-DD).")] = None,
    published_at: Annotated[
        str | None, typer.Option(help="When the file was published, where that is known.")
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Import rates: the ECB's CSV, zip or XML, or a table of the same form.

    What is known already changes nothing; another value for a known day is kept as a correction
    beside it. What waits for rates goes on by itself.
    """
    query = {"source": source, "pivot": pivot, "since": since, "published_at": published_at}
    with admin_client() as client:
        answer = client.post("poster", "/v1/rates/import", content=file.read_bytes(), query=query)
    print_json(answer) if as_json else print_facts(f"Rates in {file.name}", answer)


@rates.command("list")
def list_rates(
    currency: Annotated[str | None, typer.Option(help="Only this currency.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day (YYYY-MM-DD).")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day (YYYY-MM-DD).")] = None,
    limit: int = typer.Option(50, min=1, max=1000),
    as_json: bool = JsonOption,
) -> None:
    """List rates, the newest day first, corrections before what they corrected."""
    query = {"currency": currency, "source": source, "from": first, "to": last, "limit": limit}
    with admin_client() as client:
        rows = client.get("poster", "/v1/rates", **query)["rates"]
    print_json(rows) if as_json else print_rows("Exchange rates", rows, _RATES)


@fx.command("revalue")
def revalue(
    book: str = BookOption,
    month: str = typer.Option(..., "--month", help="A month that is over (YYYY-MM)."),
    wait_seconds: int = typer.Option(60, help="How long to wait for the run to end."),
    as_json: bool = JsonOption,
) -> None:
    """Revalue open foreign balances at a month's end, with reversal on the next day.

    Asking again changes nothing while balances and rates are the same; exit with 1 when it is
    parked (closed books, no rate).
    """
    with admin_client() as client:
        run = revalue_month(client, book, month, wait_seconds=wait_seconds)
    if as_json:
        print_json(run)
    else:
        _print_run(book, month, run)
    if run["state"] != "completed":
        raise typer.Exit(EXIT_FAILED)


@fx.command("residues")
def residues(
    book: str = BookOption,
    clear: bool = typer.Option(False, "--clear", help="Clear those up to the policy's limit."),
    as_json: bool = JsonOption,
) -> None:
    """List items that are open in one currency alone; clear them by an entry each."""
    path = f"/v1/books/{book}/residues"
    with admin_client() as client:
        answer = client.post("poster", f"{path}/clear", {}) if clear else client.get("poster", path)
    rows = answer["residues"]
    print_json(rows) if as_json else print_rows("Residues", rows, _RESIDUES)


@fx.command("open-item")
def open_item(
    book: str = BookOption,
    reference: str = typer.Option(..., help="Its number in the books before; taken over once."),
    party: str = typer.Option(..., "--client", help="The client, or the vendor's name."),
    payable: bool = typer.Option(False, "--payable", help="We owe it to a vendor."),
    currency: str = typer.Option(..., help="ISO 4217 code."),
    amount: str = typer.Option("0", help="What is open, in its currency."),
    base_amount: str = typer.Option("0", help="What that is carried at in the book's currency."),
    day: str = typer.Option(..., "--date", help="Its date (YYYY-MM-DD)."),
    as_json: bool = JsonOption,
) -> None:
    """Take over an item that was open before the book began; the ledger has it already."""
    body = {
        "reference": reference,
        "side": "payable" if payable else "receivable",
        "party": party,
        "currency": currency,
        "amount": amount,
        "base_amount": base_amount,
        "day": day,
    }
    with admin_client() as client:
        answer = client.post("poster", f"/v1/books/{book}/open-items", body)
    if as_json:
        print_json(answer)
    elif answer["changed"]:
        console.print(f"{reference} taken over as {answer['document']['number']}")
    else:
        console.print(f"{reference} was taken over before")


def revalue_month(
    client: AdminClient, book: str, month: str, *, wait_seconds: int = 60
) -> dict[str, Any]:
    """Ask for a month's revaluation and wait for its end."""
    path = f"/v1/books/{book}/revaluations"
    asked = client.post("poster", path, {"month": month})
    deadline = time.monotonic() + wait_seconds
    while True:
        run: dict[str, Any] = client.get("poster", f"/v1/revaluation-runs/{asked['run_id']}")
        if run["state"] in _FINAL:
            return run
        if time.monotonic() > deadline:
            waits_for = (run.get("reason") or {}).get("detail", "its turn")
            raise RevaluationStillWaits(f"the run waits for {waits_for}", run=run["run_id"])
        time.sleep(_POLL_SECONDS)


def _print_run(book: str, month: str, run: dict[str, Any]) -> None:
    if run["state"] == "parked":
        console.print(f"parked, {run['reason']['code']}: {run['reason']['detail']}", markup=False)
        return
    for ledger in run["result"].get("ledgers", []):
        facts = {name: ledger[name] for name in ("entry", "reversal", "gain") if name in ledger}
        print_facts(f"Revaluation of {book} in {month}", facts)
        print_rows("Open balances", ledger["items"], _ITEMS)
    if not run["result"].get("ledgers"):
        console.print("nothing is open in other currencies")
