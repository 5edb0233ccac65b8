"""What recognition keeps in PostgreSQL; one book's is worked by one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.recognition.deferrals import Earned, Schedule
from hourbridge.billing.recognition.unbilled import Invoiced
from hourbridge.common.messages.events import Charge, Document, DocumentKind
from hourbridge.common.store.rows import bulk, statement
from hourbridge.poster.configurations import configuration_of

_ASK = statement("INSERT INTO recognition_due (book, document_id) VALUES (:book, :document_id)")
_DUE = statement(
    "SELECT book, document_id, max(id) AS id FROM recognition_due GROUP BY 1, 2 ORDER BY 3"
)
_LOOKED_AT = statement("DELETE FROM recognition_due WHERE document_id = :document_id AND id <= :id")
_WAITING = statement("SELECT count(*) FROM recognition_due WHERE book = :book")
_LOCK = statement(
    "SELECT pg_advisory_xact_lock(hashtextextended('recognition' || chr(31) || :book, 0))"
)
_COUNT = statement(
    "SELECT count(*) FROM recognition_entry WHERE book = :book AND subject = :subject"
)
_NOTE_ENTRY = statement(
    "INSERT INTO recognition_entry (entry_id, book, subject) VALUES (:entry_id, :book, :subject)"
)
_CREDITS = statement(
    """
    SELECT payload FROM document
    WHERE payload ->> 'credits_document_id' = :document_id AND payload ? 'credits_document_id'
        AND status = 'posted' ORDER BY created_at
    """
)
_DEFERRALS = "SELECT * FROM deferral WHERE book = :book"
_HAS_DEFERRALS = statement("SELECT 1 FROM deferral WHERE book = :book LIMIT 1")
_OF_DOCUMENT = statement(f"{_DEFERRALS} AND document_id = :document_id")
_OF_BOOK = statement(f"{_DEFERRALS} ORDER BY document_id, line_id")
_PUT_DEFERRAL = statement(
    """
    INSERT INTO deferral (line_id, book, document_id, client, first_month, months, total)
    VALUES (:line_id, :book, :document_id, :client, :first_month, :months, :total)
    ON CONFLICT (line_id) DO UPDATE SET total = excluded.total
    """
)
_RELEASES = statement(
    """
    SELECT r.line_id, r.month, sum(r.amount) AS amount
    FROM deferral_release r JOIN deferral d ON d.line_id = r.line_id
    WHERE d.book = :book GROUP BY 1, 2
    """
)
_PUT_RELEASE = statement(
    """
    INSERT INTO deferral_release (entry_id, line_id, month, amount)
    VALUES (:entry_id, :line_id, :month, :amount)
    """
)
# Work that can still be billed, and what is carried for work that can't be any more.
_OPEN_WORK = statement(
    """
    SELECT c.charge_id, c.payload, coalesce(r.amount, 0) AS amount,
        c.leakage IS NULL AS counts
    FROM charge c LEFT JOIN recognized_work r ON r.charge_id = c.charge_id
    WHERE c.book = :book AND c.state = 'unbilled' AND c.work_date <= :through
        AND c.grouping <> 'payable'
    ORDER BY c.charge_id
    """
)
_GONE_WORK = statement(
    """
    SELECT r.charge_id, r.client, r.work_date, r.amount FROM recognized_work r
    LEFT JOIN charge c ON c.charge_id = r.charge_id
    WHERE r.book = :book AND r.amount <> 0 AND (c.charge_id IS NULL OR c.state = 'withdrawn')
    ORDER BY r.charge_id
    """
)
_BILLED_WORK = statement(
    """
    SELECT c.charge_id, c.payload, coalesce(r.amount, 0) AS amount, true AS counts
    FROM charge c LEFT JOIN recognized_work r ON r.charge_id = c.charge_id
    WHERE c.charge_id = ANY(CAST(:charges AS text[])) ORDER BY c.charge_id
    """
)
_PUT_WORK = statement(
    """
    INSERT INTO recognized_work (charge_id, book, client, work_date, amount)
    SELECT charge_id, :book, client, work_date, amount
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        charge_id text, client text, work_date date, amount numeric)
    ON CONFLICT (charge_id) DO UPDATE SET amount = excluded.amount,
        client = excluded.client, work_date = excluded.work_date
    """
)
_PUT_LINES = statement(
    """
    INSERT INTO recognized_line
        (line_id, book, document_id, client, project, recognized, gross, billed)
    SELECT r.line_id, :book, :document_id, :client, r.project, r.recognized, r.gross, r.billed
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        line_id text, project text, recognized numeric, gross numeric, billed numeric)
    """
)
_IS_INVOICED = statement(
    "SELECT 1 FROM recognized_line WHERE book = :book AND document_id = :document_id LIMIT 1"
)


@dataclass(frozen=True)
class DueDocument:
    """A posted document that may concern recognition."""

    book: str
    document_id: str
    upto: int


@dataclass(frozen=True)
class Deferral:
    """A line that is earned over months."""

    line_id: str
    document_id: str
    client: str
    schedule: Schedule


@dataclass(frozen=True)
class CountedWork:
    """A charge, and what it is carried at so far."""

    charge: Charge
    amount: Decimal
    counts: bool
    """False: no run will bill it, it came to nothing."""


@dataclass(frozen=True)
class GoneWork:
    """Work that is carried and can't be billed any more."""

    charge_id: str
    client: str
    work_date: date
    amount: Decimal


def note_posted(connection: Connection, book: str, document: Document) -> None:
    """Ask for a look at a posted invoice or credit memo, if the book recognizes anything."""
    if document.kind not in (DocumentKind.INVOICE, DocumentKind.CREDIT_MEMO):
        return
    if is_in_use(connection, book):
        connection.execute(_ASK, {"book": book, "document_id": document.document_id})


def is_in_use(connection: Connection, book: str) -> bool:
    """Return whether a book recognizes anything; what it once deferred is earned to its end."""
    configured = configuration_of(connection, book)
    if configured is None:
        return False
    policy = configured.configuration.recognition
    if policy.unbilled or policy.deferrals:
        return True
    return connection.execute(_HAS_DEFERRALS, {"book": book}).first() is not None


def due(connection: Connection) -> list[DueDocument]:
    """Return the documents to look at, the longest waiting first."""
    return [DueDocument(row.book, row.document_id, row.id) for row in connection.execute(_DUE)]


def looked_at(connection: Connection, asked: DueDocument) -> None:
    """Forget what asked for this look."""
    connection.execute(_LOOKED_AT, {"document_id": asked.document_id, "id": asked.upto})


def waiting(connection: Connection, book: str) -> int:
    """Return how many documents of a book are still to be looked at."""
    return int(connection.execute(_WAITING, {"book": book}).scalar_one())


def lock_book(connection: Connection, book: str) -> None:
    """Let nobody else recognize anything of this book until the transaction ends."""
    connection.execute(_LOCK, {"book": book})


def count_entries(connection: Connection, book: str, subject: str) -> int:
    """Return how many entries there are about a subject."""
    return int(connection.execute(_COUNT, {"book": book, "subject": subject}).scalar_one())


def note_entry(connection: Connection, book: str, subject: str, entry_id: str) -> None:
    """Keep what an entry is about."""
    connection.execute(_NOTE_ENTRY, {"entry_id": entry_id, "book": book, "subject": subject})


def credits_of(connection: Connection, document_id: str) -> list[Document]:
    """Return the posted credit memos of an invoice."""
    rows = connection.execute(_CREDITS, {"document_id": document_id}).scalars()
    return [Document.model_validate(row) for row in rows]


def deferrals_of(
    connection: Connection, book: str, document_id: str | None = None
) -> list[Deferral]:
    """Return the deferred lines of a book, or of one document."""
    sql = _OF_BOOK if document_id is None else _OF_DOCUMENT
    rows = connection.execute(sql, {"book": book, "document_id": document_id})
    return [
        Deferral(
            row.line_id,
            row.document_id,
            row.client,
            Schedule(row.first_month, row.months, row.total),
        )
        for row in rows
    ]


def put_deferral(connection: Connection, book: str, deferral: Deferral) -> None:
    """Store a deferred line, or the total that it has now."""
    schedule = deferral.schedule
    connection.execute(
        _PUT_DEFERRAL,
        {
            "line_id": deferral.line_id,
            "book": book,
            "document_id": deferral.document_id,
            "client": deferral.client,
            "first_month": schedule.first_month,
            "months": schedule.months,
            "total": schedule.total,
        },
    )


def releases_of(connection: Connection, book: str) -> dict[str, list[Earned]]:
    """Return what was earned so far, by line."""
    found: dict[str, list[Earned]] = {}
    for row in connection.execute(_RELEASES, {"book": book}):
        found.setdefault(row.line_id, []).append(Earned(row.month, row.amount))
    return found


def put_release(connection: Connection, entry_id: str, line_id: str, earned: Earned) -> None:
    """Store what a month earned of a line."""
    connection.execute(
        _PUT_RELEASE,
        {
            "entry_id": entry_id,
            "line_id": line_id,
            "month": earned.month,
            "amount": earned.amount,
        },
    )


def open_work(connection: Connection, book: str, through: date) -> list[CountedWork]:
    """Return the unbilled charges up to a day."""
    return _work(connection.execute(_OPEN_WORK, {"book": book, "through": through}))


def billed_work(connection: Connection, charges: Sequence[str]) -> dict[str, CountedWork]:
    """Return charges that an invoice bills, by id."""
    rows = connection.execute(_BILLED_WORK, {"charges": list(charges)})
    return {work.charge.charge_id: work for work in _work(rows)}


def gone_work(connection: Connection, book: str) -> list[GoneWork]:
    """Return what is carried for work that was withdrawn."""
    rows = connection.execute(_GONE_WORK, {"book": book})
    return [GoneWork(row.charge_id, row.client, row.work_date, row.amount) for row in rows]


def put_work(connection: Connection, book: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Store what charges are carried at now."""
    known = list(rows)
    if known:
        bulk(connection, _PUT_WORK, known, book=book)


def put_lines(
    connection: Connection,
    book: str,
    document: Document,
    lines: Sequence[tuple[str, str | None, Invoiced]],
) -> None:
    """Store what an invoice made of recognized work, by line."""
    rows = [
        {
            "line_id": line_id,
            "project": project,
            "recognized": str(made.recognized),
            "gross": str(made.gross),
            "billed": str(made.billed),
        }
        for line_id, project, made in lines
    ]
    if rows:
        named = {"document_id": document.document_id, "client": document.client}
        bulk(connection, _PUT_LINES, rows, book=book, **named)


def is_invoiced(connection: Connection, book: str, document_id: str) -> bool:
    """Return whether an invoice's work was dealt with already."""
    asked = {"book": book, "document_id": document_id}
    return connection.execute(_IS_INVOICED, asked).first() is not None


def _work(rows: Iterable[Any]) -> list[CountedWork]:
    return [
        CountedWork(Charge.model_validate_json(row.payload), row.amount, row.counts) for row in rows
    ]
