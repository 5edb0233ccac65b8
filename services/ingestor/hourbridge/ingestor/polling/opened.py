"""The sources this process holds open, and which connections may be read at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hourbridge.common.errors import HourbridgeError
from hourbridge.connectors.connections.source_store import (
    SourceConnection,
    SourceConnectionState,
)
from hourbridge.connectors.source import Source
from hourbridge.ingestor.polling import metrics

Open = Callable[[SourceConnection], Source]


class Connections(Protocol):
    """What polling needs of the store of connections."""

    def get(self, name: str) -> SourceConnection:
        """Return a connection; raises ConfigurationInvalid."""
        ...

    def states(self) -> list[SourceConnectionState]:
        """Return how every connection fares."""
        ...

    def mark_broken(self, name: str, reason: str) -> None:
        """Record that the system refuses us."""
        ...


@dataclass(frozen=True)
class _Held:
    source: Source
    changed_at: datetime


class OpenSources:
    """Opens the source of a connection when it is first read. Thread-safe.

    A connection that was changed is opened again. One worker at a time uses a source.
    """

    def __init__(self, connections: Connections, opener: Open) -> None:
        self._connections = connections
        self._open = opener
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Source:
        """Return a source; raises ConfigurationInvalid when the connection can't be used."""
        connection = self._connections.get(name)
        with self._lock:
            held = self._held.get(name)
        if held is not None and held.changed_at == connection.changed_at:
            return held.source
        source = self._open(connection)
        with self._lock:
            self._held[name] = _Held(source, connection.changed_at)
        if held is not None:
            held.source.close()
        return source

    def usable(self) -> set[str]:
        """Return the connections that can be read over: neither broken nor disconnected."""
        states = self._connections.states()
        for state in states:
            metrics.BROKEN.labels(state.name).set(state.state != "connected")
        return {state.name for state in states if state.state == "connected"}

    def broken(self, name: str, error: HourbridgeError) -> None:
        """Let a connection rest until a person connects it again."""
        self._connections.mark_broken(name, error.what)

    def close(self) -> None:
        """Release every source."""
        with self._lock:
            for held in self._held.values():
                held.source.close()
            self._held.clear()
