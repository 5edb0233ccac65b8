"""A broker inside one process: kombu's in-memory transport, completed where it differs.

kombu keeps the exchanges, their bindings and the routing. What its memory transport lacks or does
otherwise is added here: queue arguments, delay, dead-lettering, counted returns to just the one
queue, a single active consumer. State belongs to the instance, not, as in kombu, to the class.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from kombu.connection import Connection
from kombu.transport import memory, virtual
from kombu.transport.virtual.base import NotEquivalentError

from hourbridge.common.bus.adapter import HeaderValue, Outgoing
from hourbridge.common.bus.topology import Binding, Exchange, Queue
from hourbridge.common.errors import TopologyMismatch

_UNDELIVERABLE_RETRY_SECONDS = 1.0


_connect: Any = Connection  # kombu is not annotated
_new_state: Any = virtual.BrokerState


@dataclass(eq=False)
class Stored:
    """A message in one queue."""

    message: Mapping[str, Any]
    exchange: str
    routing_key: str
    returns: int = 0


@dataclass(eq=False)
class MemoryQueue:
    """A queue; all access under the broker's lock."""

    name: str
    arguments: Mapping[str, Any]
    changed: threading.Condition
    ready: deque[Stored] = field(default_factory=deque)
    consumers: list[object] = field(default_factory=list)

    def is_full(self) -> bool:
        """Return whether another message must be refused."""
        limit = self.arguments.get("x-max-length")
        return limit is not None and len(self.ready) >= limit

    def may_deliver_to(self, consumer: object) -> bool:
        """Return whether ``consumer`` is the active one, where only one may be."""
        if not self.arguments.get("x-single-active-consumer"):
            return True
        return bool(self.consumers) and self.consumers[0] is consumer


class _Channel(memory.Channel):
    """A channel whose queues belong to its own transport."""

    def _has_queue(self, queue: str, **_kwargs: Any) -> bool:
        return queue in self.connection.broker.queues

    def _new_queue(self, queue: str, arguments: Any = None, **_kwargs: Any) -> None:
        self.connection.broker.add_queue(queue, arguments or {})

    def _size(self, queue: str) -> int:
        return len(self.connection.broker.queues[queue].ready)


class _Transport(memory.Transport):
    """A memory transport with exchanges and bindings of its own."""

    Channel = _Channel

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)  # type: ignore[no-untyped-call]
        self.state = _new_state()
        self.broker: MemoryBroker


class MemoryBroker:
    """Exchanges, queues and timers of one embedded bus. Every public method takes the lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.queues: dict[str, MemoryQueue] = {}
        self._routes: dict[tuple[str, str], list[MemoryQueue]] = {}
        self._connection = _connect(transport=_Transport)
        self._connection.transport.broker = self
        self._channel = self._connection.channel()
        self._timer = _Timer(self)

    def close(self) -> None:
        """Stop the timers and wake everybody who waits."""
        self._timer.stop()
        with self.lock:
            for queue in self.queues.values():
                queue.changed.notify_all()
        self._connection.release()

    # --- topology ---------------------------------------------------------------------------

    def declare_exchange(self, exchange: Exchange) -> None:
        """Declare, or check that it is the same; raise TopologyMismatch if not."""
        arguments = {"alternate-exchange": exchange.alternate} if exchange.alternate else {}
        with self.lock:
            try:
                self._channel.exchange_declare(
                    exchange.name, exchange.type, durable=True, arguments=arguments
                )
            except NotEquivalentError as error:
                label = f"exchange {exchange.name}"
                raise TopologyMismatch(str(error), object=label) from None
            self._routes.clear()

    def declare_queue(self, queue: Queue) -> None:
        """Declare, or check that it has the same arguments; raise TopologyMismatch if not."""
        with self.lock:
            existing = self.queues.get(queue.name)
            if existing is not None and existing.arguments != queue.arguments:
                label = f"queue {queue.name}"
                raise TopologyMismatch("the arguments differ", object=label)
            self._channel.queue_declare(queue.name, arguments=dict(queue.arguments))
            self._routes.clear()

    def add_queue(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Create the queue unless it is there (called back by kombu's declaration)."""
        if name not in self.queues:
            condition = threading.Condition(self.lock)
            self.queues[name] = MemoryQueue(name, dict(arguments), condition)

    def bind(self, binding: Binding) -> None:
        """Bind a queue; binding again changes nothing."""
        with self.lock:
            self._channel.queue_bind(binding.queue, binding.exchange, binding.routing_key)
            self._routes.clear()

    def unbind(self, binding: Binding) -> None:
        """Remove a binding."""
        with self.lock:
            self._channel.queue_unbind(binding.queue, binding.exchange, binding.routing_key)
            self._routes.clear()

    def has_exchange(self, name: str) -> bool:
        """Return whether the exchange exists."""
        return name in self._channel.state.exchanges

    def has_binding(self, binding: Binding) -> bool:
        """Return whether the binding exists."""
        return bool(
            self._channel.state.has_binding(binding.queue, binding.exchange, binding.routing_key)
        )

    # --- messages ---------------------------------------------------------------------------

    def route(self, exchange: str, routing_key: str) -> list[MemoryQueue]:
        """Return the queues that a message would reach, through alternates if need be."""
        address = (exchange, routing_key)
        if address not in self._routes:
            self._routes[address] = self._find_route(exchange, routing_key)
        return self._routes[address]

    def _find_route(self, exchange: str, routing_key: str) -> list[MemoryQueue]:
        if not exchange:
            names: Iterable[str] = (routing_key,)
        elif not self.has_exchange(exchange):
            return []
        else:
            names = self._channel._lookup(exchange, routing_key)
        found = [self.queues[name] for name in sorted(names) if name in self.queues]
        if found or not exchange:
            return found
        declared = self._channel.state.exchanges[exchange]["arguments"]
        alternate = declared.get("alternate-exchange")
        return self._find_route(alternate, routing_key) if alternate else []

    def prepare(self, message: Outgoing) -> Mapping[str, Any]:
        """Return kombu's form of a message."""
        properties = {
            "message_id": message.message_id or None,
            "type": message.type or None,
            "correlation_id": message.correlation_id,
            "delivery_info": {"exchange": message.exchange, "routing_key": message.routing_key},
        }
        prepared: Mapping[str, Any] = self._channel.prepare_message(
            message.body,
            content_type=message.content_type,
            headers=dict(message.headers),
            properties=properties,
        )
        return prepared

    def put(self, queue: MemoryQueue, stored: Stored) -> None:
        """Append a message, start its time to live, wake consumers."""
        queue.ready.append(stored)
        lifetime_milliseconds = queue.arguments.get("x-message-ttl")
        if lifetime_milliseconds is not None:
            self._timer.add(lifetime_milliseconds / 1000, queue, stored)
        queue.changed.notify_all()

    def take_back(self, queue: MemoryQueue, returned: list[Stored]) -> None:
        """Return messages to the front, in order; those returned too often are dead-lettered."""
        limit = queue.arguments.get("x-delivery-limit")
        for stored in reversed(returned):
            stored.returns += 1
            spent = limit is not None and stored.returns > limit
            if not (spent and self.dead_letter(queue, stored, "delivery_limit")):
                queue.ready.appendleft(stored)
        queue.changed.notify_all()

    def dead_letter(self, queue: MemoryQueue, stored: Stored, reason: str) -> bool:
        """Publish to the queue's dead-letter exchange; return False when nobody takes it."""
        exchange = queue.arguments.get("x-dead-letter-exchange")
        if exchange is None:
            return True  # no dead-lettering configured: gone
        key = queue.arguments.get("x-dead-letter-routing-key", stored.routing_key)
        targets = self.route(exchange, key)
        headers: dict[str, HeaderValue] = {
            "x-first-death-queue": queue.name,
            "x-first-death-reason": reason,
            "x-first-death-exchange": stored.exchange,
            **stored.message["headers"],
        }
        for target in targets:
            self.put(target, Stored({**stored.message, "headers": headers}, exchange, key))
        return bool(targets)

    def expire(self, queue: MemoryQueue, stored: Stored) -> None:
        """Dead-letter a message whose time is over, if it is still in its queue."""
        with self.lock:
            if stored not in queue.ready:
                return
            if self.dead_letter(queue, stored, "expired"):
                queue.ready.remove(stored)
            else:
                self._timer.add(_UNDELIVERABLE_RETRY_SECONDS, queue, stored)


class _Timer:
    """Expires messages; its thread starts with the first one."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._due: list[tuple[float, int, MemoryQueue, Stored]] = []
        self._order = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def add(self, delay_seconds: float, queue: MemoryQueue, stored: Stored) -> None:
        due_at = time.monotonic() + delay_seconds
        with self._changed:
            heapq.heappush(self._due, (due_at, next(self._order), queue, stored))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bus-delay", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                wait_seconds = self._due[0][0] - time.monotonic() if self._due else None
                if wait_seconds is None or wait_seconds > 0:
                    self._changed.wait(wait_seconds)
                    continue
                _due_at, _order, queue, stored = heapq.heappop(self._due)
            self._broker.expire(queue, stored)
