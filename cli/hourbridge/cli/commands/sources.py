"""Sources that are polled: connecting, schedules, history, and what of them comes in."""

from __future__ import annotations

import json
import os
import re
from typing import Annotated, Any

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands import system
from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.output import console, print_json, print_rows
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.runtime.admin import RequestInvalid

app = system.source
SourceOption = typer.Option(..., "--source", "-s", help="The source, as the book names it.")
Feeds = Annotated[
    list[str] | None, typer.Option("--feed", "-f", help="Only this feed; may be repeated.")
]
Note = Annotated[str | None, typer.Option("--note", help="Why; kept in the audit.")]
Duration = Annotated[str | None, typer.Option(help="Such as 90s, 15m, 4h or 1d.")]

_CONNECTION_COLUMNS = ("name", "system", "account", "state", "state_reason", "changed_at")
_FEED_COLUMNS = (
    "book", "source", "feed", "state", "cadence", "interval_now_seconds", "last_finished_at",
    "last_changed_at", "next_due_at", "history_open", "failures", "last_error",
)  # fmt: skip
_READING_COLUMNS = (
    "feed", "started_at", "state", "pages", "counts", "deleted", "rekeyed", "deletions_withheld",
)  # fmt: skip
_SPAN_COLUMNS = ("feed", "first_day", "last_day", "state", "pages", "counts", "last_error")
_RULE_COLUMNS = ("scope", "external_id", "rule", "kept_out", "note", "made_by", "made_at")
_REJECTED_COLUMNS = ("feed", "external_id", "location", "reasons", "times", "last_seen_at")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@app.command("connect")
def connect(
    name: str = typer.Option(..., help="The connection's name."),
    system: str = typer.Option(..., help="bigtime, toggl, timetagger, ..."),
    account: str = typer.Option(..., help="The firm, workspace or company there."),
    api_base_url: str = typer.Option("", help="Where its API is; default: the vendor's."),
    secret: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VARIABLE: a secret by the environment variable that holds it."),
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE that the connector knows; JSON or text.")
    ] = None,
    calls_per_minute: int = typer.Option(25, help="The call budget of all replicas together."),
    book: Annotated[str | None, typer.Option("--book", "-b", help="Read it for a book.")] = None,
    source: Annotated[str | None, typer.Option("--source", "-s", help="Default: NAME.")] = None,
    feed: Feeds = None,
) -> None:
    """Connect an account of a system that is read, or connect it again with a new key.

    Secrets come from environment variables, so that they don't stand in the shell's history.
    """
    with admin_client() as client:
        body = {
            "name": name,
            "system": system,
            "account": account,
            "api_base_url": api_base_url,
            "secrets": {key: _variable(value) for key, value in _pairs(secret)},
            "settings": {key: _value(text) for key, text in _pairs(setting)},
            "calls_per_minute": calls_per_minute,
        }
        client.post("ingestor", "/v1/source-connections", body)
        if book is not None:
            _attach(client, book, source or name, name, feed)
    console.print(f"connected {name}")


@app.command("attach")
def attach(
    connection: str = typer.Argument(..., help="The connection to read over."),
    book: str = BookOption,
    source: str = SourceOption,
    feed: Feeds = None,
) -> None:
    """Read a connected account, or a connected ledger's lists, for a book."""
    with admin_client() as client:
        _attach(client, book, source, connection, feed)
    console.print(f"{book} reads {source} over {connection}")


@app.command("list")
def list_connections(as_json: bool = JsonOption) -> None:
    """Show how connections fare."""
    with admin_client() as client:
        rows = client.get("ingestor", "/v1/source-connections")["connections"]
    print_json(rows) if as_json else print_rows("Source connections", rows, _CONNECTION_COLUMNS)


@app.command("status")
def status(
    book: Annotated[str | None, typer.Option("--book", "-b")] = None,
    source: Annotated[str | None, typer.Option("--source", "-s")] = None,
    as_json: bool = JsonOption,
) -> None:
    """Show every feed: how it is, when it was read, and when it is read next."""
    with admin_client() as client:
        rows = client.get("ingestor", "/v1/feeds", book=book, source=source)["feeds"]
    print_json(rows) if as_json else print_rows("Feeds", rows, _FEED_COLUMNS)


@app.command("check")
def check(book: str = BookOption, source: str = SourceOption) -> None:
    """Ask the system whether the connection can be used; exit with 1 on problems."""
    problems = _post(book, source, "check")["problems"]
    for problem in problems:
        console.print(problem, markup=False)
    if problems:
        raise typer.Exit(1)
    console.print("the connection can be used")


@app.command("poll")
def poll(
    book: str = BookOption,
    source: str = SourceOption,
    feed: Feeds = None,
    whole: bool = typer.Option(False, help="From the beginning instead of from the cursor."),
    allow_deletions: bool = typer.Option(
        False, help="Delete also what the next complete reading would withhold."
    ),
) -> None:
    """Read feeds now."""
    body = {"feeds": feed or [], "whole": whole, "allow_deletions": allow_deletions}
    due = _post(book, source, "poll", body)["due"]
    console.print(f"due now: {', '.join(due) or 'nothing, the feeds are paused'}")


@app.command("schedule")
def schedule(
    book: str = BookOption,
    source: str = SourceOption,
    feed: Feeds = None,
    adaptive: bool = typer.Option(False, "--adaptive", help="Pauses double while it is quiet."),
    shortest: Duration = None,
    longest: Duration = None,
    every: Duration = None,
    daily: Annotated[str | None, typer.Option(help="HH:MM in the book's zone.")] = None,
    weekly: Annotated[str | None, typer.Option(help="DAY@HH:MM, such as mon@06:00.")] = None,
) -> None:
    """Set how often feeds are read; it holds at once, nothing is restarted."""
    if sum(bool(each) for each in (adaptive, every, daily, weekly)) > 1:
        raise typer.BadParameter("choose one of --adaptive, --every, --daily and --weekly")
    body: dict[str, Any] = {"feeds": feed or [], "interval_seconds": _seconds(shortest or every)}
    body["interval_seconds_max"] = _seconds(longest or every)
    if adaptive:
        body["cadence"] = "adaptive"
    elif every:
        body["cadence"] = "fixed"
    elif daily:
        body |= {"cadence": "daily", "at_time": daily}
    elif weekly:
        day, _, at = weekly.partition("@")
        if day.lower()[:3] not in _DAYS:
            raise typer.BadParameter(f"{weekly!r}: the day is one of {', '.join(_DAYS)}")
        weekday = _DAYS.index(day.lower()[:3]) + 1
        body |= {"cadence": "weekly", "at_time": at, "weekday": weekday}
    due = _post(book, source, "schedule", body)["scheduled"]
    rows = [{"feed": name, "next_due_at": at} for name, at in due.items()]
    print_rows("Scheduled", rows)


@app.command("history")
def history(
    book: str = BookOption,
    source: str = SourceOption,
    first: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option(help="Last day.")] = None,
    feed: Feeds = None,
    as_json: bool = JsonOption,
) -> None:
    """Ask for a span of history, or show how far it is; today's work is read first."""
    if (first is None) != (last is None):
        raise typer.BadParameter("--first and --last belong together")
    if first is not None:
        asked = _post(book, source, "history", {"first": first, "last": last, "feeds": feed or []})
        console.print(f"asked for: {', '.join(asked['asked']) or 'nothing new'}")
        return
    _show(book, source, "history", "history", _SPAN_COLUMNS, as_json=as_json)


@app.command("readings")
def readings(
    book: str = BookOption, source: str = SourceOption, as_json: bool = JsonOption
) -> None:
    """Show the newest readings: what each brought, deleted and withheld."""
    _show(book, source, "readings", "readings", _READING_COLUMNS, as_json=as_json)


@app.command("rejected")
def rejected(
    book: str = BookOption, source: str = SourceOption, as_json: bool = JsonOption
) -> None:
    """Show statements that can't be used, with their reasons."""
    _show(book, source, "rejected", "rejected", _REJECTED_COLUMNS, as_json=as_json)


@app.command("pause")
def pause(book: str = BookOption, source: str = SourceOption, feed: Feeds = None) -> None:
    """Let feeds rest: turn lists off."""
    found = _post(book, source, "pause", {"feeds": feed or []})["paused"]
    console.print(f"paused: {', '.join(found)}")


@app.command("resume")
def resume(book: str = BookOption, source: str = SourceOption, feed: Feeds = None) -> None:
    """Read feeds on from where they were."""
    found = _post(book, source, "resume", {"feeds": feed or []})["resumed"]
    console.print(f"resumed: {', '.join(found)}")


@app.command("disconnect")
def disconnect(
    name: Annotated[str | None, typer.Option(help="Forget a connection and its secrets.")] = None,
    book: Annotated[str | None, typer.Option("--book", "-b")] = None,
    source: Annotated[str | None, typer.Option("--source", "-s")] = None,
) -> None:
    """Stop reading a source for a book, or forget a whole connection; records stay."""
    if name is None and (book is None or source is None):
        raise typer.BadParameter("give --book and --source, or --name")
    with admin_client() as client:
        if book is not None and source is not None:
            client.delete("ingestor", f"/v1/books/{book}/sources/{source}/feeds")
        if name is not None:
            client.delete("ingestor", f"/v1/source-connections/{name}")
    console.print("disconnected")


@app.command("block")
def block(
    scope: str = typer.Argument(..., help="A record type (client) or a list (customer)."),
    ids: list[str] = typer.Argument(..., help="Ids at the source; * for all."),
    book: str = BookOption,
    source: str = SourceOption,
    note: Note = None,
) -> None:
    """Keep things out: counted, kept as stated last, through every later sync."""
    _rule(book, source, scope, ids, "block", note)


@app.command("allow")
def allow(
    scope: str = typer.Argument(..., help="A record type (client) or a list (customer)."),
    ids: list[str] = typer.Argument(..., help="Ids at the source; * for all."),
    book: str = BookOption,
    source: str = SourceOption,
    note: Note = None,
) -> None:
    """Let only these things in, or let them in although all are blocked."""
    _rule(book, source, scope, ids, "allow", note)


@app.command("unblock")
def unblock(
    scope: str = typer.Argument(..., help="A record type (client) or a list (customer)."),
    ids: list[str] = typer.Argument(..., help="Ids at the source; * for all."),
    book: str = BookOption,
    source: str = SourceOption,
    note: Note = None,
) -> None:
    """Take a rule away; what it kept out comes in as it was stated last."""
    _rule(book, source, scope, ids, "clear", note)


@app.command("rules")
def rules(book: str = BookOption, source: str = SourceOption, as_json: bool = JsonOption) -> None:
    """Show what is allowed and blocked."""
    _show(book, source, "rules", "rules", _RULE_COLUMNS, as_json=as_json)


def _rule(book: str, source: str, scope: str, ids: list[str], rule: str, note: str | None) -> None:
    body = {"scope": scope, "ids": ids, "rule": rule, "note": note}
    answer = _post(book, source, "rules", body)
    console.print(f"{rule} {scope} {', '.join(ids)}; let in: {answer['let_in']}", markup=False)


def _attach(
    client: AdminClient, book: str, source: str, connection: str, feed: list[str] | None
) -> None:
    body = {"connection": connection, "feeds": feed, "zone": _zone_of(client, book)}
    client.post("ingestor", f"/v1/books/{book}/sources/{source}/feeds", body)


def _zone_of(client: AdminClient, book: str) -> str | None:
    """Return the zone of a book; None where it has no configuration yet."""
    try:
        found = client.get("mapper", f"/v1/books/{book}/configuration")
    except HourbridgeError:
        return None
    zone: str | None = found["document"].get("zone")
    return zone


def _post(book: str, source: str, path: str, body: Any = None) -> Any:
    with admin_client() as client:
        if path == "schedule":
            body = {**body, "zone": _zone_of(client, book)}
        return client.post("ingestor", f"/v1/books/{book}/sources/{source}/{path}", body or {})


def _show(
    book: str, source: str, path: str, name: str, columns: tuple[str, ...], *, as_json: bool
) -> None:
    with admin_client() as client:
        rows = client.get("ingestor", f"/v1/books/{book}/sources/{source}/{path}")[name]
    print_json(rows) if as_json else print_rows(name.capitalize(), rows, columns)


def _pairs(texts: list[str] | None) -> list[tuple[str, str]]:
    pairs = []
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
        pairs.append((name, value))
    return pairs


def _value(text: str) -> Any:
    """Return a setting: JSON where it is JSON (true, 5, a list), else text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise RequestInvalid(
            f"the environment variable {name} is not set",
            advice="Export it; secrets are not taken from the command line.",
        )
    return value


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not a duration such as 90s, 15m, 4h or 1d")
    return int(found[1]) * _UNITS[found[2]]
