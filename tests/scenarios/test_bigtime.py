"""BigTime to QuickBooks through all services: polled, mapped, priced, posted, and read again.

Each step is taken twice: the second time must change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios.office import BOOK, Office, configuration
from tests.support.bigtime_firm import REALM, SMALL, BigTimeFirm, running_bigtime
from tests.support.installation import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database]

SOURCE = "firm"
CUSTOMERS = {"Edison Attic": ["Evaluation"], "Curie Labs": []}
MONDAY = "2026-11-09"


class Agency:
    """A BigTime firm that an office polls."""

    def __init__(self, office: Office, firm: BigTimeFirm) -> None:
        self.office = office
        self.firm = firm

    def connect(self, **settings: Any) -> None:
        self.office.connect(customers=CUSTOMERS)
        self.office.configure(
            configuration(
                sources=[{"name": SOURCE, "system": "bigtime", "zone": "America/New_York"}],
                clients=[{"client": name, "customer": {"name": name}} for name in CUSTOMERS],
                projects=[
                    {
                        "project": "Evaluation",
                        "client": "Edison Attic",
                        "job": {"name": "Edison Attic:Evaluation"},
                    }
                ],
                tasks=[{"task": "Design", "item": {"name": "Consulting"}}],
            )
        )
        connection = {
            "name": SOURCE,
            "system": "bigtime",
            "account": REALM,
            "api_base_url": self.firm.api_url,
            "secrets": {"api_key": self.firm.key},
            "settings": {"base_currency": "USD", "zone": "America/New_York", **settings},
            "calls_per_minute": 60_000,
            "calls_per_second": 1_000,
        }
        self.office.client.post("ingestor", "/v1/source-connections", connection)
        self.office.client.post("ingestor", self._path("feeds"), {"connection": SOURCE})
        self.wait()

    def poll(self) -> None:
        """Read every feed now, and once more: what a first look misses a second asks for."""
        for _ in range(2):
            before = self._finished()
            self.office.client.post("ingestor", self._path("poll"), {})
            wait_until(lambda before=before: self._is_after(before), "every feed to be read", 60)
        self.office.settle()

    def wait(self) -> None:
        wait_until(lambda: all(self._finished().values()), "first readings to end", 60)
        self.office.settle()

    def readings(self, feed: str) -> list[dict[str, Any]]:
        answer = self.office.client.get("ingestor", self._path("readings"))
        return [each for each in answer["readings"] if each["feed"] == feed]

    def rejected(self) -> list[Any]:
        rows: list[Any] = self.office.client.get("ingestor", self._path("rejected"))["rejected"]
        return rows

    def _path(self, what: str) -> str:
        return f"/v1/books/{BOOK}/sources/{SOURCE}/{what}"

    def _finished(self) -> dict[str, Any]:
        rows = self.office.client.get("ingestor", "/v1/feeds", book=BOOK, source=SOURCE)["feeds"]
        failed = [(row["feed"], row["last_error"]) for row in rows if row["last_error"]]
        assert failed == []
        return {row["feed"]: row["last_finished_at"] for row in rows}

    def _is_after(self, before: dict[str, Any]) -> bool:
        return all(at > before[feed] for feed, at in self._finished().items())


@pytest.fixture
def agency(bare_office: Office) -> Iterator[Agency]:
    with running_bigtime(SMALL) as firm:
        yield Agency(bare_office, firm)


def test_approved_hours_become_one_invoice_whatever_their_ids_do(agency: Agency) -> None:
    office, firm = agency.office, agency.firm
    approved = firm.enter(MONDAY, "2.5", approved=True, Notes="Workshop")
    twins = [firm.enter(MONDAY, "0.5", Notes="Call") for _ in range(2)]
    firm.enter(MONDAY, "1", approved=True, NoCharge=True)
    agency.connect(approved_only=True)
    for _ in range(2):
        office.bill("2026-11-30")
        assert office.invoices() == [Decimal("375.00")]
        agency.poll()
    firm.approve(*firm.submit(*twins))
    for _ in range(2):
        agency.poll()
        office.bill("2026-11-30")
        assert sum(office.invoices(), Decimal(0)) == Decimal("525.00")
    (returned,) = firm.reject(approved, note="3 hours, was it not?")
    firm.edit(returned, Hours_IN="3")
    firm.approve(*firm.submit(returned))
    for _ in range(2):
        agency.poll()
        office.bill("2026-11-30")
        billed = sum(office.invoices(), Decimal(0)) - sum(office.credit_memos(), Decimal(0))
        assert billed == Decimal("600.00")
    assert agency.rejected() == []
    assert office.parked() == []
    assert office.reconcile() == []


def test_what_people_delete_after_posting_is_taken_back(agency: Agency) -> None:
    office, firm = agency.office, agency.firm
    kept = firm.enter(MONDAY, "2", approved=True)
    lost = firm.enter(MONDAY, "1", approved=True)
    agency.connect()
    office.bill("2026-11-30")
    assert office.invoices() == [Decimal("450.00")]
    firm.delete(lost)
    for _ in range(2):
        agency.poll()
        office.bill("2026-11-30")
        billed = sum(office.invoices(), Decimal(0)) - sum(office.credit_memos(), Decimal(0))
        assert billed == Decimal("300.00")
    assert firm.entry(kept).sid == kept
    assert sum(reading["deleted"] for reading in agency.readings("time")) == 1
    assert office.reconcile() == []
