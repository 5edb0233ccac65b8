"""A batch's way: handle in one transaction, publish, acknowledge; and what to do if it fails."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from hourbridge.common.bus.adapter import Bus, Delivery, Outgoing, Subscription
from hourbridge.common.bus.batch import BatchHandler, Item, Settlement
from hourbridge.common.bus.bus_metrics import BATCH_MESSAGES, BATCH_SECONDS, PAUSED
from hourbridge.common.bus.lanes import Lane
from hourbridge.common.bus.link import Backoff
from hourbridge.common.errors import BusError, DependencyUnavailable, PublishUnroutable
from hourbridge.common.faults import declare, fault_point

log = structlog.get_logger(__name__)

AFTER_FETCH = declare("consumer.after_fetch", "a batch fetched, nothing done with it yet")
AFTER_COMMIT = declare("consumer.after_commit", "effects committed, nothing published yet")
AFTER_PUBLISH = declare("consumer.after_publish", "outputs confirmed, nothing acknowledged yet")

PUBLISH_TIMEOUT_SECONDS = 10.0
PAUSE_SECONDS_MIN = 0.5
PAUSE_SECONDS_MAX = 30.0
HOLD_SECONDS_MAX = 600.0
"""How long a pause may hold deliveries: after 30 minutes the broker takes them, at a charge."""


class LaneFlow:
    """Takes the batches of one lane through; belongs to the lane's thread."""

    def __init__(
        self,
        service: str,
        lane: Lane,
        *,
        bus: Bus,
        batch: BatchHandler,
        stopping: threading.Event,
    ) -> None:
        self._name = f"{service}-{lane.name}"
        self._lane = lane
        self._bus = bus
        self._batch = batch
        self._stopping = stopping
        self.is_abandoned = False
        """Set when stopped while waiting for a dependency: what is held comes again."""
        self.on_turn: Callable[[], None] = lambda: None
        self._paused = PAUSED.labels(service, lane.name)
        self._sizes = BATCH_MESSAGES.labels(service, lane.name)
        self._handling = BATCH_SECONDS.labels(service, lane.name, "handle")
        self._publishing = BATCH_SECONDS.labels(service, lane.name, "publish")

    def process(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> None:
        """Return when every delivery is settled, or when stopped in a pause."""
        fault_point(AFTER_FETCH)
        self._sizes.observe(len(deliveries))
        items = self._screen(subscription, deliveries)
        for part in _by_size(items):
            rest = part
            while rest and not self.is_abandoned:
                rest = self._attempt(subscription, rest)

    def _screen(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> list[Item]:
        items, screened = self._batch.screen(deliveries)
        if screened.done:
            self._settle(subscription, screened)
        return items

    def _attempt(self, subscription: Subscription, items: list[Item]) -> list[Item]:
        """Handle ``items`` together; return what is left to do after a pause."""
        if len(items) == 1:
            return self._one_by_one(subscription, items)
        try:
            with self._handling.time():
                settlement = self._batch.together(items)
        except DependencyUnavailable as error:
            return self._pause(subscription, items, error)
        except Exception as error:  # noqa: BLE001 - one of them failed, in whatever way: find out which
            log.warning("batch_failed", lane=self._name, messages=len(items), error=repr(error))
            return self._one_by_one(subscription, items)
        self._settle(subscription, settlement)
        return []

    def _one_by_one(self, subscription: Subscription, items: list[Item]) -> list[Item]:
        """Let the poison stand alone and its neighbours go through."""
        settlement = Settlement()
        for position, item in enumerate(items):
            self.on_turn()
            try:
                with self._handling.time():
                    settlement.add(self._batch.alone(item))
            except DependencyUnavailable as error:
                if settlement.done:
                    self._settle(subscription, settlement)
                return self._pause(subscription, items[position:], error)
        self._settle(subscription, settlement)
        return []

    # --- publishing and acknowledging -------------------------------------------------------

    def _settle(self, subscription: Subscription, settlement: Settlement) -> None:
        fault_point(AFTER_COMMIT)
        if settlement.outputs and not self._publish(settlement.outputs):
            return  # stopping: unacknowledged, so all of it comes again
        fault_point(AFTER_PUBLISH)
        subscription.acknowledge(settlement.done)

    def _publish(self, outputs: Sequence[Outgoing]) -> bool:
        """Publish until confirmed; return False when stopped before that.

        A message without a queue is never dropped: the topology is damaged, and the lane stands
        still, loudly, until it is repaired.
        """
        backoff = Backoff(PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX)
        remaining = list(outputs)
        while True:
            try:
                with self._publishing.time():
                    self._bus.publish(remaining, timeout_seconds=PUBLISH_TIMEOUT_SECONDS)
            except PublishUnroutable as error:
                log.error("lane_output_unroutable", lane=self._name, error=str(error))
                remaining = _unroutable_of(remaining, error)
            except BusError as error:
                log.warning("lane_publish_failed", lane=self._name, error=error.what)
            else:
                self._paused.set(0)
                return True
            self.on_turn()
            self._paused.set(1)
            if self._stopping.wait(backoff.next_delay()):
                self.is_abandoned = True
                return False

    # --- pausing ----------------------------------------------------------------------------

    def _pause(
        self, subscription: Subscription, items: list[Item], error: DependencyUnavailable
    ) -> list[Item]:
        """Hold ``items`` and probe with one at a time until one goes through; return the others.

        Nobody's attempts are used up. Probing goes round, so that a message which alone finds a
        dependency away can't hold up the rest.
        """
        held = deque(items)
        failed_probes: set[Item] = set()
        with self._pausing(error):
            for held_seconds in self._probe_times():
                if held_seconds > HOLD_SECONDS_MAX:
                    self._renew(subscription, held)
                self._top_up(subscription, held)
                if not held:
                    continue
                probe = held.popleft()
                try:
                    settlement = self._batch.alone(probe)
                except DependencyUnavailable:
                    failed_probes.add(probe)
                    held.append(probe)
                    continue
                self._settle(subscription, settlement)
                for item in failed_probes - {probe}:
                    item.blamed += 1
                return list(held)
        self.is_abandoned = True
        return []

    @contextmanager
    def _pausing(self, error: DependencyUnavailable) -> Iterator[None]:
        log.error("lane_paused", lane=self._name, code=error.code, error=str(error))
        self._paused.set(1)
        yield
        self._paused.set(0)
        log.info("lane_resumed", lane=self._name)

    def _probe_times(self) -> Iterator[float]:
        """Yield after each wait between probes, until stopped: seconds since the last renewal."""
        backoff = Backoff(PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX)
        held_since = time.monotonic()
        while not self._stopping.wait(backoff.next_delay()):
            self.on_turn()
            held_seconds = time.monotonic() - held_since
            yield held_seconds
            if held_seconds > HOLD_SECONDS_MAX:
                held_since = time.monotonic()

    def _top_up(self, subscription: Subscription, held: deque[Item]) -> None:
        """Add what has arrived meanwhile, up to a batch."""
        room = self._lane.batch_messages_max - len(held)
        if room > 0:
            held.extend(self._screen(subscription, self._fetch_at_hand(subscription, room)))

    def _renew(self, subscription: Subscription, held: deque[Item]) -> None:
        """Put everything in hand back at the end of the queue by publishing it again.

        The broker would take back what is held for too long, and charge every message for it.
        """
        deliveries = [item.delivery for item in held]
        deliveries += self._fetch_at_hand(subscription, self._lane.prefetch)
        renewal = self._batch.renewal(deliveries)
        try:
            self._bus.publish(renewal.outputs, timeout_seconds=PUBLISH_TIMEOUT_SECONDS)
        except BusError as error:
            log.warning("lane_renewal_failed", lane=self._name, error=error.what)
            return
        subscription.acknowledge(renewal.done)
        held.clear()

    def _fetch_at_hand(self, subscription: Subscription, messages_max: int) -> list[Delivery]:
        try:
            return subscription.fetch(messages_max, 0.0)
        except BusError:
            return []


def _by_size(items: list[Item]) -> list[list[Item]]:
    """Return what may be handled together: large ones alone, so that memory holds one at a time."""
    large = [[item] for item in items if item.received is None]
    if not large:
        return [items]
    return [[item for item in items if item.received is not None], *large]


def _unroutable_of(outputs: list[Outgoing], error: PublishUnroutable) -> list[Outgoing]:
    unroutable = [output for output in outputs if output.message_id in error.message_ids]
    return unroutable or outputs
