"""Levels side by side: seconds add up before they are rounded, currencies never mix."""

from __future__ import annotations

from typing import Any

from hourbridge.cli.control_totals import currencies, side_by_side


def report(**levels: list[dict[str, Any]]) -> dict[str, Any]:
    return {"records": [], "charges": [], "documents": [], "ledger": [], **levels}


def charge(client: str, seconds: int, amount: str | None, currency: str = "USD") -> dict[str, Any]:
    return {
        "period": "2026-03",
        "client": client,
        "project": None,
        "billable_seconds": seconds,
        "amount": amount,
        "currency": currency,
    }


def test_hours_are_rounded_once_after_adding() -> None:
    thirds = [charge("Acme", 1200, "1.005"), charge("Acme", 1200, "1.005")]
    acme, whole = side_by_side(report(charges=thirds), by_project=False)
    assert acme["charged_hours"] == whole["charged_hours"] == "0.67"  # not 0.33 + 0.33
    assert acme["charged"] == "2.01"


def test_currencies_stand_apart() -> None:
    rows = [charge("Acme", 3600, "10"), charge("Acme", 3600, "9", "EUR")]
    acme, _ = side_by_side(report(charges=rows), by_project=False)
    assert acme["charged"] == "9.00 EUR\n10.00 USD"
    assert acme["charged_hours"] == "2.00"
    assert currencies(report(charges=rows)) == ["EUR", "USD"]


def test_a_level_without_the_client_leaves_its_cell_empty() -> None:
    lines = [{**charge("Birch", 0, "5.00"), "billed_seconds": 3600}]
    both = report(charges=[charge("Acme", 3600, None)], documents=lines, ledger=lines)
    acme, birch, whole = side_by_side(both, by_project=True)
    assert "billed" not in acme
    assert (birch["project"], birch["billed"], birch["in_ledger"]) == ("-", "5.00", "5.00")
    assert (whole["period"], whole["charged"], whole["billed"]) == ("all", "0.00", "5.00")


def test_nothing_is_no_rows() -> None:
    assert side_by_side(report(), by_project=False) == []
