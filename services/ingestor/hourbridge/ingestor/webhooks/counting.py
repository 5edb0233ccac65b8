"""Counting what deliveries brought."""

from __future__ import annotations

from collections import Counter

from hourbridge.ingestor import intake
from hourbridge.ingestor.webhooks import metrics
from hourbridge.ingestor.webhooks.acting import Result

_CHANNEL = "webhook"


def count(system: str, result: Result) -> None:
    """Count a delivery that was acted on, and its events."""
    intake.count(_CHANNEL, result.verdicts)
    outcomes = Counter(verdict.outcome.value for verdict in result.verdicts)
    outcomes.update(
        hinted=result.hinted,
        repeated=result.repeated,
        nothing=result.unconcerned,
        unknown=result.unrouted,
    )
    for outcome, events in outcomes.items():
        if events:
            metrics.EVENTS.labels(system, outcome).inc(events)
    metrics.DELIVERIES.labels(system, _delivery(result)).inc()


def _delivery(result: Result) -> str:
    if result.is_unusable:
        return "unusable"
    if result.verdicts or result.hinted or result.repeated:
        return "taken"
    return "unknown" if result.unrouted else "nothing"
