"""Reads a ledger's documents back, page by page, into a snapshot that checks and reports use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.book import LedgerBinding
from hourbridge.common.clock import to_text
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.messages.events import DocumentKind
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import bulk, statement
from hourbridge.connectors.ledger import Ledger, LedgerDocument
from hourbridge.connectors.statements import MIRRORED_KINDS

CHUNK_DOCUMENTS = 500
AFTER_CHUNK = declare("reconciler.after_ledger_chunk", "a part of the ledger was read back")

Ledgers = Callable[[LedgerBinding], Ledger]
"""Opens the ledger of a binding; the caller closes it."""

_BINDINGS = text(
    """
    SELECT ledger, min(document_date) AS first, max(document_date) AS last
    FROM seen_document WHERE book = :book AND ledger_id IS NOT NULL
    GROUP BY ledger ORDER BY ledger ->> 'connection', ledger ->> 'company_id'
    """
)
_UPSERT = statement(
    """
    INSERT INTO ledger_snapshot (book, ledger_connection, kind, ledger_id, run_id, number,
        customer_id, currency, document_date, total, open_balance, edit_token, lines,
        marked_document_id, updated_at, is_ours, is_void, vendor_id, tax_total, exchange_rate,
        base_total, settles, stated)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, ledger_connection text, kind text, ledger_id text, run_id bigint, number text,
        customer_id text, currency text, document_date date, total numeric, open_balance numeric,
        edit_token text, lines jsonb, marked_document_id text, updated_at timestamptz,
        is_ours boolean, is_void boolean, vendor_id text, tax_total numeric,
        exchange_rate numeric, base_total numeric, settles jsonb, stated jsonb)
    ON CONFLICT (book, ledger_connection, kind, ledger_id) DO UPDATE SET
        run_id = excluded.run_id, number = excluded.number, customer_id = excluded.customer_id,
        currency = excluded.currency, document_date = excluded.document_date,
        total = excluded.total, open_balance = excluded.open_balance,
        edit_token = excluded.edit_token, lines = excluded.lines,
        marked_document_id = excluded.marked_document_id, updated_at = excluded.updated_at,
        is_ours = excluded.is_ours, is_void = excluded.is_void, vendor_id = excluded.vendor_id,
        tax_total = excluded.tax_total, exchange_rate = excluded.exchange_rate,
        base_total = excluded.base_total, settles = excluded.settles,
        stated = excluded.stated
    """
)
_OWN_KINDS = text("SELECT DISTINCT kind FROM seen_document WHERE book = :book")
_FORGET = text(
    "DELETE FROM ledger_snapshot "
    "WHERE book = :book AND ledger_connection = :connection AND run_id <> :run_id"
)


@dataclass(frozen=True)
class Target:
    """A ledger in which a book has documents, and the days that they span."""

    book: str
    run_id: int
    binding: LedgerBinding
    first: date
    last: date


def targets(connection: Connection, book: str, run_id: int) -> list[Target]:
    """Return every ledger that holds documents of the book, also those it was bound to before."""
    return [
        Target(book, run_id, LedgerBinding.model_validate(row.ledger), row.first, row.last)
        for row in connection.execute(_BINDINGS, {"book": book})
    ]


def read_back(
    store: Store, ledger: Ledger, target: Target, *, today: date, margin_days: int
) -> int:
    """Replace the snapshot of one ledger; return how many documents it holds.

    No transaction is open while the ledger is called. Raises LedgerError; the snapshot is then
    partly old, and its rows tell by their run.
    """
    margin = timedelta(days=margin_days)
    first, last = target.first - margin, max(target.last, today) + margin
    count = 0
    for kind in _kinds(store, ledger, target):
        for chunk in _chunks(ledger.documents(kind, first, last)):
            rows = {document.ledger_id: _row(target, document) for document in chunk}
            with store.transaction() as connection:
                bulk(connection, _UPSERT, [rows[key] for key in sorted(rows)])
            count += len(rows)
            fault_point(AFTER_CHUNK)
    with store.transaction() as connection:
        connection.execute(
            _FORGET,
            {
                "book": target.book,
                "connection": target.binding.connection,
                "run_id": target.run_id,
            },
        )
    return count


def _kinds(store: Store, ledger: Ledger, target: Target) -> list[DocumentKind]:
    """Return what is read: kinds that only we enter are left out where the book has none.

    A company's time and purchases may be many times its invoices.
    """
    with store.transaction() as connection:
        ours = set(connection.execute(_OWN_KINDS, {"book": target.book}).scalars())
    readable = sorted(ledger.capabilities.document_kinds)
    return [kind for kind in readable if kind not in MIRRORED_KINDS or kind.value in ours]


def refresh(connection: Connection, target: Target, document: LedgerDocument) -> None:
    """Put one document, read again, into the snapshot."""
    bulk(connection, _UPSERT, [_row(target, document)])


def _chunks(documents: Iterable[LedgerDocument]) -> Iterator[list[LedgerDocument]]:
    source = iter(documents)
    while chunk := list(islice(source, CHUNK_DOCUMENTS)):
        yield chunk


def _row(target: Target, document: LedgerDocument) -> dict[str, Any]:
    return {
        "book": target.book,
        "ledger_connection": target.binding.connection,
        "kind": document.kind,
        "ledger_id": document.ledger_id,
        "run_id": target.run_id,
        "number": document.number,
        "customer_id": document.customer_id,
        "currency": document.currency,
        "document_date": document.document_date,
        "total": document.total,
        "open_balance": document.open_balance,
        "edit_token": document.edit_token,
        "lines": [
            {
                "position": line.position,
                "item_id": line.item_id,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "amount": line.amount,
                "account_id": line.account_id,
                "base_amount": line.base_amount,
            }
            for line in document.lines
        ],
        "marked_document_id": document.marked_document_id,
        "updated_at": to_text(document.updated_at) if document.updated_at else None,
        "is_ours": document.is_ours,
        "is_void": document.is_void,
        "vendor_id": document.vendor_id,
        "tax_total": document.tax_total,
        "exchange_rate": document.exchange_rate,
        "base_total": document.base_total,
        "settles": [
            {"kind": each.kind, "ledger_id": each.ledger_id, "amount": each.amount}
            for each in document.settles
        ],
        "stated": dict(document.stated),
    }
