"""Polling over a real database, a bus in memory and a scripted source; no threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.runtime.admin import Actor, Role
from hourbridge.common.runtime.http import build_application
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.connectors.connections.source_store import SourceConnection
from hourbridge.connectors.source import Source
from hourbridge.ingestor.acceptor import Acceptor
from hourbridge.ingestor.flood_gate import make_gates
from hourbridge.ingestor.polling.parts import PollingParts, polling_parts
from hourbridge.ingestor.settings import IngestorSettings
from tests.support.clocks import SteppingClock
from tests.support.polling import MemoryConnections, Polling
from tests.support.scripted_source import ScriptedSource


@pytest.fixture
def replica(
    store: Store, bus: EmbeddedBus, clock: SteppingClock
) -> Iterator[Callable[..., PollingParts]]:
    """Return a function that makes one more replica over the same database."""
    made: list[PollingParts] = []

    def make(connections: MemoryConnections, opener: Any) -> PollingParts:
        gates = make_gates(backlog_max=0, events_per_second=1, clock=clock)
        parts = polling_parts(
            IngestorSettings(poll_slice_seconds=60, _env_file=None),
            store=store,
            outbox=Outbox(store, bus),
            acceptor=Acceptor(clock),
            clock=clock,
            gates=gates,
            connections=connections,
            opener=opener,
        )
        made.append(parts)
        return parts

    yield make
    for parts in made:
        for stop in parts.on_stop:
            stop()


@pytest.fixture
def polling(
    store: Store,
    bus: EmbeddedBus,
    clock: SteppingClock,
    replica: Callable[..., PollingParts],
) -> Iterator[Polling]:
    connections = MemoryConnections(clock)
    connections.connect("firm")
    sources = {"firm": ScriptedSource(clock)}

    def opener(connection: SourceConnection) -> Source:
        return sources[connection.name]

    parts = replica(connections, opener)
    actors = {"admin-token": Actor("alice", Role.ADMINISTRATOR)}
    application = build_application(parts.routes, liveness=list, readiness=list, actors=actors)
    with TestClient(application) as http:
        yield Polling(store, bus, clock, connections, sources, [parts], http)
