"""The journal: exported for plain-text accounting, checked, and its balances."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import EXIT_FAILED, BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_facts, print_json, print_rows

app = typer.Typer(help="The double entry of everything posted: export, check, balances.")
FORMATS = ("hledger", "beancount")
_CHECKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "hledger": ("hledger", ("check", "--strict", "ordereddates", "-f")),
    "beancount": ("bean-check", ("--no-cache",)),
}
_SECONDS_MAX = 600
_CHARACTERS_MAX = 2000
ThroughOption = Annotated[str | None, typer.Option(help="Last date of entries (YYYY-MM-DD).")]


@app.command("export")
def export(
    book: str = BookOption,
    format_name: str = typer.Option("hledger", "--format", help=" or ".join(FORMATS)),
    out: Path = typer.Option(..., "--out", dir_okay=False, help="File to write."),
    through: ThroughOption = None,
) -> None:
    """Write a book's journal to a file for hledger or beancount."""
    if format_name not in FORMATS:
        raise typer.BadParameter(f"{format_name!r} is none of {', '.join(FORMATS)}")
    with admin_client() as client:
        size = download(client, book, format_name, out, through)
    console.print(f"{out}: {size} characters", soft_wrap=True)


def download(
    client: AdminClient, book: str, format_name: str, out: Path, through: str | None = None
) -> int:
    """Write a book's journal to ``out`` as it arrives; return the number of characters.

    An unfinished file is never left under the name that was asked for.
    """
    query = {"format": format_name, "through": through}
    partial = out.with_name(out.name + ".part")
    size = 0
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            for piece in client.stream_text("poster", f"/v1/books/{book}/journal", query):
                size += file.write(piece)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return size


@app.command("balances")
def balances(
    book: str = BookOption,
    through: ThroughOption = None,
    client_name: Annotated[str | None, typer.Option("--client", help="Only this client.")] = None,
    as_json: bool = JsonOption,
) -> None:
    """Show each account's balance: as owed, and as carried in the book's currency."""
    with admin_client() as client:
        path = f"/v1/books/{book}/journal/balances"
        answer = client.get("poster", path, through=through, client=client_name)
    if as_json:
        print_json(answer)
        return
    columns = ("account", "amount", "currency", "base_amount", "base_currency")
    print_rows(f"Balances of {book}", answer["balances"], columns)


@app.command("check")
def check(book: str = BookOption, as_json: bool = JsonOption) -> None:
    """Check that all entries balance and that every posted document has its own.

    Where hledger or beancount is installed, it checks the exports too. Exits with 1 on problems.
    """
    with admin_client() as client, TemporaryDirectory(prefix="hb-journal-") as folder:
        answer = examine(client, book, Path(folder))
    if as_json:
        print_json(answer)
    else:
        _print_findings(book, answer)
    if has_problems(answer):
        raise typer.Exit(EXIT_FAILED)


def examine(client: AdminClient, book: str, folder: Path) -> dict[str, Any]:
    """Return what the service and every installed program say of a journal.

    The exports stay in ``folder``, named ``journal.hledger`` and ``journal.beancount``.
    """
    answer: dict[str, Any] = client.get("poster", f"/v1/books/{book}/journal/check")
    answer["programs"] = []
    for format_name in FORMATS:
        path = folder / f"journal.{format_name}"
        download(client, book, format_name, path)
        answer["programs"].append(_judged(format_name, path))
    return answer


def has_problems(answer: dict[str, Any]) -> bool:
    """Return whether anything is wrong with an examined journal."""
    refused = any(row["result"] == "refused" for row in answer["programs"])
    return bool(answer["unbalanced"] or answer["documents"] or refused)


def _judged(format_name: str, path: Path) -> dict[str, str]:
    program, arguments = _CHECKS[format_name]
    found = _installed(program)
    if found is None:
        return {"program": program, "result": "not installed", "words": ""}
    command = [found, *arguments, str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
    )
    if done.returncode == 0:
        return {"program": program, "result": "accepted", "words": ""}
    words = f"{done.stdout}{done.stderr}"[:_CHARACTERS_MAX].strip()
    return {"program": program, "result": "refused", "words": words}


def _installed(program: str) -> str | None:
    """Return the path of a program, beside our own Python first."""
    beside = Path(sys.executable).with_name(program)
    return str(beside) if beside.exists() else shutil.which(program)


def _print_findings(book: str, answer: dict[str, Any]) -> None:
    facts = {
        "entries": answer["entries"],
        "unbalanced": len(answer["unbalanced"]),
        "documents that disagree": len(answer["documents"]),
        "programs": [f"{row['program']}: {row['result']}" for row in answer["programs"]],
    }
    print_facts(f"Journal of {book}", facts)
    if answer["unbalanced"]:
        print_rows("Unbalanced", answer["unbalanced"])
    if answer["documents"]:
        print_rows("Documents that disagree", answer["documents"])
    for row in answer["programs"]:
        if row["words"]:
            console.print(row["words"], markup=False, soft_wrap=True)
