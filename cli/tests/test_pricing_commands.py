"""documents adjust and credit, report passed-by: what people decide about prices."""

from __future__ import annotations

from cli.tests.conftest import Shell, wait_until

DRAFTS = {"rounding: {": "review: {kinds: [invoice]}\nrounding: {"}


def number_of(shell: Shell, client: str) -> str:
    (number,) = (row["number"] for row in shell.documents() if row["client"] == client)
    return str(number)


def test_a_draft_is_written_down_whole_and_by_line(connected: Shell) -> None:
    connected.run("mapping", "apply", connected.mapping(**DRAFTS))
    connected.hours()
    connected.run("bill", "-b", connected.book, "--through", "2026-03-31")
    number = number_of(connected, "Acme")
    adjust = ("documents", "adjust", number, "-b", connected.book, "--reason", "agreed")
    shown = connected.run(*adjust, "--amount", "285.00")
    assert "285.00 USD, 50.0 % of its price" in shown
    connected.run(*adjust, "--amount", "10.00", "--line", "1")
    first = connected.json("documents", "show", number, "-b", connected.book)["lines"][0]
    assert (first["amount"], first["adjustment"]["reason"]) == ("10.00", "agreed")
    assert "is not an amount" in connected.run(*adjust, "--amount", "0.001", code=1)


def test_a_posted_invoice_is_credited_and_billed_again(billed: Shell) -> None:
    number = number_of(billed, "Acme")
    billed.run("documents", "credit", number, "-b", billed.book, "--note", "wrong rate")
    wait_until(lambda: {row["status"] for row in billed.documents()} == {"posted"})
    assert sorted(row["kind"] for row in billed.documents()) == [
        "credit_memo",
        "invoice",
        "invoice",
    ]
    billed.bill()
    assert [row["kind"] for row in billed.documents()].count("invoice") == 3
    again = ("documents", "credit", number, "-b", billed.book, "--note", "again")
    assert "credited already" in billed.run(*again, code=1)


def test_what_runs_passed_by(connected: Shell) -> None:
    coarse = {"increment_seconds: 360": "increment_seconds: 36000"}
    connected.run("mapping", "apply", connected.mapping(**coarse))
    connected.hours()
    connected.run("bill", "-b", connected.book, "--through", "2026-03-31")
    rows = connected.json("report", "passed-by", "-b", connected.book)
    assert {row["cause"] for row in rows} == {"below_step"}
    assert "below_step" in connected.run("report", "passed-by", "-b", connected.book)
