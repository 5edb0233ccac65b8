"""The composition root: makes the reconciler's parts and joins them."""

from __future__ import annotations

from hourbridge.common.book import LedgerBinding
from hourbridge.common.bus.adapter import Bus
from hourbridge.common.bus.consumer import work_and_bulk_lanes
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.clock import Clock
from hourbridge.common.ids import random_id
from hourbridge.common.runtime.service import ServiceDefinition
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.connectors.connections import SCHEMA, ConnectionStore
from hourbridge.connectors.ledger import Ledger
from hourbridge.connectors.opening import open_ledger
from hourbridge.reconciler.closing_routes import ClosingRoutes
from hourbridge.reconciler.handlers import SeenHandler
from hourbridge.reconciler.read_back import Ledgers
from hourbridge.reconciler.reconcile import Reconciler
from hourbridge.reconciler.routes import ReconcilerRoutes
from hourbridge.reconciler.settings import ReconcilerSettings
from hourbridge.reconciler.upkeep import Upkeep

SERVICE = "reconciler"


def build(
    settings: ReconcilerSettings,
    *,
    store: Store,
    bus: Bus,
    clock: Clock,
    ledgers: Ledgers | None = None,
) -> ServiceDefinition:
    """Return the service; ``ledgers`` opens the ledger of a binding, by default for real."""
    on_stop = []
    if ledgers is None:
        connections = Store(settings.database_url, SCHEMA, pool_size=2)
        on_stop.append(connections.close)
        ledgers = _connected(ConnectionStore(connections, settings.encryption_keys, clock), clock)
    leases = Leases(store, random_id())
    reconciler = Reconciler(settings, store=store, clock=clock, ledgers=ledgers)
    upkeep = Upkeep(settings, store=store, clock=clock, leases=leases, reconciler=reconciler)
    routes = ReconcilerRoutes(settings, store=store, clock=clock, reconciler=reconciler)
    closing = ClosingRoutes(store=store, clock=clock, reconciler=reconciler)
    return ServiceDefinition(
        name=SERVICE,
        store=store,
        bus=bus,
        clock=clock,
        topology=build_topology(settings.retry_delays_seconds),
        lanes=work_and_bulk_lanes(SERVICE, SeenHandler(clock), settings),
        tasks=upkeep.tasks(),
        routes=[*routes.routes(), *closing.routes()],
        on_stop=on_stop,
    )


def _connected(connections: ConnectionStore, clock: Clock) -> Ledgers:
    def open_bound(binding: LedgerBinding) -> Ledger:
        return open_ledger(binding, connections, clock=clock)

    return open_bound
