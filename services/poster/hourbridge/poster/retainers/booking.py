"""Movements: each becomes an entry and a line of the sub-ledger, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hourbridge.billing.retainers.lots import (
    NOTHING,
    LotPart,
    Movement,
    MovementKind,
    balance,
    give_back,
    share_of,
    take,
    what_stands,
)
from hourbridge.billing.retainers.postings import Books, MovementPostings
from hourbridge.common.clock import Clock
from hourbridge.common.errors import InvariantViolated, ensure
from hourbridge.common.messages.events import (
    Document,
    DocumentStatus,
    ExchangeRateUsed,
    Posting,
    Settlement,
)
from hourbridge.poster.configurations import Configured
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry
from hourbridge.poster.open_items import OpenItem
from hourbridge.poster.retainers import store
from hourbridge.poster.retainers.refusals import RetainerExceeded, RetainerSpent
from hourbridge.poster.retainers.store import Booked, Retainer, SubLedger
from hourbridge.poster.retainers.valuation import Valuation, carrying_rate, value_on

_MEMOS = {
    MovementKind.OPENING: "opening balance",
    MovementKind.RECEIPT: "received",
    MovementKind.APPLICATION: "applied",
    MovementKind.REFUND: "refunded",
    MovementKind.FORFEIT: "forfeited",
}


@dataclass(frozen=True)
class Circumstances:
    """On which day a movement happens, who says so, and from which payment it comes."""

    day: date
    by: str
    origin: str | None = None
    in_ledger: bool = False
    note: str = ""


@dataclass(frozen=True)
class _Draft:
    """A movement that is to be booked."""

    kind: MovementKind
    postings: MovementPostings
    parts: tuple[LotPart, ...]
    counter_base: Decimal
    exchange: ExchangeRateUsed | None = None
    item: OpenItem | None = None
    reverses: str | None = None


class Booking:
    """Books movements of a locked retainer; each call returns it with the movement added."""

    def __init__(
        self,
        connection: Connection,
        documents: DocumentStore,
        clock: Clock,
        configured: Configured,
        sub: SubLedger,
    ) -> None:
        self._connection = connection
        self._documents = documents
        self._clock = clock
        self._configured = configured
        self.sub = sub
        self._books = Books(
            sub.retainer.kind,
            self._base_currency,
            client=sub.retainer.client,
            customer=sub.retainer.customer,
        )

    @property
    def _base_currency(self) -> str:
        return self._configured.configuration.currency

    @property
    def _source(self) -> str:
        return self._configured.configuration.currencies.source

    @property
    def today(self) -> date:
        """Return the day it is where the book is kept."""
        zone = ZoneInfo(self._configured.configuration.zone)
        return self._clock.now().astimezone(zone).date()

    def receive(self, amount: Decimal, about: Circumstances) -> Document:
        """Book money received, at the rate of its day."""
        value = self._value(amount, about.day)
        postings = self._books.receipt(amount, value.base_amount)
        return self._bring_in(MovementKind.RECEIPT, amount, postings, value, about)

    def open_with(
        self, amount: Decimal, base_amount: Decimal | None, about: Circumstances
    ) -> Document:
        """Book a balance that other books hand over, carried at ``base_amount`` there."""
        if base_amount is None:
            value = self._value(amount, about.day)
        else:
            value = Valuation(base_amount, None)
        postings = self._books.opening(amount, value.base_amount)
        return self._bring_in(MovementKind.OPENING, amount, postings, value, about)

    def apply(self, parts: Sequence[LotPart], item: OpenItem, about: Circumstances) -> Document:
        """Pay an invoice (locked) from the retainer. Raises RetainerExceeded above its open amount.

        Nothing reaches an invoice that is not in the ledger: trust money least of all.
        """
        amount = sum((part.amount for part in parts), NOTHING)
        invoice = item.document
        ensure(invoice.status is DocumentStatus.POSTED, "an invoice to pay isn't posted")
        if amount > item.open_amount:
            raise RetainerExceeded(
                f"{invoice.number} needs {item.open_amount} at most", number=invoice.number
            )
        receivable_base = item.share_of_open(amount, self._base_currency)
        postings = self._books.application(parts, receivable_base, invoice.document_date)
        kind = MovementKind.APPLICATION
        rate = carrying_rate(self._connection, parts, self._base_currency, self._source)
        draft = _Draft(kind, postings, tuple(parts), receivable_base, exchange=rate, item=item)
        return self._book(draft, about)

    def refund(self, amount: Decimal, about: Circumstances) -> Document:
        """Pay money back. A foreign balance is worth what it costs on that day."""
        parts = self._take(amount, about.day)
        value = self._value(amount, about.day)
        postings = self._books.refund(parts, value.base_amount)
        draft = _Draft(MovementKind.REFUND, postings, parts, value.base_amount, value.exchange)
        return self._book(draft, about)

    def forfeit(self, amount: Decimal, about: Circumstances) -> Document:
        """Turn money that the client gave up into revenue; an advance at its receipt's rate."""
        parts = self._take(amount, about.day)
        carried = sum((part.base_amount for part in parts), NOTHING)
        value = Valuation(carried, None)
        if self.sub.retainer.kind != "non_refundable":
            value = self._value(amount, about.day)
        postings = self._books.forfeit(parts, value.base_amount)
        draft = _Draft(MovementKind.FORFEIT, postings, parts, value.base_amount, value.exchange)
        return self._book(draft, about)

    def bring_back(
        self, application: Movement, amount: Decimal, item: OpenItem, about: Circumstances
    ) -> Document:
        """Take (part of) an application back, because its invoice was credited since."""
        standing = what_stands(application, self.sub.movements)
        parts = give_back(standing, amount, self._next_id(), self._base_currency)
        receivable_base = self._counter_share(application, amount)
        postings = self._books.application(parts, receivable_base, item.document.document_date)
        rate = carrying_rate(self._connection, parts, self._base_currency, self._source)
        draft = _Draft(
            MovementKind.APPLICATION,
            postings.mirrored(),
            parts,
            receivable_base,
            exchange=rate,
            item=item,
            reverses=application.movement_id,
        )
        return self._book(draft, about)

    def take_back(self, moved: Movement, amount: Decimal, about: Circumstances) -> Document:
        """Take (part of) a receipt or refund back, because its payment was stated otherwise."""
        counter = self._counter_share(moved, amount)
        if moved.kind is MovementKind.REFUND:
            standing = what_stands(moved, self.sub.movements)
            parts = give_back(standing, amount, self._next_id(), self._base_currency)
            postings = self._books.refund(parts, counter)
        else:
            own = self.sub.lots_from({moved.movement_id})
            if balance(own) < amount:
                raise RetainerSpent(
                    f"{amount} was to be taken back, {balance(own)} of it is left",
                    retainer=self.sub.retainer.retainer_id,
                )
            parts = take(own, amount, self._base_currency)
            counter = sum((part.base_amount for part in parts), NOTHING)
            postings = self._books.receipt(amount, counter)
        draft = _Draft(moved.kind, postings.mirrored(), parts, counter, reverses=moved.movement_id)
        return self._book(draft, about)

    # --- how ----------------------------------------------------------------------------------

    def _bring_in(
        self,
        kind: MovementKind,
        amount: Decimal,
        postings: MovementPostings,
        value: Valuation,
        about: Circumstances,
    ) -> Document:
        part = LotPart(
            lot_id=self._next_id(),
            received_on=about.day,
            amount=amount,
            base_amount=value.base_amount,
        )
        draft = _Draft(kind, postings, (part,), value.base_amount, value.exchange)
        return self._book(draft, about)

    def _take(self, amount: Decimal, day: date) -> tuple[LotPart, ...]:
        """Return parts of what was there on ``day``."""
        lots = [lot for lot in self.sub.lots if lot.available_from <= day]
        if amount > balance(lots):
            raise RetainerExceeded(
                f"the balance on {day} is {balance(lots)}", retainer=self.sub.retainer.retainer_id
            )
        return take(lots, amount, self._base_currency)

    def _counter_share(self, movement: Movement, amount: Decimal) -> Decimal:
        """Return what ``amount`` of a movement was carried at on the other side."""
        whole, base = movement.amount, movement.counter_base
        for reversal in self.sub.movements:
            if reversal.reverses == movement.movement_id:
                whole, base = whole - reversal.amount, base - reversal.counter_base
        return share_of(whole, amount, base, self._base_currency)

    def _value(self, amount: Decimal, day: date) -> Valuation:
        configuration = self._configured.configuration
        return value_on(self._connection, configuration, self.sub.retainer.currency, amount, day)

    def _next_id(self) -> str:
        """Return the id of the movement that is booked next."""
        return self._entry(None, None).document_id

    def _book(self, draft: _Draft, about: Circumstances) -> Document:
        """Store the entry and the line of the sub-ledger."""
        entry = self._entry(draft, about)
        document = self._add(entry)
        if draft.postings.in_base:
            self._add(_beside(entry, draft.postings.in_base, self._base_currency))
        booked = _booked(document, draft, about)
        store.add_movement(self._connection, self.sub, booked)
        self.sub = SubLedger(self.sub.retainer, (*self.sub.booked, booked))
        return document

    def _add(self, entry: Entry) -> Document:
        document = add_entry(self._connection, self._documents, self._clock, entry)
        if document is None:
            raise InvariantViolated("a retainer's movement was booked before", key=entry.key)
        return document

    def _entry(self, draft: _Draft | None, about: Circumstances | None) -> Entry:
        """Return the next entry; without a draft only its key counts."""
        retainer = self.sub.retainer
        count = store.movements_made(self._connection, retainer.retainer_id)
        entry = Entry(
            book=retainer.book,
            ledger=retainer.ledger,
            key=("retainer", retainer.retainer_id, str(count + 1)),
            purpose="",
            document_date=date.min,
            currency=retainer.currency,
            postings=(),
            client=retainer.client,
            customer=retainer.customer,
            engagement=retainer.engagement,
        )
        if draft is None or about is None:
            return entry
        return replace(
            entry,
            purpose=f"retainer_{draft.kind}",
            document_date=about.day,
            postings=draft.postings.own,
            memo=_memo(retainer, draft, about),
            reverses_document_id=draft.reverses,
            settles=_settles(draft),
            exchange=draft.exchange,
            in_ledger=about.in_ledger,
        )


def _beside(entry: Entry, postings: tuple[Posting, ...], base_currency: str) -> Entry:
    """Return what a movement does in the book's currency alone, as an entry of its own."""
    return replace(
        entry,
        key=(*entry.key, "base"),
        purpose="retainer_exchange",
        currency=base_currency,
        postings=postings,
        memo=f"{entry.memo} (rate difference)",
        exchange=None,
        settles=(),
        reverses_document_id=None,
    )


def _booked(document: Document, draft: _Draft, about: Circumstances) -> Booked:
    movement = Movement(
        movement_id=document.document_id,
        kind=draft.kind,
        day=document.document_date,
        parts=draft.parts,
        counter_base=draft.counter_base,
        reverses=draft.reverses,
        is_posted=document.status is DocumentStatus.POSTED,
    )
    return Booked(
        movement=movement,
        number=document.number,
        status=document.status,
        invoice_id=draft.item.document.document_id if draft.item else None,
        origin=about.origin,
        stated_date=about.day,
        by=about.by,
    )


def _settles(draft: _Draft) -> tuple[Settlement, ...]:
    """Return what an application settles; one that comes back settles less than nothing."""
    if draft.item is None:
        return ()
    amount = sum((part.amount for part in draft.parts), NOTHING)
    invoice = draft.item.document
    return (
        Settlement(
            document_id=invoice.document_id,
            number=invoice.number,
            amount=amount if draft.reverses is None else -amount,
        ),
    )


def _memo(retainer: Retainer, draft: _Draft, about: Circumstances) -> str:
    """Return what a person reads in the ledger."""
    what = _MEMOS[draft.kind] if draft.reverses is None else f"taken back ({draft.kind})"
    target = f" to {draft.item.document.number}" if draft.item else ""
    note = f": {about.note}" if about.note else ""
    return f"Retainer {retainer.engagement} {what}{target}{note}"[:1000]
