"""Time-to-invoice of each record: posted at minus the later of accepted at and its cut-off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.store.engine import Store
from hourbridge.reconciler.metrics import TIME_TO_INVOICE

BATCH_DOCUMENTS = 200
_SECONDS = "greatest(0, extract(epoch FROM d.posted_at - greatest(c.accepted_at, d.cut_off_at)))"
_REPORT = text(
    f"""
    WITH timed AS (
        SELECT c.workflow, {_SECONDS} AS seconds
        FROM billed_charge b
        JOIN seen_document d USING (book, document_id)
        JOIN current_charge c USING (book, charge_id)
        WHERE b.book = :book AND d.status = 'posted' AND d.posted_at IS NOT NULL
    )
    SELECT workflow, count(*) AS records,
           round(percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds), 3) AS p50_seconds,
           round(percentile_disc(0.9) WITHIN GROUP (ORDER BY seconds), 3) AS p90_seconds,
           round(percentile_disc(0.99) WITHIN GROUP (ORDER BY seconds), 3) AS p99_seconds,
           round(max(seconds), 3) AS max_seconds
    FROM timed GROUP BY workflow ORDER BY workflow
    """
)
_TAKE = text(
    """
    UPDATE seen_document SET timed_at = :now
    WHERE (book, document_id) IN (
        SELECT book, document_id FROM seen_document
        WHERE status = 'posted' AND timed_at IS NULL AND kind = 'invoice'
        ORDER BY posted_at LIMIT :documents_max FOR UPDATE SKIP LOCKED)
    RETURNING document_id
    """
)
_TIMES = text(
    f"""
    SELECT b.book, c.workflow, {_SECONDS} AS seconds
    FROM (SELECT book, document_id, unnest(charge_ids) AS charge_id
          FROM live_line WHERE document_id = ANY(:document_ids)) b
    JOIN seen_document d USING (book, document_id)
    JOIN current_charge c USING (book, charge_id)
    """
)


def time_to_invoice_report(connection: Connection, book: str) -> dict[str, Any]:
    """Return the distribution over all posted records, by workflow."""
    rows: list[Mapping[str, Any]] = [
        dict(row) for row in connection.execute(_REPORT, {"book": book}).mappings()
    ]
    return {"book": book, "workflows": rows}


def observe_new(store: Store, now: datetime) -> int:
    """Put newly posted documents into the histogram, each once; return how many."""
    observed = 0
    while taken := _observe_batch(store, now):
        observed += taken
    return observed


def _observe_batch(store: Store, now: datetime) -> int:
    with store.transaction() as connection:
        parameters = {"now": now, "documents_max": BATCH_DOCUMENTS}
        document_ids = list(connection.execute(_TAKE, parameters).scalars())
        times = connection.execute(_TIMES, {"document_ids": document_ids}).all()
    for row in times:
        TIME_TO_INVOICE.labels(row.book, row.workflow).observe(float(row.seconds))
    return len(document_ids)
