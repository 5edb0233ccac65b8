"""retainer, recognition and their reports."""

from __future__ import annotations

import pytest

from cli.tests.conftest import Shell, wait_until

MAIN = ("-c", "Acme", "-e", "main")
POLICY = """  - client: Acme                # as the time tracker calls it
    workflow: retainer
    retainer: {engagement: main, automatic: false, top_up_below: 500.00, top_up_to: 900.00}
"""
ACCOUNTS = """
recognition:
  unbilled: true
accounts:
  - {role: bank, ledger: {name: Checking}}
  - {role: customer_deposits, ledger: {name: Customer Deposits}}
  - {role: revenue, ledger: {name: Services}}
  - {role: unbilled, ledger: {name: Unbilled Work}}
rounding:"""


@pytest.fixture
def retained(connected: Shell) -> Shell:
    """A book whose client Acme has a retainer, with hours imported."""
    line = "  - client: Acme                # as the time tracker calls it\n"
    mapping = connected.mapping(**{line: POLICY, "\nrounding:": ACCOUNTS})
    connected.run("mapping", "apply", mapping)
    connected.hours()
    return connected


def test_the_life_of_a_retainer(retained: Shell) -> None:
    book = ("-b", retained.book)
    opening = ("retainer", "open", *MAIN, *book, "--amount", "700.00", "--date", "2026-01-02")
    assert "HBJ-1: 700.00 USD, 2026-01-02, posted" in retained.run(*opening, "--in-ledger")
    assert "nothing to do" in retained.run(*opening, "--in-ledger")
    retained.bill()
    (invoice,) = [
        row for row in retained.documents() if row["kind"] == "invoice" and row["client"] == "Acme"
    ]
    refused = retained.run("retainer", "apply", *MAIN, *book, "--amount", "700.01", code=1)
    assert "retainer_exceeded" in refused
    applied = retained.run("retainer", "apply", *MAIN, *book, "--invoice", invoice["number"])
    assert f"to {invoice['number']}" in applied
    wait_until(lambda: retained.json("report", "retainers", *book)["agrees"])
    (row,) = retained.json("retainer", "list", *book)["retainers"]
    assert row["client"] == "Acme"
    shown = retained.run("retainer", "show", *MAIN, *book)
    assert "application" in shown
    assert "Sub-ledger against the deposits account" in retained.run("report", "retainers", *book)
    assert "Top-ups to ask for" in retained.run("retainer", "list", *book)


def test_what_is_left_is_refunded_or_forfeited(retained: Shell) -> None:
    book = ("-b", retained.book)
    opening = ("retainer", "open", *MAIN, *book, "--amount", "30.00", "--in-ledger")
    retained.run(*opening)
    assert "10.00 USD" in retained.run("retainer", "refund", *MAIN, *book, "--amount", "10.00")
    assert "20.00 USD" in retained.run("retainer", "forfeit", *MAIN, *book, "--note", "lapsed")
    assert "retainer_refused" in retained.run("retainer", "refund", *MAIN, *book, code=1)
    assert retained.json("retainer", "show", *MAIN, *book)["balance"] == "0.00"


def test_recognition(retained: Shell) -> None:
    book = ("-b", retained.book)
    wait_until(
        lambda: retained.json("recognition", "run", *book, "--through", "2026-03-31")["entries"]
    )
    assert "0 entries" in retained.run("recognition", "run", *book, "--through", "2026-03-31")
    answer = retained.json("report", "recognition", *book)
    assert answer["unbilled"]
    shown = retained.run("report", "recognition", *book)
    assert "Unbilled work" in shown
    assert "Realisation: none" in shown
