"""Metrics of connections; labels are bounded: kinds of callers, reasons, terms and states."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Sequence
from datetime import datetime

from prometheus_client import Counter, Gauge

from hourbridge.connectors.connections.states import ConnectionState

BUDGET_WAITS = Counter(
    "hourbridge_call_budget_wait_seconds_total",
    "Seconds that calls waited for their turn in a shared call budget.",
    ["caller"],
)
BUDGET_REFUSALS = Counter(
    "hourbridge_call_budget_refusals_total",
    "Calls put off because the queue was long, or because the company asked for a pause.",
    ["caller", "reason"],
)
THROTTLED = Counter(
    "hourbridge_throttled_total", "Answers of outside systems that it was too much (429)."
)
TOKEN_EXPIRES = Gauge(
    "hourbridge_connection_token_expires_timestamp_seconds",
    "When the first of all connections' tokens ends: for good (absolute), or if it stays unused "
    "(rolling). Absent without a known end.",
    ["term"],
)
CONNECTIONS = Gauge("hourbridge_connections", "Connections to ledgers by how they fare.", ["state"])
STATES = ("connected", "expiring", "broken", "disconnected")


def show(states: Sequence[ConnectionState]) -> None:
    """Set the gauges from how the connections fare."""
    counted = Count(state.state for state in states)
    for name in STATES:
        CONNECTIONS.labels(name).set(counted[name])
    alive = [state for state in states if state.state in ("connected", "expiring")]
    _set_earliest("rolling", [state.refresh_expires_at for state in alive])
    _set_earliest("absolute", [state.refresh_hard_expires_at for state in alive])


def _set_earliest(term: str, ends: Sequence[datetime | None]) -> None:
    known = [end for end in ends if end is not None]
    if known:
        TOKEN_EXPIRES.labels(term).set(min(known).timestamp())
    else:
        TOKEN_EXPIRES.remove(term)
