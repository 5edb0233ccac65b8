"""The flood gate: no book may fill the queues that all books share.

What was accepted waits in the queues of the services further on, first come first served. Once
too much waits there, each book may add only so many events per second, the fewer the more waits;
what exceeds that is held back at its sender (HTTP), on a delay rung (AMQP) or in its file (import).
A quiet book's event passes at once. Every replica measures the same queues, so they need no
agreement: each lets a book's allowance through.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import structlog

from hourbridge.common.bus.adapter import Bus
from hourbridge.common.bus.topology import QUEUES
from hourbridge.common.clock import Clock
from hourbridge.common.errors import BusError
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor import metrics

log = structlog.get_logger(__name__)

MEASURE_SECONDS = 1.0
WAIT_SECONDS_MAX = 60.0
_BOOKS_MAX = 10_000
_OUTBOX_COUNTED_TIMES = 4
"""The outbox is counted up to this many times the limit; beyond, it makes no difference."""
_DOWNSTREAM = ("mapper", "poster")
"""Whose queues stand between an event and its document."""


@dataclass
class _Bucket:
    tokens: float
    at_seconds: float


class FloodGate:
    """One lane's gate: a token bucket per book while the backlog is too large. Thread-safe.

    Open, it costs one comparison. A batch is let through whole and may leave its book in debt, so
    large batches pass too, at the same rate.
    """

    def __init__(
        self, lane: str, *, backlog_max: int, events_per_second: int, clock: Clock
    ) -> None:
        """``backlog_max`` 0: always open."""
        self.lane = lane
        self.backlog_max = backlog_max
        self._events_per_second = events_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._rate: float | None = None
        """Events per second that each book may add; None while the gate is open."""
        self._buckets: dict[str, _Bucket] = {}

    @property
    def is_open(self) -> bool:
        """Return whether nobody is held back."""
        return self._rate is None

    def observe(self, backlog: int) -> None:
        """Take note of how many messages wait further on."""
        with self._lock:
            was_open = self.is_open
            # Closed, it opens only at three quarters, so as not to open and close every second.
            limit = self.backlog_max if was_open else self.backlog_max * 3 // 4
            if self.backlog_max and backlog > limit:
                self._rate = self._events_per_second * min(1, self.backlog_max / backlog)
            else:
                self._rate = None
                self._buckets.clear()
        if was_open != self.is_open:
            state = "open" if self.is_open else "closed"
            log.warning("intake_gate", lane=self.lane, state=state, backlog=backlog)

    def wait_seconds(self, book: str) -> float:
        """Return 0 if a book may go on now, else when to ask again."""
        if self._rate is None:
            return 0
        with self._lock:
            rate = self._rate
            if rate is None:
                return 0
            missing = 1 - self._bucket(book, rate).tokens
        return 0 if missing <= 0 else min(missing / rate, WAIT_SECONDS_MAX)

    def charge(self, book: str, events: int = 1) -> None:
        """Count what a book was allowed to add."""
        if self._rate is None:
            return
        with self._lock:
            if self._rate is not None:
                self._bucket(book, self._rate).tokens -= events

    def _bucket(self, book: str, rate: float) -> _Bucket:
        """Return a book's bucket, filled up to now; it holds a second's worth, at least one."""
        now, full = self._clock.monotonic_seconds(), max(1, rate)
        bucket = self._buckets.get(book)
        if bucket is None:
            if len(self._buckets) >= _BOOKS_MAX:
                self._buckets.clear()  # names that outsiders made up
            bucket = self._buckets[book] = _Bucket(full, now)
        elapsed_seconds = max(0, now - bucket.at_seconds)
        bucket.tokens = min(full, bucket.tokens + elapsed_seconds * rate)
        bucket.at_seconds = now
        return bucket


@dataclass(frozen=True)
class FloodGates:
    """The gate of today's events and that of imports."""

    work: FloodGate
    bulk: FloodGate

    def measure(self, bus: Bus, outbox: Outbox) -> None:
        """Measure what waits further on; the ingestor's periodic task."""
        unpublished = outbox.depth(_OUTBOX_COUNTED_TIMES * self.work.backlog_max)
        for gate in (self.work, self.bulk):
            backlog = unpublished + _waiting(bus, gate.lane)
            metrics.BACKLOG.labels(gate.lane).set(backlog)
            gate.observe(backlog)


def make_gates(*, backlog_max: int, events_per_second: int, clock: Clock) -> FloodGates:
    """Return two open gates."""
    work, bulk = (
        FloodGate(lane, backlog_max=backlog_max, events_per_second=events_per_second, clock=clock)
        for lane in ("work", "bulk")
    )
    return FloodGates(work, bulk)


def _waiting(bus: Bus, lane: str) -> int:
    try:
        return sum(bus.depth(getattr(QUEUES[service], lane)) for service in _DOWNSTREAM)
    except BusError:
        return 0  # the broker is away: what is accepted now waits in the outbox, counted there
