"""From a connection's name to a Source or a webhook receiver: the registries of systems.

Each system adds one line to ``SOURCES`` and, if it pushes, one to ``RECEIVERS``.
"""

from __future__ import annotations

from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.connectors.access import Exchange, Observer
from hourbridge.connectors.bigtime.opening import open_bigtime
from hourbridge.connectors.connections.source_budget import OnWait, ignore_waits
from hourbridge.connectors.connections.source_store import SourceConnection, SourceStore
from hourbridge.connectors.connections.store import ConnectionStore
from hourbridge.connectors.quickbooks_online.inbound import opening as quickbooks_online
from hourbridge.connectors.source import Source
from hourbridge.connectors.source_access import OpenReceiver, OpenSource, SourceOpening
from hourbridge.connectors.timetagger.opening import open_timetagger
from hourbridge.connectors.toggl.opening import open_toggl, receive_toggl
from hourbridge.connectors.webhooks import WebhookReceiver

CALL_TIMEOUT_SECONDS = 60.0


def _ignore(_exchange: Exchange) -> None:
    """Observe nothing."""


SOURCES: dict[str, OpenSource] = {
    "bigtime": open_bigtime,
    "quickbooks_online": quickbooks_online.open_source,
    "timetagger": open_timetagger,
    "toggl": open_toggl,
}
"""How each system is opened for reading."""

RECEIVERS: dict[str, OpenReceiver] = {
    "quickbooks_online": quickbooks_online.open_receiver,
    "toggl": receive_toggl,
}
"""How the deliveries of each system that pushes are understood."""


def open_source(
    connection: SourceConnection | str,
    sources: SourceStore,
    *,
    ledgers: ConnectionStore | None = None,
    clock: Clock | None = None,
    timeout_seconds: float = CALL_TIMEOUT_SECONDS,
    observer: Observer = _ignore,
    on_wait: OnWait = ignore_waits,
) -> Source:
    """Return the source of a connection, given itself or by name; opening makes no call.

    Raises ConfigurationInvalid for an unknown connection, and for a system without a connector.
    ``observer`` sees every exchange and must not raise; ``on_wait`` is told when the call budget
    had no turn.
    """
    details = sources.get(connection) if isinstance(connection, str) else connection
    opener = SOURCES.get(details.system)
    if opener is None:
        raise ConfigurationInvalid(
            f"no connector for sources of system {details.system!r} is installed",
            advice=f"Known systems: {', '.join(sorted(SOURCES)) or 'none'}.",
            connection=details.name,
        )
    opening = SourceOpening(
        clock=clock or SystemClock(),
        timeout_seconds=timeout_seconds,
        budget=sources.budget(details.name, on_wait),
        sources=sources,
        ledgers=ledgers,
        observer=observer,
    )
    return opener(details, opening)


def open_receiver(
    connection: SourceConnection | str, sources: SourceStore, *, clock: Clock | None = None
) -> WebhookReceiver:
    """Return what understands the deliveries of a connection; raises ConfigurationInvalid."""
    details = sources.get(connection) if isinstance(connection, str) else connection
    opener = RECEIVERS.get(details.system)
    if opener is None:
        raise ConfigurationInvalid(
            f"system {details.system!r} pushes nothing that is understood",
            connection=details.name,
        )
    return opener(details, clock or SystemClock())
