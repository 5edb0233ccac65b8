"""The mapper's composition root."""

from __future__ import annotations

from collections.abc import Callable

from hourbridge.common.book import LedgerBinding
from hourbridge.common.bus.adapter import Bus
from hourbridge.common.bus.consumer import work_and_bulk_lanes
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.clock import Clock
from hourbridge.common.ids import random_id
from hourbridge.common.runtime.service import ServiceDefinition
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.common.store.outbox import Outbox
from hourbridge.connectors.connections import SCHEMA, ConnectionStore
from hourbridge.connectors.ledger import Ledger
from hourbridge.connectors.opening import open_ledger
from hourbridge.mapper.applying import Applier
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.explain_routes import ExplainApi
from hourbridge.mapper.explaining import Explainer
from hourbridge.mapper.fact_changes import FactChanges
from hourbridge.mapper.handlers import RecordsHandler
from hourbridge.mapper.ledger_check import LedgerOpener, no_ledger
from hourbridge.mapper.lists.wiring import build_lists
from hourbridge.mapper.parked import ParkedRecords
from hourbridge.mapper.payroll import Payroll
from hourbridge.mapper.planning import Planner
from hourbridge.mapper.remap import Remapper
from hourbridge.mapper.renormalising import Renormaliser
from hourbridge.mapper.routes import MapperApi
from hourbridge.mapper.settings import MapperSettings
from hourbridge.mapper.time_routes import TimeApi

NAME = "mapper"


def build(
    settings: MapperSettings,
    *,
    store: Store,
    bus: Bus,
    clock: Clock,
    ledger_opener: LedgerOpener | None = None,
) -> ServiceDefinition:
    """Return the mapper; ``ledger_opener`` opens the ledger of a binding, by default for real."""
    on_stop: list[Callable[[], None]] = []
    if ledger_opener is None:
        ledger_opener = _connected(settings, clock, on_stop)
    configurations = Configurations()
    outbox = Outbox(store, bus)
    remapping = _remapping(settings, store, configurations, outbox, clock)
    planner = Planner(
        store,
        configurations,
        opener=ledger_opener,
        records_max=settings.mapper_plan_records_max,
    )
    parked = ParkedRecords(store, configurations, outbox=outbox, clock=clock)
    applier = Applier(
        store,
        configurations,
        planner=planner,
        outbox=outbox,
        clock=clock,
        applied=remapping.wake,
    )
    lists = build_lists(
        settings, store, configurations, outbox, clock, opener=ledger_opener, linked=remapping.wake
    )
    handler = RecordsHandler(
        configurations, clock, facts_changed=remapping.wake, lists_changed=lists.task.wake
    )
    api = MapperApi(store, configurations, planner, applier, parked, settings.mapper_mapping_actors)
    counting = PeriodicTask("parked-count", settings.mapper_parked_interval_seconds, parked.count)
    return ServiceDefinition(
        name=NAME,
        store=store,
        bus=bus,
        clock=clock,
        topology=build_topology(settings.retry_delays_seconds),
        lanes=work_and_bulk_lanes(NAME, handler, settings),
        tasks=[remapping, counting, lists.task],
        routes=[
            *api.routes(),
            *ExplainApi(Explainer(store, configurations)).routes(),
            *_time(store, configurations, outbox, clock).routes(),
            *lists.routes,
        ],
        on_stop=on_stop,
    )


def _time(store: Store, configurations: Configurations, outbox: Outbox, clock: Clock) -> TimeApi:
    renormaliser = Renormaliser(store, configurations, outbox=outbox, clock=clock)
    return TimeApi(Payroll(store, configurations), renormaliser)


def _connected(
    settings: MapperSettings, clock: Clock, on_stop: list[Callable[[], None]]
) -> LedgerOpener:
    """Return what opens connected ledgers; what isn't connected (yet) stays unchecked."""
    if not settings.mapper_ledger_check or not settings.encryption_keys:
        return no_ledger
    store = Store(settings.database_url, SCHEMA, pool_size=1)
    on_stop.append(store.close)
    connections = ConnectionStore(store, settings.encryption_keys, clock)

    def open_bound(binding: LedgerBinding) -> Ledger | None:
        if binding.connection not in {state.name for state in connections.states()}:
            return None
        return open_ledger(binding, connections, clock=clock)

    return open_bound


def _remapping(
    settings: MapperSettings,
    store: Store,
    configurations: Configurations,
    outbox: Outbox,
    clock: Clock,
) -> PeriodicTask:
    """Return the task that turns facts and configurations into re-mapped records."""
    fact_changes = FactChanges(store, configurations, outbox=outbox, clock=clock)
    remapper = Remapper(
        store,
        configurations,
        outbox=outbox,
        leases=Leases(store, random_id()),
        clock=clock,
        batch_records_max=settings.mapper_remap_batch_records,
    )

    def run() -> None:
        fact_changes.run()
        if remapper.run():
            task.wake()

    task = PeriodicTask("remap", settings.mapper_remap_interval_seconds, run)
    return task
