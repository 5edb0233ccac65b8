"""The status report: positions, the last run, what is open, parked and on its way."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.reconciler.discrepancies import open_by_cause
from hourbridge.reconciler.figures import hours
from hourbridge.reconciler.sequence import Stream, progress

_LAST_RUN = text(
    """
    SELECT id AS run_id, asked_by, started_at, finished_at, totals_hash, found, opened, resolved,
           ledgers
    FROM reconciliation_run WHERE book = :book AND finished_at IS NOT NULL
    ORDER BY id DESC LIMIT 1
    """
)
_LAST_TOTALS = text(
    "SELECT id AS run_id, finished_at, totals_hash, totals FROM reconciliation_run "
    "WHERE book = :book AND finished_at IS NOT NULL ORDER BY id DESC LIMIT 1"
)
_DOCUMENTS = text(
    """
    SELECT kind, status, currency, count(*) AS documents, sum(total) AS total
    FROM seen_document WHERE book = :book GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
)
_OUTCOMES = text(
    """
    SELECT outcome, reason_code AS code, count(*) AS records
    FROM seen_charge_set WHERE book = :book AND NOT deleted GROUP BY 1, 2 ORDER BY 1, 2
    """
)
_COUNTS = text(
    """
    SELECT (SELECT count(*) FROM seen_record WHERE book = :book AND NOT deleted
            AND record_type IN ('time_entry', 'expense')) AS records,
           (SELECT count(*) FROM current_charge WHERE book = :book) AS charges,
           (SELECT count(*) FROM seen_charge_set WHERE book = :book AND outcome = 'parked'
            AND NOT deleted) AS parked
    """
)
_UNBILLED_SECONDS = text(
    """
    SELECT coalesce(sum(c.billable_seconds), 0)::bigint FROM current_charge c
    WHERE c.book = :book AND NOT EXISTS (
        SELECT 1 FROM billed_charge b WHERE b.book = c.book AND b.charge_id = c.charge_id)
    """
)
_CONFIGURATION = text("SELECT version FROM book_configuration WHERE book = :book")


def status_report(connection: Connection, book: str) -> dict[str, Any]:
    """Return where the book stands, as JSON-ready values."""
    parameters = {"book": book}
    known = progress(connection, book)
    by_cause = open_by_cause(connection, book)
    last = connection.execute(_LAST_RUN, parameters).mappings().first()
    return {
        "book": book,
        "configuration_version": connection.execute(_CONFIGURATION, parameters).scalar(),
        "positions": {stream: asdict(each) for stream, each in known.items()},
        "settled_through": min(known[stream].contiguous for stream in Stream),
        "outcomes": [dict(row) for row in connection.execute(_OUTCOMES, parameters).mappings()],
        "documents": [dict(row) for row in connection.execute(_DOCUMENTS, parameters).mappings()],
        **connection.execute(_COUNTS, parameters).mappings().one(),
        "unbilled_hours": hours(connection.execute(_UNBILLED_SECONDS, parameters).scalar_one()),
        "open_discrepancies": sum(by_cause.values()),
        "open_by_cause": by_cause,
        "last_run": dict(last) if last else None,
    }


def last_totals(connection: Connection, book: str) -> dict[str, Any] | None:
    """Return the totals that the last complete run fixed, with their hash."""
    row = connection.execute(_LAST_TOTALS, {"book": book}).mappings().first()
    return dict(row) if row else None
