"""Watches the connections: gauges for their ends, and tokens of idle ones kept alive."""

from __future__ import annotations

from datetime import timedelta

import structlog

from hourbridge.common.clock import Clock
from hourbridge.common.errors import LedgerError
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.connectors.connections import ConnectionStore, metrics
from hourbridge.connectors.quickbooks_online.connecting import token_endpoint

log = structlog.get_logger(__name__)
GAUGE_SECONDS = 60
KEEP_ALIVE_SECONDS = 6 * 3600
IDLE_DAYS = 7
"""A connection that nobody called over for so long is refreshed: unused tokens end by themselves,
and a grant that was withdrawn is found out before somebody needs it."""


class ConnectionWatch:
    """Looks after the connections of a deployment. Safe in every replica: renewals are locked."""

    def __init__(self, connections: ConnectionStore, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock

    def tasks(self) -> list[PeriodicTask]:
        """Return what is done from time to time."""
        return [
            PeriodicTask("connection-gauges", GAUGE_SECONDS, self.show),
            PeriodicTask("connection-keep-alive", KEEP_ALIVE_SECONDS, self.keep_alive),
        ]

    def show(self) -> None:
        """Set the gauges."""
        metrics.show(self._connections.states())

    def keep_alive(self) -> None:
        """Refresh what has been idle; whatever that comes to shows in the connection's state."""
        idle_since = self._clock.now() - timedelta(days=IDLE_DAYS)
        for state in self._connections.states():
            used_at = state.refreshed_at or state.authorized_at or state.changed_at
            is_idle = used_at < idle_since
            if state.state not in ("connected", "expiring") or not is_idle:
                continue
            endpoint = token_endpoint(self._connections.get(state.name))
            try:
                self._connections.tokens(state.name, endpoint.refresh).access_token()
            except LedgerError as error:
                log.warning("connection_not_refreshed", name=state.name, error=str(error))
