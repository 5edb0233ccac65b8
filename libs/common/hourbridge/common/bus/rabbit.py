"""The bus on RabbitMQ (3.10 and 4.x)."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from hourbridge.common.bus import declare, rpc
from hourbridge.common.bus.adapter import Feature, Outgoing
from hourbridge.common.bus.link import Link
from hourbridge.common.bus.management import ManagementApi
from hourbridge.common.bus.publisher import WINDOW_MESSAGES, Publisher
from hourbridge.common.bus.subscription import RabbitSubscription
from hourbridge.common.bus.topology import Queue, Topology

FEATURES = frozenset(Feature)


class RabbitBus:
    """Two connections, each with its own I/O thread.

    Publishing and consuming are apart because a broker alarm blocks a publishing connection, and
    acknowledgements must go on. The consuming one is opened with the first subscription.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "hourbridge",
        management_url: str | None = None,
        window_messages: int = WINDOW_MESSAGES,
    ) -> None:
        self._management = ManagementApi(management_url, url) if management_url else None
        self._publishing = Link(url, f"{name}-publish")
        self._consuming = Link(url, f"{name}-consume")
        self._consuming_started = False
        self._lock = threading.Lock()
        self._publisher = Publisher(self._publishing, window_messages=window_messages)
        self._publishing.start()

    @property
    def features(self) -> frozenset[Feature]:
        """RabbitMQ has everything that the platform uses."""
        return FEATURES

    def apply(self, topology: Topology) -> None:
        """Declare everything; raise TopologyMismatch where the broker holds other arguments."""
        declare.apply(self._publishing, topology)

    def problems(self, topology: Topology) -> list[str]:
        """Return what of ``topology`` the broker lacks; see ``declare.problems`` for bindings."""
        bound = self._management.bindings if self._management else None
        return declare.problems(self._publishing, topology, bound)

    def publish(self, messages: Sequence[Outgoing], *, timeout_seconds: float = 10) -> None:
        """Publish and wait for every confirm; see ``Bus.publish``."""
        self._publisher.publish(messages, timeout_seconds=timeout_seconds)

    def subscribe(self, queue: str, *, prefetch: int) -> RabbitSubscription:
        """Start consuming ``queue``; while the broker is away it begins when it comes back."""
        with self._lock:
            if not self._consuming_started:
                self._consuming.start()
                self._consuming_started = True
        return RabbitSubscription(self._consuming, queue, prefetch=prefetch)

    def depth(self, queue: str) -> int:
        """Return how many messages are ready in ``queue``."""
        step = declare.queue_step(Queue(queue), passive=True)
        return int(rpc.run(self._publishing, [step])[0].message_count)

    def is_alive(self) -> bool:
        """Return whether the I/O threads turned their loops recently."""
        return all(link.is_alive() for link in self._links())

    def is_connected(self) -> bool:
        """Return whether every connection in use is open."""
        return all(link.is_up for link in self._links())

    def close(self) -> None:
        """Disconnect; what is unsettled returns to its queues."""
        for link in reversed(self._links()):
            link.close()

    def _links(self) -> list[Link]:
        return [self._publishing, *([self._consuming] if self._consuming_started else [])]
