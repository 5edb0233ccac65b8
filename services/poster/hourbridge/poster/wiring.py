"""The composition root: makes the poster's parts and joins them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.routing import Route

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
from hourbridge.connectors.connections.routes import connection_routes
from hourbridge.connectors.connections.source_store import SourceStore
from hourbridge.connectors.ledger import Ledger
from hourbridge.connectors.opening import open_ledger
from hourbridge.poster.adjusting import Adjustments
from hourbridge.poster.automatic import AutomaticBilling
from hourbridge.poster.billing import Biller
from hourbridge.poster.billing_runs import BillingRuns
from hourbridge.poster.charge_report_routes import ChargeReportApi
from hourbridge.poster.closes import CloseApi
from hourbridge.poster.connection_watch import ConnectionWatch
from hourbridge.poster.correcting import Corrector
from hourbridge.poster.currencies.parts import CurrencyParts, currency_parts
from hourbridge.poster.decisions import Decisions
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.explain_routes import ExplainApi
from hourbridge.poster.explaining import Explainer
from hourbridge.poster.handlers import PosterHandler
from hourbridge.poster.journal_routes import JournalApi
from hourbridge.poster.lanes.dispatcher import LaneDispatcher
from hourbridge.poster.lanes.lane import LaneTools
from hourbridge.poster.lanes.recording import Pauses, Recorder
from hourbridge.poster.lanes.sending import OpenLedger
from hourbridge.poster.ledger_audit import LedgerAudit
from hourbridge.poster.lists.dispatcher import NOWHERE, ListDispatcher, OpenTargets
from hourbridge.poster.lists.parts import connected_targets, list_dispatcher
from hourbridge.poster.lists.status import ListStatus
from hourbridge.poster.mirrored.activities import Activities
from hourbridge.poster.payables.bill_corrections import BillCorrector
from hourbridge.poster.payables.biller import BillMaker
from hourbridge.poster.payables.deciding import PayableDecisions
from hourbridge.poster.payables.duplicates import LedgerLook
from hourbridge.poster.payables.releasing import Holdbacks
from hourbridge.poster.payables.routes import PayablesApi
from hourbridge.poster.payables.settlements import Settlements
from hourbridge.poster.plan_effect import PlanApi
from hourbridge.poster.pricing_routes import PricingApi
from hourbridge.poster.recognition.parts import RecognitionParts, recognition_parts
from hourbridge.poster.retainers.parts import RetainerParts, retainer_parts
from hourbridge.poster.review.reviewing import Reviews
from hourbridge.poster.review.routes import ReviewApi
from hourbridge.poster.review.undoing import RunUndo
from hourbridge.poster.routes import PosterApi
from hourbridge.poster.settings import PosterSettings
from hourbridge.poster.status import Status

SERVICE = "poster"
METRICS_SECONDS = 10


class Wakeups:
    """What is to be looked at after a commit: the outbox and the lanes."""

    def __init__(self) -> None:
        self.tasks: list[PeriodicTask] = []

    def announced(self) -> None:
        """Let waiting messages be published and due operations be sent at once."""
        for task in self.tasks:
            task.wake()


@dataclass(frozen=True)
class Parts:
    """The poster's parts, joined; tests use them without threads."""

    handler: PosterHandler
    documents: DocumentStore
    biller: Biller
    bills: BillMaker
    payable_decisions: PayableDecisions
    holdbacks: Holdbacks
    runs: BillingRuns
    automatic: AutomaticBilling
    corrector: Corrector
    decisions: Decisions
    adjustments: Adjustments
    reviews: Reviews
    undo: RunUndo
    retainers: RetainerParts
    recognition: RecognitionParts
    currencies: CurrencyParts
    dispatcher: LaneDispatcher
    lists: ListDispatcher
    activities: Activities
    list_status: ListStatus
    status: Status
    outbox: Outbox
    wakeups: Wakeups


def assemble_parts(
    settings: PosterSettings,
    *,
    store: Store,
    bus: Bus,
    clock: Clock,
    ledgers: OpenLedger,
    targets: OpenTargets = NOWHERE,
) -> Parts:
    """Return the parts of a poster that posts through ``ledgers``, lists to ``targets``."""
    outbox, wakeups = Outbox(store, bus), Wakeups()
    documents = DocumentStore(outbox, clock)
    biller = Biller(store, documents, clock, wakeups.announced)
    bills = BillMaker(store, documents, LedgerLook(ledgers), clock, wakeups.announced)
    corrector = Corrector(
        store,
        documents,
        biller,
        BillCorrector(documents, bills, clock),
        clock,
        wakeups.announced,
    )
    tools = _lane_tools(settings, store, documents, clock, wakeups)
    decisions = Decisions(store, documents, corrector, clock, wakeups.announced)
    return Parts(
        handler=PosterHandler(clock),
        documents=documents,
        biller=biller,
        bills=bills,
        payable_decisions=PayableDecisions(store, bills, clock, wakeups.announced),
        holdbacks=Holdbacks(store, documents, clock, wakeups.announced),
        runs=BillingRuns(store, biller, bills, clock, wakeups.announced),
        automatic=AutomaticBilling(
            store, biller, bills, clock, quiet_seconds=settings.poster_automatic_quiet_seconds
        ),
        corrector=corrector,
        decisions=decisions,
        adjustments=Adjustments(store, documents, wakeups.announced),
        reviews=Reviews(store, decisions, clock),
        undo=RunUndo(store, documents, corrector, clock, wakeups.announced),
        retainers=retainer_parts(store, documents, clock, announced=wakeups.announced),
        recognition=recognition_parts(store, documents, clock, announced=wakeups.announced),
        currencies=currency_parts(
            store, documents, clock, ledgers=ledgers, announced=wakeups.announced
        ),
        dispatcher=LaneDispatcher(
            tools,
            ledgers,
            lanes_max=settings.poster_lanes_max,
            closed_books_seconds=settings.poster_closed_books_seconds,
        ),
        lists=list_dispatcher(settings, store, outbox, clock, wakeups.announced, targets),
        activities=Activities(store, documents, clock, wakeups.announced),
        list_status=ListStatus(store, clock),
        status=Status(store, clock),
        outbox=outbox,
        wakeups=wakeups,
    )


def _lane_tools(
    settings: PosterSettings, store: Store, documents: DocumentStore, clock: Clock, wakeups: Wakeups
) -> LaneTools:
    """Return what every lane works with."""
    pauses = Pauses(
        settle_seconds=settings.poster_settle_seconds,
        probe_seconds=settings.poster_probe_seconds,
        probe_seconds_max=settings.poster_probe_seconds_max,
        attempts_max=settings.poster_attempts_max,
    )
    return LaneTools(
        store=store,
        leases=Leases(store, random_id()),
        recorder=Recorder(documents, clock, pauses),
        clock=clock,
        announced=wakeups.announced,
        stopping=threading.Event(),
        lease_seconds=settings.poster_lease_seconds,
        settle_seconds=settings.poster_settle_seconds,
    )


@dataclass(frozen=True)
class _Outside:
    """What the poster reaches outside, and what looks after the way there."""

    ledgers: OpenLedger
    targets: OpenTargets = NOWHERE
    tasks: Sequence[PeriodicTask] = ()
    routes: Sequence[Route] = ()
    on_stop: Sequence[Callable[[], None]] = ()


def _for_real(settings: PosterSettings, store: Store, clock: Clock) -> _Outside:
    """Return the systems that connections lead to; every exchange is kept in the audit."""
    connections = Store(settings.database_url, SCHEMA, pool_size=2)
    shared = ConnectionStore(connections, settings.encryption_keys, clock)
    sources = SourceStore(connections, settings.encryption_keys, clock)
    observed = LedgerAudit(store)
    return _Outside(
        ledgers=_connected(shared, clock, observed),
        targets=connected_targets(shared, sources, clock, observed),
        tasks=ConnectionWatch(shared, clock).tasks(),
        routes=connection_routes(shared),
        on_stop=[connections.close],
    )


def build(
    settings: PosterSettings,
    *,
    store: Store,
    bus: Bus,
    clock: Clock,
    ledgers: OpenLedger | None = None,
) -> ServiceDefinition:
    """Return the service; ``ledgers`` opens the ledger of a binding, by default for real."""
    outside = _Outside(ledgers) if ledgers else _for_real(settings, store, clock)
    parts = assemble_parts(
        settings,
        store=store,
        bus=bus,
        clock=clock,
        ledgers=outside.ledgers,
        targets=outside.targets,
    )
    api = PosterApi(
        store=store,
        documents=parts.documents,
        runs=parts.runs,
        decisions=parts.decisions,
        payables=parts.payable_decisions,
        status=parts.status,
        clock=clock,
        wait_seconds_max=settings.poster_wait_seconds_max,
    )
    return ServiceDefinition(
        name=SERVICE,
        store=store,
        bus=bus,
        clock=clock,
        topology=build_topology(settings.retry_delays_seconds),
        lanes=work_and_bulk_lanes(SERVICE, parts.handler, settings),
        tasks=[*_tasks(settings, parts), *outside.tasks],
        routes=[
            *api.routes(),
            *ExplainApi(Explainer(store)).routes(),
            *ChargeReportApi(store).routes(),
            *PricingApi(store, parts.adjustments, parts.decisions).routes(),
            *CloseApi(store, clock).routes(),
            *PlanApi(store).routes(),
            *ReviewApi(parts.reviews, parts.undo, parts.runs).routes(),
            *JournalApi(store).routes(),
            *parts.currencies.routes(),
            *PayablesApi(parts.holdbacks, Settlements(store)).routes(),
            *parts.list_status.routes(),
            *parts.retainers.routes(),
            *parts.recognition.routes(),
            *outside.routes,
        ],
        on_stop=[parts.dispatcher.stop, parts.lists.stop, *outside.on_stop],
    )


def _tasks(settings: PosterSettings, parts: Parts) -> list[PeriodicTask]:
    tick = settings.poster_tick_seconds
    outbox = PeriodicTask("outbox-flush", tick, parts.outbox.try_flush)
    lanes = PeriodicTask("ledger-lanes", tick, parts.dispatcher.tick)
    lists = PeriodicTask("list-lanes", tick, parts.lists.tick)
    runs = PeriodicTask("billing-runs", tick, lambda: _discard(parts.runs.perform_open()))
    parts.wakeups.tasks += [outbox, lanes, lists, runs]
    return [
        outbox,
        lanes,
        lists,
        runs,
        PeriodicTask("corrections", tick, lambda: _discard(parts.corrector.run_due())),
        PeriodicTask("time-activities", tick, lambda: _discard(parts.activities.run_due())),
        *parts.retainers.tasks(tick),
        *parts.recognition.tasks(tick),
        PeriodicTask("undo-runs", tick, lambda: _discard(parts.undo.perform_open())),
        PeriodicTask(
            "automatic-billing",
            settings.poster_automatic_interval_seconds,
            lambda: _discard(parts.automatic.run()),
        ),
        *parts.currencies.tasks(tick),
        PeriodicTask("gauges", METRICS_SECONDS, parts.status.refresh_metrics),
        PeriodicTask("list-gauges", METRICS_SECONDS, parts.list_status.refresh_metrics),
    ]


def _discard(_count: int) -> None:
    """Tasks return nothing."""


def _connected(connections: ConnectionStore, clock: Clock, observed: LedgerAudit) -> OpenLedger:
    def open_bound(binding: LedgerBinding) -> Ledger:
        return open_ledger(binding, connections, clock=clock, observer=observed.observe)

    return open_bound
