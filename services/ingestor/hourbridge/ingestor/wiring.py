"""The ingestor's composition root."""

from __future__ import annotations

from hourbridge.common.bus.adapter import Bus
from hourbridge.common.bus.consumer import Lane
from hourbridge.common.bus.topology import QUEUES, build_topology
from hourbridge.common.clock import Clock
from hourbridge.common.runtime.service import ServiceDefinition
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor import retention
from hourbridge.ingestor.acceptor import Acceptor
from hourbridge.ingestor.admin_routes import AdminApi
from hourbridge.ingestor.amqp_events import AmqpIntake
from hourbridge.ingestor.amqp_holding import Holding
from hourbridge.ingestor.flood_gate import MEASURE_SECONDS, FloodGates, make_gates
from hourbridge.ingestor.http_events import EventIntake, EventLimits
from hourbridge.ingestor.imports.importer import Importer
from hourbridge.ingestor.imports.routes import ImportApi
from hourbridge.ingestor.polling.parts import polling_parts
from hourbridge.ingestor.settings import IngestorSettings
from hourbridge.ingestor.webhooks.parts import webhook_parts

NAME = "ingestor"
_MAINTENANCE_SECONDS = 3600


def build(settings: IngestorSettings, *, store: Store, bus: Bus, clock: Clock) -> ServiceDefinition:
    """Return the ingestor, made of its parts."""
    outbox = Outbox(store, bus)
    acceptor = Acceptor(clock)
    topology = build_topology(settings.retry_delays_seconds)
    gates = make_gates(
        backlog_max=settings.intake_backlog_max,
        events_per_second=settings.intake_book_events_per_second,
        clock=clock,
    )
    limits = EventLimits(settings.intake_body_bytes_max, settings.intake_events_max)
    events = EventIntake(store, outbox, acceptor, clock=clock, limits=limits, gate=gates.work)
    importer = Importer(
        store, outbox, acceptor, clock, settings.import_unpacked_bytes_max, gates.bulk
    )
    imports = ImportApi(store, importer, file_bytes_max=settings.import_file_bytes_max)
    admin = AdminApi(store, outbox, clock=clock)
    holding = Holding(gates.work, topology.rungs)
    intake = AmqpIntake(
        acceptor, clock=clock, allowed=settings.intake_amqp_sources, holding=holding
    )
    polling = polling_parts(
        settings, store=store, outbox=outbox, acceptor=acceptor, clock=clock, gates=gates
    )
    webhooks = webhook_parts(
        settings,
        polling,
        store=store,
        outbox=outbox,
        acceptor=acceptor,
        clock=clock,
        gates=gates,
    )
    return ServiceDefinition(
        name=NAME,
        store=store,
        bus=bus,
        clock=clock,
        topology=topology,
        lanes=[_work_lane(settings, intake)],
        tasks=[
            _maintenance(settings, store, clock),
            *_measuring(gates, bus, outbox),
            *polling.tasks,
            *webhooks.tasks,
        ],
        routes=[
            events.route(),
            *imports.routes(),
            *admin.routes(),
            *polling.routes,
            *webhooks.routes,
        ],
        ready_without_broker=True,
        on_stop=polling.on_stop,
    )


def _work_lane(settings: IngestorSettings, intake: AmqpIntake) -> Lane:
    return Lane(
        QUEUES[NAME].work,
        intake,
        batch_messages_max=settings.batch_messages_max,
        prefetch=settings.prefetch,
        raw=True,
    )


def _maintenance(settings: IngestorSettings, store: Store, clock: Clock) -> PeriodicTask:
    def run() -> None:
        with store.transaction() as connection:
            retention.maintain(
                connection, clock.now(), retention_days=settings.payload_retention_days
            )

    return PeriodicTask("payload-maintenance", _MAINTENANCE_SECONDS, run)


def _measuring(gates: FloodGates, bus: Bus, outbox: Outbox) -> list[PeriodicTask]:
    if not gates.work.backlog_max:
        return []
    return [PeriodicTask("flood-gate", MEASURE_SECONDS, lambda: gates.measure(bus, outbox))]
