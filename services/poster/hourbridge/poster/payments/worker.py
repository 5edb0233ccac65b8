"""The way of a stated payment into the books: taken back if it changed, posted, or parked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import structlog
from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import MappedPayment, Reason
from hourbridge.common.store.engine import Store
from hourbridge.poster.fault_points import PAYMENT_ASSEMBLED
from hourbridge.poster.payments import stated
from hourbridge.poster.payments.stated import StatedPayment

log = structlog.get_logger(__name__)

PAYMENTS_PER_RUN_MAX = 200


class PaymentPosting(Protocol):
    """Posts payments of one purpose. Both calls run in the caller's transaction, once."""

    def post(
        self, connection: Connection, stated: StatedPayment, payment: MappedPayment
    ) -> Reason | None:
        """Post ``payment`` under ``stated.key``; or return why it waits, having changed nothing."""
        ...

    def take_back(
        self, connection: Connection, stated: StatedPayment, posted: MappedPayment
    ) -> Reason | None:
        """Undo what was posted under ``stated.posted_key``; or return why that must wait."""
        ...


class PaymentWorker:
    """Works payments that are due, each in its own transaction."""

    def __init__(
        self,
        store: Store,
        postings: Mapping[str, PaymentPosting],
        clock: Clock,
        announced: Callable[[], None],
    ) -> None:
        self._store = store
        self._postings = postings
        self._clock = clock
        self._announced = announced

    def run_due(self) -> int:
        """Post what can be posted; return how many payments were looked at."""
        with self._store.transaction() as connection:
            due = stated.due(connection, limit=PAYMENTS_PER_RUN_MAX)
        for record_id in due:
            try:
                with self._store.transaction() as connection:
                    self._work(connection, record_id)
                    fault_point(PAYMENT_ASSEMBLED)
            except HourbridgeError as error:
                log.warning("payment_failed", record=record_id, error=str(error))
        if due:
            self._announced()
        return len(due)

    def _work(self, connection: Connection, record_id: str) -> None:
        payment = stated.lock(connection, record_id)
        if payment is None:
            return
        now = self._clock.now()
        if payment.posted is not None and payment.posted != payment.payment:
            posting = self._postings[payment.posted.purpose]
            reason = posting.take_back(connection, payment, payment.posted)
            if reason is not None:
                stated.park(connection, record_id, reason, now)
                return
            payment = stated.note_taken_back(connection, payment, now)
        if payment.payment is None:
            return
        reason = self._postings[payment.payment.purpose].post(connection, payment, payment.payment)
        if reason is None:
            stated.note_posted(connection, payment, now)
        else:
            stated.park(connection, record_id, reason, now)
