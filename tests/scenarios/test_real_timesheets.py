"""Real input that nobody here wrote, from file to ledger, against an independent computation."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios import billing_log
from tests.scenarios.office import Office

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(600)]

BOOK, REALM = billing_log.BOOK, billing_log.REALM


@pytest.fixture
def billed(bare_office: Office, shared_data: Path) -> Office:
    codes = billing_log.read_clients(shared_data)
    bare_office.connect(
        name=BOOK, realm=REALM, customers={code: [] for code in codes}, items=["Consulting"]
    )
    bare_office.configure(billing_log.configuration(shared_data))
    import_log(bare_office, shared_data)
    run = bare_office.bill("2023-12-31", book=BOOK)
    leaked = sum(entry.leaked_seconds for entry in wanted_from(shared_data).values())
    assert run["leaked_seconds"] == leaked > 0  # every minute below half a step is named
    return bare_office


def wanted_from(data: Path) -> dict[tuple[str, str], billing_log.Expected]:
    return billing_log.expected_invoices(data)


def import_log(office: Office, data: Path, **more: Any) -> Any:
    file = data / billing_log.FOLDER / "timesheet.csv.xz"
    return office.import_file(
        file,
        "billing_log",
        book=BOOK,
        source=billing_log.SOURCE,
        profile_definition=billing_log.PROFILE,
        as_of="2024-01-01T00:00:00Z",
        **more,
    )


def test_the_billing_log_is_invoiced_as_computed_from_the_file(
    billed: Office, shared_data: Path
) -> None:
    wanted = wanted_from(shared_data)
    money, worked, hours = per_client_and_period(billed)
    assert money == {key: entry.amount for key, entry in wanted.items()}
    assert worked == {key: entry.worked_seconds for key, entry in wanted.items()}
    hourly = {key for key in wanted if hours.get(key)}
    assert hours == {key: Decimal(wanted[key].billed_tenths) / 10 for key in hourly}
    clients = billing_log.read_clients(shared_data)
    assert {code for code, _ in hourly} == {c.code for c in clients.values() if c.kind == "hourly"}
    in_ledger = sum(billed.invoices(REALM), Decimal(0))
    assert in_ledger == sum(entry.amount for entry in wanted.values())
    assert billed.reconcile(BOOK) == []

    # Everything twice: the same file, and an older one with other content, change nothing.
    before = (billed.documents(BOOK), billed.creates(REALM))
    again = import_log(billed, shared_data)
    assert again["outcomes"]["unchanged"] == 8588
    billed.bill("2023-12-31", book=BOOK)
    assert (billed.documents(BOOK), billed.creates(REALM)) == before


def per_client_and_period(office: Office) -> tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any]]:
    money: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    worked: dict[tuple[str, str], int] = defaultdict(int)
    hours: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in office.documents(BOOK):
        document = office.client.get("poster", f"/v1/documents/{row['document_id']}")
        key = (document["client"], document["period"])
        money[key] += Decimal(document["total"])
        for line in document["lines"]:
            worked[key] += line["worked_seconds"]
            if Decimal(line["quantity"]) * Decimal(line["unit_price"]) and line["billed_seconds"]:
                hours[key] += Decimal(line["billed_seconds"]) / 3600
    return dict(money), dict(worked), {key: value for key, value in hours.items() if value}
