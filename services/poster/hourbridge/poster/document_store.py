"""Documents, lines and what they bill in PostgreSQL; each saved version is announced with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, RowMapping

from hourbridge.billing.currencies.stamping import moves_money, restamped
from hourbridge.billing.grouping import ledger_key
from hourbridge.common.clock import Clock
from hourbridge.common.errors import ensure
from hourbridge.common.messages.events import Document, DocumentStatus
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.outbox import Outbox
from hourbridge.common.store.rows import bulk, statement
from hourbridge.poster import journals
from hourbridge.poster.announcements import announce
from hourbridge.poster.documents import NewDocument, NewLine
from hourbridge.poster.metrics import DOCUMENTS
from hourbridge.poster.payments import stated as stated_payments

_NUMBERS = statement(
    """
    INSERT INTO document_number (ledger_key, prefix, last) VALUES (:ledger_key, :prefix, :count)
    ON CONFLICT (ledger_key, prefix) DO UPDATE SET last = document_number.last + :count
    RETURNING last
    """
)
_USED_NUMBERS = statement(
    "SELECT DISTINCT number FROM document WHERE ledger_key = :ledger_key AND number = ANY(:numbers)"
)
_INSERT_DOCUMENTS = statement(
    """
    INSERT INTO document (document_id, book, ledger_key, engagement_key, group_key,
        billed_through, run_id, kind, status, number, version, created_at, changed_at, payload)
    SELECT document_id, book, ledger_key, engagement_key, group_key, billed_through, run_id, kind,
        status, number, version, :now, :now, payload
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        document_id text, book text, ledger_key text, engagement_key text, group_key text,
        billed_through date, run_id text, kind text, status text, number text, version integer,
        payload jsonb)
    """
)
_INSERT_LINES = statement(
    """
    INSERT INTO document_line (line_id, document_id, book, position, amount, billed_seconds,
        carried_seconds, carry_key, fee_key, credits_line_id, supplements_line_id, basis,
        tax_amount, tax_code, project, service_date, charge_kind)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        line_id text, document_id text, book text, position integer, amount numeric,
        billed_seconds bigint, carried_seconds numeric, carry_key text, fee_key text,
        credits_line_id text, supplements_line_id text, basis jsonb, tax_amount numeric,
        tax_code text, project text, service_date date, charge_kind text)
    """
)
_BILL_CHARGES = statement(
    """
    WITH billed AS (
        UPDATE charge c SET state = 'billed', leakage = NULL
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(line_id text, charge_id text)
        WHERE c.charge_id = r.charge_id AND c.state = 'unbilled'
        RETURNING r.line_id, c.charge_id, c.record_revision
    )
    INSERT INTO line_charge (line_id, charge_id, record_revision)
    SELECT * FROM billed
    ON CONFLICT (line_id, charge_id) DO UPDATE SET
        is_live = true, record_revision = excluded.record_revision, billed = NULL
    """
)
_SELECT = "SELECT * FROM document WHERE document_id = :document_id"
_LOCK = statement(f"{_SELECT} FOR UPDATE")
_READ = statement(_SELECT)
_SAVE = statement(
    """
    UPDATE document SET version = :version, status = :status, number = :number,
        payload = CAST(:payload AS jsonb), changed_at = :now,
        payload_version = payload_version + :content, proposed_date = :proposed_date
    WHERE document_id = :document_id AND version = :version - 1
    """
)
_LIST = statement(
    """
    SELECT payload FROM document
    WHERE book = :book AND (CAST(:status AS text) IS NULL OR status = :status)
        AND (CAST(:number AS text) IS NULL OR number = :number)
    ORDER BY created_at DESC, number DESC LIMIT :limit
    """
)


@dataclass(frozen=True)
class HeldDocument:
    """A document as stored."""

    document: Document
    book: str
    ledger_key: str
    engagement_key: str
    group_key: str
    billed_through: date
    payload_version: int
    proposed_date: date | None
    in_place_refused: bool

    @property
    def keys(self) -> dict[str, str]:
        """Return the book, engagement and group whose work it bills."""
        return {
            "book": self.book,
            "engagement_key": self.engagement_key,
            "group_key": self.group_key,
        }


class DocumentStore:
    """Reads and writes documents in the caller's transaction."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock

    def allocate_numbers(
        self, connection: Connection, key: str, prefix: str, count: int
    ) -> list[str]:
        """Return the next ``count`` document numbers of a ledger; the counter stays locked."""
        last = connection.execute(
            _NUMBERS, {"ledger_key": key, "prefix": prefix, "count": count}
        ).scalar_one()
        return [f"{prefix}-{number}" for number in range(last - count + 1, last + 1)]

    def used_numbers(self, connection: Connection, key: str, numbers: Sequence[str]) -> set[str]:
        """Return which of ``numbers`` documents of a ledger have already.

        Documents of every kind count: people mustn't meet one number twice.
        """
        if not numbers:
            return set()
        parameters = {"ledger_key": key, "numbers": list(numbers)}
        return set(connection.execute(_USED_NUMBERS, parameters).scalars())

    def insert(self, connection: Connection, book: str, documents: Sequence[NewDocument]) -> None:
        """Store new documents with their lines and announce them; their charges are billed."""
        if not documents:
            return
        now = self._clock.now()
        bulk(connection, _INSERT_DOCUMENTS, [_row(book, new) for new in documents], now=now)
        lines = [(new, line) for new in documents for line in new.lines]
        bulk(connection, _INSERT_LINES, [_line_row(book, new, line) for new, line in lines])
        self.bill_charges(
            connection,
            [(line.line.line_id, c.charge_id) for _, line in lines for c in line.charges],
        )
        journals.record(connection, book, [new.document for new in documents])
        self._outbox.add(connection, [announce(book, new.document, now) for new in documents])
        for new in documents:
            DOCUMENTS.labels(new.document.kind, new.document.status).inc()

    def bill_charges(self, connection: Connection, placed: Sequence[tuple[str, str]]) -> None:
        """Put charges (second) on lines (first); each must be unbilled and locked."""
        if not placed:
            return
        rows = [{"line_id": line_id, "charge_id": charge_id} for line_id, charge_id in placed]
        written = bulk(connection, _BILL_CHARGES, rows).rowcount
        ensure(written == len(rows), "a charge to bill was not unbilled", charges=len(rows))

    def lock(self, connection: Connection, document_id: str) -> HeldDocument:
        """Lock and return a document, or raise NotFound."""
        return _held(connection.execute(_LOCK, {"document_id": document_id}), document_id)

    def read(self, connection: Connection, document_id: str) -> HeldDocument:
        """Return a document, or raise NotFound."""
        return _held(connection.execute(_READ, {"document_id": document_id}), document_id)

    def save(
        self,
        connection: Connection,
        held: HeldDocument,
        *,
        content_changed: bool = False,
        proposed_date: date | None = None,
        **changes: Any,
    ) -> Document:
        """Store the next version of a locked document, announce it and return it."""
        version = held.document.version + 1
        document = held.document.model_copy(update={**changes, "version": version})
        if "exchange" not in changes and moves_money(held.document, document):
            document = restamped(document)
        now = self._clock.now()
        written = connection.execute(
            _SAVE,
            {
                "document_id": document.document_id,
                "version": version,
                "status": document.status,
                "number": document.number,
                "payload": document_json(document),
                "content": int(content_changed),
                "proposed_date": proposed_date,
                "now": now,
            },
        ).rowcount
        ensure(written == 1, "a document changed under its lock", document=document.document_id)
        journals.record(connection, held.book, [document])
        if document.status is DocumentStatus.POSTED and held.document.status != document.status:
            stated_payments.wake_book(connection, held.book)
        self._outbox.add(connection, [announce(held.book, document, now)])
        if document.status != held.document.status:
            DOCUMENTS.labels(document.kind, document.status).inc()
        return document

    def newest(
        self,
        connection: Connection,
        book: str,
        *,
        status: str | None = None,
        number: str | None = None,
        limit: int,
    ) -> list[dict[str, Any]]:
        """Return the newest documents of a book as stored, all or of a status or number."""
        wanted = {"book": book, "status": status, "number": number, "limit": limit}
        return list(connection.execute(_LIST, wanted).scalars())


def document_json(document: Document) -> str:
    """Return a document as it is stored."""
    return document.model_dump_json(exclude_none=True)


def held_document(row: RowMapping) -> HeldDocument:
    """Return a row of the document table."""
    return HeldDocument(
        document=Document.model_validate(row["payload"]),
        book=row["book"],
        ledger_key=row["ledger_key"],
        engagement_key=row["engagement_key"],
        group_key=row["group_key"],
        billed_through=row["billed_through"],
        payload_version=row["payload_version"],
        proposed_date=row["proposed_date"],
        in_place_refused=row["in_place_refused"],
    )


def _held(result: Any, document_id: str) -> HeldDocument:
    row = result.mappings().first()
    if row is None:
        raise NotFound("there is no such document", document=document_id)
    return held_document(row)


def _row(book: str, new: NewDocument) -> dict[str, Any]:
    document = new.document
    return {
        "document_id": document.document_id,
        "book": book,
        "ledger_key": ledger_key(document.ledger),
        "engagement_key": new.engagement_key,
        "group_key": new.group_key,
        "billed_through": new.billed_through,
        "run_id": new.run_id,
        "kind": document.kind,
        "status": document.status,
        "number": document.number,
        "version": document.version,
        "payload": document.model_dump(mode="json", exclude_none=True),
    }


def _line_row(book: str, new: NewDocument, line: NewLine) -> dict[str, Any]:
    basis = line.basis
    return {
        "line_id": line.line.line_id,
        "document_id": new.document.document_id,
        "book": book,
        "position": line.line.position,
        "amount": str(line.amount),
        "billed_seconds": line.seconds,
        "carried_seconds": str(line.carried_seconds),
        "carry_key": basis.carry_key or None if basis else None,
        "fee_key": line.fee_key,
        "credits_line_id": line.line.credits_line_id,
        "supplements_line_id": line.line.supplements_line_id,
        "basis": basis.model_dump(mode="json") if basis else None,
        "tax_amount": str(line.tax),
        "tax_code": line.line.tax_code,
        "project": line.line.project,
        "service_date": line.line.service_date,
        "charge_kind": line.charge_kind,
    }
