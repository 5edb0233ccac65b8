"""Showing the books of stand-ins; running them is tested with the set-up commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from hourbridge.cli import output
from hourbridge.cli.main import app
from hourbridge.sandbox.quickbooks_online import CompanySeed, SandboxServer, seed_company
from tests.support.bigtime_firm import BigTimeFirm, running_bigtime

REALM = "123"


@pytest.fixture(autouse=True)
def _wide() -> None:
    output.console.width = output.errors.width = 160


@pytest.fixture(scope="module")
def agency() -> Iterator[BigTimeFirm]:
    with running_bigtime({"realm": "agency", "name": "Agency", "dataset": "agency"}) as firm:
        yield firm


@pytest.fixture(scope="module")
def ledger() -> Iterator[SandboxServer]:
    server = SandboxServer()
    seed_company(server.world, CompanySeed(REALM, customers={"Acme": ["Roof"]}, items=["Work"]))
    server.start()
    line = {
        "DetailType": "SalesItemLineDetail",
        "Amount": 300,
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "Qty": 2, "UnitPrice": 150},
    }
    invoice = {"CustomerRef": {"value": "1"}, "DocNumber": "A-1", "Line": [line]}
    url = f"{server.base_url}/_sandbox/companies/{REALM}/people/invoice"
    httpx.post(url, json={"action": "add", "changes": invoice}).raise_for_status()
    yield server
    server.stop()


def show(system: str, url: str, *options: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["sandbox", "show", system, "--url", url, *options])
    assert done.exit_code == code, done.output
    return done.output


def tables(system: str, url: str, *options: str) -> dict[str, list[dict[str, Any]]]:
    (books,) = json.loads(show(system, url, "--json", *options))
    found: dict[str, list[dict[str, Any]]] = books["tables"]
    return found


def test_bigtime_s_books(agency: BigTimeFirm) -> None:
    shown = tables("bigtime", agency.server.base_url)
    lists = {row["list"]: row["inactive"] for row in shown["lists"]}
    assert (lists["clients"], lists["staff"]) == (1, 1)
    by_state = {row["state"]: row["entries"] for row in shown["time by state"]}
    assert set(by_state) == {"Approved", "Submitted", "Not Submitted"}
    assert sum(by_state.values()) == shown["in sum"][0]["time_entries"] == len(agency.firm.time)
    assert {row["status"] for row in shown["invoices"]} == {"Sent", "Draft"}
    printed = show("bigtime", agency.server.base_url)
    assert "Agency (agency, 40001)" in printed
    assert "time by state" in printed


def test_one_list_of_bigtime(agency: BigTimeFirm) -> None:
    rows = tables("bigtime", agency.server.base_url, "--list", "clients")["clients"]
    assert rows[0]["Nm"] == "Edison Attic"
    refused = show("bigtime", agency.server.base_url, "--list", "zodiac", code=1)
    assert "zodiac" in refused


def test_the_ledger_s_books_balance(ledger: SandboxServer) -> None:
    shown = tables("quickbooks-online", ledger.base_url)
    assert [row["number"] for row in shown["open invoices"]] == ["A-1"]
    assert {row["name"] for row in shown["customers"]} == {"Acme", "Acme:Roof"}
    assert next(row for row in shown["customers"] if row["name"] == "Acme")["open"] == 300
    profit = shown["profit and loss"][-1]
    assert (profit["account"], profit["amount"]) == ("Profit", 300)
    assert sum(row["balance"] for row in shown["balance sheet accounts"]) == 300
    assert "Acme:Roof" in show("quickbooks-online", ledger.base_url)


def test_what_is_wrong_is_named(agency: BigTimeFirm) -> None:
    assert "service_unreachable" in show("bigtime", "http://127.0.0.1:1", code=1)
    refused = show("bigtime", agency.server.base_url, "--account", "moon", code=1)
    assert "no account moon" in refused
    unknown = CliRunner().invoke(app, ["sandbox", "show", "sage", "--url", "http://127.0.0.1:1"])
    assert unknown.exit_code == 2
