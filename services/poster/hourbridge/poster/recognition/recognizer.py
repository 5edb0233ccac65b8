"""When recognition happens: as invoices are posted, as months end, and when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from hourbridge.common.book import BookConfiguration
from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.fault_points import REVENUE_RECOGNIZED
from hourbridge.poster.open_items import read_items
from hourbridge.poster.recognition import store
from hourbridge.poster.recognition.accruing import accrue, bill
from hourbridge.poster.recognition.deferring import defer, release
from hourbridge.poster.recognition.entering import EntryWriter
from hourbridge.poster.recognition.store import DueDocument

log = structlog.get_logger(__name__)
_BOOKS = statement("SELECT book FROM book_configuration ORDER BY book")


class Recognizer:
    """Makes recognition entries; safe to run twice, and side by side."""

    def __init__(
        self, entries: Store, documents: DocumentStore, clock: Clock, announced: Callable[[], None]
    ) -> None:
        self._store = entries
        self._documents = documents
        self._clock = clock
        self._announced = announced

    def run_due(self) -> int:
        """Look at documents that were posted since; return how many entries were made."""
        with self._store.transaction() as connection:
            due = store.due(connection)
        made = sum(self._guarded(asked) for asked in due)
        if made:
            self._announced()
        return made

    def run_months(self) -> int:
        """Recognize what months that are over left to recognize, in every book that asks for it."""
        with self._store.transaction() as connection:
            books = list(connection.execute(_BOOKS).scalars())
        made = 0
        for book in books:
            with self._store.transaction() as connection:
                configured = configuration_of(connection, book)
                if configured is None or not store.is_in_use(connection, book):
                    continue
                today = self._today(configured.configuration)
                ended = today.replace(day=1) - timedelta(days=1)
                made += self._recognize(connection, configured.configuration, ended)
        if made:
            self._announced()
        return made

    def recognize(self, book: str, through: date) -> dict[str, Any]:
        """Recognize everything up to a day that has come; return how many entries that took."""
        with self._store.transaction() as connection:
            configured = configuration_of(connection, book)
            if configured is None:
                raise NotFound("the book is not configured", book=book)
            day = min(through, self._today(configured.configuration))
            made = self._recognize(connection, configured.configuration, day)
        self._announced()
        return {"through": day, "entries": made}

    def _guarded(self, asked: DueDocument) -> int:
        try:
            with self._store.transaction() as connection:
                made = self._look(connection, asked)
                fault_point(REVENUE_RECOGNIZED)
                return made
        except HourbridgeError as error:
            log.warning("recognition_failed", document=asked.document_id, error=str(error))
            return 0

    def _look(self, connection: Connection, asked: DueDocument) -> int:
        store.lock_book(connection, asked.book)
        store.looked_at(connection, asked)
        configured = configuration_of(connection, asked.book)
        posted = _document(connection, asked.document_id)
        invoice = _document(connection, posted.credits_document_id) if posted else None
        invoice = invoice or posted
        if configured is None or invoice is None or invoice.kind is not DocumentKind.INVOICE:
            return 0
        writer = self._writer(connection, configured.configuration)
        made = defer(writer, invoice)
        if configured.configuration.recognition.unbilled and invoice is posted:
            made += bill(writer, invoice)
        return made

    def _recognize(
        self, connection: Connection, configuration: BookConfiguration, day: date
    ) -> int:
        store.lock_book(connection, configuration.book)
        writer = self._writer(connection, configuration)
        made = release(writer, day)
        if configuration.recognition.unbilled:
            made += accrue(writer, day)
        return made

    def _writer(self, connection: Connection, configuration: BookConfiguration) -> EntryWriter:
        return EntryWriter(connection, self._documents, self._clock, configuration)

    def _today(self, configuration: BookConfiguration) -> date:
        return self._clock.now().astimezone(ZoneInfo(configuration.zone)).date()


def _document(connection: Connection, document_id: str | None) -> Document | None:
    if document_id is None:
        return None
    item = read_items(connection, [document_id]).get(document_id)
    return item.document if item else None
