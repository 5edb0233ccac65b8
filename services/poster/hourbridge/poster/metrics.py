"""Metrics of the poster; labels are bounded: kinds, states, operations and outcomes only."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

DOCUMENTS = Counter(
    "hourbridge_documents_total", "Documents that reached a status.", ["kind", "status"]
)
LEDGER_REQUESTS = Counter(
    "hourbridge_ledger_requests_total", "Calls to ledgers.", ["operation", "outcome"]
)
LIST_REQUESTS = Counter(
    "hourbridge_list_requests_total",
    "Changes of lists sent to ledgers and trackers, and marks.",
    ["operation", "outcome"],
)
WAITING_LIST_CHANGES = Gauge(
    "hourbridge_poster_list_changes", "Changes of lists that are not done.", ["state"]
)
WAITING_OPERATIONS = Gauge(
    "hourbridge_poster_operations", "Ledger operations that are not done.", ["state"]
)
OLDEST_PENDING = Gauge(
    "hourbridge_poster_oldest_pending_seconds", "Age of the oldest operation to be sent."
)
LANES_DUE = Gauge("hourbridge_poster_lanes_due", "Ledgers that have something due to be sent.")
LANES_STOPPED = Gauge(
    "hourbridge_poster_lanes_stopped", "Ledgers that can't be posted to now.", ["state"]
)
CORRECTIONS_WAITING = Gauge(
    "hourbridge_poster_corrections_waiting", "Documents whose correction is due."
)
