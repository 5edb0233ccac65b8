"""Which trackers are told what about documents: rows of the list lanes, made with what they tell.

Only invoices that were composed in a tracker have something there to be marked, and only where the
book asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hourbridge.common.book import BookConfiguration
from hourbridge.common.ids import derive_id, derive_key
from hourbridge.common.messages.events import (
    ChargeSetChanged,
    Document,
    DocumentKind,
    DocumentStatus,
)
from hourbridge.common.money import decimal_text
from hourbridge.common.store.rows import bulk, statement
from hourbridge.connectors.marking import MarkKind
from hourbridge.poster import open_items
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.lists.requests import KEY_CHARACTERS, source_lane

_LIST = "invoice"

_KEEP = statement(
    """
    INSERT INTO composed_record (record_id, book, source, external_id)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        record_id text, book text, source text, external_id text)
    ON CONFLICT (record_id) DO UPDATE SET external_id = excluded.external_id
    """
)
_ANY = statement("SELECT 1 FROM composed_record WHERE book = :book LIMIT 1")
_BILLED = statement(
    """
    SELECT DISTINCT l.document_id, m.source, m.external_id
    FROM document_line l
    JOIN line_charge b ON b.line_id = l.line_id
    JOIN charge c ON c.charge_id = b.charge_id
    JOIN composed_record m ON m.record_id = c.record_id
    WHERE l.document_id = ANY(CAST(:ids AS text[])) ORDER BY 1, 2, 3
    """
)
_TELL = statement(
    """
    INSERT INTO list_operation (operation_key, change_id, event_id, book, lane_key, kind,
        list_name, origin, request, state, available_at, created_at)
    SELECT operation_key, change_id, change_id, book, lane_key, 'mark', list_name, origin, request,
        'pending', :now, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(operation_key text, change_id text,
        book text, lane_key text, list_name text, origin text, request jsonb)
    ON CONFLICT (change_id) DO NOTHING
    """
)


@dataclass(frozen=True)
class _Told:
    """A document as a tracker knows it."""

    source: str
    external_id: str


def keep(connection: Connection, sets: Iterable[tuple[str, ChargeSetChanged]]) -> None:
    """Keep which records are invoices that a tracker composed."""
    rows = {
        changed.record_id: {
            "record_id": changed.record_id,
            "book": book,
            "source": changed.source,
            "external_id": changed.composed_as,
        }
        for book, changed in sets
        if changed.composed_as is not None
    }
    if rows:
        bulk(connection, _KEEP, [rows[record_id] for record_id in sorted(rows)])


def note_posted(connection: Connection, book: str, document: Document, now: datetime) -> None:
    """Let the trackers be told of a document that was posted, or of those that it settles."""
    if document.status is not DocumentStatus.POSTED:
        return
    if document.kind is not DocumentKind.INVOICE and not document.settles:
        return
    if connection.execute(_ANY, {"book": book}).first() is None:
        return
    configured = configuration_of(connection, book)
    if configured is None or not configured.configuration.write_back:
        return
    rows = _rows(connection, book, document, configured.configuration, now)
    for row in rows:
        row["lane_key"] = source_lane(connection, book, row.pop("source"), configured.version)
    if rows:
        bulk(connection, _TELL, rows, now=now)


def _rows(
    connection: Connection,
    book: str,
    document: Document,
    configuration: BookConfiguration,
    now: datetime,
) -> list[dict[str, Any]]:
    today = now.astimezone(ZoneInfo(configuration.zone)).date()
    rows: list[dict[str, Any]] = []
    if document.kind is DocumentKind.INVOICE:
        composed = _composed(connection, [document.document_id])
        for told in _asked(configuration, composed.get(document.document_id, ()), "invoice_posted"):
            rows.append(_row(book, told, "invoice_posted", document, today, Decimal(0), document))
    settled = [settlement.document_id for settlement in document.settles]
    composed = _composed(connection, settled)
    items = open_items.read_items(connection, composed)
    for document_id, item in sorted(items.items()):
        posted = [r.amount for r in item.reductions if not r.is_credit and r.is_posted]
        paid = sum(posted, Decimal(0))
        for told in _asked(configuration, composed[document_id], "paid"):
            day = document.document_date
            rows.append(_row(book, told, "paid", item.document, day, paid, document))
    return rows


def _composed(connection: Connection, ids: Sequence[str]) -> Mapping[str, Sequence[_Told]]:
    """Return, by document, what the trackers know them as."""
    found: dict[str, list[_Told]] = {}
    if ids:
        for row in connection.execute(_BILLED, {"ids": list(ids)}):
            found.setdefault(row.document_id, []).append(_Told(row.source, row.external_id))
    return found


def _asked(
    configuration: BookConfiguration, composed: Iterable[_Told], mark: MarkKind
) -> list[_Told]:
    """Return what the book wants to be told."""
    wanted = {rule.source for rule in configuration.write_back if mark in rule.marks}
    return [told for told in composed if told.source in wanted]


def _row(
    book: str,
    told: _Told,
    kind: MarkKind,
    invoice: Document,
    on: date,
    paid: Decimal,
    cause: Document,
) -> dict[str, Any]:
    """Return the row that tells a tracker; the same cause gives the same one."""
    change_id = derive_id(
        "mark",
        invoice.document_id,
        told.external_id,
        kind,
        cause.document_id,
        str(cause.generation),
        decimal_text(paid),
    )
    request = {
        "kind": kind,
        "external_id": told.external_id,
        "number": invoice.number,
        "ledger_id": invoice.posted.ledger_id if invoice.posted else "",
        "total": decimal_text(invoice.total),
        "currency": invoice.currency,
        "on": on.isoformat(),
        "paid": decimal_text(paid),
    }
    return {
        "operation_key": derive_key("list_operation", change_id, length=KEY_CHARACTERS),
        "change_id": change_id,
        "book": book,
        "source": told.source,
        "list_name": _LIST,
        "origin": told.external_id,
        "request": request,
    }
