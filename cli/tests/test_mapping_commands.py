"""mapping check, plan and apply: what they show, and how they end."""

from __future__ import annotations

import pytest

from cli.tests.conftest import Shell, wait_until


def test_a_good_configuration_has_no_problems(connected: Shell) -> None:
    assert "no problems" in connected.run("mapping", "check", connected.mapping())


@pytest.mark.parametrize("action", ["check", "plan"])
def test_problems_are_shown_and_end_with_1(connected: Shell, action: str) -> None:
    path = connected.mapping(**{"customer: {name: Birch}": "customer: {name: Nobody}"})
    shown = connected.run("mapping", action, path, code=1)
    assert "customer_missing at clients[1].customer" in shown
    assert "the ledger has no customer name:Nobody" in shown
    answer = connected.json("mapping", action, path, code=1)
    assert answer["ok"] is False


def test_what_has_problems_is_not_applied(connected: Shell) -> None:
    path = connected.mapping(**{"customer: {name: Birch}": "customer: {name: Nobody}"})
    assert "the ledger has no customer" in connected.run("mapping", "apply", path, code=1)
    assert connected.json("report", "status", "-b", connected.book)["configuration_version"] is None


def test_wrong_fields_are_named_line_by_line(connected: Shell) -> None:
    path = connected.mapping(**{"currency: USD": "currency: dollars", "America/New_York": "Mars"})
    shown = connected.run("mapping", "check", path, code=1)
    assert "error configuration_invalid" in shown
    assert sum(line.startswith(("  currency: ", "  zone: ")) for line in shown.splitlines()) == 2


def test_a_plan_shows_difference_and_effect(book: Shell) -> None:
    book.hours()
    wait_until(book.parked)
    path = book.mapping(**{"client: Acme, amount: 150.00": "client: Acme, amount: 160.00"})
    shown = book.run("mapping", "plan", path)
    assert "Difference to version 1: 1" in shown
    assert "- client Acme, amount 150.00" in shown
    assert "+ client Acme, amount 160.00" in shown
    assert "charged -> charged: 2" in shown
    plan = book.json("mapping", "plan", path)
    assert plan["effect"]["clients"][0]["after"]["money"] == "600.00"


def test_a_first_plan_is_a_new_book(connected: Shell) -> None:
    shown = connected.run("mapping", "plan", connected.mapping())
    assert "A new book" in shown
    assert "staff+task+project, staff+project" in shown


def test_apply_refuses_when_somebody_was_faster(book: Shell) -> None:
    path = book.mapping(**{"amount: 120.00": "amount: 125.00"})
    refused = book.run("mapping", "apply", path, "--expected-version", "0", code=1)
    assert "version 1 is active, not 0" in refused
    applied = book.run("mapping", "apply", path, "--expected-version", "1", "--note", "new prices")
    assert f"version 2 of book {book.book} is in force now" in applied


def test_applying_the_same_again_makes_no_version(book: Shell) -> None:
    answer = book.json("mapping", "apply", book.mapping())
    assert (answer["version"], answer["changed"]) == (1, False)
