"""What a service is made of, and the runner that starts and stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from prometheus_client import Gauge
from starlette.routing import BaseRoute

from hourbridge.common.bus.adapter import Bus
from hourbridge.common.bus.archiver import Archiver
from hourbridge.common.bus.consumer import Lane, LaneWorker, with_suspect_lane
from hourbridge.common.bus.dead import DeadLetters
from hourbridge.common.bus.dead_routes import dead_routes
from hourbridge.common.bus.topology import Topology
from hourbridge.common.clock import Clock
from hourbridge.common.runtime.admin import parse_tokens
from hourbridge.common.runtime.http import HttpServer, build_application
from hourbridge.common.runtime.settings import CommonSettings
from hourbridge.common.runtime.tasks import PeriodicTask, TaskThread
from hourbridge.common.store.engine import Store
from hourbridge.common.store.inbox import Inbox
from hourbridge.common.store.outbox import Outbox
from hourbridge.common.store.provision import missing_migrations

log = structlog.get_logger(__name__)

OUTBOX_AGE = Gauge(
    "hourbridge_outbox_oldest_age_seconds", "Age of the oldest unpublished outbox row.", ["service"]
)
BINDING_CHECK_SECONDS = 30


@dataclass
class ServiceDefinition:
    """All the parts of one service, made by its composition root."""

    name: str
    store: Store
    bus: Bus
    clock: Clock
    topology: Topology
    lanes: Sequence[Lane] = ()
    tasks: Sequence[PeriodicTask] = ()
    routes: Sequence[BaseRoute] = ()
    readiness: Sequence[Callable[[], list[str]]] = ()
    ready_without_broker: bool = False
    """HTTP intake takes events while the broker is away."""
    on_stop: Sequence[Callable[[], None]] = field(default_factory=tuple)


class _Part(Protocol):
    """A thread of a service: a lane, a task, the archiver."""

    def start(self) -> None: ...

    def stop(self, timeout_seconds: float, /) -> None: ...


class ServiceRunner:
    """Starts a service's threads and stops them gracefully, in the right order."""

    def __init__(self, definition: ServiceDefinition, settings: CommonSettings) -> None:
        self.definition = definition
        self._settings = settings
        self._draining = False
        self._binding_problems: list[str] = ["bindings not checked yet"]
        self._outbox = Outbox(definition.store, definition.bus)
        self._inbox = Inbox()
        dead_letters = DeadLetters(
            definition.store,
            definition.bus,
            from_outside=any(lane.raw for lane in definition.lanes),
        )
        self._lanes = [
            LaneWorker(
                definition.name,
                lane,
                bus=definition.bus,
                store=definition.store,
                topology=definition.topology,
                clock=definition.clock,
                attempts_max=settings.retry_attempts_max,
            )
            for lane in with_suspect_lane(definition.name, definition.lanes)
        ]
        self._archiver = Archiver(definition.name, bus=definition.bus, store=definition.store)
        self._tasks = [
            TaskThread(definition.name, task) for task in (*definition.tasks, *self._common_tasks())
        ]
        self.http = HttpServer(
            build_application(
                [*definition.routes, *dead_routes(dead_letters)],
                liveness=self._liveness,
                readiness=self._readiness,
                actors=parse_tokens(settings.admin_tokens),
            ),
            host=settings.http_host,
            port=settings.http_port,
        )

    def start(self) -> None:
        """Start the HTTP server, then tasks, then lanes."""
        self.http.start()
        parts: tuple[_Part, ...] = (*self._tasks, self._archiver, *self._lanes)
        for part in parts:
            part.start()
        log.info("service_started", service=self.definition.name, url=self.http.url)

    def stop(self) -> None:
        """Stop consuming, finish the batch in hand, publish, acknowledge, then close the rest."""
        self._draining = True
        grace = float(self._settings.shutdown_grace_seconds)
        parts: tuple[_Part, ...] = (*self._lanes, *self._tasks, self._archiver)
        stoppers = [threading.Thread(target=part.stop, args=(grace,)) for part in parts]
        for thread in stoppers:
            thread.start()
        for thread in stoppers:
            thread.join(grace)
        for callback in self.definition.on_stop:
            callback()
        self.http.stop()
        self.definition.store.close()
        log.info("service_stopped", service=self.definition.name)

    def wait_ready(self, *, timeout_seconds: float) -> list[str]:
        """Wait until the service is ready; return the remaining problems past the time-out."""
        clock = self.definition.clock
        deadline = clock.monotonic_seconds() + timeout_seconds
        while (problems := self._readiness()) and clock.monotonic_seconds() < deadline:
            clock.sleep(0.05)
        return problems

    def _common_tasks(self) -> list[PeriodicTask]:
        return [
            PeriodicTask("outbox-relay", 5, self._relay),
            PeriodicTask("inbox-maintenance", 3600, self._maintain_inbox),
            PeriodicTask("binding-check", BINDING_CHECK_SECONDS, self._check_bindings),
        ]

    def _relay(self) -> None:
        OUTBOX_AGE.labels(self.definition.name).set(self._outbox.oldest_age_seconds())
        self._outbox.sweep()

    def _maintain_inbox(self) -> None:
        with self.definition.store.transaction() as connection:
            self._inbox.maintain(
                connection,
                self.definition.clock.now().date(),
                retention_days=self._settings.inbox_retention_days,
            )

    def _check_bindings(self) -> None:
        relied_on = self.definition.topology.relied_on_by(self.definition.name)
        self._binding_problems = self.definition.bus.problems(relied_on)

    def _liveness(self) -> list[str]:
        problems = [] if self.definition.bus.is_alive() else ["the bus thread stands still"]
        problems += [f"{part.name} has stopped" for part in self._lanes if not part.is_alive()]
        return problems

    def _readiness(self) -> list[str]:
        problems = ["draining"] if self._draining else []
        if not self.definition.store.is_ready():
            return [*problems, "the database can't be used"]
        problems += missing_migrations(self.definition.store, self.definition.name)
        if not self.definition.ready_without_broker:
            connected = self.definition.bus.is_connected()
            problems += self._binding_problems if connected else ["the broker can't be used"]
        for check in self.definition.readiness:
            problems += check()
        return problems
