"""What retainers do by themselves: pay posted invoices, take back what was credited, ask for more.

One that is bound to a former ledger of its book is carried to the present one first.

Documents that reach the ledger ask for a look (rows); a task looks, a transaction per retainer and
under its lock, so that two invoices that race get the money one after the other.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from hourbridge.billing.retainers.planning import (
    Application,
    plan_applications,
    plan_returns,
    top_up_needed,
)
from hourbridge.common.book import RetainerPolicy
from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import Document
from hourbridge.common.store.engine import Store
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.fault_points import RETAINER_MOVED
from hourbridge.poster.open_items import lock_items
from hourbridge.poster.retainers import store, top_ups
from hourbridge.poster.retainers.booking import Booking, Circumstances
from hourbridge.poster.retainers.carrying import carry, is_elsewhere
from hourbridge.poster.retainers.invoices import invoices_of
from hourbridge.poster.retainers.policies import policy_of
from hourbridge.poster.retainers.store import Due

log = structlog.get_logger(__name__)
ACTOR = "service:poster"


class RetainerKeeper:
    """Looks at retainers that something happened to."""

    def __init__(
        self, entries: Store, documents: DocumentStore, clock: Clock, announced: Callable[[], None]
    ) -> None:
        self._store = entries
        self._documents = documents
        self._clock = clock
        self._announced = announced

    def run_due(self) -> int:
        """Look at every retainer that asks for it; return how many movements were made."""
        with self._store.transaction() as connection:
            due = store.due(connection)
        moved = 0
        for asked in due:
            try:
                with self._store.transaction() as connection:
                    made = self._look(connection, asked)
                    fault_point(RETAINER_MOVED)
            except HourbridgeError as error:
                log.warning("retainer_failed", client=asked.client, error=str(error))
                continue
            moved += made
        if moved:
            self._announced()
        return moved

    def _look(self, connection: Connection, asked: Due) -> int:
        store.looked_at(connection, asked)
        key = store.retainer_id(asked.book, asked.client, asked.engagement)
        sub = store.lock(connection, key)
        configured = configuration_of(connection, asked.book)
        if sub is None or configured is None:
            return 0  # no money yet, so there is nothing to pay from
        booking = Booking(connection, self._documents, self._clock, configured, sub)
        configuration = configured.configuration
        if is_elsewhere(sub.retainer, configuration):
            moved = self._take_back(connection, booking)
            if moved:
                return moved  # its posting asks for the next look
            return carry(
                connection, self._documents, self._clock, configuration, sub, booking.today
            )
        policy = policy_of(configuration, sub.retainer.customer, sub.retainer.engagement)
        moved = self._take_back(connection, booking)
        if policy is not None and policy.automatic:
            moved += self._apply(connection, booking, configuration.currency)
        if policy is not None:
            self._ask_for_more(connection, booking, policy)
        return moved

    def _take_back(self, connection: Connection, booking: Booking) -> int:
        """Let money come back from invoices that were credited after it had paid them."""
        pairs = invoices_of(connection, booking.sub, lock=True)
        items = {item.document.document_id: item for _, item in pairs}
        applied = {key: booking.sub.of_invoice(key) for key in items}
        returns = plan_returns([invoice for invoice, _ in pairs], applied)
        for returned in returns:
            about = Circumstances(max(booking.today, returned.application.day), ACTOR)
            item = items[returned.invoice.document_id]
            booking.bring_back(returned.application, returned.amount, item, about)
        return len(returns)

    def _apply(self, connection: Connection, booking: Booking, base_currency: str) -> int:
        """Pay the open invoices in their order; those that a person decided about are left out."""
        key = booking.sub.retainer.retainer_id
        pairs = invoices_of(connection, booking.sub, lock=True)
        wanted = [
            invoice
            for invoice, item in pairs
            if invoice.applied or not store.was_applied(connection, key, item.document.document_id)
        ]
        planned = plan_applications(booking.sub.lots, wanted, base_currency)
        for application in planned:
            apply_planned(connection, booking, application, ACTOR)
        return len(planned)

    def _ask_for_more(
        self, connection: Connection, booking: Booking, policy: RetainerPolicy
    ) -> None:
        amount = top_up_needed(booking.sub.balance, policy)
        key, held = booking.sub.retainer.retainer_id, booking.sub.balance
        top_ups.note(connection, key, held, amount, self._clock.now())


def apply_planned(
    connection: Connection,
    booking: Booking,
    application: Application,
    by: str,
    made: list[Document] | None = None,
) -> None:
    """Book one planned application; its invoice is locked and looked at once more."""
    key = application.invoice.document_id
    item = lock_items(connection, [key])[key]
    document = booking.apply(application.parts, item, Circumstances(application.day, by))
    if made is not None:
        made.append(document)
