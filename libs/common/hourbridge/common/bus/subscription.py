"""Consuming one queue over a link: the I/O thread hands deliveries over, one thread fetches them.

Every new channel begins a new epoch. Tags of an older epoch are void: the broker has returned
those messages to the queue, and settling them would close the channel.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from pika import BasicProperties
from pika.channel import Channel
from pika.connection import Connection
from pika.spec import Basic

from hourbridge.common.bus.adapter import Delivery, HeaderValue
from hourbridge.common.bus.link import Backoff, Link
from hourbridge.common.errors import BusError

log = structlog.get_logger(__name__)

_epochs = count(1)
_CLOSE_SECONDS = 3.0

_Arrival = tuple[int, Basic.Deliver, BasicProperties, bytes]


def scalar_headers(headers: dict[str, Any] | None) -> dict[str, HeaderValue]:
    """Return the text and integer headers; tables such as x-death are for people, not for us."""
    plain: dict[str, HeaderValue] = {}
    for name, value in (headers or {}).items():
        if isinstance(value, str):
            plain[name] = value
        elif isinstance(value, int):
            plain[name] = int(value)  # pika's own integer type does not print as a number
    return plain


def settlement_plan(unsettled: Iterable[int], tags: set[int]) -> tuple[int | None, list[int]]:
    """Return the last tag that ``multiple`` can settle, and those that go one by one.

    ``unsettled`` holds all open tags in ascending order: when its first ones are all to be
    settled, a single frame settles them.
    """
    prefix = None
    for tag in unsettled:
        if tag not in tags:
            break
        prefix = tag
    return prefix, sorted(tag for tag in tags if prefix is None or tag > prefix)


class RabbitSubscription:
    """One consumer on one queue; ``fetch`` and the settling calls belong to one thread."""

    def __init__(self, link: Link, queue: str, *, prefetch: int) -> None:
        self._link = link
        self._queue = queue
        self._prefetch = prefetch
        self._arrivals: SimpleQueue[_Arrival | None] = SimpleQueue()
        self._active = threading.Event()
        self._closed = threading.Event()
        self._stopped = False
        self._reason = "not consuming yet"
        self._epoch = 0
        self._channel: Channel | None = None
        self._consumer_tag = ""
        self._backoff = Backoff()
        self._fetch_epoch = 0
        self._unsettled: dict[int, None] = {}
        link.attach(self)

    def fetch(
        self, messages_max: int, wait_seconds: float, linger_seconds: float = 0.0
    ) -> list[Delivery]:
        """Return deliveries; see ``Subscription.fetch``."""
        deadline = time.monotonic() + wait_seconds
        if not self._active.wait(wait_seconds):
            raise BusError(f"not consuming: {self._reason}", queue=self._queue)
        first = self._take(max(0.0, deadline - time.monotonic()))
        if first is None:
            return []
        arrivals = [first]
        linger_end = time.monotonic() + linger_seconds
        while len(arrivals) < messages_max:
            arrival = self._take(max(0.0, linger_end - time.monotonic()))
            if arrival is None:
                break
            arrivals.append(arrival)
        return self._accept(arrivals)

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Settle deliveries; see ``Subscription.acknowledge``."""
        self._settle(deliveries, _ack)

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Return deliveries to the queue; the broker counts this as a return (not on 4.3)."""
        self._settle(deliveries, _nack)

    def stop_delivery(self) -> None:
        """Cancel the consumer; what was handed over can still be fetched and settled."""
        self._stopped = True
        self._link.post(self._cancel)

    def close(self) -> None:
        """Close the channel: unsettled deliveries return to the queue, in order."""
        self._stopped = True
        self._active.clear()
        if self._link.post(self._close_channel):
            self._closed.wait(_CLOSE_SECONDS)
        self._link.detach(self)

    def _take(self, wait_seconds: float) -> _Arrival | None:
        try:
            if wait_seconds <= 0:
                return self._arrivals.get_nowait()
            return self._arrivals.get(timeout=wait_seconds)
        except Empty:
            return None

    def _accept(self, arrivals: list[_Arrival]) -> list[Delivery]:
        epoch = self._epoch
        if epoch != self._fetch_epoch:
            self._fetch_epoch = epoch
            self._unsettled.clear()
        current = [self._delivery(arrival) for arrival in arrivals if arrival[0] == epoch]
        self._unsettled.update((delivery.tag, None) for delivery in current)
        return current

    def _delivery(self, arrival: _Arrival) -> Delivery:
        epoch, method, properties, body = arrival
        headers = scalar_headers(properties.headers)
        return Delivery(
            queue=self._queue,
            tag=int(method.delivery_tag or 0),
            body=body,
            exchange=method.exchange or "",
            routing_key=method.routing_key or "",
            message_id=properties.message_id,
            type=properties.type,
            headers=headers,
            correlation_id=properties.correlation_id,
            earlier_holders_lost=int(headers.get("x-delivery-count", 0)),
            content_type=properties.content_type,
            connection_epoch=epoch,
        )

    def _settle(
        self, deliveries: Sequence[Delivery], request: Callable[[Channel, int, bool], None]
    ) -> None:
        epoch = self._fetch_epoch
        tags = {
            delivery.tag
            for delivery in deliveries
            if delivery.connection_epoch == epoch and delivery.tag in self._unsettled
        }
        if not tags:
            return
        prefix, singles = settlement_plan(self._unsettled, tags)
        for tag in tags:
            del self._unsettled[tag]

        def settle() -> None:
            channel = self._channel
            if channel is None or not channel.is_open or self._epoch != epoch:
                return  # the broker has taken them back already
            if prefix is not None:
                request(channel, prefix, True)
            for tag in singles:
                request(channel, tag, False)

        self._link.post(settle)

    # --- I/O thread -------------------------------------------------------------------------

    def connection_up(self, connection: Connection) -> None:
        """Open the channel and consume."""
        if not self._stopped:
            connection.channel(on_open_callback=self._opened)

    def connection_down(self, reason: str) -> None:
        """Void everything that was handed over."""
        self._void(reason)

    def _opened(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_cancel_callback(self._cancelled)
        channel.basic_qos(prefetch_count=self._prefetch, callback=self._consume)

    def _consume(self, _frame: Any) -> None:
        channel = self._channel
        if channel is None or not channel.is_open or self._stopped:
            return
        epoch = next(_epochs)
        self._epoch = epoch
        put = self._arrivals.put

        def arrived(
            _channel: Channel, method: Basic.Deliver, properties: BasicProperties, body: bytes
        ) -> None:
            put((epoch, method, properties, body))

        self._consumer_tag = channel.basic_consume(self._queue, arrived, callback=self._consuming)

    def _consuming(self, _frame: Any) -> None:
        self._backoff.reset()
        self._active.set()

    def _cancelled(self, _frame: Any) -> None:
        """The broker ended the consumer: queue deleted, leader gone, or held for too long."""
        log.warning("bus_consumer_cancelled", queue=self._queue)
        channel = self._channel
        if channel is not None and channel.is_open:
            channel.close(reply_text="consumer cancelled by the broker")

    def _channel_closed(self, channel: Channel, reason: BaseException) -> None:
        is_current = channel is self._channel
        if not is_current:
            return
        self._void(repr(reason))
        connection = channel.connection
        if self._stopped:
            self._closed.set()
        elif connection is not None and connection.is_open:
            log.warning("bus_consume_channel_closed", queue=self._queue, reason=repr(reason))
            self._link.call_later(self._backoff.next_delay(), lambda: self._reopen(connection))

    def _reopen(self, connection: Connection) -> None:
        if connection.is_open and self._channel is None:
            self.connection_up(connection)

    def _void(self, reason: str) -> None:
        self._channel = None
        self._epoch = next(_epochs)
        self._reason = reason
        self._active.clear()
        self._arrivals.put((0, *_NOTHING))  # wakes the fetching thread

    def _cancel(self) -> None:
        channel = self._channel
        if channel is not None and channel.is_open and self._consumer_tag:
            channel.basic_cancel(self._consumer_tag)

    def _close_channel(self) -> None:
        channel = self._channel
        if channel is None or not channel.is_open:
            self._closed.set()
            return
        channel.close()


_NOTHING = (Basic.Deliver(), BasicProperties(), b"")


def _ack(channel: Channel, tag: int, multiple: bool) -> None:
    channel.basic_ack(tag, multiple)


def _nack(channel: Channel, tag: int, multiple: bool) -> None:
    channel.basic_nack(tag, multiple, requeue=True)
