"""The topology registry: every exchange, queue, binding and delay rung, in one place.

What correctness needs is in queue arguments, so that a wrong broker fails loudly at declare time;
what operators tune is policy. Queue names carry a version: an argument change declares v2, binds
it, drains v1 and deletes v1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import (
    BOOK_CONFIGURED,
    BULK_EXCHANGE,
    CHARGE_SET_CHANGED,
    DOCUMENT_CHANGED,
    EVENTS_EXCHANGE,
    INTAKE_EXCHANGE,
    LIST_CHANGE_DONE,
    LIST_CHANGE_REQUESTED,
    REGISTRY,
    REJECTED_EXCHANGE,
    SOURCE_TOTALS_RECORDED,
    accepted_type,
    reported_type,
)

DEAD_EXCHANGE = "hourbridge.dead"
UNROUTED_EXCHANGE = "hourbridge.unrouted"
UNROUTED_QUEUE = "hourbridge.unrouted.v1"
DELIVERY_LIMIT = 20
"""A fuse against messages that kill their holder, well above what restarts cost."""

ArgumentValue = str | int | bool


@dataclass(frozen=True)
class Exchange:
    """An exchange to declare, durable."""

    name: str
    type: Literal["topic", "direct", "fanout"]
    alternate: str | None = None


@dataclass(frozen=True)
class Queue:
    """A durable quorum queue to declare."""

    name: str
    arguments: dict[str, ArgumentValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """A binding of a queue to an exchange."""

    exchange: str
    queue: str
    routing_key: str


@dataclass(frozen=True)
class Rung:
    """A delay shared by all services: a fanout exchange before a queue with a time to live.

    The queue dead-letters to the default exchange without a key of its own, so a message returns
    to the queue that its routing key names, and to no other.
    """

    delay_seconds: int

    @property
    def exchange(self) -> str:
        """Return the rung's exchange, which is published to with the work queue's name as key."""
        return f"hourbridge.retry.{self.delay_seconds}s"

    @property
    def queue(self) -> str:
        """Return the rung's queue."""
        return f"{self.exchange}.v1"


@dataclass(frozen=True)
class ServiceQueues:
    """The lanes of one service."""

    service: str

    @property
    def work(self) -> str:
        """Today's events."""
        return f"{self.service}.work.v1"

    @property
    def bulk(self) -> str:
        """Imports and back-fills, so that they don't delay today's events."""
        return f"{self.service}.bulk.v1"

    @property
    def suspect(self) -> str:
        """Messages whose earlier holders died; handled alone."""
        return f"{self.service}.suspect.v1"

    @property
    def dead(self) -> str:
        """Messages that failed for good; drained into a table by the archiver."""
        return f"{self.service}.dead.v1"


@dataclass(frozen=True)
class Topology:
    """All that a broker must hold."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    rungs: tuple[Rung, ...]

    def relied_on_by(self, service: str) -> Topology:
        """Return the part that ``service`` consumes from and publishes to.

        It relies also on the bindings of others to the types it publishes: ``mandatory`` is
        satisfied by any one subscriber, so it can't show that another's binding is missing.
        """
        own = {
            getattr(ServiceQueues(service), lane) for lane in ("work", "bulk", "suspect", "dead")
        }
        published = {entry.routing_key for entry in REGISTRY if entry.publisher == service}
        rungs = {rung.queue for rung in self.rungs}
        bindings = tuple(
            binding
            for binding in self.bindings
            if binding.queue in own | rungs | {UNROUTED_QUEUE} or binding.routing_key in published
        )
        queues = own | {binding.queue for binding in bindings}
        exchanges = {binding.exchange for binding in bindings} | {REJECTED_EXCHANGE}
        return Topology(
            tuple(each for each in self.exchanges if each.name in exchanges),
            tuple(each for each in self.queues if each.name in queues),
            bindings,
            self.rungs,
        )


SERVICES = ("ingestor", "mapper", "poster", "reconciler")
QUEUES = {service: ServiceQueues(service) for service in SERVICES}

_ACCEPTED = tuple(accepted_type(record_type) for record_type in RecordType)
SUBSCRIPTIONS: dict[str, tuple[str, ...]] = {
    "mapper": (*_ACCEPTED, LIST_CHANGE_DONE),
    "poster": (BOOK_CONFIGURED, CHARGE_SET_CHANGED, LIST_CHANGE_REQUESTED),
    "reconciler": (
        *_ACCEPTED,
        SOURCE_TOTALS_RECORDED,
        BOOK_CONFIGURED,
        CHARGE_SET_CHANGED,
        DOCUMENT_CHANGED,
    ),
}
"""Which message types each service subscribes to on the events and bulk exchanges."""
INTAKE_SUBSCRIPTIONS = tuple(reported_type(record_type) for record_type in RecordType)


def _key(message_type: str) -> str:
    return message_type.removeprefix("hourbridge.")


def _dead_lettering(dead_queue: str) -> dict[str, ArgumentValue]:
    return {
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-routing-key": dead_queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _quorum(**arguments: ArgumentValue) -> dict[str, ArgumentValue]:
    return {"x-queue-type": "quorum", **arguments}


def _service_queues(service: str) -> list[Queue]:
    names = QUEUES[service]
    lane = _quorum(**{"x-delivery-limit": DELIVERY_LIMIT}, **_dead_lettering(names.dead))
    return [
        Queue(names.work, lane),
        Queue(names.bulk, lane),
        Queue(names.suspect, {**lane, "x-single-active-consumer": True}),
        Queue(names.dead, _quorum()),
    ]


def _service_bindings(service: str) -> list[Binding]:
    names = QUEUES[service]
    bindings = [Binding(DEAD_EXCHANGE, names.dead, names.dead)]
    for message_type in SUBSCRIPTIONS.get(service, ()):
        bindings.append(Binding(EVENTS_EXCHANGE, names.work, _key(message_type)))
        bindings.append(Binding(BULK_EXCHANGE, names.bulk, _key(message_type)))
    return bindings


def _rung_queue(rung: Rung) -> Queue:
    return Queue(
        rung.queue,
        {
            "x-queue-type": "quorum",
            "x-message-ttl": rung.delay_seconds * 1000,
            "x-dead-letter-exchange": "",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


def build_topology(retry_delays_seconds: Sequence[int] = (5, 30, 120, 600)) -> Topology:
    """Return the whole topology with one rung per delay."""
    rungs = tuple(Rung(delay) for delay in retry_delays_seconds)
    exchanges = (
        Exchange(EVENTS_EXCHANGE, "topic"),
        Exchange(BULK_EXCHANGE, "topic"),
        Exchange(UNROUTED_EXCHANGE, "fanout"),
        Exchange(INTAKE_EXCHANGE, "topic", alternate=UNROUTED_EXCHANGE),
        Exchange(REJECTED_EXCHANGE, "topic", alternate=UNROUTED_EXCHANGE),
        Exchange(DEAD_EXCHANGE, "direct"),
        *(Exchange(rung.exchange, "fanout") for rung in rungs),
    )
    unrouted: dict[str, ArgumentValue] = {
        "x-queue-type": "quorum",
        "x-max-length": 100_000,
        "x-overflow": "reject-publish",
    }
    queues = [Queue(UNROUTED_QUEUE, unrouted)]
    bindings = [Binding(UNROUTED_EXCHANGE, UNROUTED_QUEUE, "")]
    for service in SERVICES:
        queues += _service_queues(service)
        bindings += _service_bindings(service)
    ingestor = QUEUES["ingestor"].work
    bindings += [Binding(INTAKE_EXCHANGE, ingestor, _key(kind)) for kind in INTAKE_SUBSCRIPTIONS]
    for rung in rungs:
        queues.append(_rung_queue(rung))
        bindings.append(Binding(rung.exchange, rung.queue, ""))
    return Topology(exchanges, tuple(queues), tuple(bindings), rungs)
