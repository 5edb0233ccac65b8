"""Foreign exchange of a book for people: realized, unrealized, open, and by which date's rate."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.currencies.conversion import base_amount
from hourbridge.common.book import BookConfiguration
from hourbridge.common.exchange_rates import RateMissing
from hourbridge.common.messages.events import Document, DocumentLine
from hourbridge.common.money import decimal_text
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.currencies import revaluation_store
from hourbridge.poster.currencies.balances import deposit_balances, open_balances
from hourbridge.poster.currencies.rates import BookRates

_ROWS_MAX = 1000
# A gain is a credit, so its posting is negative.
_REALIZED = statement(
    """
    SELECT d.payload ->> 'document_date' AS day, d.number AS document, d.status,
        d.payload ->> 'purpose' AS purpose, d.payload ->> 'client' AS client,
        p.posting ->> 'memo' AS item, d.payload ->> 'currency' AS currency,
        -CAST(p.posting ->> 'base_amount' AS numeric) AS gain
    FROM document d CROSS JOIN LATERAL jsonb_array_elements(d.payload -> 'postings') AS p(posting)
    WHERE d.book = :book AND d.status <> 'withdrawn'
        AND p.posting ->> 'role' = 'fx_realized'
    ORDER BY 1 DESC, d.number, item LIMIT :limit
    """
)
_FOREIGN_COSTS = statement(
    """
    SELECT payload FROM document d
    WHERE book = :book AND kind IN ('invoice', 'credit_memo') AND status <> 'withdrawn'
        AND jsonb_path_exists(payload, '$.lines[*].cost.exchange')
    ORDER BY d.created_at DESC, number LIMIT :limit
    """
)


class ExchangeReport:
    """Reads what exchange rates did to a book."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_book(self, book: str, day: date) -> dict[str, Any]:
        """Return realized and unrealized differences, and what is open at the end of ``day``."""
        with self._store.transaction() as connection:
            configured = configuration_of(connection, book)
            if configured is None:
                raise NotFound("the book has no configuration", book=book)
            configuration = configured.configuration
            realized = [
                {**row, "gain": decimal_text(row["gain"])}
                for row in _rows(connection, _REALIZED, book)
            ]
            return {
                "book": book,
                "base_currency": configuration.currency,
                "day": day.isoformat(),
                "realized": realized,
                "months": _months(realized),
                "revaluations": revaluation_store.made(connection, book, _ROWS_MAX),
                "open": _open(connection, book, configuration, day),
                "costs": _costs(connection, book, configuration),
            }


def _rows(connection: Connection, sql: Any, book: str) -> list[dict[str, Any]]:
    found = connection.execute(sql, {"book": book, "limit": _ROWS_MAX}).mappings()
    return [dict(row) for row in found]


def _months(realized: list[dict[str, Any]]) -> list[dict[str, str]]:
    sums: dict[str, Decimal] = {}
    for row in realized:
        month = row["day"][:7]
        sums[month] = sums.get(month, Decimal(0)) + Decimal(row["gain"])
    return [{"month": month, "gain": decimal_text(sums[month])} for month in sorted(sums)]


def _open(
    connection: Connection, book: str, configuration: BookConfiguration, day: date
) -> list[dict[str, str]]:
    base = configuration.currency
    found = [
        *open_balances(connection, book, base, day),
        *deposit_balances(connection, book, base, day),
    ]
    return [
        {
            "kind": each.balance.kind,
            "document": each.balance.label,
            "client": each.balance.client,
            "currency": each.balance.currency,
            "amount": decimal_text(each.balance.amount),
            "carried": decimal_text(each.balance.carried_base),
        }
        for each in sorted(found, key=lambda each: (each.balance.kind, each.balance.label))
    ]


def _costs(
    connection: Connection, book: str, configuration: BookConfiguration
) -> list[dict[str, str]]:
    rates = BookRates(connection, configuration)
    rows = []
    for payload in connection.execute(_FOREIGN_COSTS, {"book": book, "limit": _ROWS_MAX}).scalars():
        document = Document.model_validate(payload)
        for line in document.lines:
            row = _cost_row(document, line, rates)
            if row is not None:
                rows.append(row)
    return rows


def _cost_row(document: Document, line: DocumentLine, rates: BookRates) -> dict[str, str] | None:
    """Return what a foreign cost was worth when it was spent, against when it was billed.

    The difference has a name, ``fx_date``: the client pays by another day's rate than we did.
    """
    cost = line.cost
    if cost is None or cost.exchange is None or line.service_date is None:
        return None
    try:
        spent = _in_base(cost.amount, cost.currency, line.service_date, rates)
        billed = _in_base(cost.amount, cost.currency, cost.exchange.wanted_date, rates)
    except RateMissing:
        return None
    return {
        "document": document.number,
        "line": str(line.position),
        "client": document.client,
        "cost": decimal_text(cost.amount),
        "currency": cost.currency,
        "spent_on": line.service_date.isoformat(),
        "spent_base": decimal_text(spent),
        "rate_of": cost.exchange.wanted_date.isoformat(),
        "rate_id": cost.exchange.rate_id,
        "billed_base": decimal_text(billed),
        "difference": decimal_text(spent - billed),
        "cause": "fx_date",
    }


def _in_base(amount: Decimal, currency: str, day: date, rates: BookRates) -> Decimal:
    if currency == rates.base:
        return amount
    return base_amount(amount, currency, rates.on(currency, day))
