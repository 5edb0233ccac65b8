"""The thread that works one lane."""

from __future__ import annotations

import threading

import structlog

from hourbridge.common.bus.adapter import Bus, Delivery, Subscription
from hourbridge.common.bus.batch import BatchHandler
from hourbridge.common.bus.bus_metrics import LAST_TURN, PAUSED
from hourbridge.common.bus.flow import PAUSE_SECONDS_MIN, LaneFlow
from hourbridge.common.bus.lanes import Lane, Transactions
from hourbridge.common.bus.recoverability import RetryPolicy
from hourbridge.common.bus.topology import Topology
from hourbridge.common.clock import Clock
from hourbridge.common.errors import BusError

log = structlog.get_logger(__name__)

FETCH_WAIT_SECONDS = 0.5
DRAIN_SECONDS = 5.0
STUCK_SECONDS = 900.0
"""A lane whose loop has not turned for this long is dead (liveness)."""


class LaneWorker:
    """A thread that works one lane, one batch in flight.

    Effects are committed before anything is published, and everything is published (confirmed)
    before anything is acknowledged: a crash in between leads to redelivery, which finds an equal
    state and publishes again.
    """

    def __init__(
        self,
        service: str,
        lane: Lane,
        *,
        bus: Bus,
        store: Transactions,
        topology: Topology,
        clock: Clock,
        attempts_max: int = 8,
    ) -> None:
        self.name = f"{service}-{lane.name}"
        self._lane = lane
        self._bus = bus
        self._clock = clock
        self._stopping = threading.Event()
        policy = RetryPolicy(topology.rungs, attempts_max=attempts_max)
        batch = BatchHandler(service, lane, store=store, policy=policy, clock=clock)
        self._flow = LaneFlow(service, lane, bus=bus, batch=batch, stopping=self._stopping)
        self._flow.on_turn = self._turn
        self._is_waiting = False
        self._turned_at = clock.monotonic_seconds()
        self._paused = PAUSED.labels(service, lane.name)
        self._last_turn = LAST_TURN.labels(service, lane.name)
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self) -> None:
        """Start consuming."""
        self._paused.set(0)
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Stop fetching, work off what is in hand, and give back the rest."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def is_alive(self) -> bool:
        """Return whether the thread runs and turned its loop lately."""
        standing_seconds = self._clock.monotonic_seconds() - self._turned_at
        return self._thread.is_alive() and standing_seconds < STUCK_SECONDS

    # --- the lane's thread ------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                subscription = self._bus.subscribe(self._lane.queue, prefetch=self._lane.prefetch)
            except BusError as error:
                self._wait_for_broker(error)
                continue
            try:
                self._consume(subscription)
            except Exception:  # noqa: BLE001 - whatever escapes, the messages come again: begin anew
                log.exception("lane_failed", lane=self.name)
                self._stopping.wait(PAUSE_SECONDS_MIN)
            finally:
                subscription.close()

    def _consume(self, subscription: Subscription) -> None:
        while not self._stopping.is_set():
            self._turn()
            try:
                deliveries = self._fetch(subscription, FETCH_WAIT_SECONDS)
            except BusError as error:
                self._wait_for_broker(error)
                continue
            self._is_waiting = False
            if deliveries:
                self._flow.process(subscription, deliveries)
        self._drain(subscription)

    def _wait_for_broker(self, error: BusError) -> None:
        if not self._is_waiting:  # once per absence, not once per second
            log.warning("lane_waits_for_broker", lane=self.name, error=error.what)
        self._is_waiting = True
        self._stopping.wait(PAUSE_SECONDS_MIN)

    def _drain(self, subscription: Subscription) -> None:
        """Work off what was handed over, so that the broker charges nobody for our going."""
        subscription.stop_delivery()
        deadline = self._clock.monotonic_seconds() + DRAIN_SECONDS
        while self._clock.monotonic_seconds() < deadline and not self._flow.is_abandoned:
            try:
                deliveries = self._fetch(subscription, 0.1)
            except BusError:
                return
            if not deliveries:
                return
            self._flow.process(subscription, deliveries)

    def _turn(self) -> None:
        self._turned_at = self._clock.monotonic_seconds()
        self._last_turn.set(self._clock.now().timestamp())

    def _fetch(self, subscription: Subscription, wait_seconds: float) -> list[Delivery]:
        lane = self._lane
        return subscription.fetch(lane.batch_messages_max, wait_seconds, lane.linger_seconds)
