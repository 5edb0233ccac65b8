"""The synthetic billing log (8,588 time rows, 22 clients), and what it must come to.

``expected_invoices`` computes hours and money straight from the files with integers, and shares
no code with the product: it is the independent second opinion.
"""

from __future__ import annotations

import csv
import lzma
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

FOLDER = "timesheets/apache-synthetic-billing"
BOOK, SOURCE, REALM = "billing-log", "clock", "9130350000000077"
OWN_BUSINESS = "BIZ"
"""The firm's own, unpaid work."""


@dataclass(frozen=True)
class ClientTerms:
    """A row of the client table."""

    code: str
    term: str
    kind: str
    rate: Decimal


@dataclass
class Expected:
    """What one client owes for one period."""

    worked_seconds: int = 0
    """Without what fell below half a step: that stands on no line."""
    leaked_seconds: int = 0
    billed_tenths: int = 0
    amount: Decimal = Decimal(0)


def read_clients(data: Path) -> dict[str, ClientTerms]:
    """Return the client table by code."""
    with (data / FOLDER / "clients.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {
        row["code"]: ClientTerms(row["code"], row["term"], row["type"], Decimal(row["rate"]))
        for row in rows
    }


def read_rows(data: Path) -> list[dict[str, str]]:
    """Return the time rows."""
    with lzma.open(data / FOLDER / "timesheet.csv.xz", "rt", newline="") as stream:
        return list(csv.DictReader(stream))


def expected_invoices(data: Path) -> dict[tuple[str, str], Expected]:
    """Return what each (client, period) comes to: tenths of hours per entry, half up, times rate.

    Hourly clients pay the tenths; flat-rate clients pay the rate once per term with work.
    """
    clients = read_clients(data)
    found: dict[tuple[str, str], Expected] = defaultdict(Expected)
    for row in read_rows(data):
        client = clients[row["code"]]
        if client.code == OWN_BUSINESS:
            continue
        minutes = _minute(row["clock_out"]) - _minute(row["clock_in"])
        entry = found[client.code, _period(row["date"], client.term)]
        tenths = (minutes + 3) // 6  # half up to six minutes, in whole tenths of an hour
        leaks = client.kind == "hourly" and tenths == 0
        entry.worked_seconds += 0 if leaks else minutes * 60
        entry.leaked_seconds += minutes * 60 if leaks else 0
        entry.billed_tenths += tenths
    for (code, _), entry in found.items():
        client = clients[code]
        hourly = client.kind == "hourly"
        entry.amount = client.rate * entry.billed_tenths / 10 if hourly else client.rate
    return dict(found)


def _minute(clock: str) -> int:
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    assert seconds == 0
    return hours * 60 + minutes


def _period(day: str, term: str) -> str:
    year, month = day[:4], int(day[5:7])
    return day[:7] if term == "month" else f"{year}-Q{(month + 2) // 3}"


def configuration(data: Path) -> dict[str, Any]:
    """Return the book for this log: one customer per client, terms and fees as in its table."""
    clients = [_client_rule(client) for client in read_clients(data).values()]
    rates = [
        {"client": client.code, "amount": str(client.rate)}
        for client in read_clients(data).values()
        if client.kind == "hourly"
    ]
    return {
        "book": BOOK,
        "currency": "USD",
        "zone": "America/New_York",
        "ledger": {"kind": "quickbooks_online", "connection": BOOK, "company_id": REALM},
        "sources": [{"name": SOURCE, "system": "clock", "zone": "America/New_York"}],
        "clients": clients,
        "default_item": {"name": "Consulting"},
        "rates": {"use_source_rate": False, "rules": rates},
        "billable": {"approved_only": False},
        "rounding": {"increment_seconds": 360, "mode": "half_up", "scope": "entry"},
        "invoicing": {"grouping": "client_month", "lines": "staff_task"},
    }


def _client_rule(client: ClientTerms) -> dict[str, Any]:
    rule: dict[str, Any] = {"client": client.code, "customer": {"name": client.code}}
    if client.code == OWN_BUSINESS:
        return {**rule, "workflow": "non_billable"}
    if client.term == "quarter":
        rule["invoicing"] = {"grouping": "client_quarter", "lines": "staff_task"}
    if client.kind == "flat rate":
        rule["flat_fee"] = {"amount": str(client.rate), "term": client.term}
    return rule


PROFILE = """
profile: billing_log
base: generic_csv
columns:
  start_date: [date]
  start_time: [clock_in]
  end_time: [clock_out]
  client: [code]
constants: {staff: owner, billable: "yes"}
key: [start_date, start_time, client]
"""
