"""Documents as the reconciler keeps them: the highest version of each, with its lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import to_text
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Document, DocumentLine
from hourbridge.common.store.rows import bulk, statement

_UPSERT = statement(
    """
    INSERT INTO seen_document
    SELECT book, document_id, version, kind, status, number, generation, ledger,
           ledger ->> 'connection', customer, job, client, currency, document_date, period, total,
           lines_key, credits_document_id, configuration_version, cut_off_at, ledger_id,
           edit_token, posted_total, posted_at, reason_code, :seen_at, NULL
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, document_id text, version bigint, kind text, status text, number text,
        generation integer, ledger jsonb, customer jsonb, job jsonb, client text, currency text,
        document_date date, period text, total numeric, lines_key text, credits_document_id text,
        configuration_version bigint, cut_off_at timestamptz, ledger_id text, edit_token text,
        posted_total numeric, posted_at timestamptz, reason_code text)
    ON CONFLICT (book, document_id) DO UPDATE SET
        version = excluded.version, kind = excluded.kind, status = excluded.status,
        number = excluded.number, generation = excluded.generation, ledger = excluded.ledger,
        ledger_connection = excluded.ledger_connection, customer = excluded.customer,
        job = excluded.job, client = excluded.client, currency = excluded.currency,
        document_date = excluded.document_date, period = excluded.period, total = excluded.total,
        lines_key = excluded.lines_key, credits_document_id = excluded.credits_document_id,
        configuration_version = excluded.configuration_version, cut_off_at = excluded.cut_off_at,
        ledger_id = excluded.ledger_id, edit_token = excluded.edit_token,
        posted_total = excluded.posted_total, posted_at = excluded.posted_at,
        reason_code = excluded.reason_code, seen_at = excluded.seen_at
    WHERE seen_document.version < excluded.version
    """
)
_INSERT_LINES = statement(
    """
    INSERT INTO document_line
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, document_id text, lines_key text, line_id text, position integer, item jsonb,
        service_date date, quantity numeric, unit_price numeric, amount numeric,
        billed_seconds bigint, worked_seconds bigint, client text, project text,
        charge_ids text[], credits_line_id text, supplements_line_id text)
    ON CONFLICT DO NOTHING
    """
)
_DROP_REPLACED = statement(
    # The documents are locked: one that returns to earlier lines must not lose them here.
    """
    WITH replaced AS (
        SELECT d.book, d.document_id, d.lines_key FROM seen_document d
        WHERE EXISTS (SELECT 1 FROM document_line l WHERE l.book = d.book
                      AND l.document_id = d.document_id AND l.lines_key <> d.lines_key)
        ORDER BY d.book, d.document_id FOR UPDATE
    )
    DELETE FROM document_line l USING replaced r
    WHERE l.book = r.book AND l.document_id = r.document_id AND l.lines_key <> r.lines_key
    """
)
Stated = tuple[str, Document]


def keep_documents(connection: Connection, stated: Iterable[Stated], seen_at: datetime) -> None:
    """Keep the highest version of each (book, document); lower or equal ones change nothing."""
    newest: dict[tuple[str, str], Document] = {}
    for book, document in stated:
        held = newest.get((book, document.document_id))
        if held is None or held.version < document.version:
            newest[book, document.document_id] = document
    if not newest:
        return
    keys = sorted(newest)
    lines_keys = {key: _lines_key(newest[key]) for key in keys}
    rows = [_row(key[0], newest[key], lines_keys[key]) for key in keys]
    bulk(connection, _UPSERT, rows, seen_at=seen_at)
    lines = [
        _line_row(key, lines_keys[key], line)
        for key in keys
        for line in sorted(newest[key].lines, key=lambda line: line.line_id)
    ]
    if lines:
        bulk(connection, _INSERT_LINES, lines)


def drop_replaced_lines(connection: Connection) -> int:
    """Delete the lines of replaced document versions; return how many."""
    return connection.execute(_DROP_REPLACED).rowcount


def _lines_key(document: Document) -> str:
    return derive_key(
        document.document_id, *(line.model_dump_json() for line in document.lines), length=16
    )


def _row(book: str, document: Document, lines_key: str) -> dict[str, Any]:
    posted = document.posted
    return {
        "book": book,
        "document_id": document.document_id,
        "version": document.version,
        "kind": document.kind,
        "status": document.status,
        "number": document.number,
        "generation": document.generation,
        "ledger": document.ledger.model_dump(mode="json"),
        "customer": document.customer and document.customer.model_dump(mode="json"),
        "job": document.job.model_dump(mode="json") if document.job else None,
        "client": document.client,
        "currency": document.currency,
        "document_date": document.document_date,
        "period": document.period,
        "total": str(document.total),
        "lines_key": lines_key,
        "credits_document_id": document.credits_document_id,
        "configuration_version": document.configuration_version,
        "cut_off_at": to_text(document.cut_off_at) if document.cut_off_at else None,
        "ledger_id": posted.ledger_id if posted else None,
        "edit_token": posted.edit_token if posted else None,
        "posted_total": str(posted.total) if posted else None,
        "posted_at": to_text(posted.posted_at) if posted else None,
        "reason_code": document.reason.code if document.reason else None,
    }


def _line_row(key: tuple[str, str], lines_key: str, line: DocumentLine) -> dict[str, Any]:
    return {
        "book": key[0],
        "document_id": key[1],
        "lines_key": lines_key,
        "line_id": line.line_id,
        "position": line.position,
        "item": line.item.model_dump(mode="json") if line.item else None,
        "service_date": line.service_date,
        "quantity": str(line.quantity),
        "unit_price": str(line.unit_price),
        "amount": str(line.amount),
        "billed_seconds": line.billed_seconds,
        "worked_seconds": line.worked_seconds,
        "client": line.client,
        "project": line.project,
        "charge_ids": list(line.charge_ids),
        "credits_line_id": line.credits_line_id,
        "supplements_line_id": line.supplements_line_id,
    }
