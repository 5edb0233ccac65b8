"""Polling, made of its parts and joined; tests use them without threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.ids import random_id
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.common.store.outbox import Outbox
from hourbridge.connectors.connections import SCHEMA, ConnectionStore
from hourbridge.connectors.connections.source_routes import source_connection_routes
from hourbridge.connectors.connections.source_store import SourceConnection, SourceStore
from hourbridge.connectors.source import Source
from hourbridge.connectors.source_opening import open_source
from hourbridge.ingestor.acceptor import Acceptor
from hourbridge.ingestor.flood_gate import FloodGates
from hourbridge.ingestor.polling import keeping, metrics, readings
from hourbridge.ingestor.polling.dispatcher import Dispatcher
from hourbridge.ingestor.polling.opened import Connections, Open, OpenSources
from hourbridge.ingestor.polling.pages import PageKeeper
from hourbridge.ingestor.polling.reader import ReaderTools
from hourbridge.ingestor.polling.routes import PollingApi
from hourbridge.ingestor.polling.rule_routes import RuleApi
from hourbridge.ingestor.polling.vanished import Deleter
from hourbridge.ingestor.settings import IngestorSettings

_GAUGES_SECONDS = 10
_MAINTENANCE_SECONDS = 3600
_QUIET_READINGS_DAYS = 7


@dataclass(frozen=True)
class PollingParts:
    """Everything that reads sources."""

    tasks: list[PeriodicTask] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    on_stop: list[Callable[[], None]] = field(default_factory=list)
    dispatcher: Dispatcher | None = None
    """None where there are no encryption keys: without secrets nothing can be polled."""
    sources: SourceStore | None = None
    """The connections, for what understands pushes."""
    wake: Callable[[], None] = lambda: None
    """Lets due feeds be read at once instead of at the next tick."""


def polling_parts(
    settings: IngestorSettings,
    *,
    store: Store,
    outbox: Outbox,
    acceptor: Acceptor,
    clock: Clock,
    gates: FloodGates,
    connections: Connections | None = None,
    opener: Open | None = None,
) -> PollingParts:
    """Return polling; ``connections`` and ``opener`` stand in for the real ones in tests.

    Without encryption keys there is nothing to poll with: then it has no parts.
    """
    routes: list[Route] = []
    on_stop: list[Callable[[], None]] = []
    sources: SourceStore | None = None
    if connections is None or opener is None:
        if not settings.encryption_keys:
            return PollingParts()
        connection_store = Store(settings.database_url, SCHEMA, pool_size=2)
        on_stop.append(connection_store.close)
        sources = SourceStore(connection_store, settings.encryption_keys, clock)
        ledgers = ConnectionStore(connection_store, settings.encryption_keys, clock)
        connections, opener = sources, _opener(sources, ledgers, clock)
        routes += source_connection_routes(sources)
    opened = OpenSources(connections, opener)
    pages = PageKeeper(store, outbox, acceptor, clock, gates)
    tools = ReaderTools(
        store=store,
        leases=Leases(store, random_id()),
        sources=opened,
        pages=pages,
        deleter=Deleter(store, outbox, acceptor, clock, pages),
        gates=gates,
        clock=clock,
        stopping=threading.Event(),
        lease_seconds=settings.poll_lease_seconds,
        slice_seconds=settings.poll_slice_seconds,
    )
    dispatcher = Dispatcher(tools, threads_max=settings.poll_threads_max)
    tick = PeriodicTask("polling", settings.poll_tick_seconds, dispatcher.tick)
    dispatcher.on_slice = tick.wake
    api = PollingApi(store, opened, clock=clock, woken=tick.wake)
    rules = RuleApi(store, outbox, acceptor, clock=clock, woken=tick.wake)
    return PollingParts(
        dispatcher=dispatcher,
        tasks=[
            tick,
            PeriodicTask("polling-gauges", _GAUGES_SECONDS, dispatcher.measure),
            _maintenance(settings, store, clock),
        ],
        routes=[*routes, *api.routes(), *rules.routes()],
        on_stop=[dispatcher.stop, *on_stop],
        sources=sources,
        wake=tick.wake,
    )


def _opener(sources: SourceStore, ledgers: ConnectionStore, clock: Clock) -> Open:
    def count(connection: str) -> None:
        metrics.BUDGET_WAITS.labels(connection).inc()

    def opened(connection: SourceConnection) -> Source:
        return open_source(connection, sources, ledgers=ledgers, clock=clock, on_wait=count)

    return opened


def _maintenance(settings: IngestorSettings, store: Store, clock: Clock) -> PeriodicTask:
    def run() -> None:
        now = clock.now()
        before = now - timedelta(days=settings.payload_retention_days)
        quiet_before = now - timedelta(days=_QUIET_READINGS_DAYS)
        with store.transaction() as connection:
            readings.forget(connection, quiet_before=quiet_before, before=before)
            keeping.forget(connection, before)

    return PeriodicTask("polling-maintenance", _MAINTENANCE_SECONDS, run)
