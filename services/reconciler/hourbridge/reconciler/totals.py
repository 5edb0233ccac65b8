"""Control totals at every level, by period, project and client, and the hash that fixes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, text

from hourbridge.common.ids import content_hash
from hourbridge.reconciler.categories import categories
from hourbridge.reconciler.figures import hours
from hourbridge.reconciler.pricing import pricing_bridge

_SOURCE = text(
    """
    SELECT source, record_type, count(*) AS readings, sum(rows)::bigint AS rows,
           (SELECT jsonb_object_agg(key, total ORDER BY key) FROM (
                SELECT key, sum(value::bigint) AS total
                FROM source_reading each, jsonb_each_text(each.outcomes)
                WHERE each.book = :book AND each.source = r.source
                  AND each.record_type = r.record_type GROUP BY key) counted) AS outcomes
    FROM source_reading r WHERE book = :book GROUP BY 1, 2 ORDER BY 1, 2
    """
)
_RECORDS = text(
    """
    SELECT to_char(r.work_date, 'YYYY-MM') AS period, coalesce(s.client, r.client) AS client,
           coalesce(s.project, r.project) AS project, count(*) AS records,
           coalesce(sum(r.worked_seconds), 0)::bigint AS worked_seconds,
           coalesce(sum(r.billable_seconds), 0)::bigint AS billable_seconds
    FROM seen_record r LEFT JOIN seen_charge_set s USING (book, record_id)
    WHERE r.book = :book AND NOT r.deleted AND r.record_type IN ('time_entry', 'expense')
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
)
_OUTCOMES = text(
    """
    SELECT to_char(work_date, 'YYYY-MM') AS period, client, project, outcome, count(*) AS records,
           sum(worked_seconds)::bigint AS worked_seconds,
           sum(billable_seconds)::bigint AS billable_seconds
    FROM seen_charge_set
    WHERE book = :book AND NOT deleted AND record_type IN ('time_entry', 'expense')
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    """
)
_CHARGES = text(
    """
    SELECT to_char(work_date, 'YYYY-MM') AS period, client, project, currency,
           count(*) AS charges, sum(worked_seconds)::bigint AS worked_seconds,
           sum(billable_seconds)::bigint AS billable_seconds,
           round(sum(coalesce(amount, rate * billable_seconds / 3600, 0)), 6) AS amount
    FROM current_charge WHERE book = :book
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    """
)
_DOCUMENTS = text(
    """
    SELECT coalesce(period, to_char(document_date, 'YYYY-MM')) AS period,
           coalesce(client, document_client) AS client, project, currency, kind, status,
           count(DISTINCT document_id) AS documents,
           sum(CASE WHEN is_sale THEN billed_seconds ELSE 0 END)::bigint AS billed_seconds,
           sum(CASE WHEN kind IN ('credit_memo', 'vendor_credit') THEN -amount ELSE amount END)
               AS amount,
           sum(CASE WHEN kind IN ('credit_memo', 'vendor_credit') THEN -1 ELSE 1 END
               * coalesce(tax_amount, 0)) AS tax
    FROM live_line WHERE book = :book
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
    """
)
_LEDGER = text(
    # Lines are told apart by their order; money of lines that are not ours stays with the client.
    """
    WITH held AS (
        SELECT ledger_connection, kind, ledger_id, currency AS ledger_currency,
               document_date AS ledger_date,
               (jsonb_array_elements(lines) ->> 'amount')::numeric AS amount,
               generate_series(1, jsonb_array_length(lines)) AS place
        FROM ledger_snapshot WHERE book = :book
    ),
    ours AS (
        SELECT d.ledger_connection, d.kind, d.ledger_id, d.currency, d.document_date, d.period,
               d.client AS document_client, l.client, l.project,
               row_number() OVER (PARTITION BY d.document_id ORDER BY l.position) AS place
        FROM seen_document d JOIN document_line l USING (book, lines_key)
        WHERE d.book = :book AND d.ledger_id IS NOT NULL
    )
    SELECT coalesce(o.period, to_char(ledger_date, 'YYYY-MM')) AS period,
           coalesce(o.client, o.document_client) AS client, o.project,
           coalesce(o.currency, ledger_currency) AS currency, kind,
           o.ledger_id IS NOT NULL AS is_ours, count(DISTINCT ledger_id) AS documents,
           sum(CASE kind WHEN 'credit_memo' THEN -amount ELSE amount END) AS amount
    FROM held LEFT JOIN ours o USING (ledger_connection, kind, ledger_id, place)
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
    """
)
_LEVELS = {
    "source": _SOURCE,
    "records": _RECORDS,
    "outcomes": _OUTCOMES,
    "charges": _CHARGES,
    "documents": _DOCUMENTS,
    "ledger": _LEDGER,
}


def control_totals(connection: Connection, book: str) -> dict[str, list[dict[str, Any]]]:
    """Return the totals of every level as JSON values; hours and money as text."""
    totals = {
        level: [_written(dict(row)) for row in connection.execute(sql, {"book": book}).mappings()]
        for level, sql in _LEVELS.items()
    }
    totals["pricing"] = pricing_bridge(connection, book)
    shares = categories(connection, book)
    totals["time"], totals["money"] = shares["time"], shares["money"]
    return dict(json.loads(to_json(totals)))


def totals_hash(totals: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the totals in canonical JSON: sorted keys, no spaces."""
    canonical = json.dumps(totals, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{content_hash(canonical.encode())}"


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    with_hours = {
        f"{name.removesuffix('_seconds')}_hours": hours(row[name])
        for name in row
        if name.endswith("_seconds")
    }
    return {**row, **with_hours}
