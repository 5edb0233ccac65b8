"""Book configurations: check, plan, apply."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.context import EXIT_FAILED, JsonOption, admin_client
from hourbridge.cli.output import cell, console, print_cards, print_facts, print_json, print_rows

app = typer.Typer(help="Load a book's configuration: check, plan (difference and effect), apply.")
FileArgument = typer.Argument(..., exists=True, dir_okay=False, help="The book's YAML file.")
_EFFECT_FACTS = ("records_examined", "records_changed", "outcomes", "released", "newly_waiting")


@app.command("check")
def check(file: Path = FileArgument, as_json: bool = JsonOption) -> None:
    """Check a configuration without changing anything; exit with 1 on problems."""
    answer = _send("check", file)
    if as_json:
        print_json(answer)
    else:
        _print_findings(file, answer)
    _exit_unless_ok(answer)


@app.command("plan")
def plan(file: Path = FileArgument, as_json: bool = JsonOption) -> None:
    """Show the difference to the active version, and its effect, before it is applied.

    Exits with 1 when the configuration has problems and could not be applied.
    """
    with admin_client() as client:
        answer = plan_mapping(client, file.read_bytes())
    if as_json:
        print_json(answer)
    else:
        _print_findings(file, answer)
        _print_difference(answer)
        _print_effect(answer["effect"])
        _print_documents(answer["documents"])
    _exit_unless_ok(answer)


@app.command("apply")
def apply(
    file: Path = FileArgument,
    note: Annotated[str | None, typer.Option("--note", help="Why; kept in the audit.")] = None,
    expected_version: Annotated[
        int | None,
        typer.Option(min=0, help="Refuse unless this version is active (0: none yet)."),
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Put a configuration into force; what waited for it goes on by itself."""
    answer = _send("apply", file, {"note": note, "expected_version": expected_version})
    if as_json:
        print_json(answer)
        return
    _print_findings(file, answer)
    what = "is in force now" if answer["changed"] else "was in force already; nothing changed"
    console.print(f"version {answer['version']} of book {answer['book']} {what}")


def plan_mapping(client: AdminClient, content: bytes) -> dict[str, Any]:
    """Return a plan: the mapper's on records, and the poster's on what they come to when billed."""
    answer: dict[str, Any] = client.post("mapper", "/v1/mappings/plan", content=content)
    changes = answer.pop("changes", [])
    path = f"/v1/books/{answer['book']}/plan-effect"
    answer["documents"] = client.post("poster", path, {"changes": changes})
    return answer


def _send(action: str, file: Path, query: dict[str, Any] | None = None) -> dict[str, Any]:
    with admin_client() as client:
        path = f"/v1/mappings/{action}"
        answer: dict[str, Any] = client.post("mapper", path, content=file.read_bytes(), query=query)
    return answer


def _exit_unless_ok(answer: dict[str, Any]) -> None:
    if not answer["ok"]:
        raise typer.Exit(EXIT_FAILED)


def _print_findings(file: Path, answer: dict[str, Any]) -> None:
    for kind in ("problems", "warnings"):
        if answer[kind]:
            cards = [
                (f"{each['code']} at {each['where']}", (each["detail"],)) for each in answer[kind]
            ]
            print_cards(kind.capitalize(), cards)
    if answer["ok"]:
        console.print(f"{file.name}: no problems", soft_wrap=True)


def _print_difference(answer: dict[str, Any]) -> None:
    version = answer["active_version"]
    title = f"Difference to version {version}" if version else "A new book"
    cards = []
    for change in answer["difference"]:
        lines = [f"- {_sides(change['before'])}"] if change["before"] is not None else []
        lines += [f"+ {_sides(change['after'])}"] if change["after"] is not None else []
        cards.append((f"{change['what']} {change['where']}", lines))
    print_cards(title, cards)


def _sides(value: Any) -> str:
    return cell(value) or "(nothing)"


def _print_documents(effect: dict[str, Any]) -> None:
    """Print what unposted work would be billed at; what is posted stays as it is."""
    facts = {
        "records with other charges": effect["records"],
        "posted, stay as they are": effect["posted_unchanged"],
        "not posted yet": effect["unposted"],
    }
    print_facts("Effect on documents", facts)
    rows = [
        {
            "client": row["client"],
            "currency": row["currency"],
            "billed_before": row["before"]["amount"],
            "billed_after": row["after"]["amount"],
        }
        for row in effect["clients"]
    ]
    print_rows("What unposted work would be billed at", rows)


def _print_effect(effect: dict[str, Any]) -> None:
    facts = {name: effect[name] for name in _EFFECT_FACTS}
    if not effect["complete"]:
        facts["note"] = "only a part of the stored records was examined"
    print_facts("Effect on stored records", facts)
    rows = [
        {
            "client": row["client"],
            "currency": row["currency"],
            "hours_before": row["before"]["hours"],
            "hours_after": row["after"]["hours"],
            "money_before": row["before"]["money"],
            "money_after": row["after"]["money"],
        }
        for row in effect["clients"]
    ]
    print_rows("Clients whose hours or money change", rows)
