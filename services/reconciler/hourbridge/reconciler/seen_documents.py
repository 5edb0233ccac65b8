"""Documents as the reconciler keeps them: the highest version of each, with its lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import to_text
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Document, DocumentLine
from hourbridge.common.store.rows import bulk, statement
from hourbridge.reconciler.stated import stated_of

_UPSERT = statement(
    """
    INSERT INTO seen_document (book, document_id, version, kind, status, number, generation,
        ledger, ledger_connection, customer, job, client, currency, document_date, period, total,
        lines_key, credits_document_id, configuration_version, cut_off_at, ledger_id, edit_token,
        posted_total, posted_at, reason_code, vendor, vendor_bill_number, tax, taxes, base_total,
        exchange, postings, settles, purpose, engagement, in_ledger, stated, seen_at)
    SELECT book, document_id, version, kind, status, number, generation, ledger,
           ledger ->> 'connection', customer, job, client, currency, document_date, period, total,
           lines_key, credits_document_id, configuration_version, cut_off_at, ledger_id,
           edit_token, posted_total, posted_at, reason_code, vendor, vendor_bill_number, tax,
           taxes, base_total, exchange, postings, settles, purpose, engagement, in_ledger, stated,
           :seen_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, document_id text, version bigint, kind text, status text, number text,
        generation integer, ledger jsonb, customer jsonb, job jsonb, client text, currency text,
        document_date date, period text, total numeric, lines_key text, credits_document_id text,
        configuration_version bigint, cut_off_at timestamptz, ledger_id text, edit_token text,
        posted_total numeric, posted_at timestamptz, reason_code text, vendor jsonb,
        vendor_bill_number text, tax numeric, taxes jsonb, base_total numeric, exchange jsonb,
        postings jsonb, settles jsonb, purpose text, engagement text, in_ledger boolean,
        stated jsonb)
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
        reason_code = excluded.reason_code, vendor = excluded.vendor,
        vendor_bill_number = excluded.vendor_bill_number, tax = excluded.tax,
        taxes = excluded.taxes, base_total = excluded.base_total, exchange = excluded.exchange,
        postings = excluded.postings, settles = excluded.settles, purpose = excluded.purpose,
        engagement = excluded.engagement, in_ledger = excluded.in_ledger,
        stated = excluded.stated,
        seen_at = excluded.seen_at
    WHERE seen_document.version < excluded.version
    """
)
_INSERT_LINES = statement(
    """
    INSERT INTO document_line (book, document_id, lines_key, line_id, position, item, service_date,
        quantity, unit_price, amount, billed_seconds, worked_seconds, client, project, charge_ids,
        credits_line_id, supplements_line_id, role, roundings, discount, adjustment,
        capped_seconds, capped_amount, tax_code, tax_amount, base_amount)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, document_id text, lines_key text, line_id text, position integer, item jsonb,
        service_date date, quantity numeric, unit_price numeric, amount numeric,
        billed_seconds bigint, worked_seconds bigint, client text, project text,
        charge_ids text[], credits_line_id text, supplements_line_id text, role text,
        roundings jsonb, discount numeric, adjustment numeric, capped_seconds bigint,
        capped_amount numeric, tax_code text, tax_amount numeric, base_amount numeric)
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
        **_content(document),
    }


def _content(document: Document) -> dict[str, Any]:
    """Return what a document is made of beside its lines."""
    content = document.model_dump(
        mode="json",
        include={"vendor", "taxes", "exchange", "postings", "settles"},
        exclude_none=True,
    )
    return {
        "vendor": content.get("vendor"),
        "vendor_bill_number": document.vendor_bill_number,
        "tax": str(sum((tax.amount for tax in document.taxes), Decimal(0))),
        "taxes": content["taxes"],
        "base_total": None if document.base_total is None else str(document.base_total),
        "exchange": content.get("exchange"),
        "postings": content["postings"],
        "settles": content["settles"],
        "purpose": document.purpose,
        "engagement": document.engagement,
        "in_ledger": document.in_ledger,
        "stated": stated_of(document),
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
        "role": line.role,
        "roundings": [step.model_dump(mode="json", exclude_none=True) for step in line.roundings],
        "discount": str(line.discount or 0),
        "adjustment": str(line.adjustment.amount if line.adjustment else 0),
        "capped_seconds": line.capped_seconds,
        "capped_amount": str(line.capped_amount or 0),
        "tax_code": line.tax_code,
        "tax_amount": None if line.tax_amount is None else str(line.tax_amount),
        "base_amount": None if line.base_amount is None else str(line.base_amount),
    }
