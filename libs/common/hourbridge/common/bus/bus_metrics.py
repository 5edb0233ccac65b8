"""Metrics of the lanes; every label has few values."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

HANDLED = Counter(
    "hourbridge_messages_handled_total",
    "Messages settled, by what became of them: handled, retried, dead, suspected.",
    ["service", "lane", "outcome"],
)
RETRIES = Counter(
    "hourbridge_message_retries_total",
    "Messages put on a delay rung, by the number of failed attempts.",
    ["service", "lane", "attempt"],
)
DEAD = Counter(
    "hourbridge_messages_dead_total", "Messages given up, by cause.", ["service", "cause"]
)
BATCH_MESSAGES = Histogram(
    "hourbridge_batch_messages",
    "Messages per batch.",
    ["service", "lane"],
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
)
BATCH_SECONDS = Histogram(
    "hourbridge_batch_duration_seconds",
    "Time from a batch's fetch to its acknowledgement, by phase.",
    ["service", "lane", "phase"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
PAUSED = Gauge(
    "hourbridge_lane_paused",
    "1 while a lane waits for a dependency, probing it with one message at a time.",
    ["service", "lane"],
)
LAST_TURN = Gauge(
    "hourbridge_lane_last_turn_timestamp_seconds",
    "When a lane's loop last turned.",
    ["service", "lane"],
)
ARCHIVED = Counter(
    "hourbridge_dead_messages_archived_total", "Dead letters moved into the table.", ["service"]
)
