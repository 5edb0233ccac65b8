"""Payments into and out of retainers, as sources state them, become movements.

A payment that is stated again with another amount moves the difference; one that is stated for
another day, client or engagement is taken back and booked anew.
"""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection

from hourbridge.billing.retainers.lots import Movement, MovementKind, balance
from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.exchange_rates import RateMissing
from hourbridge.common.messages.events import MappedPayment, Reason
from hourbridge.poster.configurations import Configured, configuration_of
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.payments.stated import StatedPayment
from hourbridge.poster.retainers import store
from hourbridge.poster.retainers.booking import Booking, Circumstances
from hourbridge.poster.retainers.founding import founded
from hourbridge.poster.retainers.refusals import RetainerRefused, RetainerSpent

PURPOSES = ("retainer", "retainer_refund")
_KINDS = {"retainer": MovementKind.RECEIPT, "retainer_refund": MovementKind.REFUND}
_ACTOR = "source"


class RetainerPayments:
    """Books payments whose purpose is a retainer."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    def post(
        self, connection: Connection, stated: StatedPayment, payment: MappedPayment
    ) -> Reason | None:
        """Bring what is booked for a payment to its amount; or return why it waits."""
        try:
            booking = self._booking(connection, stated.book, payment)
            self._move(booking, stated, payment)
        except (RetainerRefused, RateMissing) as error:
            return _reason(error)
        store.ask(connection, stated.book, payment.client, payment.engagement or "")
        return None

    def take_back(
        self, connection: Connection, stated: StatedPayment, posted: MappedPayment
    ) -> Reason | None:
        """Undo what is booked for a payment; or return why that must wait.

        Where only the amount changed nothing is undone: ``post`` then moves the difference.
        """
        try:
            booking = self._booking(connection, stated.book, posted)
            keeps = stated.payment is not None and _same_but_amount(posted, stated.payment)
            wanted = stated.payment.amount if stated.payment is not None and keeps else Decimal(0)
            self._reduce(booking, stated, posted, wanted)
        except (RetainerRefused, RateMissing) as error:
            return _reason(error)
        store.ask(connection, stated.book, posted.client, posted.engagement or "")
        return None

    def _booking(self, connection: Connection, book: str, payment: MappedPayment) -> Booking:
        configured = _required(configuration_of(connection, book))
        sub = founded(connection, configured, payment, self._clock.now(), book)
        return Booking(connection, self._documents, self._clock, configured, sub)

    def _move(self, booking: Booking, stated: StatedPayment, payment: MappedPayment) -> None:
        kind = _KINDS[payment.purpose]
        standing = sum((left for _, left in _standing(booking, stated.record_id, kind)), Decimal(0))
        missing = payment.amount - standing
        about = Circumstances(
            payment.payment_date,
            _ACTOR,
            origin=stated.record_id,
            in_ledger=payment.in_ledger,
            note=payment.reference or "",
        )
        if missing > 0 and kind is MovementKind.RECEIPT:
            booking.receive(missing, about)
        elif missing > 0:
            booking.refund(missing, about)

    def _reduce(
        self, booking: Booking, stated: StatedPayment, posted: MappedPayment, wanted: Decimal
    ) -> None:
        """Take back what stands above ``wanted``, the last movement first."""
        kind = _KINDS[posted.purpose]
        standing = _standing(booking, stated.record_id, kind)
        excess = sum((left for _, left in standing), Decimal(0)) - wanted
        _ensure_unspent(booking, standing, excess)
        for movement, left in reversed(standing):
            amount = min(left, excess)
            if amount <= 0:
                break
            day = max(booking.today, movement.day)
            about = Circumstances(day, _ACTOR, origin=stated.record_id, in_ledger=posted.in_ledger)
            booking.take_back(movement, amount, about)
            excess -= amount


def _standing(
    booking: Booking, record_id: str, kind: MovementKind
) -> list[tuple[Movement, Decimal]]:
    """Return the movements of a payment with what of each was not taken back."""
    reversed_amounts: dict[str, Decimal] = {}
    for movement in booking.sub.movements:
        if movement.reverses is not None:
            before = reversed_amounts.get(movement.reverses, Decimal(0))
            reversed_amounts[movement.reverses] = before + movement.amount
    own = [
        booked.movement
        for booked in booking.sub.booked
        if booked.origin == record_id
        and booked.movement.kind is kind
        and booked.movement.reverses is None
    ]
    pairs = [(m, m.amount - reversed_amounts.get(m.movement_id, Decimal(0))) for m in own]
    return [(movement, left) for movement, left in pairs if left > 0]


def _ensure_unspent(
    booking: Booking, standing: list[tuple[Movement, Decimal]], excess: Decimal
) -> None:
    """Refuse before anything is booked: a movement is taken back as a whole or not at all."""
    receipts = {m.movement_id for m, _ in standing if m.kind is MovementKind.RECEIPT}
    if not receipts or excess <= 0:
        return
    left = balance(booking.sub.lots_from(receipts))
    if left < excess:
        raise RetainerSpent(f"{excess} was to be taken back, {left} of it is left")


def _same_but_amount(posted: MappedPayment, now: MappedPayment) -> bool:
    return posted.model_copy(update={"amount": now.amount}) == now


def _required(configured: Configured | None) -> Configured:
    if configured is None:
        raise RetainerRefused("the book's configuration has not arrived yet")
    return configured


def _reason(error: HourbridgeError) -> Reason:
    return Reason(code=error.code, detail=f"{error.what}. {error.remedy}")
