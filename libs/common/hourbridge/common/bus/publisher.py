"""Publishing with pipelined confirms.

The channel counts what it publishes; each number stays in a map until the broker has answered
it. A message that met no queue is returned before it is confirmed; returns carry no number, so
they are matched by message id and address. Publishing through kombu is no alternative: its
confirm wait takes any answer on the channel for its own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pika
import structlog
from pika.channel import Channel
from pika.connection import Connection
from pika.exceptions import ChannelClosedByBroker, UnsupportedAMQPFieldException

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.bus.limits import require_fits
from hourbridge.common.bus.link import Link
from hourbridge.common.bus.rpc import NOT_FOUND
from hourbridge.common.bus.wire import WireConnection
from hourbridge.common.errors import (
    BusError,
    HourbridgeError,
    InvariantViolated,
    PublishOutcomeUnknown,
    PublishUnroutable,
)

log = structlog.get_logger(__name__)

WINDOW_MESSAGES = 1000
"""Unconfirmed messages in flight; measured flat from about 200 on."""
_REFUSED_RETRY_SECONDS = 0.2
_REOPEN_SECONDS = 0.5


@dataclass(eq=False)
class _Prepared:
    message: Outgoing
    properties: pika.BasicProperties
    unroutable: bool = False


@dataclass(eq=False)
class _Batch:
    """The messages of one call of ``publish`` and what became of them."""

    to_send: deque[_Prepared]
    unconfirmed: int
    sent: bool = False
    refused: int = 0
    unroutable: list[Outgoing] = field(default_factory=list)
    error: HourbridgeError | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def confirm(self, item: _Prepared) -> None:
        if item.unroutable:
            self.unroutable.append(item.message)
        self.unconfirmed -= 1
        if self.unconfirmed == 0:
            self.done.set()

    def fail(self, error: HourbridgeError) -> None:
        self.error = error
        self.done.set()

    def raise_failure(self) -> None:
        if self.error is not None:
            raise self.error
        if self.unroutable:
            first = self.unroutable[0]
            raise PublishUnroutable(
                f"{len(self.unroutable)} message(s) met no queue",
                message_ids=[message.message_id for message in self.unroutable],
                exchange=first.exchange,
                routing_key=first.routing_key,
            )


def _prepare(message: Outgoing) -> _Prepared:
    require_fits(message)
    properties = pika.BasicProperties(
        content_type=message.content_type,
        headers=dict(message.headers),
        delivery_mode=2,  # also in quorum queues: a dead-lettered copy keeps its mode
        correlation_id=message.correlation_id,
        message_id=message.message_id or None,
        timestamp=message.timestamp_seconds,
        type=message.type or None,
    )
    return _Prepared(message, properties)


class Publisher:
    """Publishes batches over one link; callable from any thread."""

    def __init__(self, link: Link, *, window_messages: int = WINDOW_MESSAGES) -> None:
        self._link = link
        self._window = window_messages
        self._lock = threading.Lock()
        self._ready = False
        self._reason = "no channel yet"
        self._opened = threading.Event()
        self._waiting: deque[_Batch] = deque()
        self._channel: Channel | None = None
        self._numbers = count(1)
        self._pending: dict[int, tuple[_Batch, _Prepared]] = {}
        self._refused: list[tuple[_Batch, _Prepared]] = []
        link.attach(self)

    def publish(self, messages: Sequence[Outgoing], *, timeout_seconds: float) -> None:
        """Return when every message is confirmed; see ``Bus.publish`` for what is raised."""
        if not messages:
            return
        deadline = time.monotonic() + timeout_seconds
        items = deque(_prepare(message) for message in messages)
        batch = _Batch(items, unconfirmed=len(items))
        self._submit(batch, timeout_seconds)
        if not batch.done.wait(max(0.0, deadline - time.monotonic())):
            self._give_up(batch, timeout_seconds)
        batch.raise_failure()

    def _submit(self, batch: _Batch, timeout_seconds: float) -> None:
        if not self._ready and not self._link.settled.is_set():
            self._opened.wait(timeout_seconds)  # only at the very start: later absence fails fast
        elif not self._ready and self._link.is_up:
            self._opened.wait(min(timeout_seconds, 2.0))
        with self._lock:
            if not self._ready:
                raise BusError(f"no connection to the broker: {self._reason}")
            self._waiting.append(batch)
        self._link.post(self._pump)

    def _give_up(self, batch: _Batch, timeout_seconds: float) -> None:
        if batch.refused and batch.refused == batch.unconfirmed:
            batch.done.set()
            what = f"the broker refused {batch.refused} message(s): a queue is full"
        else:
            what = f"no confirm in {timeout_seconds} s for {batch.unconfirmed} message(s)"
            self._link.drop(what)
        raise PublishOutcomeUnknown(what)

    # --- I/O thread -------------------------------------------------------------------------

    def connection_up(self, connection: Connection) -> None:
        """Open the publishing channel."""
        connection.channel(on_open_callback=self._channel_open)

    def connection_down(self, reason: str) -> None:
        """Fail what is in flight: nobody will confirm it any more."""
        self._fail_all(lambda batch: self._lost(batch, reason), reason)

    def _channel_open(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = count(1)
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._answered, callback=self._confirming)

    def _confirming(self, _frame: Any) -> None:
        with self._lock:
            self._ready = True
        self._opened.set()

    def _channel_closed(self, channel: Channel, reason: BaseException) -> None:
        is_current = channel is self._channel
        if not is_current:
            return
        self._channel = None
        text = repr(reason)
        missing = isinstance(reason, ChannelClosedByBroker) and reason.reply_code == NOT_FOUND
        self._fail_all(
            lambda batch: _no_exchange(text) if missing else self._lost(batch, text), text
        )
        connection = channel.connection
        if connection is not None and connection.is_open:
            log.warning("bus_publish_channel_closed", reason=text)
            self._link.call_later(_REOPEN_SECONDS, lambda: self._reopen(connection))

    def _reopen(self, connection: Connection) -> None:
        if connection.is_open and self._channel is None:
            self.connection_up(connection)

    def _lost(self, batch: _Batch, reason: str) -> BusError:
        if batch.sent:
            return PublishOutcomeUnknown(f"connection lost before the confirm: {reason}")
        return BusError(f"connection lost before sending: {reason}")

    def _fail_all(self, error_for: Any, reason: str) -> None:
        with self._lock:
            self._ready = False
            self._reason = reason
            waiting = list(self._waiting)
            self._waiting.clear()
        self._opened.clear()
        in_flight = [batch for batch, _item in (*self._pending.values(), *self._refused)]
        self._pending.clear()
        self._refused.clear()
        for batch in {id(batch): batch for batch in (*in_flight, *waiting)}.values():
            batch.fail(error_for(batch))

    def _pump(self) -> None:
        """Send while the window has room."""
        channel = self._channel
        if channel is None or not channel.is_open:
            return
        with self._joined(channel):
            while self._waiting and len(self._pending) < self._window:
                batch = self._waiting[0]
                self._send_some(channel, batch)
                if not batch.to_send:
                    with self._lock:
                        self._waiting.popleft()

    def _joined(self, channel: Channel) -> AbstractContextManager[None]:
        connection = channel.connection
        return connection.joined() if isinstance(connection, WireConnection) else nullcontext()

    def _send_some(self, channel: Channel, batch: _Batch) -> None:
        batch.sent = True
        pending, window, to_send = self._pending, self._window, batch.to_send
        while to_send and len(pending) < window:
            item = to_send.popleft()
            message = item.message
            try:
                channel.basic_publish(
                    message.exchange,
                    message.routing_key,
                    message.body,
                    item.properties,
                    mandatory=True,
                )
            except (ValueError, TypeError, UnsupportedAMQPFieldException) as error:
                # Encoding failed before a byte was sent: only this batch is at fault.
                batch.fail(InvariantViolated(repr(error), message_id=message.message_id))
                to_send.clear()
                return
            pending[next(self._numbers)] = (batch, item)

    def _returned(
        self, _channel: Channel, method: Any, properties: pika.BasicProperties, _body: bytes
    ) -> None:
        for _batch, item in self._pending.values():
            message = item.message
            if (
                not item.unroutable
                and message.message_id == (properties.message_id or "")
                and message.routing_key == method.routing_key
                and message.exchange == method.exchange
            ):
                item.unroutable = True
                return

    def _answered(self, frame: Any) -> None:
        answer = frame.method
        accepted = isinstance(answer, pika.spec.Basic.Ack)
        for batch, item in self._settled(answer.delivery_tag, answer.multiple):
            if accepted:
                batch.confirm(item)
            else:
                self._retry_refused(batch, item)
        self._pump()

    def _settled(self, number: int, multiple: bool) -> list[tuple[_Batch, _Prepared]]:
        if not multiple:
            found = self._pending.pop(number, None)
            return [] if found is None else [found]
        numbers = []
        for candidate in self._pending:
            if candidate > number:
                break
            numbers.append(candidate)
        return [self._pending.pop(candidate) for candidate in numbers]

    def _retry_refused(self, batch: _Batch, item: _Prepared) -> None:
        """A nack: a queue is full or the broker failed inside. Try again until the deadline."""
        batch.refused += 1
        item.unroutable = False
        if not self._refused:
            self._link.call_later(_REFUSED_RETRY_SECONDS, self._send_refused_again)
        self._refused.append((batch, item))

    def _send_refused_again(self) -> None:
        again, self._refused = self._refused, []
        for batch, item in again:
            if batch.done.is_set():
                continue
            batch.refused -= 1
            batch.to_send.append(item)
            if batch not in self._waiting:
                self._waiting.append(batch)
        self._pump()


def _no_exchange(text: str) -> PublishUnroutable:
    return PublishUnroutable(f"the exchange does not exist: {text}")
