"""The bus inside one process: for trying Hourbridge with nothing but Python.

It starts empty and forgets everything when closed. Same topology, same handlers; what it can't
do is missing from its ``features``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count

from hourbridge.common.bus.adapter import Delivery, Feature, Outgoing
from hourbridge.common.bus.limits import require_fits
from hourbridge.common.bus.memory import MemoryBroker, MemoryQueue, Stored
from hourbridge.common.bus.topology import Topology
from hourbridge.common.errors import BusError, PublishOutcomeUnknown, PublishUnroutable

FEATURES = frozenset(Feature) - {Feature.DURABLE, Feature.CROSS_PROCESS, Feature.RECONNECT}


class EmbeddedBus:
    """One broker in memory, shared by everybody who is handed this object. Thread-safe."""

    def __init__(self) -> None:
        self._broker = MemoryBroker()
        self._open = True

    @property
    def features(self) -> frozenset[Feature]:
        """Everything but what outlives or leaves the process."""
        return FEATURES

    def apply(self, topology: Topology) -> None:
        """Declare everything; raise TopologyMismatch where other arguments are held."""
        for exchange in topology.exchanges:
            self._broker.declare_exchange(exchange)
        for queue in topology.queues:
            self._broker.declare_queue(queue)
        for binding in topology.bindings:
            self._broker.bind(binding)

    def problems(self, topology: Topology) -> list[str]:
        """Return what of ``topology`` is missing."""
        broker = self._broker
        found = [
            f"exchange {e.name}: missing"
            for e in topology.exchanges
            if not broker.has_exchange(e.name)
        ]
        found += [
            f"queue {q.name}: missing" for q in topology.queues if q.name not in broker.queues
        ]
        found += [
            f"binding {b.exchange} -[{b.routing_key}]-> {b.queue}: missing"
            for b in topology.bindings
            if not broker.has_binding(b)
        ]
        return found

    def publish(
        self,
        messages: Sequence[Outgoing],
        *,
        timeout_seconds: float = 10,  # noqa: ARG002 - part of the protocol; nothing waits here
    ) -> None:
        """Put every message into its queues; see ``Bus.publish`` for what is raised."""
        self._require_open()
        for message in messages:
            require_fits(message)
        unroutable: list[Outgoing] = []
        refused = 0
        with self._broker.lock:
            for message in messages:
                targets = self._broker.route(message.exchange, message.routing_key)
                if not targets:
                    unroutable.append(message)
                refused += self._put(message, targets)
        if unroutable:
            raise PublishUnroutable(
                f"{len(unroutable)} message(s) met no queue",
                message_ids=[message.message_id for message in unroutable],
                exchange=unroutable[0].exchange,
                routing_key=unroutable[0].routing_key,
            )
        if refused:
            raise PublishOutcomeUnknown(f"{refused} message(s) refused: a queue is full")

    def subscribe(self, queue: str, *, prefetch: int) -> EmbeddedSubscription:
        """Start consuming ``queue``."""
        self._require_open()
        return EmbeddedSubscription(self._broker, queue, prefetch=prefetch)

    def depth(self, queue: str) -> int:
        """Return how many messages are ready in ``queue``."""
        return len(_queue(self._broker, queue).ready)

    def is_alive(self) -> bool:
        """Return True: there is no thread that could stand still."""
        return True

    def is_connected(self) -> bool:
        """Return whether it has not been closed."""
        return self._open

    def close(self) -> None:
        """Forget everything."""
        self._open = False
        self._broker.close()

    def _require_open(self) -> None:
        if not self._open:
            raise BusError("the embedded bus is closed")

    def _put(self, message: Outgoing, targets: Sequence[MemoryQueue]) -> int:
        """Put into every queue that has room; return 1 if one had none."""
        refused = 0
        prepared = self._broker.prepare(message) if targets else {}
        for queue in targets:
            if queue.is_full():
                refused = 1
            else:
                self._broker.put(queue, Stored(prepared, message.exchange, message.routing_key))
        return refused


class EmbeddedSubscription:
    """One consumer on one queue; used by one thread."""

    def __init__(self, broker: MemoryBroker, queue: str, *, prefetch: int) -> None:
        self._broker = broker
        self._queue = _queue(broker, queue)
        self._prefetch = prefetch
        self._tags = count(1)
        self._unsettled: dict[int, Stored] = {}
        self._stopped = False
        with broker.lock:
            self._queue.consumers.append(self)

    def fetch(
        self, messages_max: int, wait_seconds: float, linger_seconds: float = 0.0
    ) -> list[Delivery]:
        """Return deliveries; see ``Subscription.fetch``."""
        taken: list[Delivery] = []
        deadline = time.monotonic() + wait_seconds
        with self._broker.lock:
            while len(taken) < messages_max:
                if self._can_take():
                    if not taken:
                        deadline = time.monotonic() + linger_seconds
                    taken.append(self._take())
                    continue
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._stopped:
                    break
                self._queue.changed.wait(remaining)
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Settle deliveries."""
        with self._broker.lock:
            for delivery in deliveries:
                self._unsettled.pop(delivery.tag, None)

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Return deliveries to this queue alone, in order."""
        with self._broker.lock:
            tags = sorted(each.tag for each in deliveries if each.tag in self._unsettled)
            self._broker.take_back(self._queue, [self._unsettled.pop(tag) for tag in tags])

    def stop_delivery(self) -> None:
        """Let nothing new come; nothing is ever handed over ahead of ``fetch``."""
        self._stopped = True

    def close(self) -> None:
        """Return what is unsettled and let the next consumer be the active one."""
        self._stopped = True
        with self._broker.lock:
            if self in self._queue.consumers:
                self._queue.consumers.remove(self)
            returned = list(self._unsettled.values())
            self._unsettled.clear()
            self._broker.take_back(self._queue, returned)

    def _can_take(self) -> bool:
        return (
            not self._stopped
            and bool(self._queue.ready)
            and len(self._unsettled) < self._prefetch
            and self._queue.may_deliver_to(self)
        )

    def _take(self) -> Delivery:
        stored = self._queue.ready.popleft()
        tag = next(self._tags)
        self._unsettled[tag] = stored
        properties = stored.message["properties"]
        return Delivery(
            queue=self._queue.name,
            tag=tag,
            body=stored.message["body"],
            exchange=stored.exchange,
            routing_key=stored.routing_key,
            message_id=properties["message_id"],
            type=properties["type"],
            headers=stored.message["headers"],
            correlation_id=properties["correlation_id"],
            earlier_holders_lost=stored.returns,
            content_type=stored.message["content-type"],
        )


def _queue(broker: MemoryBroker, name: str) -> MemoryQueue:
    try:
        return broker.queues[name]
    except KeyError:
        raise BusError("no such queue", queue=name) from None
