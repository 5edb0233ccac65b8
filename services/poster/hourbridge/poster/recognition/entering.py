"""Recognition entries: in the book's currency, one key each, kept by what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from hourbridge.common.book import BookConfiguration, LedgerBinding
from hourbridge.common.clock import Clock
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.messages.events import Document, Posting
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry
from hourbridge.poster.recognition import store


@dataclass(frozen=True)
class Statement:
    """What an entry says."""

    purpose: str
    subject: str
    day: date
    postings: tuple[Posting, ...]
    memo: str
    client: str


class EntryWriter:
    """Writes the entries of one book in the caller's transaction, which holds the book's lock."""

    def __init__(
        self,
        connection: Connection,
        documents: DocumentStore,
        clock: Clock,
        configuration: BookConfiguration,
    ) -> None:
        self.connection = connection
        self.configuration = configuration
        self._documents = documents
        self._clock = clock

    @property
    def book(self) -> str:
        """Return the book's name."""
        return self.configuration.book

    def write(self, said: Statement, ledger: LedgerBinding | None = None) -> Document:
        """Store an entry; the next one about the same subject has another key."""
        count = store.count_entries(self.connection, self.book, said.subject)
        entry = Entry(
            book=self.book,
            ledger=ledger or self.configuration.ledger,
            key=("recognition", said.subject, str(count + 1)),
            purpose=said.purpose,
            document_date=said.day,
            currency=self.configuration.currency,
            postings=said.postings,
            memo=said.memo,
            client=said.client,
        )
        document = add_entry(self.connection, self._documents, self._clock, entry)
        if document is None:
            raise InvariantViolated("a recognition entry was made before", key=entry.key)
        store.note_entry(self.connection, self.book, said.subject, document.document_id)
        return document
