"""Hold-backs in PostgreSQL: whose they are, what stands of them, what was released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.book import LedgerReference
from hourbridge.common.messages.events import Document
from hourbridge.common.store.rows import statement

_RELEASED = statement(
    """
    SELECT r.line_id, sum(r.amount) AS amount FROM holdback_release r
    JOIN holdback h USING (line_id) JOIN document d ON d.document_id = r.document_id
    WHERE h.document_id = :document_id AND d.status <> 'withdrawn' GROUP BY r.line_id
    """
)
# What is held is what the bill's line and its corrections take off the bill.
_OPEN = statement(
    """
    SELECT h.line_id, h.document_id, h.vendor, h.currency, h.bill_date, d.payload, d.status,
        -(l.amount + coalesce((
            SELECT sum(a.amount) FROM document_line a
            JOIN document ad ON ad.document_id = a.document_id
            WHERE a.is_live AND (a.credits_line_id = l.line_id OR a.supplements_line_id = l.line_id)
                AND (CAST(:on AS date) IS NULL
                    OR CAST(ad.payload ->> 'document_date' AS date) <= :on)
        ), 0)) AS held,
        coalesce((
            SELECT sum(r.amount) FROM holdback_release r
            JOIN document rd ON rd.document_id = r.document_id AND rd.status <> 'withdrawn'
            WHERE r.line_id = h.line_id
                AND (CAST(:on AS date) IS NULL OR r.released_on <= :on)
        ), 0) AS released
    FROM holdback h
    JOIN document_line l ON l.line_id = h.line_id AND l.is_live
    JOIN document d ON d.document_id = h.document_id
    WHERE h.book = :book AND (CAST(:on AS date) IS NULL OR h.bill_date <= :on)
    ORDER BY h.vendor_key, h.bill_date, h.line_id
    """
)
_LOCK = statement("SELECT 1 FROM holdback WHERE line_id = ANY(:lines) ORDER BY line_id FOR UPDATE")
_ADD = statement(
    """
    INSERT INTO holdback_release (document_id, line_id, book, amount, base_amount, released_on,
        released_by)
    VALUES (:document_id, :line_id, :book, :amount, :base_amount, :released_on, :actor)
    """
)
_RELEASES = statement(
    """
    SELECT r.line_id, r.amount, r.released_on, d.number, d.status FROM holdback_release r
    JOIN document d ON d.document_id = r.document_id AND d.status <> 'withdrawn'
    WHERE r.book = :book ORDER BY r.released_on, d.number
    """
)


@dataclass(frozen=True)
class Holdback:
    """What one bill holds back of one vendor's work."""

    line_id: str
    bill: Document
    vendor: LedgerReference
    currency: str
    bill_date: date
    held: Decimal
    released: Decimal

    @property
    def open_amount(self) -> Decimal:
        """Return what is still held."""
        return self.held - self.released

    def is_of(self, vendor: str | None, number: str | None) -> bool:
        """Return whether it is of a vendor (by name or id) and bill (by either number)."""
        named = vendor is None or vendor in (self.vendor.name, self.vendor.id)
        numbers = (self.bill.number, self.bill.vendor_bill_number)
        return named and (number is None or number in numbers)


def released_by_line(connection: Connection, document_id: str) -> dict[str, Decimal]:
    """Return what was released of a bill's hold-backs, by line."""
    rows = connection.execute(_RELEASED, {"document_id": document_id})
    return {row.line_id: row.amount for row in rows}


def holdbacks(connection: Connection, book: str, on: date | None = None) -> list[Holdback]:
    """Return all hold-backs of standing bills, as they were at the end of a day."""
    rows = connection.execute(_OPEN, {"book": book, "on": on}).mappings()
    return [
        Holdback(
            line_id=row["line_id"],
            bill=Document.model_validate(row["payload"]),
            vendor=LedgerReference.model_validate(row["vendor"]),
            currency=row["currency"],
            bill_date=row["bill_date"],
            held=row["held"],
            released=row["released"],
        )
        for row in rows
    ]


def lock(connection: Connection, lines: list[str]) -> None:
    """Let nobody else release of these hold-backs until the transaction ends."""
    connection.execute(_LOCK, {"lines": lines}).all()


def add_release(connection: Connection, row: Mapping[str, Any]) -> None:
    """Note what an entry released."""
    connection.execute(_ADD, dict(row))


def releases(connection: Connection, book: str) -> dict[str, list[dict[str, Any]]]:
    """Return the releases of a book, by hold-back line."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(_RELEASES, {"book": book}).mappings():
        found.setdefault(row["line_id"], []).append(dict(row))
    return found
