"""The whole way to QuickBooks Online: the real connector against its stand-in server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from hourbridge.common.book import InvoicingPolicy, LedgerBinding, LedgerReference
from hourbridge.common.messages.events import DocumentKind, DocumentStatus
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections import ConnectionStore, NewConnection
from hourbridge.connectors.ledger import LedgerDocument
from hourbridge.connectors.opening import open_ledger
from hourbridge.poster.decisions import Decision
from hourbridge.poster.ledger_audit import LedgerAudit
from hourbridge.sandbox.quickbooks_online import (
    CompanySeed,
    SandboxServer,
    SandboxSettings,
    seed_company,
)
from hourbridge.sandbox.quickbooks_online.people import act
from tests.support.charges import exact_time, hours, make_charge
from tests.support.posting import Poster

REALM = "4620816365000000001"
BINDING = LedgerBinding(connection="main", company_id=REALM)
SEED = CompanySeed(REALM, customers={"Acme": ["P1"], "Bolt": []}, items=["Consulting"])
PER_ENTRY = InvoicingPolicy.model_validate({"grouping": "entry"})


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    settings = SandboxSettings(requests_per_minute_max=None, requests_per_second_max=None)
    server = SandboxServer(settings=settings)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def poster(database_for: Callable[..., str], sandbox: SandboxServer) -> Iterator[Poster]:
    url = database_for("poster", "connections")
    connection = NewConnection(
        name="main",
        kind="quickbooks_online",
        company_id=REALM,
        api_base_url=sandbox.base_url,
        token_url=sandbox.token_url,
        client_id="sandbox-client",
        client_secret=SecretStr("sandbox-secret"),
        refresh_token=SecretStr(seed_company(sandbox.world, SEED)),
        calls_per_minute=100_000,
        calls_per_second=10_000,
    )
    with (
        contextlib.closing(Store(url, "poster")) as store,
        contextlib.closing(Store(url, "connections")) as shared,
    ):
        connections = ConnectionStore(shared, [Fernet.generate_key().decode()])
        connections.save(connection, actor="test")
        observer = LedgerAudit(store).observe
        ledger = open_ledger(BINDING, connections, timeout_seconds=2, observer=observer)
        with contextlib.closing(ledger):
            poster = Poster(store, ledger)
            poster.configure()
            yield poster


def bill(poster: Poster, count: int = 1, length: str = "5") -> None:
    poster.charge(
        *(
            make_charge(
                f"c{i}",
                hours(length),
                ledger=BINDING,
                invoicing=PER_ENTRY,
                rounding=exact_time(),
            )
            for i in range(count)
        )
    )
    poster.bill()


def in_ledger(poster: Poster, kind: DocumentKind = DocumentKind.INVOICE) -> list[LedgerDocument]:
    return list(poster.ledger.documents(kind, date(2026, 1, 1), date(2026, 12, 31)))


def test_a_correction_after_posting(poster: Poster) -> None:
    bill(poster)
    poster.post()
    assert poster.document().status is DocumentStatus.POSTED
    poster.charge(
        make_charge("c0", hours("4"), ledger=BINDING, invoicing=PER_ENTRY, rounding=exact_time()),
        revision=2,
    )
    poster.settle()
    (memo,) = in_ledger(poster, DocumentKind.CREDIT_MEMO)
    assert memo.total == Decimal("150.00")
    assert poster.net_billed() == Decimal("600.00")
    exchanges = poster.rows("SELECT * FROM audit WHERE action = 'ledger.exchange'")
    assert {row.detail["status"] for row in exchanges} == {200}


@pytest.mark.parametrize("remembers", [True, False])
def test_lost_answers_make_no_duplicates(
    poster: Poster, sandbox: SandboxServer, remembers: bool
) -> None:
    """A fifth of the answers are lost after the ledger took the write, a tenth of the requests."""
    if not remembers:
        sandbox.world.settings.requestid_memory_seconds = 0
    bill(poster, 30)
    for fault in ("lose_response", "error_after_commit", "lose_request"):
        sandbox.world.disturbances.set(fault, {"rate": "0.1"})
    poster.settle()
    assert len(sandbox.world.disturbances.happened) == 3
    documents = poster.documents()
    assert {document.status for document in documents} == {DocumentStatus.POSTED}
    held = in_ledger(poster)
    assert sorted(str(d.number) for d in held) == sorted(d.number for d in documents)
    assert poster.net_billed() == 30 * Decimal("750.00")


def test_hours_that_no_decimal_gives_cost_what_they_should(poster: Poster) -> None:
    bill(poster, 1, "0.8333333333")
    poster.post()
    document = poster.document()
    assert (document.status, document.reason) == (DocumentStatus.POSTED, None)
    assert poster.net_billed() == document.total == Decimal("124.96")


def test_an_unknown_customer_parks_and_goes_on_when_made(poster: Poster) -> None:
    poster.charge(make_charge("x", client="Nobody", ledger=BINDING))
    poster.bill()
    poster.post()
    document = poster.document()
    assert document.status is DocumentStatus.PARKED
    assert document.reason is not None
    assert "Nobody" in document.reason.detail


def test_deleted_and_edited_documents_are_restored(poster: Poster, sandbox: SandboxServer) -> None:
    bill(poster, 2)
    poster.post()
    first, second = poster.documents()
    company = sandbox.world.companies[REALM]
    act(company, "invoice", {"action": "delete", "number": first.number})
    change = {"line": 1, "changes": {"UnitPrice": 1}}
    act(company, "invoice", {"action": "edit_line", "number": second.number, **change})
    for document in (first, second):
        poster.parts.decisions.restore(document.document_id, Decision("ann"))
    poster.settle()
    assert poster.net_billed() == Decimal("1500.00")
    assert {d.status for d in poster.documents()} == {DocumentStatus.POSTED}
    assert LedgerReference(name="Acme") == poster.documents()[0].customer
