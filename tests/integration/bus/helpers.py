"""What the bus tests share: messages, a scripted handler, a store that can fail, waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from prometheus_client import REGISTRY as METRICS

from hourbridge.common.bus.adapter import Bus, Delivery, Outgoing, Subscription
from hourbridge.common.bus.consumer import LaneWorker
from hourbridge.common.bus.topology import QUEUES
from hourbridge.common.errors import BusError
from hourbridge.common.messages.events import FieldReason, IntakeRejected
from hourbridge.common.messages.publishing import new_event
from hourbridge.common.messages.registry import EVENTS_EXCHANGE, INTAKE_REJECTED

MAPPER = QUEUES["mapper"]
DOWNSTREAM = QUEUES["reconciler"]
WORK = MAPPER.work
ACCEPTED = "time_entry.accepted.v1"
"""A key with two subscribers: mapper and reconciler."""
TO_RECONCILER = "document.changed.v1"
"""A key with one subscriber."""
Start = Callable[..., LaneWorker]
"""Starts a lane's worker with a handler (the fixture ``start``)."""
Script = Callable[[str], Sequence[Outgoing]]
"""What a handler does with a message of this name."""
WAIT_SECONDS = 30.0
"""A deadline against hanging, never an expectation of speed."""


def message(
    name: str,
    *,
    exchange: str = "",
    routing_key: str = WORK,
    body: bytes = b"{}",
    headers: dict[str, str | int] | None = None,
) -> Outgoing:
    """Return a message for a queue (default: the mapper's work queue)."""
    return Outgoing(
        exchange, routing_key, body, name, "hourbridge.test.happened.v1", headers=headers or {}
    )


def event_message(name: str, queue: str = WORK, **headers: str | int) -> Outgoing:
    """Return a message with a decodable event, whose source is ``name``."""
    data = IntakeRejected(
        source=name,
        raw_ref="sha256:0",
        received_at=datetime(2026, 3, 2, tzinfo=UTC),
        reasons=(FieldReason(field="-", code="-", detail="-"),),
    )
    event = new_event(INTAKE_REJECTED, data, book="acme", source="test", id=name)
    return Outgoing("", queue, event.to_json(), name, INTAKE_REJECTED, headers=headers)


def names(deliveries: Sequence[Delivery]) -> list[str | None]:
    return [delivery.message_id for delivery in deliveries]


def eventually(condition: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    """Return the first true result of ``condition``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"did not happen in {seconds} s: {what}")


def fetch_until(
    subscription: Subscription, count: int, seconds: float = WAIT_SECONDS
) -> list[Delivery]:
    """Return ``count`` deliveries, waiting out times without a connection."""
    found: list[Delivery] = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        try:
            found += subscription.fetch(count - len(found), 0.5)
        except BusError:
            time.sleep(0.05)
    assert len(found) == count, f"{len(found)} of {count} deliveries: {names(found)}"
    return found


def publish_until(bus: Bus, messages: Sequence[Outgoing], seconds: float = WAIT_SECONDS) -> None:
    """Publish, again after each failure of the connection."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            bus.publish(messages, timeout_seconds=5)
            return
        except BusError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def expect_empty(bus: Bus, queue: str) -> None:
    """Wait until nothing is ready in ``queue``, and check that nothing was merely in flight."""
    eventually(lambda: bus.depth(queue) == 0, f"{queue} is empty")


class FakeStore:
    """Counts transactions; ``unavailable`` is raised instead of beginning one."""

    def __init__(self) -> None:
        self.commits = 0
        self.rollbacks = 0
        self.unavailable: Exception | None = None

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        if self.unavailable is not None:
            raise self.unavailable
        try:
            yield self
        except BaseException:
            self.rollbacks += 1
            raise
        self.commits += 1


class ScriptedHandler:
    """Records what it handled; ``script`` may raise or return outputs, per message."""

    def __init__(self, script: Callable[[str], Sequence[Outgoing]] | None = None) -> None:
        self._script = script or (lambda _name: [])
        self._lock = threading.Lock()
        self.handled: list[str] = []
        self.batches: list[int] = []
        self.seen: list[Any] = []

    def handle(self, received: Sequence[Any], _connection: Any) -> list[Outgoing]:
        outputs: list[Outgoing] = []
        batch = []
        for item in received:
            delivery = getattr(item, "delivery", item)
            outputs += self._script(delivery.message_id)
            batch.append(delivery.message_id)
        with self._lock:
            self.batches.append(len(received))
            self.handled += batch
            self.seen += received
        return outputs


def to_events(name: str) -> Outgoing:
    """Return an output of a handler, for the events exchange and the reconciler."""
    return message(name, exchange=EVENTS_EXCHANGE, routing_key=TO_RECONCILER)


def dead_letters(bus: Bus, count: int) -> list[Any]:
    """Return so many messages of the mapper's dead queue."""
    return fetch_until(bus.subscribe(MAPPER.dead, prefetch=50), count)


def paused(lane: str = "work") -> float:
    """Return 1 while a lane of the mapper pauses."""
    labels = {"service": "mapper", "lane": lane}
    return METRICS.get_sample_value("hourbridge_lane_paused", labels) or 0.0
