"""The whole way to QuickBooks Online: the real connector against its stand-in server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common.book import InvoicingPolicy, LedgerReference
from hourbridge.common.messages.events import DocumentKind, DocumentStatus
from hourbridge.connectors.ledger import LedgerDocument
from hourbridge.poster.decisions import Decision
from hourbridge.sandbox.quickbooks_online import SandboxServer
from hourbridge.sandbox.quickbooks_online.people import act
from tests.support.charges import exact_time, hours, make_charge
from tests.support.online_ledger import BINDING, REALM, online_poster, running_sandbox
from tests.support.posting import Poster

PER_ENTRY = InvoicingPolicy.model_validate({"grouping": "entry"})


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


@pytest.fixture
def poster(database_for: Callable[..., str], sandbox: SandboxServer) -> Iterator[Poster]:
    with online_poster(database_for("poster", "connections"), sandbox) as poster:
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
