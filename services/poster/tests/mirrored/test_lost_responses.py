"""Every kind of document, every kind of write, with a tenth of the ledger's answers lost.

With the ledger's memory of operation keys on, expired and off: nothing twice, nothing missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import AccountRole, LedgerReference
from hourbridge.common.messages.events import (
    Activity,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
    Posting,
    Settlement,
)
from hourbridge.common.messages.records import Attachment
from hourbridge.connectors.statements import MIRRORED_KINDS
from hourbridge.poster.documents import NewDocument
from hourbridge.poster.operations import Intent, add_intents
from hourbridge.sandbox.quickbooks_online import CompanySeed, SandboxServer
from tests.support.online_ledger import BINDING, REALM, online_poster, running_sandbox
from tests.support.posting import BOOK, Poster

DAY = date(2026, 3, 2)
EACH = 8
RECEIPT = Attachment(id="r1", filename="r1.pdf", url="https://files.example/r1")
SEED = CompanySeed(REALM, customers={"Acme": []}, items=["Consulting"], employees=["Ada"])
ENTITY = {
    DocumentKind.INVOICE: "Invoice",
    DocumentKind.CREDIT_MEMO: "CreditMemo",
    DocumentKind.VENDOR_BILL: "Bill",
    DocumentKind.VENDOR_CREDIT: "VendorCredit",
    DocumentKind.PAYMENT: "Payment",
    DocumentKind.BILL_PAYMENT: "BillPayment",
    DocumentKind.JOURNAL_ENTRY: "JournalEntry",
    **dict.fromkeys(MIRRORED_KINDS, "Purchase"),
    DocumentKind.TIME_ACTIVITY: "TimeActivity",
}
SETTLED = {
    DocumentKind.PAYMENT: DocumentKind.INVOICE,
    DocumentKind.BILL_PAYMENT: DocumentKind.VENDOR_BILL,
}
"""What each kind of payment pays: the one with the same place in its row."""


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


@pytest.fixture
def poster(database_for: Callable[..., str], sandbox: SandboxServer) -> Iterator[Poster]:
    url = database_for("poster", "connections")
    with online_poster(url, sandbox, SEED) as poster:
        yield poster


@pytest.mark.parametrize("memory", ["on", "expired", "off"])
def test_nothing_twice_and_nothing_missing(
    poster: Poster, sandbox: SandboxServer, memory: str
) -> None:
    documents = [made(kind, n) for kind in ENTITY for n in range(EACH)]
    if memory == "off":
        sandbox.world.settings.requestid_memory_seconds = 0
    lose_answers(sandbox)
    post(poster, "create", documents)
    settle(poster, sandbox, memory)
    held = in_ledger(sandbox)
    assert held == Counter(document.document_id for document in documents)
    assert created(sandbox) == len(documents)
    assert attached(sandbox) == {
        document.document_id for document in documents if with_file(document)
    }

    mirrored = [d for d in poster.documents() if d.kind in MIRRORED_KINDS]
    post(poster, "update", [changed(document) for document in mirrored])
    settle(poster, sandbox, memory)
    assert in_ledger(sandbox) == held
    assert {d.document_id for d in poster.documents() if is_changed(d)} == {
        d.document_id for d in mirrored
    }
    assert times(sandbox) == {150}

    post(poster, "delete", [d for d in poster.documents() if d.kind in MIRRORED_KINDS])
    settle(poster, sandbox, memory)
    gone = {document.document_id for document in mirrored}
    assert in_ledger(sandbox) == Counter(k for k in held if k not in gone)
    statuses = {d.document_id: d.status for d in poster.documents()}
    assert {statuses[each] for each in gone} == {DocumentStatus.WITHDRAWN}
    assert {status for key, status in statuses.items() if key not in gone} == {
        DocumentStatus.POSTED
    }
    assert created(sandbox) == len(documents)
    happened = sandbox.world.disturbances.happened
    assert happened["lose_response"] > 5
    assert happened["error_after_commit"] > 2


# --- documents ----------------------------------------------------------------------------------


def made(kind: DocumentKind, n: int) -> Document:
    """Return a document of a kind, over 10.00 but for time."""
    document_id = f"{kind.value.replace('_', '-')}-{n}"
    fields: dict[str, Any] = {
        "document_id": document_id,
        "version": 1,
        "kind": kind,
        "status": DocumentStatus.POSTING,
        "number": f"X{list(ENTITY).index(kind)}-{n + 1}",
        "ledger": BINDING,
        "client": "Acme",
        "currency": "USD",
        "document_date": DAY,
        "lines": (line(document_id, kind, n),),
        "total": Decimal(10 + n),
        "configuration_version": 1,
        **BY_KIND.get(kind, lambda _n: {})(n),
    }
    document = Document.model_validate(fields)
    files = (RECEIPT.model_copy(update={"id": document_id}),)
    return document.model_copy(update={"attachments": files}) if with_file(document) else document


def with_file(document: Document) -> bool:
    return document.kind in (DocumentKind.VENDOR_BILL, DocumentKind.CREDIT_CARD_CHARGE)


def line(document_id: str, kind: DocumentKind, n: int) -> DocumentLine:
    sale = kind in (DocumentKind.INVOICE, DocumentKind.CREDIT_MEMO)
    target = {"item": "Consulting"} if sale else {"account": "Project Costs"}
    (name, what) = next(iter(target.items()))
    return DocumentLine.model_validate(
        {
            "line_id": f"line-{document_id}",
            "position": 1,
            "description": "work",
            name: {"name": what},
            "quantity": Decimal(1),
            "unit_price": Decimal(10 + n),
            "amount": Decimal(10 + n),
        }
    )


def _settles(kind: DocumentKind, n: int) -> tuple[Settlement, ...]:
    paid = made(SETTLED[kind], n)
    one = Settlement(document_id=paid.document_id, number=paid.number, amount=paid.total)
    return (one,)


def _activity(n: int, seconds: int = 3600) -> Activity:
    return Activity(
        activity_id=f"a{n}",
        employee=LedgerReference(name="Ada"),
        customer=LedgerReference(name="Acme"),
        item=LedgerReference(name="Consulting"),
        work_date=DAY,
        seconds=seconds,
        currency="USD",
        client="Acme",
        number_prefix="X",
        ledger=BINDING,
    )


CUSTOMER = {"customer": {"name": "Acme"}}
BRAVO = {"vendor": {"name": "Bravo"}, "client": ""}
CARD = {"paid_from": {"name": "Company Card"}, **BRAVO}
BANK = {"paid_from": {"name": "Checking"}, **BRAVO}
BY_KIND: dict[DocumentKind, Callable[[int], dict[str, Any]]] = {
    DocumentKind.INVOICE: lambda _n: CUSTOMER,
    DocumentKind.CREDIT_MEMO: lambda _n: CUSTOMER,
    DocumentKind.VENDOR_BILL: lambda _n: BRAVO,
    DocumentKind.VENDOR_CREDIT: lambda _n: BRAVO,
    DocumentKind.CREDIT_CARD_CHARGE: lambda _n: CARD,
    DocumentKind.CREDIT_CARD_CREDIT: lambda _n: CARD,
    DocumentKind.CHECK: lambda _n: {**BANK, "employee": {"name": "Ada"}, "vendor": None},
    DocumentKind.CASH_PURCHASE: lambda _n: BANK,
    DocumentKind.TIME_ACTIVITY: lambda n: {
        **CUSTOMER,
        "activity": _activity(n),
        "total": Decimal(0),
        "lines": (),
    },
    DocumentKind.PAYMENT: lambda n: {
        **CUSTOMER,
        "lines": (),
        "settles": _settles(DocumentKind.PAYMENT, n),
        "postings": _pair(AccountRole.BANK, AccountRole.RECEIVABLE, "Checking", 10 + n),
    },
    DocumentKind.BILL_PAYMENT: lambda n: {
        **BRAVO,
        "lines": (),
        "settles": _settles(DocumentKind.BILL_PAYMENT, n),
        "postings": _pair(AccountRole.PAYABLE, AccountRole.BANK, "Checking", 10 + n),
    },
    DocumentKind.JOURNAL_ENTRY: lambda n: {
        "client": "",
        "lines": (),
        "postings": (
            _posting(AccountRole.EXPENSE, "Project Costs", 10 + n),
            _posting(AccountRole.WRITE_DOWN, "Write-Downs", -10 - n),
        ),
    },
}


def _pair(
    debit: AccountRole, credit: AccountRole, account: str, amount: int
) -> tuple[Posting, Posting]:
    return _posting(debit, account, amount), _posting(credit, account, -amount)


def _posting(role: AccountRole, account: str, amount: int) -> Posting:
    exact = Decimal(amount)
    is_party = role in (AccountRole.RECEIVABLE, AccountRole.PAYABLE)
    named = None if is_party else LedgerReference(name=account)
    return Posting(role=role, account=named, amount=exact, base_amount=exact)


def changed(document: Document) -> Document:
    """Return a document that says something else."""
    if document.activity is not None:
        n = int(document.document_id.rpartition("-")[2])
        return document.model_copy(update={"activity": _activity(n, 9000)})
    (one,) = document.lines
    more = one.amount + 1
    restated = one.model_copy(update={"unit_price": more, "amount": more})
    return document.model_copy(update={"lines": (restated,), "total": more})


def is_changed(document: Document) -> bool:
    if document.activity is not None:
        return document.activity.seconds == 9000
    n = int(document.document_id.rpartition("-")[2])
    return document.kind in MIRRORED_KINDS and document.total == 11 + n


# --- doing and looking --------------------------------------------------------------------------


def lose_answers(sandbox: SandboxServer) -> None:
    """Lose a seventh of the answers to all writes, and every other one to batches."""
    with sandbox.world.lock:
        sandbox.world.disturbances.set("lose_response", {"every": 7})
        sandbox.world.disturbances.set("error_after_commit", {"every": 2, "path": "batch"})


def post(poster: Poster, kind: Any, documents: list[Document]) -> None:
    """Store the intents, documents too if they are new."""
    now = poster.clock.now()
    with poster.store.transaction() as connection:
        if kind == "create":
            new = [NewDocument(each, (), "group", each.document_id, DAY) for each in documents]
            poster.parts.documents.insert(connection, BOOK, new)
            add_intents(connection, [Intent(BOOK, each, kind) for each in documents], now)
            return
        for each in documents:
            held = poster.parts.documents.lock(connection, each.document_id)
            poster.parts.documents.save(
                connection, held, content_changed=True, status=DocumentStatus.POSTING
            )
            version = held.payload_version + 1
            intent = Intent(BOOK, each, kind, version, {"staying": [], "leaving": []})
            add_intents(connection, [intent], now)


def settle(poster: Poster, sandbox: SandboxServer, memory: str) -> None:
    """Post until nothing is left to do; an expired memory forgets between any two attempts."""
    for _ in range(40):
        poster.post()
        poster.clock.step(seconds=120)
        if memory == "expired":
            with sandbox.world.lock:
                sandbox.world.clock.offset_seconds += 90_000
                sandbox.world.settings.access_token_seconds = 10_000_000
        open_states = "('pending', 'sending', 'unknown')"
        left = poster.rows(f"SELECT 1 FROM ledger_operation WHERE state IN {open_states}")
        if not left:
            return
    raise AssertionError(poster.rows("SELECT * FROM ledger_operation WHERE state <> 'done'")[:3])


def rows(sandbox: SandboxServer, entity: str) -> list[dict[str, Any]]:
    with sandbox.world.lock:
        return list(sandbox.world.companies[REALM].tables[entity].values())


def in_ledger(sandbox: SandboxServer) -> Counter[str]:
    """Return how often each of our documents stands in the ledger, by its marker."""
    notes = [
        row.get("PrivateNote") or row.get("Description") or ""
        for entity in sorted(set(ENTITY.values()))
        for row in rows(sandbox, entity)
    ]
    marked = (note.partition("hourbridge:")[2].split("]")[0].split()[0] for note in notes)
    return Counter(marked)


def created(sandbox: SandboxServer) -> int:
    """Return how many documents the ledger ever created."""
    with sandbox.world.lock:
        found = sandbox.world.audit.creates(REALM)
    return sum(len(ids) for numbers in found.values() for ids in numbers.values())


def attached(sandbox: SandboxServer) -> set[str]:
    files = [
        row["Note"].partition("hourbridge-file:")[2].split()[0]
        for row in rows(sandbox, "Attachable")
    ]
    assert len(files) == len(set(files))
    return set(files)


def times(sandbox: SandboxServer) -> set[int]:
    """Return the minutes of all time activities."""
    return {row["Hours"] * 60 + row["Minutes"] for row in rows(sandbox, "TimeActivity")}
