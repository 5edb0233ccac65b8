"""Rates and base amounts on documents, before they are stored; without a rate they are parked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.currencies.choosing import missing_key
from hourbridge.billing.currencies.stamping import restamped, stamped
from hourbridge.common.book import BookConfiguration
from hourbridge.common.exchange_rates import RateMissing
from hourbridge.common.messages.events import (
    Document,
    DocumentStatus,
    ExchangeRateUsed,
    Reason,
)
from hourbridge.poster import open_items
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.currencies.rates import BookRates
from hourbridge.poster.documents import NewDocument

NO_RATE = "no_rate"
_NOTHING = Decimal(0)


def stamp(connection: Connection, book: str, documents: Sequence[NewDocument]) -> list[NewDocument]:
    """Return documents with their rate and base amounts, as far as they need any.

    A document without a rate is parked (a draft says why it can't be released yet); it goes on by
    itself when the rate arrives. It is never posted at 1.
    """
    configured = configuration_of(connection, book)
    if configured is None:
        return list(documents)
    configuration = configured.configuration
    if all(new.document.currency == configuration.currency for new in documents):
        return list(documents)
    rates = BookRates(connection, configuration)
    return [
        new
        if new.document.currency == configuration.currency
        else _with_document(new, _stamped(connection, new.document, rates, configuration))
        for new in documents
    ]


def rated(
    connection: Connection, book: str, document: Document, document_date: date | None = None
) -> dict[str, Any]:
    """Return what a rate changes of a stored document that is not in the ledger yet.

    Asked before a document goes on its way: when it waited for a rate, and when its date moves.
    Raises RateMissing when there still is none.
    """
    configured = configuration_of(connection, book)
    if configured is None or document.currency == configured.configuration.currency:
        return {}
    day = document_date or document.document_date
    has_rate = document.exchange is not None
    if has_rate and (day == document.document_date or document.postings):
        return {}
    rates = BookRates(connection, configured.configuration)
    fresh = document.model_copy(update={"document_date": day})
    if document.credits_document_id is None:
        fresh = _at_own_rate(fresh, rates, configured.configuration)
    return {
        "exchange": fresh.exchange,
        "base_total": fresh.base_total,
        "lines": fresh.lines,
    }


def waits_for_rate(document: Document) -> bool:
    """Return whether a document was assembled, but has no rate to be posted at."""
    return (
        document.status in (DocumentStatus.PARKED, DocumentStatus.DRAFT)
        and document.reason is not None
        and document.reason.code == NO_RATE
        and document.exchange is None
    )


def _stamped(
    connection: Connection,
    document: Document,
    rates: BookRates,
    configuration: BookConfiguration,
) -> Document:
    if document.credits_document_id is not None and document.exchange is not None:
        return restamped(document, base_total=_rest_of_credited(connection, document))
    try:
        return _at_own_rate(document, rates, configuration)
    except RateMissing as error:
        return _waiting(document, rates.base, error)


def _at_own_rate(
    document: Document, rates: BookRates, configuration: BookConfiguration
) -> Document:
    def rate_on(day: date) -> ExchangeRateUsed:
        return rates.on(document.currency, day)

    own_dates = configuration.currencies.lock == "transaction_date"
    return stamped(document, rate_on, own_dates=own_dates)


def _rest_of_credited(connection: Connection, credit: Document) -> Decimal | None:
    """Return the base amount of the credit that takes back the rest of an invoice, else None.

    Credits mirror their invoice in both currencies: the last one takes what the others left.
    """
    invoice_id = credit.credits_document_id or ""
    item = open_items.read_items(connection, [invoice_id]).get(invoice_id)
    if item is None or item.document.base_total is None:
        return None
    earlier = [r for r in item.reductions if r.is_credit]
    if item.document.total - item.credited != credit.total:
        return None
    taken = sum((r.base_amount or _NOTHING for r in earlier), _NOTHING)
    return item.document.base_total - taken


def _waiting(document: Document, base: str, error: RateMissing) -> Document:
    reason = Reason(
        code=NO_RATE,
        detail=error.what,
        waits_for=missing_key(document.currency, base, document.document_date),
    )
    is_draft = document.status is DocumentStatus.DRAFT
    status = DocumentStatus.DRAFT if is_draft else DocumentStatus.PARKED
    return document.model_copy(
        update={"status": status, "reason": reason, "exchange": None, "base_total": None}
    )


def _with_document(new: NewDocument, document: Document) -> NewDocument:
    by_id = {line.line_id: line for line in document.lines}
    lines = tuple(replace(line, line=by_id[line.line.line_id]) for line in new.lines)
    return replace(new, document=document, lines=lines)
