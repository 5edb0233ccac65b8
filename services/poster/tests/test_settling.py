"""Payments and credits against what they settle, through the lanes to a stand-in's books."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common import faults
from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import Account, AccountRole
from hourbridge.common.errors import TransientFailure
from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentStatus,
    Posting,
    Settlement,
)
from hourbridge.common.messages.records import Attachment
from hourbridge.common.store import objects
from hourbridge.poster import fault_points
from hourbridge.poster.decisions import Decision
from hourbridge.poster.entries import Entry, add_entry
from hourbridge.sandbox.quickbooks_online import SandboxServer
from hourbridge.sandbox.quickbooks_online.chart import chart_configuration
from hourbridge.sandbox.quickbooks_online.general_ledger import trial_balance
from tests.support.charges import exact_time, hours, make_charge
from tests.support.online_ledger import BINDING, REALM, online_poster, running_sandbox
from tests.support.posting import BOOK, Poster

ACCOUNTS = tuple(Account.model_validate(account) for account in chart_configuration())
ACME = LedgerReference(name="Acme")


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


@pytest.fixture
def poster(database_for: Callable[..., str], sandbox: SandboxServer) -> Iterator[Poster]:
    with online_poster(database_for("poster", "connections"), sandbox) as poster:
        poster.configure(2, ledger=BINDING, accounts=ACCOUNTS)
        yield poster


def charged(poster: Poster, length: str = "4", revision: int = 1, **changes: Any) -> None:
    charge = make_charge("a", hours(length), ledger=BINDING, rounding=exact_time(), **changes)
    poster.charge(charge, revision=revision)


def invoiced(poster: Poster) -> Document:
    charged(poster)
    poster.bill()
    (invoice,) = poster.documents()
    return invoice


def posting(role: AccountRole, amount: str) -> Posting:
    return Posting(role=role, amount=Decimal(amount), base_amount=Decimal(amount))


def entry(invoice: Document, debit: AccountRole, amount: str, **changes: Any) -> Entry:
    """Return an entry that reduces what is open of ``invoice`` by ``amount``."""
    values: dict[str, Any] = {
        "book": BOOK,
        "ledger": BINDING,
        "key": ("test", invoice.document_id, debit, amount),
        "purpose": "retainer_application",
        "document_date": date(2026, 3, 31),
        "currency": "USD",
        "postings": (posting(debit, amount), posting(AccountRole.RECEIVABLE, f"-{amount}")),
        "client": "Acme",
        "customer": ACME,
        "settles": (
            Settlement(
                document_id=invoice.document_id, number=invoice.number, amount=Decimal(amount)
            ),
        ),
        **changes,
    }
    return Entry(**values)


def payment(invoice: Document, amount: str) -> Entry:
    made = entry(invoice, AccountRole.BANK, amount)
    return replace(made, kind=DocumentKind.PAYMENT, number_prefix="HBP", purpose="payment")


def add(poster: Poster, entry: Entry) -> None:
    with poster.store.transaction() as connection:
        add_entry(connection, poster.parts.documents, poster.clock, entry)


def open_balance(poster: Poster) -> Decimal | None:
    (invoice,) = poster.ledger.documents(DocumentKind.INVOICE, date(2026, 1, 1), date(2026, 12, 31))
    return invoice.open_balance


def balances(sandbox: SandboxServer) -> dict[str, Decimal]:
    found = trial_balance(sandbox.world.companies[REALM])
    return {name: amount for name, amount in found.items() if amount}


def links(sandbox: SandboxServer) -> list[Any]:
    return list(sandbox.world.companies[REALM].tables["Payment"].values())


def test_a_credit_memo_reduces_what_is_open_of_its_invoice(
    poster: Poster, sandbox: SandboxServer
) -> None:
    invoiced(poster)
    poster.post()
    charged(poster, "3", revision=2)
    for _ in range(2):
        poster.settle()
        assert open_balance(poster) == Decimal("450.00")
        assert [link["TotalAmt"] for link in links(sandbox)] == [0]
    invoice, memo = poster.documents()
    assert (invoice.status, memo.status, memo.reason) == ("posted", "posted", None)
    (held,) = poster.ledger.documents(
        DocumentKind.CREDIT_MEMO, date(2026, 1, 1), date(2026, 12, 31)
    )
    assert memo.posted is not None
    assert (held.open_balance, held.edit_token) == (0, memo.posted.edit_token)


def test_an_application_is_posted_and_linked(poster: Poster, sandbox: SandboxServer) -> None:
    invoice = invoiced(poster)
    poster.post()
    applied = entry(invoice, AccountRole.CUSTOMER_DEPOSITS, "250.00")
    for _ in range(2):
        add(poster, applied)
        poster.settle()
        assert open_balance(poster) == Decimal("350.00")
    assert balances(sandbox) == {
        "Accounts Receivable (A/R)": Decimal("350.00"),
        "Customer Deposits": Decimal("250.00"),
        "Services": Decimal("-600.00"),
    }


def test_a_payment_waits_for_the_invoice_that_it_pays(
    poster: Poster, sandbox: SandboxServer
) -> None:
    """The invoice is parked for a closed month; the payment goes on by itself afterwards."""
    closed = sandbox.world.companies[REALM].preferences["AccountingInfoPrefs"]
    closed["BookCloseDate"] = "2026-03-31"
    invoice = invoiced(poster)
    made = replace(payment(invoice, "600.00"), document_date=date(2026, 4, 2))
    add(poster, made)
    poster.settle()
    parked = {document.kind: document for document in poster.documents("parked")}
    paid = parked[DocumentKind.PAYMENT]
    assert paid.reason is not None
    assert paid.reason.code == "settled_document_unposted"
    assert links(sandbox) == []
    poster.parts.decisions.release(invoice.document_id, Decision("ann"))
    poster.settle()
    assert open_balance(poster) == 0
    assert {document.status for document in poster.documents()} == {DocumentStatus.POSTED}
    assert balances(sandbox) == {"Checking": Decimal("600.00"), "Services": Decimal("-600.00")}


@pytest.mark.parametrize(
    "place",
    [fault_points.LEDGER_WRITTEN, fault_points.OPERATION_TAKEN, fault_points.OUTCOME_STORED],
)
def test_a_crash_while_linking_links_once(
    poster: Poster, sandbox: SandboxServer, place: str
) -> None:
    invoice = invoiced(poster)
    poster.post()
    sandbox.world.settings.requestid_memory_seconds = 0
    add(poster, entry(invoice, AccountRole.CUSTOMER_DEPOSITS, "250.00"))
    faults.arm(f"{place}=raise@2")  # the first passing is the entry's own write
    with contextlib.suppress(TransientFailure):
        poster.settle()
    faults.arm("")
    poster.clock.step(minutes=10)
    poster.settle()
    assert len(links(sandbox)) == 1
    assert open_balance(poster) == Decimal("350.00")


def test_a_link_that_the_ledger_refuses_is_said_and_undoes_nothing(
    poster: Poster, sandbox: SandboxServer
) -> None:
    invoice = invoiced(poster)
    poster.post()
    add(poster, entry(invoice, AccountRole.CUSTOMER_DEPOSITS, "250.00"))
    books = sandbox.world.companies[REALM].preferences["AccountingInfoPrefs"]
    original = poster.ledger.write

    def write(write: Any) -> Any:
        written = original(write)
        if write.kind == "create":
            books["BookCloseDate"] = "2026-03-31"
        return written

    poster.ledger.write = write  # type: ignore[method-assign]
    poster.settle()
    (applied,) = [d for d in poster.documents() if d.kind is DocumentKind.JOURNAL_ENTRY]
    assert applied.status is DocumentStatus.POSTED
    assert applied.reason is not None
    assert applied.reason.code == "not_linked_in_ledger"
    assert open_balance(poster) == Decimal("600.00")
    assert balances(sandbox)["Accounts Receivable (A/R)"] == Decimal("350.00")


def test_receipts_follow_their_document(poster: Poster, sandbox: SandboxServer) -> None:
    with poster.store.transaction() as connection:
        reference = objects.put(connection, b"a scan", "application/pdf")
    invoice = invoiced(poster)
    held = Attachment(
        id="r1", filename="taxi.pdf", content_type="application/pdf", raw_ref=reference
    )
    gone = Attachment(id="r2", filename="lost.pdf", raw_ref="sha256:00")
    with poster.store.transaction() as connection:
        attached = invoice.model_copy(update={"attachments": (held, gone)})
        content = attached.model_dump(mode="json", include={"attachments"}, exclude_none=True)
        connection.exec_driver_sql(
            "UPDATE ledger_operation SET payload = payload || %s::jsonb", (json.dumps(content),)
        )
    for _ in range(2):
        poster.settle()
        books = sandbox.world.companies[REALM]
        notes = [row["Note"] for row in books.tables["Attachable"].values()]
        assert notes == ["hourbridge-file:r1", "hourbridge-file:r2 lost.pdf"]
        assert list(books.files.values()) == [b"a scan"]
