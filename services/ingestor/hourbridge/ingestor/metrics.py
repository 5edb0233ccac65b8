"""What the ingestor counts. Labels are bounded: channels, outcomes, reason codes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter(
    "hourbridge_intake_events_total", "Stated things by outcome.", ["channel", "outcome"]
)
REJECTED = Counter(
    "hourbridge_intake_rejected_total",
    "Stated things that were refused, by the first reason's code.",
    ["channel", "reason"],
)
REFUSED_REQUESTS = Counter(
    "hourbridge_intake_refused_requests_total", "HTTP requests refused as a whole.", ["status"]
)
BATCH_SECONDS = Histogram(
    "hourbridge_intake_batch_seconds", "Time to accept and commit one batch.", ["channel"]
)
HELD_BACK = Counter(
    "hourbridge_intake_held_back_total",
    "What was held back because its book floods: HTTP requests (429), AMQP events put on a delay "
    "rung, import batches that waited.",
    ["channel"],
)
BACKLOG = Gauge(
    "hourbridge_intake_backlog_messages",
    "Messages that wait between intake and documents, as the flood gate sees them.",
    ["lane"],
)
CONFLICTS_OPEN = Gauge("hourbridge_intake_conflicts_open", "Conflicts that wait for a decision.")
IMPORT_ROWS = Counter("hourbridge_import_rows_total", "Imported rows by outcome.", ["outcome"])
