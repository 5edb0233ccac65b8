"""The journal in PostgreSQL: the double entry of every posted document, append only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.journal.chart import Chart
from hourbridge.billing.journal.entries import JournalEntry, next_entries
from hourbridge.billing.journal.postings import postings_of
from hourbridge.billing.journal.presentation import Declarations, Price, amounts_of
from hourbridge.common.calendar import Period, Term, period_of
from hourbridge.common.exchange_rates import RateMissing
from hourbridge.common.messages.events import Document, DocumentStatus
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import bulk, statement
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.currencies.rates import BookRates

_ROWS_AT_ONCE = 500
_STANDING = """
    NOT EXISTS (SELECT 1 FROM journal_entry r WHERE r.reverses_entry_id = e.entry_id)
    AND e.reverses_entry_id IS NULL
"""
_STANDING_OF = statement(
    f"SELECT payload FROM journal_entry e WHERE document_id = :document_id AND {_STANDING}"
)
_INSERT_ENTRIES = statement(
    """
    INSERT INTO journal_entry (entry_id, book, document_id, document_version, reverses_entry_id,
        entry_date, payload)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        entry_id text, book text, document_id text, document_version integer,
        reverses_entry_id text, entry_date date, payload jsonb)
    """
)
_INSERT_POSTINGS = statement(
    """
    INSERT INTO journal_posting (entry_id, position, book, entry_date, account, role, client,
        currency, base_currency, amount, base_amount)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        entry_id text, position integer, book text, entry_date date, account text, role text,
        client text, currency text, base_currency text, amount numeric, base_amount numeric)
    """
)
_SNAPSHOT = statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
_ENTRIES = statement(
    """
    SELECT payload FROM journal_entry
    WHERE book = :book AND entry_date <= coalesce(CAST(:through AS date), entry_date)
    ORDER BY entry_date, sequence
    """
)
_DECLARED = statement(
    """
    SELECT array_agg(DISTINCT account ORDER BY account) AS accounts, min(entry_date) AS first_day,
        array_agg(DISTINCT currency) || array_agg(DISTINCT base_currency) AS currencies
    FROM journal_posting
    WHERE book = :book AND entry_date <= coalesce(CAST(:through AS date), entry_date)
    """
)
_SPAN = statement("SELECT min(entry_date), max(entry_date) FROM journal_posting WHERE book = :book")
_FIRST_RATE = statement(
    """
    SELECT min(CAST(payload #>> '{exchange,rate_date}' AS date)) FROM journal_entry
    WHERE book = :book AND payload ? 'exchange'
    """
)
_BALANCES = statement(
    """
    SELECT account, role, currency, base_currency, sum(amount) AS amount,
        sum(base_amount) AS base_amount
    FROM journal_posting
    WHERE book = :book AND entry_date <= coalesce(CAST(:through AS date), entry_date)
        AND client = coalesce(CAST(:client AS text), client)
    GROUP BY account, role, currency, base_currency
    ORDER BY account, currency
    """
)
_POSTED = statement(
    f"""
    SELECT d.payload AS document, e.payload AS entry FROM document d
    LEFT JOIN journal_entry e ON e.document_id = d.document_id AND {_STANDING}
    WHERE d.book = :book AND d.status IN ('posted', 'withdrawn')
    ORDER BY d.created_at, d.number
    """
)


def record(connection: Connection, book: str, documents: Sequence[Document]) -> None:
    """Add what new states of documents move to the journal, in the caller's transaction.

    A document that doesn't balance is refused with InvariantViolated before it is ever sent. The
    same state twice adds nothing.
    """
    chart: Chart | None = None
    entries: list[JournalEntry] = []
    for document in documents:
        if document.status not in (DocumentStatus.POSTED, DocumentStatus.WITHDRAWN):
            postings_of(document, Chart())
            continue
        chart = chart or chart_of(connection, book)
        entries += next_entries(_standing(connection, document.document_id), document, chart)
    if entries:
        bulk(connection, _INSERT_ENTRIES, [_entry_row(book, entry) for entry in entries])
        bulk(connection, _INSERT_POSTINGS, _posting_rows(book, entries))


def chart_of(connection: Connection, book: str) -> Chart:
    """Return the names of a book's accounts, as configured now."""
    configured = configuration_of(connection, book)
    return Chart.of(configured.configuration if configured else None)


@dataclass(frozen=True)
class Journal:
    """A book's journal as it stood when it was opened; entries in the order of their dates."""

    connection: Connection
    book: str
    through: date | None = None

    def declarations(self) -> Declarations:
        """Return what an export of it declares first."""
        found = self.connection.execute(_DECLARED, self._wanted).mappings().one()
        rated = self.connection.execute(_FIRST_RATE, {"book": self.book}).scalar()
        days = [day for day in (found["first_day"], rated) if day is not None]
        chart = chart_of(self.connection, self.book)
        currencies = {*(found["currencies"] or ()), chart.currency} - {None}
        return Declarations(
            book=self.book,
            accounts=tuple(found["accounts"] or ()),
            currencies=tuple(sorted(currencies)),
            first_day=min(days, default=date.min),
            base_currency=chart.currency,
            prices=tuple(self._month_end_prices(sorted(currencies))),
        )

    def _month_end_prices(self, currencies: Iterable[str]) -> Iterator[Price]:
        """Yield the rates by which open balances are valued at the ends of the journal's months."""
        configured = configuration_of(self.connection, self.book)
        first, last = self.connection.execute(_SPAN, self._wanted).one()
        if configured is None or first is None:
            return
        rates = BookRates(self.connection, configured.configuration)
        for currency in currencies:
            if currency == rates.base:
                continue
            for month in _months(first, last):
                try:
                    rate = rates.on(currency, month.last)
                except RateMissing:
                    continue
                yield Price(rate.rate_date, currency, rates.base, rate.value)

    def entries(self) -> Iterator[JournalEntry]:
        """Yield all entries; memory stays flat however many there are."""
        streamed = self.connection.execution_options(yield_per=_ROWS_AT_ONCE)
        for payload in streamed.execute(_ENTRIES, self._wanted).scalars():
            yield JournalEntry.model_validate(payload)

    def balances(self, client: str | None = None) -> list[dict[str, Any]]:
        """Return each account's balance, as owed and as carried, of one client or of all."""
        rows = self.connection.execute(_BALANCES, {**self._wanted, "client": client}).mappings()
        return [dict(row) for row in rows]

    def disagreements(self) -> Iterator[dict[str, Any]]:
        """Yield documents whose posted state isn't what their journal entry says."""
        chart = chart_of(self.connection, self.book)
        streamed = self.connection.execution_options(yield_per=_ROWS_AT_ONCE)
        for row in streamed.execute(_POSTED, {"book": self.book}):
            document = Document.model_validate(row.document)
            held = JournalEntry.model_validate(row.entry) if row.entry else None
            if next_entries(held, document, chart):
                yield {
                    "document_id": document.document_id,
                    "number": document.number,
                    "problem": "differs from its entry" if held else "has no entry",
                }

    @property
    def _wanted(self) -> dict[str, Any]:
        return {"book": self.book, "through": self.through}


@contextmanager
def open_journal(store: Store, book: str, through: date | None = None) -> Iterator[Journal]:
    """Open a journal for reading, in one snapshot."""
    with store.transaction() as connection:
        connection.execute(_SNAPSHOT)
        yield Journal(connection, book, through)


def _months(first: date, last: date) -> Iterator[Period]:
    month = period_of(first, Term.MONTH)
    while month.first <= last:
        yield month
        month = period_of(month.last + timedelta(days=1), Term.MONTH)


def _standing(connection: Connection, document_id: str) -> JournalEntry | None:
    payload = connection.execute(_STANDING_OF, {"document_id": document_id}).scalar()
    return None if payload is None else JournalEntry.model_validate(payload)


def _entry_row(book: str, entry: JournalEntry) -> dict[str, Any]:
    return {
        "entry_id": entry.entry_id,
        "book": book,
        "document_id": entry.document_id,
        "document_version": entry.document_version,
        "reverses_entry_id": entry.reverses_entry_id,
        "entry_date": entry.entry_date,
        "payload": entry.model_dump(mode="json", exclude_none=True),
    }


def _posting_rows(book: str, entries: Sequence[JournalEntry]) -> list[dict[str, Any]]:
    return [
        {
            "entry_id": entry.entry_id,
            "position": position,
            "book": book,
            "entry_date": entry.entry_date,
            "account": shown.account,
            "role": shown.posting.role,
            "client": shown.posting.client or entry.client,
            "currency": shown.currency,
            "base_currency": entry.base_currency,
            "amount": str(shown.amount),
            "base_amount": str(shown.base_amount),
        }
        for entry in entries
        for position, shown in enumerate(amounts_of(entry), start=1)
    ]
