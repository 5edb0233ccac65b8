"""The totals of one month as its close fixes them, and the versions they were made under."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, text

_RECORDS = text(
    """
    SELECT coalesce(s.client, r.client) AS client, coalesce(s.project, r.project) AS project,
           coalesce(s.outcome, 'in_flight') AS outcome, count(*) AS records,
           coalesce(sum(r.worked_seconds), 0)::bigint AS worked_seconds,
           coalesce(sum(r.amount), 0) AS amount
    FROM seen_record r LEFT JOIN seen_charge_set s USING (book, record_id)
    WHERE r.book = :book AND NOT r.deleted AND r.record_type IN ('time_entry', 'expense')
      AND to_char(coalesce(s.work_date, r.work_date), 'YYYY-MM') = :period
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
)
_CHARGES = text(
    """
    SELECT client, project, currency, is_payable, count(*) AS charges,
           sum(worked_seconds)::bigint AS worked_seconds,
           sum(billable_seconds)::bigint AS billable_seconds,
           round(sum(coalesce(amount, rate * billable_seconds / 3600, 0)), 6) AS amount
    FROM (SELECT * FROM current_charge UNION ALL SELECT * FROM current_payable) AS charge
    WHERE book = :book AND to_char(work_date, 'YYYY-MM') = :period
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    """
)
_DOCUMENTS = text(
    """
    SELECT client, kind, currency, count(*) AS documents, sum(total) AS total, sum(tax) AS tax,
           sum(base_total) AS base_total
    FROM seen_document
    WHERE book = :book AND status = 'posted' AND to_char(document_date, 'YYYY-MM') = :period
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
)
_LINES = text(
    """
    SELECT coalesce(l.client, l.document_client) AS client, l.project, l.kind, l.currency,
           sum(l.billed_seconds)::bigint AS billed_seconds, sum(l.amount) AS amount,
           sum(l.discount) AS discount, sum(l.adjustment) AS adjustment
    FROM live_line l
    WHERE l.book = :book AND l.status = 'posted'
      AND to_char(l.document_date, 'YYYY-MM') = :period
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    """
)
_ENTRIES = text(
    """
    SELECT d.purpose, p ->> 'role' AS role, d.currency, sum((p ->> 'amount')::numeric) AS amount,
           sum((p ->> 'base_amount')::numeric) AS base_amount
    FROM seen_document d CROSS JOIN LATERAL jsonb_array_elements(d.postings) AS p
    WHERE d.book = :book AND d.status = 'posted'
      AND to_char(d.document_date, 'YYYY-MM') = :period
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
)
_LEDGER = text(
    """
    SELECT kind, currency, count(*) AS documents, sum(total) AS total
    FROM ledger_snapshot s
    WHERE book = :book AND NOT is_void AND to_char(document_date, 'YYYY-MM') = :period
      AND EXISTS (SELECT 1 FROM seen_document d WHERE d.book = s.book AND d.kind = s.kind
                  AND d.ledger_connection = s.ledger_connection AND d.ledger_id = s.ledger_id)
    GROUP BY 1, 2 ORDER BY 1, 2
    """
)
_LEVELS = {
    "records": _RECORDS,
    "charges": _CHARGES,
    "documents": _DOCUMENTS,
    "lines": _LINES,
    "entries": _ENTRIES,
    "ledger": _LEDGER,
}
_MAPPINGS = text(
    """
    SELECT DISTINCT mapping_version FROM seen_charge_set
    WHERE book = :book AND to_char(work_date, 'YYYY-MM') = :period ORDER BY 1
    """
)
_CONFIGURATIONS = text(
    """
    SELECT DISTINCT configuration_version FROM seen_document
    WHERE book = :book AND to_char(document_date, 'YYYY-MM') = :period ORDER BY 1
    """
)
_POLICIES = text(
    """
    SELECT DISTINCT s ->> 'policy' AS policy
    FROM live_line l CROSS JOIN LATERAL jsonb_array_elements(l.roundings) AS s
    WHERE l.book = :book AND to_char(l.document_date, 'YYYY-MM') = :period
      AND s ->> 'policy' IS NOT NULL ORDER BY 1
    """
)
_RATES = text(
    """
    SELECT DISTINCT exchange ->> 'rate_id' AS rate_id, exchange ->> 'rate_date' AS rate_date,
           exchange ->> 'value' AS value, currency
    FROM seen_document
    WHERE book = :book AND exchange IS NOT NULL
      AND to_char(document_date, 'YYYY-MM') = :period ORDER BY 2, 1
    """
)


def period_totals(connection: Connection, book: str, period: str) -> dict[str, Any]:
    """Return the month's totals at every level as JSON values: what its hash is taken over."""
    parameters = {"book": book, "period": period}
    totals = {
        level: [dict(row) for row in connection.execute(sql, parameters).mappings()]
        for level, sql in _LEVELS.items()
    }
    return dict(json.loads(to_json({"book": book, "period": period, **totals})))


def frozen(connection: Connection, book: str, period: str) -> dict[str, Any]:
    """Return the versions of mapping and policies and the exchange rates used in a month."""
    parameters = {"book": book, "period": period}
    rates = connection.execute(_RATES, parameters).mappings()
    return {
        "mapping_versions": list(connection.execute(_MAPPINGS, parameters).scalars()),
        "configuration_versions": list(connection.execute(_CONFIGURATIONS, parameters).scalars()),
        "rounding_policies": list(connection.execute(_POLICIES, parameters).scalars()),
        "exchange_rates": [dict(row) for row in rates],
    }


def changed_levels(stored: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return, by level, the rows that a closed month had and those that it has now."""
    return {
        level: {
            "closed_with": [row for row in stored.get(level, []) if row not in now[level]],
            "now": [row for row in now[level] if row not in stored.get(level, [])],
        }
        for level in _LEVELS
        if stored.get(level, []) != now[level]
    }
