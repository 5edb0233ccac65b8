"""The same through the real connector, against the QuickBooks Online stand-in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from hourbridge.common.book import LedgerBinding
from hourbridge.common.messages.events import Document, DocumentStatus, LedgerPosition
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections import ConnectionStore, NewConnection
from hourbridge.connectors.ledger import LedgerWrite, WriteKind
from hourbridge.connectors.opening import open_ledger
from hourbridge.reconciler.discrepancies import listed
from hourbridge.reconciler.reconcile import Reconciler
from hourbridge.sandbox.quickbooks_online import (
    CompanySeed,
    SandboxServer,
    SandboxSettings,
    people,
    seed_company,
)
from tests.support.reconciling import BOOK, POSTED_AT, changed, charged, document, line

pytestmark = pytest.mark.database

REALM = "4620816365000000001"
BINDING = LedgerBinding(kind="quickbooks_online", connection="main", company_id=REALM)


class Firm:
    """A book whose ledger is a stand-in company with people at work in it."""

    def __init__(self, bench: Any, server: SandboxServer, connections: ConnectionStore) -> None:
        self._bench = bench
        self._server = server
        self._connections = connections

    def post(self, number: int, quantity: str) -> Document:
        charge_id = f"r{number}"
        self._bench.feed(charged(charge_id, number, int(Decimal(quantity) * 3600)))
        stated = document(f"doc-{number}", [line(1, [charge_id], quantity)], ledger=BINDING)
        with contextlib.closing(open_ledger(BINDING, self._connections)) as ledger:
            write = LedgerWrite(f"key-{number}", WriteKind.CREATE, stated)
            held = ledger.write(write)
        position = LedgerPosition(
            ledger_id=held.ledger_id,
            edit_token=held.edit_token,
            total=held.total,
            posted_at=POSTED_AT,
        )
        posted = stated.model_copy(
            update={"status": DocumentStatus.POSTED, "version": 2, "posted": position}
        )
        self._bench.feed(changed(posted))
        return posted

    def person(self, action: str, **body: Any) -> None:
        with self._server.world.lock:
            company = self._server.world.companies[REALM]
            people.act(company, "invoice", {"action": action, **body})

    def discrepancies(self) -> dict[str, str]:
        reconciler = Reconciler(
            self._bench.settings,
            store=self._bench.store,
            clock=self._bench.clock,
            ledgers=lambda binding: open_ledger(binding, self._connections),
        )
        summary = reconciler.reconcile(BOOK, asked_by="test")
        assert [ledger.error for ledger in summary.ledgers] == [None]
        with self._bench.store.transaction() as connection:
            found = listed(connection, BOOK, state="open", cause=None, limit=100)
        return {each["subject"]: each["cause"] for each in found}


@pytest.fixture
def firm(bench: Any, database_for: Callable[..., str]) -> Iterator[Firm]:
    settings = SandboxSettings(requests_per_minute_max=None, requests_per_second_max=None)
    server = SandboxServer(settings=settings)
    server.start()
    seed = CompanySeed(REALM, customers={"Acme": []}, items=["Consulting"], classes=[])
    refresh_token = seed_company(server.world, seed)
    store = Store(database_for("connections"), "connections")
    connections = ConnectionStore(store, [Fernet.generate_key().decode()])
    connections.save(
        NewConnection(
            name="main",
            kind="quickbooks_online",
            company_id=REALM,
            api_base_url=server.base_url,
            token_url=server.token_url,
            client_id="sandbox-client",
            client_secret=SecretStr("sandbox-secret"),
            refresh_token=SecretStr(refresh_token),
            calls_per_minute=100_000,
            calls_per_second=10_000,
        ),
        actor="test",
    )
    yield Firm(bench, server, connections)
    store.close()
    server.stop()


def test_edited_and_deleted_invoices_are_exactly_two_discrepancies(firm: Firm) -> None:
    # the third quantity can't be stated as a product at the ledger's precision
    for number, quantity in ((1, "5"), (2, "0.25"), (3, "0.1234567"), (4, "1.5")):
        firm.post(number, quantity)
    assert firm.discrepancies() == {}

    firm.person("edit_line", number="HB-1", line=1, changes={"UnitPrice": 145})
    firm.person("delete", number="HB-2")
    firm.person("pay", number="HB-4")

    assert firm.discrepancies() == {"doc-1": "target_edit", "doc-2": "target_deleted"}

    firm.person("edit_line", number="HB-1", line=1, changes={"UnitPrice": 150})
    assert firm.discrepancies() == {"doc-2": "target_deleted"}


def test_voided_and_entered_by_hand(firm: Firm) -> None:
    firm.post(1, "5")
    firm.post(2, "1")
    firm.person("void", number="HB-2")
    detail = {"ItemRef": {"value": "1"}, "Qty": 5, "UnitPrice": 150}
    by_hand = {
        "CustomerRef": {"value": "1"},
        "TxnDate": "2026-03-31",
        "Line": [
            {"DetailType": "SalesItemLineDetail", "Amount": 750, "SalesItemLineDetail": detail}
        ],
    }
    firm.person("add", changes=by_hand)

    assert sorted(firm.discrepancies().values()) == ["target_only", "target_void"]
