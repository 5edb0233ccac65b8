"""Deliveries that were answered before they could be acted on: taken up as soon as they can be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError, InvariantViolated
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor import payloads
from hourbridge.ingestor.flood_gate import FloodGate
from hourbridge.ingestor.webhooks import counting, keeping, metrics
from hourbridge.ingestor.webhooks.acting import Actor, Result
from hourbridge.ingestor.webhooks.keeping import Waiting

log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 1
_PAUSE_SECONDS_MAX = 600
_ROUND_MAX = 1000


class Backlog:
    """Works off waiting deliveries; also tells others what deliveries brought. Thread-safe."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        actor: Actor,
        *,
        clock: Clock,
        gate: FloodGate,
        poll_now: Callable[[], None],
    ) -> None:
        """``poll_now`` lets feeds that hints woke be read at once."""
        self._store = store
        self._outbox = outbox
        self._actor = actor
        self._clock = clock
        self._gate = gate
        self._poll_now = poll_now
        self._woken: threading.Event | None = None

    def wake_by(self, event: threading.Event) -> None:
        """Use ``event`` to let the next run begin at once."""
        self._woken = event

    def wake(self) -> None:
        """Let the next run begin at once."""
        if self._woken is not None:
            self._woken.set()

    def tell(self, result: Result) -> None:
        """Publish what a delivery brought, and have woken feeds read."""
        if result.hinted:
            self._poll_now()
        if result.announced:
            self._outbox.try_flush()

    def run(self) -> None:
        """Act on every delivery that is due; the periodic task."""
        for _ in range(_ROUND_MAX):
            if not self._run_one():
                break
        with self._store.transaction() as connection:
            metrics.WAITING.set(keeping.depth(connection))

    def _run_one(self) -> bool:
        """Act on the oldest one that is due; False when there is none."""
        taken: list[Waiting] = []
        try:
            with self._store.transaction() as connection:
                waiting = keeping.take_waiting(connection, self._clock.now())
                if waiting is None:
                    return False
                taken.append(waiting)
                done = self._act(connection, waiting)
        except (HourbridgeError, DBAPIError) as error:
            if not taken:
                raise
            self._postpone(taken[0], str(error))
            return True
        if done is not None:
            system, result = done
            counting.count(system, result)
            self.tell(result)
        return True

    def _act(self, connection: Connection, waiting: Waiting) -> tuple[str, Result] | None:
        """Act on a delivery in the caller's transaction; None when its book still floods."""
        now, payload, book = self._clock.now(), waiting.payload, waiting.address.book
        if book is not None and (wait := self._gate.wait_seconds(book)):
            not_before = now + timedelta(seconds=wait)
            keeping.later(connection, payload, not_before=not_before, error=None)
            return None
        body = payloads.get(connection, payload.reference)
        recipient = self._actor.routing.recipient(waiting.address)
        if recipient is None or body is None:
            raise InvariantViolated(
                "a waiting delivery's source or body is gone", payload=payload.payload_id
            )
        delivery = recipient.receive(waiting.headers, body)
        result = self._actor.act(connection, recipient, delivery, payload, now)
        for target_book in result.books:
            self._gate.charge(target_book, len(result.verdicts))
        keeping.settle(connection, payload)
        keeping.done(connection, payload)
        return recipient.system, result

    def _postpone(self, waiting: Waiting, error: str) -> None:
        pause = min(_PAUSE_SECONDS * 2 ** min(waiting.attempts, 16), _PAUSE_SECONDS_MAX)
        not_before = self._clock.now() + timedelta(seconds=pause)
        payload_id = waiting.payload.payload_id
        log.warning("webhook_waits_on", payload=payload_id, error=error, pause_seconds=pause)
        with self._store.transaction() as connection:
            keeping.later(connection, waiting.payload, not_before=not_before, error=error)
