"""Entries: documents that are made of postings, not of lines. Journal entries and payments.

Whoever moves money between accounts (retainers, payments, revaluation, recognition) states an
``Entry``; it becomes a document that travels through the lanes like every other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from hourbridge.billing.grouping import ledger_key
from hourbridge.common.book import BookConfiguration, LedgerBinding, LedgerReference
from hourbridge.common.book.accounts import ledger_account
from hourbridge.common.clock import Clock
from hourbridge.common.errors import InvariantViolated, ensure
from hourbridge.common.ids import derive_id, derive_key
from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentStatus,
    ExchangeRateUsed,
    Posting,
    Settlement,
)
from hourbridge.common.store.rows import statement
from hourbridge.poster import operations
from hourbridge.poster.configurations import Configured, configuration_of
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.documents import NewDocument
from hourbridge.poster.lists import write_backs
from hourbridge.poster.review.gate import gated

_ONE_AT_A_TIME = statement("SELECT pg_advisory_xact_lock(hashtextextended(:document_id, 0))")
_EXISTS = statement("SELECT 1 FROM document WHERE document_id = :document_id")


@dataclass(frozen=True)
class Entry:
    """What is to be posted: debits positive, credits negative, zero in sum in both currencies."""

    book: str
    ledger: LedgerBinding
    key: tuple[str, ...]
    """What makes it this entry and no other one: the same key is never posted twice."""
    purpose: str
    document_date: date
    currency: str
    postings: tuple[Posting, ...]
    """Postings without an account take the one that the book's configuration names for the role."""
    memo: str | None = None
    client: str = ""
    customer: LedgerReference | None = None
    vendor: LedgerReference | None = None
    engagement: str | None = None
    reverses_document_id: str | None = None
    settles: tuple[Settlement, ...] = ()
    """Documents whose open amount this reduces. They are linked in the ledger as well."""
    exchange: ExchangeRateUsed | None = None
    kind: DocumentKind = DocumentKind.JOURNAL_ENTRY
    number_prefix: str = "HBJ"
    is_draft: bool = False
    """Waits for a person's release."""
    in_ledger: bool = False
    """The ledger had it first: stands as posted at once and is never sent."""

    @property
    def document_id(self) -> str:
        """The id of the document that it becomes; the same for the same key."""
        return derive_id("entry", self.book, ledger_key(self.ledger), *self.key)


def add_entry(
    connection: Connection, documents: DocumentStore, clock: Clock, entry: Entry
) -> Document | None:
    """Store an entry as a document with the intent to post it; None when its key exists already.

    Two callers with the same key wait for each other: one of them gets the document, the other
    None. Raises InvariantViolated for an entry that doesn't balance and for a book of which no
    configuration has arrived.
    """
    check_balance(entry)
    connection.execute(_ONE_AT_A_TIME, {"document_id": entry.document_id})
    if entry_exists(connection, entry.document_id):
        return None
    configured = _configured(connection, entry.book)
    key = ledger_key(entry.ledger)
    (number,) = documents.allocate_numbers(connection, key, entry.number_prefix, 1)
    document = _document(entry, number, configured)
    group = derive_key("entries", entry.purpose, entry.client, entry.engagement or "")
    made = NewDocument(document, (), engagement_key(entry.client), group, entry.document_date)
    (new,) = gated(connection, entry.book, [made])
    documents.insert(connection, entry.book, [new])
    write_backs.note_posted(connection, entry.book, new.document, clock.now())
    if new.document.status is DocumentStatus.POSTING:
        intent = operations.Intent(entry.book, new.document, "create")
        operations.add_intents(connection, [intent], clock.now())
    return new.document


def entry_exists(connection: Connection, document_id: str) -> bool:
    """Return whether a document of this id is stored."""
    return connection.execute(_EXISTS, {"document_id": document_id}).first() is not None


def engagement_key(client: str) -> str:
    """Return the key under which entries of a client are locked for decisions."""
    return derive_key("entries", client)


def check_balance(entry: Entry) -> None:
    """Raise InvariantViolated unless the postings sum to zero, in both currencies."""
    ensure(len(entry.postings) > 1, "an entry needs two postings at least", key=entry.key)
    for name, amounts in (
        ("amount", [posting.amount for posting in entry.postings]),
        ("base_amount", [posting.base_amount for posting in entry.postings]),
    ):
        total = sum(amounts, Decimal(0))
        ensure(total == 0, f"an entry's {name}s don't balance", key=entry.key, off_by=total)


def debits_of(postings: Sequence[Posting]) -> Decimal:
    """Return the sum of the debits in the document's currency: what an entry is over."""
    return sum((posting.amount for posting in postings if posting.amount > 0), Decimal(0))


def base_debits_of(postings: Sequence[Posting]) -> Decimal:
    """Return the sum of the debits in the book's currency."""
    return sum((posting.base_amount for posting in postings if posting.base_amount > 0), Decimal(0))


def _configured(connection: Connection, book: str) -> Configured:
    configured = configuration_of(connection, book)
    if configured is None:
        raise InvariantViolated("an entry for a book that is not configured", book=book)
    return configured


def _document(entry: Entry, number: str, configured: Configured) -> Document:
    postings = with_accounts(entry.postings, configured.configuration)
    is_foreign = entry.currency != configured.configuration.currency
    return Document(
        document_id=entry.document_id,
        version=1,
        kind=entry.kind,
        status=_status(entry),
        number=number,
        ledger=entry.ledger,
        customer=entry.customer,
        vendor=entry.vendor,
        client=entry.client,
        currency=entry.currency,
        document_date=entry.document_date,
        memo=entry.memo,
        lines=(),
        total=debits_of(postings),
        exchange=entry.exchange,
        base_total=base_debits_of(postings) if is_foreign else None,
        postings=postings,
        purpose=entry.purpose,
        engagement=entry.engagement,
        settles=entry.settles,
        reverses_document_id=entry.reverses_document_id,
        in_ledger=entry.in_ledger,
        configuration_version=configured.version,
    )


def with_accounts(
    postings: Sequence[Posting], configuration: BookConfiguration
) -> tuple[Posting, ...]:
    """Return the postings with the ledger's accounts, as far as the book names them."""
    return tuple(
        posting
        if posting.account is not None
        else posting.model_copy(
            update={"account": ledger_account(configuration.accounts, posting.role)}
        )
        for posting in postings
    )


def _status(entry: Entry) -> DocumentStatus:
    if entry.in_ledger:
        return DocumentStatus.POSTED
    return DocumentStatus.DRAFT if entry.is_draft else DocumentStatus.POSTING
