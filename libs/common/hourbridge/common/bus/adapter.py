"""What a broker adapter promises. Services never import pika or kombu, only this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from hourbridge.common.errors import Disposition

if TYPE_CHECKING:
    from hourbridge.common.bus.topology import Topology

HeaderValue = str | int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish. ``headers`` must be few and short: all fit one AMQP frame."""

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    type: str
    headers: Mapping[str, HeaderValue] = field(default_factory=dict)
    correlation_id: str | None = None
    content_type: str = "application/cloudevents+json"
    timestamp_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message received and not yet settled."""

    queue: str
    tag: int
    body: bytes
    exchange: str
    routing_key: str
    message_id: str | None
    type: str | None
    headers: Mapping[str, HeaderValue]
    correlation_id: str | None
    earlier_holders_lost: int
    """How many consumers went away while they held it (RabbitMQ's x-delivery-count)."""
    content_type: str | None = None
    connection_epoch: int = 0
    """Tags of an earlier channel or connection are void and never settled."""


class Feature(StrEnum):
    """What an adapter can do; the conformance suite runs what is declared."""

    DURABLE = "durable"
    CONFIRMS = "confirms"
    MANDATORY = "mandatory"
    DELAY = "delay"
    DEAD_LETTERING = "dead_lettering"
    DELIVERY_LIMIT = "delivery_limit"
    DELIVERY_COUNT = "delivery_count"
    SINGLE_ACTIVE_CONSUMER = "single_active_consumer"
    ALTERNATE_EXCHANGE = "alternate_exchange"
    LENGTH_LIMIT = "length_limit"
    ARGUMENT_CHECK = "argument_check"
    CROSS_PROCESS = "cross_process"
    RECONNECT = "reconnect"


class Subscription(Protocol):
    """One consumer on one queue; used by one thread."""

    def fetch(
        self, messages_max: int, wait_seconds: float, linger_seconds: float = 0.0
    ) -> list[Delivery]:
        """Return up to ``messages_max`` deliveries; wait at most ``wait_seconds`` for the first.

        After the first arrived, whatever is at hand is taken, and more is waited for until
        ``linger_seconds`` have passed. Raises BusError while the connection is down (it comes
        back by itself).
        """
        ...

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Settle deliveries; those of an earlier connection are ignored (they come again)."""
        ...

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Return deliveries to the queue unhandled."""
        ...

    def stop_delivery(self) -> None:
        """Let nothing new come; what was handed over already can still be fetched and settled.

        The broker charges every unsettled delivery when a consumer goes, so a graceful stop
        calls this first and works off the rest.
        """
        ...

    def close(self) -> None:
        """Stop consuming; unsettled deliveries return to the queue."""
        ...


class Bus(Protocol):
    """A connection to a broker. Thread-safe."""

    @property
    def features(self) -> frozenset[Feature]:
        """What this adapter can do."""
        ...

    def apply(self, topology: Topology) -> None:
        """Declare everything; raise TopologyMismatch where the broker holds other arguments."""
        ...

    def problems(self, topology: Topology) -> list[str]:
        """Return what of ``topology`` the broker lacks (objects and bindings); empty when whole."""
        ...

    def publish(self, messages: Sequence[Outgoing], *, timeout_seconds: float = 10) -> None:
        """Publish with pipelined confirms and ``mandatory``; return when all are confirmed.

        Raises PublishOutcomeUnknown past the deadline or on a lost connection,
        PublishUnroutable when a message met no queue, BusError when there is no connection.
        """
        ...

    def subscribe(self, queue: str, *, prefetch: int) -> Subscription:
        """Start consuming ``queue``."""
        ...

    def depth(self, queue: str) -> int:
        """Return how many messages are ready in ``queue``."""
        ...

    def is_alive(self) -> bool:
        """Return whether the I/O thread turned its loop recently (liveness)."""
        ...

    def is_connected(self) -> bool:
        """Return whether the broker can be used now (readiness)."""
        ...

    def close(self) -> None:
        """Flush, stop consumers and disconnect."""
        ...


@dataclass(frozen=True)
class Failure:
    """Why handling one delivery failed, as it travels in headers and dead letters."""

    code: str
    disposition: Disposition
    text: str
