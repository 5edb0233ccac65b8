"""An office to play scenarios in: all four services on real servers, one ledger, short verbs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.billing import run_billing
from hourbridge.cli.commands.currencies import revalue_month
from hourbridge.cli.commands.imports import run_import
from hourbridge.cli.platform import Platform
from hourbridge.common.exact_json import dumps
from hourbridge.sandbox.quickbooks_online.chart import CHART, chart_configuration
from hourbridge.sandbox.quickbooks_online.seed import CompanySeed, seed_company
from hourbridge.sandbox.quickbooks_online.server import SandboxServer
from tests.scenarios.journal_verbs import JournalVerbs
from tests.support.installation import FERNET_KEY, wait_until

BOOK, SOURCE, REALM = "office", "tracker", "9130350000000042"
CUSTOMERS = {"Acme": ["Rocket"], "Birch": []}
ITEMS = ["Consulting", "Audit services"]


def configuration(**changes: Any) -> dict[str, Any]:
    """Return the conventions of the scenarios: USD, 150.00/h, six minutes half up per entry."""
    return {
        "book": BOOK,
        "currency": "USD",
        "zone": "America/New_York",
        "ledger": {"kind": "quickbooks_online", "connection": BOOK, "company_id": REALM},
        "sources": [{"name": SOURCE, "system": "tracker", "zone": "America/New_York"}],
        "clients": [{"client": name, "customer": {"name": name}} for name in CUSTOMERS],
        "projects": [{"project": "Rocket", "client": "Acme", "job": {"name": "Acme:Rocket"}}],
        "tasks": [{"task": "Consulting", "item": {"name": "Consulting"}}],
        "default_item": {"name": "Consulting"},
        "rates": {"use_source_rate": True, "rules": [{"amount": "150.00"}]},
        "invoicing": {"grouping": "client_month", "lines": "entry"},
        "accounts": chart_configuration(),
        **changes,
    }


def entry(
    external_id: str, hours: str, *, day: str = "2026-01-15", **fields: Any
) -> dict[str, Any]:
    """Return one approved, billable time entry of Acme, as an upstream system reports it."""
    seconds = int(Decimal(hours) * 3600)
    return {
        "external_id": external_id,
        "staff_id": "ada",
        "client_id": "Acme",
        "work_date": day,
        "input": {"seconds": seconds, "decimal_text": hours},
        "billable_state": "billable",
        "approval": {"state": "approved"},
        "external_version": "1",
        **fields,
    }


class Office(JournalVerbs):
    """Verbs of the scenarios; every wait ends by the state it waits for, not by time."""

    def __init__(self, broker_url: str, database_url: str) -> None:
        self.sandbox = SandboxServer()
        self.sandbox.world.settings.change(
            {"requests_per_minute_max": None, "requests_per_second_max": None}
        )
        self.platform = Platform(
            overrides={
                "broker_url": broker_url,
                "database_url": database_url,
                "encryption_keys": (FERNET_KEY,),
                "retry_delays_seconds": (1, 2),
            },
            free_ports=True,
        )
        self.client: AdminClient
        self.books: set[str] = set()
        self._keys: dict[str, str] = {}
        self._http = httpx.Client(timeout=60)

    def open(self) -> None:
        """Start the ledger and the services."""
        self.sandbox.start()
        self.platform.start(ready_timeout_seconds=60)
        self.client = AdminClient(self.platform.client_settings())

    def close(self) -> None:
        """End everything."""
        self._http.close()
        self.platform.stop()
        self.sandbox.stop()

    # --- set-up -----------------------------------------------------------------------------

    def connect(
        self,
        *,
        name: str = BOOK,
        realm: str = REALM,
        customers: Mapping[str, Sequence[str]] = CUSTOMERS,
        items: Sequence[str] = ITEMS,
        **more: Any,
    ) -> None:
        """Open a company in the ledger and connect it; ``more`` are further parts of its seed.

        The company has an account for each role (``chart``), and the vendors Bravo and Hotel Ritz.
        """
        seed = CompanySeed(realm=realm, customers=customers, items=items, **more)
        token = seed_company(self.sandbox.world, seed)
        settings = self.sandbox.world.settings
        request = {
            "name": name,
            "company_id": realm,
            "api_base_url": self.sandbox.base_url,
            "token_url": self.sandbox.token_url,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "refresh_token": token,
            "calls_per_minute": 60_000,
            "calls_per_second": 1_000,
            "batches_per_minute": 60_000,
        }
        self.client.post("poster", "/v1/connections", request)

    def configure(self, document: Mapping[str, Any]) -> Any:
        """Apply a book configuration."""
        self.books.add(document["book"])
        content = json.dumps(document).encode()
        return self.client.post("mapper", "/v1/mappings/apply", content=content)

    # --- doing ------------------------------------------------------------------------------

    def report(
        self,
        *entries: Mapping[str, Any],
        book: str = BOOK,
        source: str = SOURCE,
        record_type: str = "time_entry",
    ) -> Any:
        """Send records as a batch of CloudEvents; return the status of each."""
        events = [
            self._event(record, book, source, number, record_type)
            for number, record in enumerate(entries)
        ]
        answer = self._http.post(
            self.platform.runners["ingestor"].http.url + "/v1/events",
            content=json.dumps(events),
            headers={
                "Content-Type": "application/cloudevents-batch+json",
                "Authorization": f"Bearer {self._key(book, source)}",
            },
        )
        assert answer.status_code == 202, answer.text
        return answer.json()

    def _event(
        self,
        record: Mapping[str, Any],
        book: str,
        source: str,
        number: int,
        record_type: str,
    ) -> dict[str, Any]:
        version = record.get("external_version", "")
        return {
            "specversion": "1.0",
            "id": f"{record.get('external_id')}-{version}-{number}-{hash(json.dumps(record))}",
            "source": f"/{source}",
            "type": f"hourbridge.{record_type}.reported.v1",
            "book": book,
            "datacontenttype": "application/json",
            "data": record,
        }

    def _key(self, book: str, source: str) -> str:
        name = f"{book}/{source}"
        if name not in self._keys:
            path = f"/v1/books/{book}/sources/{source}/keys"
            self._keys[name] = self.client.post("ingestor", path, {})["key"]
        return self._keys[name]

    def import_file(self, file: Path, profile: str, *, book: str, source: str, **more: Any) -> Any:
        """Import a file; return the summary."""
        query = {
            "book": book,
            "source": source,
            "profile": profile,
            "mode": "append",
            "filename": file.name,
            **more,
        }
        return run_import(self.client, file, query, show_progress=False)

    def bill(
        self, through: str = "2026-12-31", *, book: str = BOOK, project: str | None = None
    ) -> Any:
        """Bill through a date and wait until everything is posted or parked."""
        scope = {"project": project}
        run = run_billing(self.client, book, through, wait_seconds=120, scope=scope)
        self.settle(book)
        return run

    def settle(self, book: str = BOOK) -> None:
        """Wait until all hours have arrived at the poster and nothing is on its way."""
        wait_until(lambda: self._arrived(book), "hours to arrive at the poster")
        wait_until(lambda: not self._moving(book), "documents to settle", 180)

    def _arrived(self, book: str) -> bool:
        accepted = self.client.get("ingestor", f"/v1/books/{book}/position")["sequence"]
        return bool(self.poster_status(book)["watermark"] >= accepted)

    def _moving(self, book: str) -> bool:
        status = self.poster_status(book)
        open_states = ("pending", "sending", "unknown")
        moving = any(status["operations"].get(state) for state in open_states)
        return bool(
            moving
            or status["corrections_due"]
            or status["activities_due"]
            or status["retainers_due"]
            or status["recognition_due"]
            or status["currencies_due"]
        )

    def poster_status(self, book: str = BOOK) -> Any:
        """Return the poster's view of a book."""
        return self.client.get("poster", f"/v1/books/{book}/status")

    def reconcile(self, book: str = BOOK) -> list[dict[str, Any]]:
        """Reconcile; return the open discrepancies."""
        self.client.post("reconciler", f"/v1/books/{book}/reconcile", {})
        answer = self.client.get("reconciler", f"/v1/books/{book}/discrepancies", state="open")
        rows: list[dict[str, Any]] = answer["discrepancies"]
        return rows

    # --- looking ----------------------------------------------------------------------------

    def parked(self, service: str = "mapper", book: str = BOOK) -> list[dict[str, Any]]:
        """Return what is parked in a service."""
        rows: list[dict[str, Any]] = self.client.get(service, "/v1/parked", book=book)["parked"]
        return rows

    def documents(self, book: str = BOOK) -> list[dict[str, Any]]:
        """Return our documents."""
        path = f"/v1/books/{book}/documents"
        rows: list[dict[str, Any]] = self.client.get("poster", path, limit=1000)["documents"]
        return rows

    def ledger(self, kind: str, realm: str = REALM) -> list[dict[str, Any]]:
        """Return the ledger's documents of a kind, as its own books hold them now."""
        books = self._http.get(f"{self.sandbox.base_url}/_sandbox/companies/{realm}")
        document = json.loads(books.text, parse_float=Decimal)
        rows: list[dict[str, Any]] = document["tables"].get(kind, [])
        return rows

    def invoices(self, realm: str = REALM) -> list[Decimal]:
        """Return the totals of the ledger's invoices."""
        return amounts(self.ledger("Invoice", realm))

    def credit_memos(self, realm: str = REALM) -> list[Decimal]:
        """Return the totals of the ledger's credit memos."""
        return amounts(self.ledger("CreditMemo", realm))

    def creates(self, realm: str = REALM) -> dict[str, dict[str, list[str]]]:
        """Return, by kind and number, every create that the ledger ever carried out."""
        url = f"{self.sandbox.base_url}/_sandbox/companies/{realm}/creates"
        found: dict[str, dict[str, list[str]]] = self._http.get(url).json()
        return found

    def ledger_balances(self, realm: str = REALM) -> dict[str, Decimal]:
        """Return the balance of each account in the ledger's own general ledger, debits positive.

        In home currency, accounts without balance left out: the ledger's opinion, not ours.
        """
        url = f"{self.sandbox.base_url}/_sandbox/companies/{realm}/trial-balance"
        found = json.loads(self._http.get(url).text, parse_float=Decimal)
        return {account: amount for account, amount in found.items() if amount}

    def accounts_that_differ(self, realm: str = REALM) -> dict[str, tuple[Decimal, Decimal]]:
        """Return, by role, what our journal and the ledger's general ledger hold differently.

        Two books of the same effects, by two programs: ours first. Receivables and payables of
        all currencies count together. Of a book with this company and the accounts of its chart.
        """
        theirs = dict.fromkeys(CHART, Decimal(0))
        roles = {name: role for role, (name, _) in CHART.items()}
        for account, amount in self.ledger_balances(realm).items():
            name = account.partition(" - ")[0]
            theirs[roles.get(name, name)] = theirs.get(roles.get(name, name), Decimal(0)) + amount
        ours = self.balances()
        return {
            role: (ours.get(role, Decimal(0)), theirs.get(role, Decimal(0)))
            for role in sorted({*ours, *theirs})
            if ours.get(role, Decimal(0)) != theirs.get(role, Decimal(0))
        }

    def person(self, action: str, resource: str, realm: str = REALM, **body: Any) -> Any:
        """Let somebody work in the ledger by hand: add, edit, edit_line, delete, void, pay."""
        url = f"{self.sandbox.base_url}/_sandbox/companies/{realm}/people/{resource}"
        answer = self._http.post(url, content=dumps({"action": action, **body}))
        assert answer.is_success, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def ledger_settings(self, section: str, realm: str = REALM, **values: Any) -> None:
        """Change how the ledger's company works: ``preferences`` or ``arithmetic``."""
        url = f"{self.sandbox.base_url}/_sandbox/companies/{realm}/{section}"
        answer = self._http.put(url, content=dumps(values))
        assert answer.is_success, answer.text

    # --- currencies -------------------------------------------------------------------------

    def import_rates(self, day: str, **rates: str) -> Any:
        """Let the ECB publish the rates of a day: units per euro, by currency."""
        table = f"Date,{','.join(rates)},\n{day},{','.join(rates.values())},\n"
        return self.import_rates_file(table.encode())

    def import_rates_file(self, content: bytes, **query: str) -> Any:
        """Import a file of rates, as published."""
        return self.client.post("poster", "/v1/rates/import", content=content, query=query)

    def pay(self, external_id: str, amount: str, day: str, **fields: Any) -> Any:
        """Report a payment of Acme's, and wait until it is in the books or waits for something."""
        record = {
            "external_id": external_id,
            "client_id": "Acme",
            "payment_date": day,
            "amount": amount,
            "external_version": "1",
            **fields,
        }
        answer = self.report(record, record_type="payment")
        self.settle()
        return answer

    def revalue(self, month: str, *, book: str = BOOK) -> Any:
        """Revalue a month's open balances; return what the run came to."""
        run = revalue_month(self.client, book, month, wait_seconds=60)
        self.settle(book)
        return run

    # --- prices -----------------------------------------------------------------------------

    def document(self, number: str, book: str = BOOK) -> dict[str, Any]:
        """Return one of our documents, with its lines."""
        (row,) = (each for each in self.documents(book) if each["number"] == number)
        found: dict[str, Any] = self.client.get("poster", f"/v1/documents/{row['document_id']}")
        return found

    def documents_of(
        self, client: str, *, kind: str = "invoice", book: str = BOOK
    ) -> list[dict[str, Any]]:
        """Return a client's documents of a kind that were not withdrawn, oldest first."""
        rows = [
            self.client.get("poster", f"/v1/documents/{row['document_id']}")
            for row in self.documents(book)
            if row["client"] == client and row["kind"] == kind and row["status"] != "withdrawn"
        ]
        return sorted(rows, key=lambda row: int(row["number"].rpartition("-")[2]))

    def charges_on(self, document: Mapping[str, Any], book: str = BOOK) -> list[dict[str, Any]]:
        """Return the charges that a document bills, as they are now."""
        answer = self.client.get(
            "poster", f"/v1/books/{book}/charges", document_id=document["document_id"]
        )
        return [row["charge"] for row in answer["charges"]]

    def passed_by(self, book: str = BOOK) -> list[dict[str, Any]]:
        """Return what billing runs passed by: over a cap, below a step."""
        answer = self.client.get("poster", f"/v1/books/{book}/passed-by")
        rows: list[dict[str, Any]] = answer["passed_by"]
        return rows

    def decide(self, action: str, document: Mapping[str, Any], **request: Any) -> Any:
        """Decide about a document: release, adjust, credit, withdraw."""
        path = f"/v1/documents/{document['document_id']}/{action}"
        answer = self.client.post("poster", path, request)
        self.settle()
        return answer


def amounts(documents: Iterable[Mapping[str, Any]]) -> list[Decimal]:
    """Return the totals of ledger documents, at two decimals."""
    return sorted(Decimal(str(row["TotalAmt"])).quantize(Decimal("0.01")) for row in documents)
