"""A workload that goes on while things are killed, and the checker that trusts nobody."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from hourbridge.common.errors import HourbridgeError
from hourbridge.sandbox.quickbooks_online.seed import CompanySeed, seed_company
from hourbridge.sandbox.quickbooks_online.server import SandboxServer
from tests.support.installation import Installation, wait_until

BOOK, SOURCE, REALM = "chaos", "tracker", "9130350000000099"
RATE = Decimal("150.00")


@dataclass(frozen=True)
class Workload:
    """Entries over clients and months; every third minute counts the same in any rounding."""

    entries: int = 5_000
    clients: int = 20
    months: int = 3
    seed: int = 1

    def statements(self) -> Iterator[dict[str, Any]]:
        """Yield the entries as upstream reports them; a few of them are not billable."""
        chance = random.Random(self.seed)
        for number in range(self.entries):
            tenths = chance.randrange(1, 80)
            unpaid = number % 50 == 0
            yield {
                "external_id": f"E{number}",
                "staff_id": f"p{number % 15}",
                "client_id": f"Client {number % self.clients}",
                "work_date": f"2026-{1 + number % self.months:02}-{1 + number % 28:02}",
                "input": {"seconds": tenths * 360},
                "billable_state": "non_billable" if unpaid else "billable",
                "approval": {"state": "approved"},
                "external_version": "1",
            }

    def money(self) -> Decimal:
        """Return what all billable entries come to."""
        return sum(
            (
                RATE * entry["input"]["seconds"] / 3600
                for entry in self.statements()
                if entry["billable_state"] == "billable"
            ),
            Decimal(0),
        )

    def configuration(self) -> dict[str, Any]:
        """Return the book."""
        names = [f"Client {number}" for number in range(self.clients)]
        return {
            "book": BOOK,
            "currency": "USD",
            "zone": "UTC",
            "ledger": {"kind": "quickbooks_online", "connection": BOOK, "company_id": REALM},
            "sources": [{"name": SOURCE, "system": "tracker"}],
            "clients": [{"client": name, "customer": {"name": name}} for name in names],
            "default_item": {"name": "Consulting"},
            "rates": {"rules": [{"amount": str(RATE)}]},
            "invoicing": {"grouping": "client_month", "lines": "entry"},
        }


@dataclass
class Chaos:
    """An installation, its ledger, and an upstream system that never gives up."""

    installation: Installation
    workload: Workload
    sandbox: SandboxServer = field(default_factory=SandboxServer)
    key: str = ""
    killed: list[str] = field(default_factory=list)

    def open(self, *, requestid_memory_seconds: int, lost_responses: str) -> None:
        """Start everything; the ledger loses a share of its answers after it has committed."""
        self.sandbox.world.settings.change(
            {
                "requests_per_minute_max": None,
                "requests_per_second_max": None,
                "requestid_memory_seconds": requestid_memory_seconds,
            }
        )
        self.sandbox.start()
        customers = {f"Client {n}": [] for n in range(self.workload.clients)}
        seed = CompanySeed(realm=REALM, customers=customers, items=["Consulting"])
        token = seed_company(self.sandbox.world, seed)
        self.installation.setup()
        self.installation.start_all()
        self._connect(token)
        httpx.put(
            f"{self.sandbox.base_url}/_sandbox/faults",
            json={"lose_response": {"rate": lost_responses}},
        ).raise_for_status()

    def _connect(self, refresh_token: str) -> None:
        settings = self.sandbox.world.settings
        with self.installation.client() as client:
            request = {
                "name": BOOK,
                "company_id": REALM,
                "api_base_url": self.sandbox.base_url,
                "token_url": self.sandbox.token_url,
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
                "refresh_token": refresh_token,
                "calls_per_minute": 60_000,
                "calls_per_second": 1_000,
            }
            client.post("poster", "/v1/connections", request)
            content = json.dumps(self.workload.configuration()).encode()
            client.post("mapper", "/v1/mappings/apply", content=content)
            path = f"/v1/books/{BOOK}/sources/{SOURCE}/keys"
            self.key = client.post("ingestor", path, {})["key"]

    def close(self) -> None:
        """End everything."""
        self.installation.close()
        self.sandbox.stop()

    # --- upstream ---------------------------------------------------------------------------

    def send_everything(self, *, events_per_request: int = 50, pause_seconds: float = 0.05) -> None:
        """Send all entries in batches, each one again until it is acknowledged."""
        batch: list[dict[str, Any]] = []
        for entry in self.workload.statements():
            batch.append(self.event_of(entry))
            if len(batch) == events_per_request:
                self._send(batch)
                batch = []
                time.sleep(pause_seconds)
        if batch:
            self._send(batch)

    def event_of(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return the CloudEvent that reports an entry."""
        return {
            "specversion": "1.0",
            "id": entry["external_id"],
            "source": f"/{SOURCE}",
            "type": "hourbridge.time_entry.reported.v1",
            "book": BOOK,
            "data": entry,
        }

    def _send(self, events: list[dict[str, Any]]) -> None:
        wait_until(lambda: self.try_to_send(events), "a batch to be acknowledged", 120)

    def try_to_send(self, events: list[dict[str, Any]]) -> bool:
        """Send a batch once; return whether it was acknowledged."""
        url = f"http://127.0.0.1:{self.installation.ports['ingestor']}/v1/events"
        headers = {
            "Content-Type": "application/cloudevents-batch+json",
            "Authorization": f"Bearer {self.key}",
        }
        try:
            answer = httpx.post(url, json=events, headers=headers, timeout=30)
        except httpx.TransportError:
            return False
        return answer.status_code == 202

    def bill(self) -> bool:
        """Ask for a billing run; whatever fails because something was killed is asked again."""
        with self.installation.client() as client:
            try:
                position = client.get("ingestor", f"/v1/books/{BOOK}/position")["sequence"]
                request = {"through": "2026-12-31", "sequence": position}
                client.post("poster", f"/v1/books/{BOOK}/bill", request)
            except HourbridgeError:
                return False
        return True

    # --- the end ----------------------------------------------------------------------------

    def settle(self) -> None:
        """Wait until every hour is on a posted document."""
        wait_until(self.bill, "a billing run", 120)
        wait_until(self._is_done, "everything posted", 240, self.state)

    def _is_done(self) -> bool:
        self.installation.revive()
        status = self.status()
        if status is None or status["watermark"] < self.workload.entries:
            return False
        if status["charges"].get("unbilled"):
            self.bill()
            return False
        waiting = sum(status["operations"].values())
        documents = status["documents"]
        return not waiting and documents.get("posted", 0) == sum(documents.values()) > 0

    def status(self) -> Any:
        """Return the poster's view of the book; None while it does not answer."""
        with self.installation.client() as client:
            try:
                return client.get("poster", f"/v1/books/{BOOK}/status")
            except HourbridgeError:
                return None

    def state(self) -> Any:
        """Return all that helps to see why something does not end."""
        logs = [self.installation.log_tail(name)() for name in self.installation.processes]
        return json.dumps(self.status(), default=str) + "\n".join(logs)[-6000:]

    def check(self) -> None:
        """Every entry is posted or skipped; no invoice twice; money in equals money out."""
        base = f"{self.sandbox.base_url}/_sandbox/companies/{REALM}"
        creates = httpx.get(f"{base}/creates", timeout=60).json()
        doubled = {n: ids for n, ids in creates["Invoice"].items() if len(ids) != 1}
        assert doubled == {}
        books = json.loads(httpx.get(base, timeout=60).text, parse_float=Decimal)
        total = sum((Decimal(str(i["TotalAmt"])) for i in books["tables"]["Invoice"]), Decimal(0))
        assert total == self.workload.money()
        assert not books["tables"].get("CreditMemo")
        with self.installation.client() as client:
            assert client.get("mapper", "/v1/parked", book=BOOK)["parked"] == []
            assert client.get("poster", "/v1/parked", book=BOOK)["parked"] == []
            client.post("reconciler", f"/v1/books/{BOOK}/reconcile", {})
            found = client.get("reconciler", f"/v1/books/{BOOK}/discrepancies", state="open")
            assert found["discrepancies"] == []
            for service in self.installation.ports:
                assert client.get(service, "/v1/dead")["dead"] == []


def in_background(work: Any) -> threading.Thread:
    """Start ``work`` in a thread."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
