"""What a service says about its lanes, and what its handlers promise."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import Connection

from hourbridge.common.bus.adapter import Delivery, Outgoing
from hourbridge.common.bus.topology import ServiceQueues
from hourbridge.common.messages.envelope import Event


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery with its decoded event."""

    delivery: Delivery
    event: Event[Any]


class Handler(Protocol):
    """Handles decoded messages. Must be idempotent and commutative."""

    def handle(self, received: Sequence[Received], connection: Connection) -> Sequence[Outgoing]:
        """Store the effects of a whole batch and return all messages to publish after commit.

        Runs inside one transaction that the consumer opened. Keep the newest state per key and
        sort keys before locking rows. Raise an error of our tree to retry or reject, or
        StoreUnavailable or DependencyUnavailable to pause the lane.
        """
        ...


class RawHandler(Protocol):
    """Handles deliveries as they came: bodies may be anything."""

    def handle(self, received: Sequence[Delivery], connection: Connection) -> Sequence[Outgoing]:
        """As ``Handler.handle``, undecoded."""
        ...


class Transactions(Protocol):
    """Where a consumer gets its transactions: the store."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Return a context that commits at its end and rolls back on errors."""
        ...


@dataclass(frozen=True)
class Lane:
    """One queue and who handles it."""

    queue: str
    handler: Handler | RawHandler
    batch_messages_max: int = 500
    linger_seconds: float = 0.0
    """How long a batch waits for more; a queue that has more fills it without waiting."""
    prefetch: int = 1000
    raw: bool = False
    """Hand undecoded deliveries to a RawHandler; for queues that outsiders publish to."""

    @property
    def name(self) -> str:
        """Return the lane's short name, a bounded metric label: work, bulk, suspect, dead."""
        parts = self.queue.split(".")
        return parts[1] if len(parts) > 1 else self.queue

    @property
    def moves_suspects(self) -> bool:
        """Return whether messages whose holders died leave this lane for the suspect lane."""
        return self.name in ("work", "bulk")

    @property
    def is_suspect(self) -> bool:
        """Return whether this lane handles messages whose holders died."""
        return self.name == "suspect"


class LaneSettings(Protocol):
    """The settings that every lane of a service follows."""

    @property
    def batch_messages_max(self) -> int:
        """Most messages that one transaction handles."""
        ...

    @property
    def prefetch(self) -> int:
        """Unacknowledged messages per lane."""
        ...


def work_and_bulk_lanes(service: str, handler: Handler, settings: LaneSettings) -> list[Lane]:
    """Return the two lanes of a service that handles today's events and imports alike."""
    queues = ServiceQueues(service)
    return [
        Lane(
            queue,
            handler,
            batch_messages_max=settings.batch_messages_max,
            prefetch=settings.prefetch,
        )
        for queue in (queues.work, queues.bulk)
    ]


def suspect_lane(service: str, lane: Lane) -> Lane:
    """Return the suspect lane that goes with a service's work lane: one message at a time."""
    return replace(
        lane,
        queue=ServiceQueues(service).suspect,
        batch_messages_max=1,
        prefetch=1,
        linger_seconds=0.0,
    )


def with_suspect_lane(service: str, lanes: Sequence[Lane]) -> list[Lane]:
    """Return ``lanes`` and, unless it is among them, the service's suspect lane."""
    work = [lane for lane in lanes if lane.queue == ServiceQueues(service).work]
    if not work or any(lane.is_suspect for lane in lanes):
        return list(lanes)
    return [*lanes, suspect_lane(service, work[0])]
