"""Releasing what was held back: the vendor's work is accepted, the rest of its bill is payable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hourbridge.billing.payables import released_base
from hourbridge.common.book import AccountRole
from hourbridge.common.clock import Clock
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Document, DocumentStatus, Posting
from hourbridge.common.runtime.admin import RequestInvalid
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.decisions import NotPossible
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry
from hourbridge.poster.payables import holdback_store
from hourbridge.poster.payables.holdback_store import Holdback

PURPOSE = "holdback_release"


@dataclass(frozen=True)
class Release:
    """What somebody asks to be released: of a vendor, or of one bill; all, or an amount."""

    book: str
    released_on: date | None = None
    """Default: today, where the book is kept."""
    vendor: str | None = None
    number: str | None = None
    amount: Decimal | None = None


class Holdbacks:
    """Lists and releases hold-backs. A release that was made already is not made again."""

    def __init__(
        self, store: Store, documents: DocumentStore, clock: Clock, announced: Callable[[], None]
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._announced = announced

    def open_ones(self, book: str, *, everything: bool = False) -> list[dict[str, Any]]:
        """Return what is still held back, the oldest bill of each vendor first."""
        with self._store.transaction() as connection:
            found = holdback_store.holdbacks(connection, book)
            made = holdback_store.releases(connection, book)
        return [
            {**shown(each), "releases": made.get(each.line_id, [])}
            for each in found
            if everything or each.open_amount
        ]

    def release(self, request: Release, actor: str) -> list[Document]:
        """Release of the oldest bills first; return the entries, none when nothing is held.

        Raises RequestInvalid for more than is held, and NotPossible where a bill of the vendor is
        not in the ledger yet.
        """
        with self._store.transaction() as connection:
            day = request.released_on or self._today(connection, request.book)
            chosen = self._chosen(connection, request)
            if request.amount is not None and request.amount > _open(chosen):
                raise RequestInvalid(f"only {_open(chosen)} is held back", book=request.book)
            left = request.amount if request.amount is not None else _open(chosen)
            made = []
            for each in chosen:
                part = min(left, each.open_amount)
                left -= part
                if part > 0:
                    made.append(self._enter(connection, request, each, part, day, actor))
        self._announced()
        return made

    def _today(self, connection: Connection, book: str) -> date:
        configured = configuration_of(connection, book)
        zone = configured.configuration.zone if configured else "UTC"
        return self._clock.now().astimezone(ZoneInfo(zone)).date()

    def _chosen(self, connection: Connection, request: Release) -> list[Holdback]:
        """Return the hold-backs asked for that still hold something, locked."""

        def wanted() -> list[Holdback]:
            everything = holdback_store.holdbacks(connection, request.book)
            return [h for h in everything if h.is_of(request.vendor, request.number)]

        holdback_store.lock(connection, sorted(each.line_id for each in wanted()))
        chosen = sorted(
            (each for each in wanted() if each.open_amount > 0),
            key=lambda each: (each.bill_date, each.line_id),
        )
        if len({each.currency for each in chosen}) > 1 and request.amount is not None:
            raise RequestInvalid("an amount needs one bill: they are in several currencies")
        for each in chosen:
            if each.bill.status is not DocumentStatus.POSTED:
                raise NotPossible(
                    f"bill {each.bill.number} is not in the ledger yet", number=each.bill.number
                )
        return chosen

    def _enter(
        self,
        connection: Connection,
        request: Release,
        held: Holdback,
        amount: Decimal,
        day: date,
        actor: str,
    ) -> Document:
        entry = _entry(connection, request, held, amount, day)
        document = add_entry(connection, self._documents, self._clock, entry)
        if document is None:
            raise NotPossible("this was released already", number=held.bill.number)
        holdback_store.add_release(
            connection,
            {
                "document_id": document.document_id,
                "line_id": held.line_id,
                "book": request.book,
                "amount": str(amount),
                "base_amount": str(entry.postings[0].base_amount),
                "released_on": day,
                "actor": actor,
            },
        )
        audit.write(
            connection,
            actor=actor,
            action="holdback.released",
            subject=document.document_id,
            book=request.book,
            detail={"bill": held.bill.number, "amount": str(amount), "currency": held.currency},
        )
        return document


def shown(held: Holdback) -> dict[str, Any]:
    """Return a hold-back as it is listed."""
    return {
        "vendor": held.vendor.name or held.vendor.id,
        "bill": held.bill.number,
        "vendor_bill_number": held.bill.vendor_bill_number,
        "bill_date": held.bill_date,
        "held": str(held.held),
        "released": str(held.released),
        "open": str(held.open_amount),
        "currency": held.currency,
        "status": held.bill.status,
    }


def _entry(
    connection: Connection, request: Release, held: Holdback, amount: Decimal, day: date
) -> Entry:
    """Return the entry that makes a hold-back payable, at the rate of its bill.

    The key counts what was released before: the same release asked for twice is one.
    """
    base = _base(connection, request.book, held, amount)
    vendor, bill = held.vendor, held.bill
    memo = f"Release of hold-back of {bill.vendor_bill_number or bill.number}"
    return Entry(
        book=request.book,
        ledger=bill.ledger,
        key=(PURPOSE, held.line_id, derive_key(str(held.released.normalize()))),
        purpose=PURPOSE,
        document_date=day,
        currency=held.currency,
        postings=(
            Posting(
                role=AccountRole.RETAINAGE_PAYABLE,
                amount=amount,
                base_amount=base,
                vendor=vendor,
                memo=memo,
            ),
            Posting(
                role=AccountRole.PAYABLE,
                amount=-amount,
                base_amount=-base,
                vendor=vendor,
                memo=memo,
            ),
        ),
        memo=memo,
        vendor=vendor,
        exchange=bill.exchange,
    )


def _base(connection: Connection, book: str, held: Holdback, amount: Decimal) -> Decimal:
    configured = configuration_of(connection, book)
    line = next(line for line in held.bill.lines if line.line_id == held.line_id)
    if configured is None or line.base_amount is None:
        return amount
    currency = configured.configuration.currency
    return released_base(-line.amount, -line.base_amount, held.released, amount, currency)


def _open(chosen: list[Holdback]) -> Decimal:
    return sum((each.open_amount for each in chosen), Decimal(0))
