"""What people ask of a retainer: opening balance, application, refund, forfeit; each audited."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from hourbridge.billing.retainers.lots import MovementKind, balance, is_money
from hourbridge.billing.retainers.planning import OpenInvoice, apply_to, plan_applications
from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import Document
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.poster.configurations import Configured, configuration_of
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.retainers import store
from hourbridge.poster.retainers.booking import Booking, Circumstances
from hourbridge.poster.retainers.founding import opened
from hourbridge.poster.retainers.invoices import invoices_of
from hourbridge.poster.retainers.keeper import apply_planned
from hourbridge.poster.retainers.policies import customer_of
from hourbridge.poster.retainers.refusals import (
    RetainerExceeded,
    RetainerRefused,
    RetainerUnknown,
)


@dataclass(frozen=True)
class Request:
    """Which retainer, how much of it, when, and who asks."""

    book: str
    client: str
    engagement: str
    actor: str
    amount: Decimal | None = None
    day: date | None = None
    note: str = ""


@dataclass
class _Work:
    """A locked retainer, and the documents that a command made of it."""

    connection: Connection
    configured: Configured
    booking: Booking
    made: list[Document] = field(default_factory=list)


class RetainerCommands:
    """Carries out what people ask; refuses what would break a rule of retainers."""

    def __init__(
        self, entries: Store, documents: DocumentStore, clock: Clock, announced: Callable[[], None]
    ) -> None:
        self._store = entries
        self._documents = documents
        self._clock = clock
        self._announced = announced

    def open(
        self,
        request: Request,
        currency: str | None,
        base_amount: Decimal | None,
        *,
        in_ledger: bool,
    ) -> list[Document]:
        """Take a balance over from other books, once per retainer.

        ``in_ledger``: the ledger's own opening balances hold it already. Asked again with the
        same amount it changes nothing.
        """
        with self._store.transaction() as connection:
            configured = self._configured(connection, request.book)
            booking = self._found(connection, configured, request, currency)
            amount = _positive(request.amount, booking)
            for moved in booking.sub.movements:
                if moved.kind is MovementKind.OPENING:
                    if moved.amount == amount:
                        return []
                    raise RetainerRefused(f"the retainer was opened with {moved.amount} already")
            about = Circumstances(
                request.day or booking.today, request.actor, None, in_ledger, request.note
            )
            made = [booking.open_with(amount, base_amount, about)]
            store.ask(connection, request.book, request.client, request.engagement)
            self._audit(connection, request, "opened", made)
        self._announced()
        return made

    def apply(self, request: Request, number: str | None) -> list[Document]:
        """Pay one invoice, or the open ones in their order, from the retainer.

        Raises RetainerExceeded when the amount asked for is more than the balance holds or the
        invoices need.
        """
        with self._work(request, "applied") as work:
            pairs = invoices_of(work.connection, work.booking.sub, lock=True)
            invoices = [i for i, _ in pairs if number in (None, i.number) and not i.is_underway]
            if number is not None and not invoices:
                raise NotFound("the retainer has no posted invoice of this number", number=number)
            self._apply(work, invoices, request)
        return work.made

    def refund(self, request: Request) -> list[Document]:
        """Pay money back to the client; all of the balance when no amount is given."""
        with self._work(request, "refunded") as work:
            if work.booking.sub.retainer.kind == "non_refundable":
                raise RetainerRefused("a non-refundable retainer is not paid back; forfeit it")
            amount, about = _all_or(request, work.booking)
            work.made.append(work.booking.refund(amount, about))
        return work.made

    def forfeit(self, request: Request) -> list[Document]:
        """Keep money that the client gave up; never a trust's: that stays the client's."""
        with self._work(request, "forfeited") as work:
            if work.booking.sub.retainer.kind == "trust":
                raise RetainerRefused("trust money stays the client's; refund it")
            amount, about = _all_or(request, work.booking)
            work.made.append(work.booking.forfeit(amount, about))
        return work.made

    def _apply(self, work: _Work, invoices: list[OpenInvoice], request: Request) -> None:
        booking, base = work.booking, work.configured.configuration.currency
        held, needed = balance(booking.sub.lots), sum((i.open_amount for i in invoices), Decimal(0))
        wanted = request.amount if request.amount is not None else min(held, needed)
        if not 0 < wanted <= min(held, needed) or not is_money(
            wanted, booking.sub.retainer.currency
        ):
            raise RetainerExceeded(
                f"{wanted} can't be applied: the invoice's open amount allows {needed}, "
                f"the balance {held}",
                engagement=request.engagement,
            )
        for planned in plan_applications(booking.sub.lots, invoices, base):
            amount = min(planned.amount, wanted)
            if amount > 0:
                lots = booking.sub.lots
                part = apply_to(planned.invoice, lots, amount, base, request.day)
                apply_planned(work.connection, booking, part, request.actor, work.made)
                wanted -= amount

    @contextmanager
    def _work(self, request: Request, what: str) -> Iterator[_Work]:
        with self._store.transaction() as connection:
            configured = self._configured(connection, request.book)
            key = store.retainer_id(request.book, request.client, request.engagement)
            sub = store.lock(connection, key)
            if sub is None:
                raise NotFound(
                    "there is no such retainer",
                    client=request.client,
                    engagement=request.engagement,
                )
            booking = Booking(connection, self._documents, self._clock, configured, sub)
            work = _Work(connection, configured, booking)
            yield work
            store.ask(connection, request.book, request.client, request.engagement)
            self._audit(connection, request, what, work.made)
        self._announced()

    def _found(
        self,
        connection: Connection,
        configured: Configured,
        request: Request,
        currency: str | None,
    ) -> Booking:
        configuration = configured.configuration
        rule = customer_of(configuration, request.client)
        if rule is None:
            raise RetainerUnknown("the book knows no such client", client=request.client)
        sub = opened(
            connection,
            configured,
            book=request.book,
            client=request.client,
            engagement=request.engagement,
            customer=rule.customer,
            currency=currency or rule.currency or configuration.currency,
            ledger=configuration.ledger,
            now=self._clock.now(),
        )
        return Booking(connection, self._documents, self._clock, configured, sub)

    def _configured(self, connection: Connection, book: str) -> Configured:
        configured = configuration_of(connection, book)
        if configured is None:
            raise NotFound("the book is not configured", book=book)
        return configured

    def _audit(
        self, connection: Connection, request: Request, what: str, made: list[Document]
    ) -> None:
        audit.write(
            connection,
            actor=request.actor,
            action=f"retainer.{what}",
            subject=store.retainer_id(request.book, request.client, request.engagement),
            book=request.book,
            detail={
                "client": request.client,
                "engagement": request.engagement,
                "documents": [document.number for document in made],
                "note": request.note,
            },
        )


def _positive(amount: Decimal | None, booking: Booking) -> Decimal:
    if amount is None or not is_money(amount, booking.sub.retainer.currency):
        raise RetainerRefused(f"{amount} is no amount of {booking.sub.retainer.currency}")
    return amount


def _all_or(request: Request, booking: Booking) -> tuple[Decimal, Circumstances]:
    """Return the amount asked for, by default all there is, and when and by whom."""
    day = request.day or booking.today
    there = balance(lot for lot in booking.sub.lots if lot.available_from <= day)
    amount = _positive(there if request.amount is None else request.amount, booking)
    return amount, Circumstances(day, request.actor, note=request.note)
