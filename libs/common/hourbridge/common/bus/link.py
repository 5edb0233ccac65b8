"""One AMQP connection, kept up by an I/O thread of its own that nothing else may block.

The thread keeps heartbeats and settles confirms whatever the handlers do. Other threads reach it
only through ``post``; every listener callback runs in it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Protocol

import pika
import structlog
from pika.adapters.select_connection import IOLoop
from pika.connection import Connection

from hourbridge.common.bus.wire import WireConnection
from hourbridge.common.errors import BusError

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15
BLOCKED_SECONDS = 30
"""How long a broker alarm may block a connection before it is dropped (pika waits for ever)."""
_RECONNECT_SECONDS_MIN = 0.2
_RECONNECT_SECONDS_MAX = 10.0
_TURN_SECONDS = 1.0
STANDSTILL_SECONDS = 30.0
"""A loop without a turn for this long is dead; connecting and waiting count as turns."""


class Listener(Protocol):
    """What lives on a link: told in the I/O thread when the connection comes and goes."""

    def connection_up(self, connection: Connection) -> None:
        """Open channels on a new connection."""
        ...

    def connection_down(self, reason: str) -> None:
        """Give up everything that depended on the old connection."""
        ...


class Backoff:
    """Doubling delays with jitter, so that a broker's restart is not met by all at once."""

    def __init__(
        self,
        seconds_min: float = _RECONNECT_SECONDS_MIN,
        seconds_max: float = _RECONNECT_SECONDS_MAX,
    ) -> None:
        self._seconds_min = seconds_min
        self._seconds_max = seconds_max
        self._next = seconds_min

    def next_delay(self) -> float:
        """Return the next delay in seconds, between half and the whole of its step."""
        step = self._next
        self._next = min(step * 2, self._seconds_max)
        return step * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin again with the shortest delay."""
        self._next = self._seconds_min


def connection_parameters(url: str, name: str) -> pika.URLParameters:
    """Return pika's parameters with every wait bounded."""
    parameters = pika.URLParameters(url)
    parameters.heartbeat = HEARTBEAT_SECONDS
    parameters.blocked_connection_timeout = BLOCKED_SECONDS
    parameters.connection_attempts = 1
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    parameters.client_properties = {"connection_name": name}
    return parameters


class Link:
    """A connection that comes back by itself. ``start`` it once, ``close`` it once."""

    def __init__(self, url: str, name: str) -> None:
        self._parameters = connection_parameters(url, name)
        self._listeners: dict[Listener, Connection | None] = {}
        """Each with the connection that it was last told of."""
        self._loop: IOLoop | None = None
        self._connection: Connection | None = None
        self._up = False
        self._opened_once = False
        self._stopping = threading.Event()
        self._last_turn = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"{name}-io", daemon=True)
        self.settled = threading.Event()
        """Set once the first attempt to connect has ended, well or badly."""
        self.reason = "not connected yet"

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Return whether the connection is open."""
        return self._up

    def is_alive(self) -> bool:
        """Return whether the I/O thread turned its loop recently."""
        return self._thread.is_alive() and time.monotonic() - self._last_turn < STANDSTILL_SECONDS

    def attach(self, listener: Listener) -> None:
        """Tell ``listener`` of this and later connections."""
        self._listeners.setdefault(listener, None)
        self.post(self._introduce_all)

    def detach(self, listener: Listener) -> None:
        """Tell ``listener`` no more."""
        self._listeners.pop(listener, None)

    def post(self, callback: Callable[[], None]) -> bool:
        """Run ``callback`` soon in the I/O thread; return False when no loop runs.

        A callback may be lost with its loop: listeners learn that by ``connection_down``.
        """
        loop = self._loop
        if loop is None:
            return False
        loop.add_callback_threadsafe(lambda: self._guarded(callback))
        return True

    def call_later(self, delay_seconds: float, callback: Callable[[], None]) -> None:
        """Run ``callback`` after a delay (I/O thread only); forgotten with the connection."""
        if self._loop is not None:
            self._loop.call_later(delay_seconds, lambda: self._guarded(callback))

    def drop(self, reason: str) -> None:
        """End the connection hard, without waiting for the broker; a new one follows."""
        log.warning("bus_connection_dropped", reason=reason)
        self.post(lambda: self._terminate(reason))

    def close(self, timeout_seconds: float = 5) -> None:
        """End the connection for good; past half the time-out without the broker's consent."""
        self._stopping.set()
        self.post(self._close_gracefully)
        self._thread.join(timeout_seconds / 2)
        if self._thread.is_alive():
            self.post(lambda: self._terminate("closing took too long"))
            self._thread.join(timeout_seconds / 2)

    # --- I/O thread -------------------------------------------------------------------------

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            self._opened_once = False
            self._connect_and_turn()
            if self._opened_once:
                backoff.reset()
            self._last_turn = time.monotonic()
            self._stopping.wait(backoff.next_delay())

    def _connect_and_turn(self) -> None:
        loop = IOLoop()
        self._loop = loop
        try:
            self._connection = WireConnection(
                self._parameters,
                on_open_callback=self._opened,
                on_open_error_callback=self._ended,
                on_close_callback=self._ended,
                custom_ioloop=loop,
            )
            if self._stopping.is_set():
                self._close_gracefully()
            self._turn(loop)
            loop.start()
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever the client raises
            log.exception("bus_loop_failed")
            self._went_down(repr(error))
        finally:
            self._loop = None
            self._connection = None
            self.settled.set()
            loop.close()

    def _turn(self, loop: IOLoop) -> None:
        self._last_turn = time.monotonic()
        loop.call_later(_TURN_SECONDS, lambda: self._turn(loop))

    def _opened(self, connection: Connection) -> None:
        self._up = self._opened_once = True
        self.settled.set()
        log.info("bus_connected", name=self._thread.name)
        self._connection = connection
        if isinstance(connection, WireConnection):
            connection.receive_more()
        self._introduce_all()

    def _introduce_all(self) -> None:
        connection = self._connection
        if not self._up or connection is None:
            return
        for listener, told_of in list(self._listeners.items()):
            if told_of is not connection:
                self._listeners[listener] = connection
                listener.connection_up(connection)

    def _ended(self, _connection: Connection, reason: BaseException) -> None:
        if not self._stopping.is_set():
            log.warning("bus_disconnected", name=self._thread.name, reason=repr(reason))
        self._went_down(repr(reason))
        if self._loop is not None:
            self._loop.stop()

    def _went_down(self, reason: str) -> None:
        self._up = False
        self.reason = reason
        for listener in list(self._listeners):
            listener.connection_down(reason)

    def _guarded(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - a defect here must not leave a half-dead connection
            log.exception("bus_callback_failed")
            self._terminate(repr(error))

    def _close_gracefully(self) -> None:
        connection = self._connection
        if connection is not None and not (connection.is_closing or connection.is_closed):
            connection.close()

    def _terminate(self, reason: str) -> None:
        connection = self._connection
        if connection is not None and not connection.is_closed:
            # pika has no public way to drop a connection whose peer is silent; close() would wait
            # for the broker's answer until the heartbeat gives up.
            connection._terminate_stream(BusError(reason))
