"""Metrics of the reconciler. Labels are bounded by configuration: books, causes, currencies."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

TIME_TO_INVOICE = Histogram(
    "hourbridge_time_to_invoice_seconds",
    "Posted at minus the later of accepted at and the billing cut-off, per record.",
    ["book", "workflow"],
    buckets=(1, 5, 15, _MINUTE, 300, 900, _HOUR, 4 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY),
)
UNBILLED_HOURS = Gauge(
    "hourbridge_unbilled_hours", "Charged hours that no document bills.", ["book", "age"]
)
UNBILLED_AMOUNT = Gauge(
    "hourbridge_unbilled_amount",
    "What the unbilled work would bring, before rounding.",
    ["book", "currency", "age"],
)
DISCREPANCIES_OPEN = Gauge(
    "hourbridge_discrepancies_open", "Open discrepancies.", ["book", "cause"]
)
RECONCILIATION_DURATION = Histogram(
    "hourbridge_reconciliation_duration_seconds",
    "How long reconciling one book took.",
    ["book"],
    buckets=(0.1, 0.5, 1, 5, 15, _MINUTE, 300, 900, _HOUR),
)
RECONCILIATION_ERRORS = Counter(
    "hourbridge_reconciliation_errors_total",
    "Reconciliations, or ledgers in them, that could not be finished.",
    ["book", "code"],
)
RECONCILIATION_LAST = Gauge(
    "hourbridge_reconciliation_last_finished_timestamp_seconds",
    "When a book's last complete reconciliation ended.",
    ["book"],
)
