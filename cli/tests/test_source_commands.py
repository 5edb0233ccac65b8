"""hourbridge source: connecting, schedules and rules, as a person types them."""

from __future__ import annotations

from cli.tests.conftest import Shell

NOWHERE = "http://127.0.0.1:9/"


def test_a_source_is_connected_scheduled_filtered_and_let_go(billed: Shell) -> None:
    name = f"{billed.book}-bigtime"
    book = ("-b", billed.book, "-s", "bigtime")
    connect = (
        "source", "connect", "--name", name, "--system", "bigtime", "--account", name,
        "--api-base-url", NOWHERE, "--secret", "api_key=BIGTIME_KEY",
        "--setting", "base_currency=USD", "--book", billed.book, "--source", "bigtime",
        "--feed", "clients",
    )  # fmt: skip
    assert "BIGTIME_KEY is not set" in billed.run(*connect, code=1)
    billed.run(*connect, BIGTIME_KEY="s3cret")
    (connection,) = [row for row in billed.json("source", "list") if row["name"] == name]
    assert (connection["system"], connection["state"]) == ("bigtime", "connected")

    billed.run("source", "pause", *book)
    billed.run("source", "schedule", *book, "-f", "clients", "--weekly", "mon@06:00")
    billed.run("source", "schedule", *book, "-f", "time", "--every", "15m")
    feeds = {row["feed"]: row for row in billed.json("source", "status", *book)}
    assert (feeds["clients"]["cadence"], feeds["clients"]["weekday"]) == ("weekly", 1)
    assert (feeds["time"]["cadence"], feeds["time"]["interval_seconds"]) == ("fixed", 900)
    assert {row["state"] for row in feeds.values()} == {"paused"}
    assert "not a duration" in billed.run("source", "schedule", *book, "--every", "soon", code=2)

    span = ("--first", "2026-01-01", "--last", "2026-01-31")
    assert "time" in billed.run("source", "history", *book, *span)
    assert "nothing new" in billed.run("source", "history", *book, *span)

    billed.run("source", "block", "client", "17", *book, "--note", "internal")
    (rule,) = billed.json("source", "rules", *book)
    assert (rule["scope"], rule["external_id"], rule["note"]) == ("client", "17", "internal")
    billed.run("source", "unblock", "client", "17", *book)
    assert billed.json("source", "rules", *book) == []

    billed.run("source", "disconnect", *book, "--name", name)
    assert billed.json("source", "status", *book) == []
    assert "no such source" in billed.run("source", "poll", *book, code=1)
