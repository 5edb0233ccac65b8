"""What polling counts. Labels are bounded: books, sources and feeds as configured, outcomes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

LAST_READ = Gauge(
    "hourbridge_poll_last_read_timestamp_seconds",
    "When a feed was last read to its end; what changed before that is known.",
    ["book", "source", "feed"],
)
LAST_CHANGE = Gauge(
    "hourbridge_poll_last_change_timestamp_seconds",
    "When a reading of a feed last brought something new.",
    ["book", "source", "feed"],
)
INTERVAL = Gauge(
    "hourbridge_poll_interval_seconds",
    "The pause between readings that an adaptive feed has come to.",
    ["book", "source", "feed"],
)
READINGS = Counter(
    "hourbridge_poll_readings_total",
    "Readings of feeds by outcome: changed, unchanged; history apart.",
    ["book", "source", "feed", "outcome"],
)
PAGES = Counter("hourbridge_poll_pages_total", "Pages stored.", ["book", "source", "feed"])
RECORDS = Counter(
    "hourbridge_poll_records_total",
    "Statements read, by outcome; deleted: missing from a complete reading.",
    ["book", "source", "feed", "outcome"],
)
FAILURES = Counter(
    "hourbridge_poll_failures_total",
    "Turns of feeds that failed, by the error's code.",
    ["book", "source", "feed", "code"],
)
WITHHELD = Counter(
    "hourbridge_poll_deletions_withheld_total",
    "Readings after which deletions were withheld until a person looks.",
    ["book", "source", "feed"],
)
BUDGET_WAITS = Counter(
    "hourbridge_poll_budget_waits_total",
    "Calls for which a connection's call budget had no turn.",
    ["connection"],
)
OVERDUE = Gauge(
    "hourbridge_poll_overdue_seconds", "How long the most overdue feed has waited for its turn."
)
SPANS_OPEN = Gauge("hourbridge_poll_history_open", "Spans of history that are still being read.")
BROKEN = Gauge(
    "hourbridge_poll_connection_broken",
    "1 while a source connection is refused and its feeds rest.",
    ["connection"],
)
RECEIPTS = Counter(
    "hourbridge_poll_receipts_total", "Receipts asked for, by outcome: kept, missing.", ["outcome"]
)
