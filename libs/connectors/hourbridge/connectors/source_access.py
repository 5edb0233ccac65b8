"""What opening a source or a receiver is given; connectors import this, the registries both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hourbridge.common.clock import Clock
from hourbridge.connectors.access import CallBudget, Observer
from hourbridge.connectors.connections.source_store import SourceConnection, SourceStore
from hourbridge.connectors.connections.store import ConnectionStore
from hourbridge.connectors.source import Source
from hourbridge.connectors.webhooks import WebhookReceiver


@dataclass(frozen=True)
class SourceOpening:
    """What opening a source is given besides its connection."""

    clock: Clock
    timeout_seconds: float
    budget: CallBudget
    """Of the source's own connection; raises SourceThrottled. A ledger has its own instead."""
    sources: SourceStore
    ledgers: ConnectionStore | None
    """Where a source that is a ledger finds its tokens and its call budget, by its own name."""
    observer: Observer


OpenSource = Callable[[SourceConnection, SourceOpening], Source]
"""Opens a source; makes no call."""
OpenReceiver = Callable[[SourceConnection, Clock], WebhookReceiver]
"""Returns what understands a connection's deliveries; the secret is among its secrets."""
