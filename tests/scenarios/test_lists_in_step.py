"""Lists in step through all services: a client that only BigTime knew becomes a customer, once.

Both systems are polled for real; hours wait for the link, and go on by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios.office import BOOK, REALM, Office, configuration
from tests.scenarios.test_bigtime import MONDAY, SOURCE, Agency
from tests.support.bigtime_firm import SMALL, running_bigtime
from tests.support.installation import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database]

LEDGER_SOURCE = "ledger-lists"
LISTS = {
    "rules": [
        {"list": "client", "direction": "source_to_ledger", "approval": "automatic"},
        {"list": "project", "direction": "source_to_ledger", "approval": "automatic"},
    ]
}


def linked_configuration(**changes: Any) -> dict[str, Any]:
    """Return a book that maps nobody by rule: clients and projects are found by their links."""
    return configuration(
        sources=[
            {"name": SOURCE, "system": "bigtime", "zone": "America/New_York"},
            {"name": LEDGER_SOURCE, "system": "quickbooks_online"},
        ],
        clients=[],
        projects=[],
        tasks=[{"task": "Design", "item": {"name": "Consulting"}}],
        lists=LISTS,
        **changes,
    )


class Both(Agency):
    """An agency whose ledger's lists are polled too."""

    def connect_both(self, customers: dict[str, list[str]]) -> None:
        office = self.office
        office.connect(customers=customers)
        office.configure(linked_configuration())
        self.add(
            SOURCE,
            "bigtime",
            self.firm.realm,
            self.firm.api_url,
            {"api_key": self.firm.key},
            {"base_currency": "USD", "zone": "America/New_York"},
        )
        self.add(LEDGER_SOURCE, "quickbooks_online", REALM, office.sandbox.base_url, {}, {}, BOOK)
        wait_until(self.are_read, "first readings of both systems", 90)

    def add(
        self,
        source: str,
        system: str,
        account: str,
        url: str,
        secrets: dict[str, str],
        settings: dict[str, Any],
        name: str | None = None,
    ) -> None:
        connection = {
            "name": name or source,
            "system": system,
            "account": account,
            "api_base_url": url,
            "secrets": secrets,
            "settings": settings,
            "calls_per_minute": 60_000,
            "calls_per_second": 1_000,
        }
        self.office.client.post("ingestor", "/v1/source-connections", connection)
        path = f"/v1/books/{BOOK}/sources/{source}/feeds"
        self.office.client.post("ingestor", path, {"connection": name or source})

    def are_read(self) -> bool:
        feeds = self.office.client.get("ingestor", "/v1/feeds", book=BOOK)["feeds"]
        failed = [(row["feed"], row["last_error"]) for row in feeds if row["last_error"]]
        assert failed == []
        return all(row["last_finished_at"] for row in feeds)

    def poll_all(self) -> None:
        for source in (SOURCE, LEDGER_SOURCE):
            self.office.client.post("ingestor", f"/v1/books/{BOOK}/sources/{source}/poll", {})
        self.office.settle()

    def customers(self) -> list[str]:
        return sorted(row["FullyQualifiedName"] for row in self.office.ledger("Customer"))


@pytest.fixture
def both(bare_office: Office) -> Iterator[Both]:
    with running_bigtime(SMALL) as firm:
        yield Both(bare_office, firm)


def test_a_new_client_becomes_a_customer_and_its_hours_are_billed(both: Both) -> None:
    office, firm = both.office, both.firm
    firm.enter(MONDAY, "2", approved=True)
    both.connect_both({"Curie Labs": []})
    wait_until(lambda: "Edison Attic:Evaluation" in both.customers(), "the job", 90)
    for _ in range(2):
        wait_until(lambda: office.parked() == [], "waiting hours to go on", 60)
        office.bill("2026-11-30")
        assert office.invoices() == [Decimal("300.00")]
        names = both.customers()
        assert len(names) == len(set(names))
        assert names.count("Curie Labs") == names.count("Edison Attic") == 1
        both.poll_all()
    (invoice,) = office.ledger("Invoice")
    assert invoice["CustomerRef"]["value"] in {
        row["Id"]
        for row in office.ledger("Customer")
        if row["FullyQualifiedName"] == "Edison Attic:Evaluation"
    }
    assert office.reconcile() == []
