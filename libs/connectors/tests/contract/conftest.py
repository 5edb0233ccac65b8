"""One company, whichever it is, seen through nothing but our connector."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from hourbridge.common.book import LedgerBinding, LedgerReference
from hourbridge.common.clock import SystemClock
from hourbridge.connectors.connections import ConnectionStore
from hourbridge.connectors.ledger import Ledger
from hourbridge.connectors.opening import open_ledger
from hourbridge.connectors.quickbooks_online.connecting import open_transport
from hourbridge.connectors.quickbooks_online.inbound.source import QuickBooksOnlineSource
from hourbridge.connectors.quickbooks_online.transport import Transport
from hourbridge.connectors.source import Statement


@dataclass
class Company:
    """What a contract test works with. Names are new in each run: the company may be a real one."""

    transport: Transport
    ledger: Ledger
    source: QuickBooksOnlineSource
    binding: LedgerBinding
    run: str

    def name(self, text: str) -> str:
        """Return a name that nobody has used."""
        return f"{text} {self.run}"

    def create(self, entity: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an entry of a list and return it."""
        key = {"requestid": secrets.token_hex(12)}
        created: dict[str, Any] = self.transport.write(entity.lower(), body, key)[entity]
        return created

    def change(self, entity: str, row: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Change an entry, as it stands now, and return it."""
        now = self.transport.get(f"{entity.lower()}/{row['Id']}")[entity]
        body = {**now, **changes, "sparse": True}
        changed: dict[str, Any] = self.transport.write(entity.lower(), body, {})[entity]
        return changed

    def service_item(self) -> LedgerReference:
        """Return any item that can be sold."""
        found = next(i for i in self.ledger.entities("item") if i.type == "Service" and i.is_active)
        return LedgerReference(id=found.ledger_id)

    def recent(self, feed: str) -> dict[str, Statement]:
        """Return what a feed states of the last minutes, by external id."""
        clock = SystemClock()
        since = (clock.now() - timedelta(minutes=5)).isoformat()
        cursor: str = f'{{"mode": "changes", "since": "{since}", "is_complete": true}}'
        found: dict[str, Statement] = {}
        is_last = False
        while not is_last:
            page = self.source.read(feed, cursor)
            found |= {str(s.notes["external_id"]): s for s in page.statements}
            cursor, is_last = page.cursor, page.is_last
        return found


@pytest.fixture
def company(contract_company: Any, contract_connections: ConnectionStore) -> Iterator[Company]:
    with contextlib.ExitStack() as opened:
        transport = open_transport(
            contract_connections.get("main"),
            contract_connections,
            timeout_seconds=60,
            observer=lambda _exchange: None,
            caller="reading",
        )
        opened.callback(transport.close)
        binding = LedgerBinding(
            kind="quickbooks_online",
            connection="main",
            company_id=contract_company.connection.company_id,
        )
        ledger = opened.enter_context(
            contextlib.closing(open_ledger(binding, contract_connections))
        )
        source = QuickBooksOnlineSource(transport, SystemClock())
        yield Company(transport, ledger, source, binding, secrets.token_hex(4))


@pytest.fixture
def invoice_of(document: Callable[..., Any], line: Callable[..., Any]) -> Callable[..., Any]:
    """Make one of our invoices for a customer of the company."""

    def make(company: Company, customer_id: str, **changes: Any) -> Any:
        return document(
            document_id=f"{company.run}-0000-5000-8000-000000000001",
            ledger=company.binding,
            number=f"HB-{company.run}",
            customer=LedgerReference(id=customer_id),
            lines=(line(item=company.service_item()),),
            **changes,
        )

    return make
