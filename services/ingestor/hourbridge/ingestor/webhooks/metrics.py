"""What is counted about webhooks. Systems are those of the registry, or ``unknown``."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

DELIVERIES = Counter(
    "hourbridge_webhook_deliveries_total",
    "Webhook deliveries by what became of them: taken, nothing (a ping, or of no concern), "
    "unusable (kept, no part of it can be used), waiting (answered, to be acted on), refused "
    "(signature), unknown (source or company), too_large, unverifiable (no secret is set).",
    ["system", "outcome"],
)
EVENTS = Counter(
    "hourbridge_webhook_events_total",
    "Events of deliveries by outcome; hinted: a feed was woken, repeated: known already.",
    ["system", "outcome"],
)
ANSWER_SECONDS = Histogram(
    "hourbridge_webhook_answer_seconds",
    "Time from a delivery's last byte to its answer.",
    ["system"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5),
)
WAITING = Gauge(
    "hourbridge_webhook_waiting", "Deliveries that were answered and are still to be acted on."
)
