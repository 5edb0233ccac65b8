"""Items that are open in one currency alone: found, and cleared by an entry up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hourbridge.billing.currencies.payments import Party
from hourbridge.billing.currencies.residues import Residue, clearing_postings, residue_of
from hourbridge.common.book import BookConfiguration
from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import Settlement
from hourbridge.common.money import decimal_text
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.currencies.balances import foreign_items, side_of
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry
from hourbridge.poster.open_items import OpenItem, lock_items


@dataclass(frozen=True)
class Found:
    """An item with what is left of it."""

    item: OpenItem
    residue: Residue


class Residues:
    """Lists and clears residues."""

    def __init__(
        self, store: Store, documents: DocumentStore, clock: Clock, announced: Callable[[], None]
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._announced = announced

    def listed(self, book: str) -> list[dict[str, Any]]:
        """Return the residues of a book for people."""
        with self._store.transaction() as connection:
            configuration = _configuration(connection, book)
            found = find_residues(
                connection, book, configuration.currency, self._today(configuration)
            )
            return [_shown(each, configuration.currency) for each in found]

    def clear(self, book: str, actor: str) -> list[dict[str, Any]]:
        """Clear residues up to the policy's limit by an entry each; return all that were found.

        Safe to repeat: an entry is made once per item and amount.
        """
        rows = []
        with self._store.transaction() as connection:
            configuration = _configuration(connection, book)
            today = self._today(configuration)
            for each in find_residues(connection, book, configuration.currency, today):
                number = None
                if each.residue.size <= configuration.currencies.residue_max:
                    number = self._clear(connection, book, configuration.currency, each, today)
                rows.append({**_shown(each, configuration.currency), "entry": number})
            detail = {"cleared": [row["document"] for row in rows if row["entry"]]}
            audit.write(
                connection,
                actor=actor,
                action="residues.cleared",
                subject=f"book:{book}",
                book=book,
                detail=detail,
            )
        self._announced()
        return rows

    def _clear(
        self, connection: Connection, book: str, base: str, found: Found, today: date
    ) -> str | None:
        document_id = found.item.document.document_id
        item = lock_items(connection, [document_id])[document_id]
        if residue_of(item.open_amount, item.open_base(base)) != found.residue:
            return None  # somebody settled it meanwhile
        entry = _entry(book, base, found, today)
        added = add_entry(connection, self._documents, self._clock, entry)
        return None if added is None else added.number

    def _today(self, configuration: BookConfiguration) -> date:
        return self._clock.now().astimezone(ZoneInfo(configuration.zone)).date()


def find_residues(connection: Connection, book: str, base: str, day: date) -> list[Found]:
    """Return the items up to a day of which one currency alone is left."""
    found = []
    for item in foreign_items(connection, book, base, day):
        residue = residue_of(item.open_amount, item.open_base(base))
        if residue is not None:
            found.append(Found(item, residue))
    return found


def _entry(book: str, base: str, found: Found, today: date) -> Entry:
    """Return the entry that clears a residue.

    One in the book's currency alone stays in our books: a ledger that has no foreign money left of
    an item has cleared the rest by itself, and takes no entry of home currency for it.
    """
    document, residue = found.item.document, found.residue
    side, sign = side_of(document)
    party = Party(document.client or None, document.customer, document.vendor)
    left = Residue(sign * residue.amount, sign * residue.base_amount)
    is_base_only = residue.amount == 0
    postings = clearing_postings(left, side=side, party=party)
    if is_base_only:  # nothing of the foreign currency moves
        postings = tuple(p.model_copy(update={"amount": p.base_amount}) for p in postings)
    return Entry(
        book=book,
        ledger=document.ledger,
        key=(
            "residue",
            document.document_id,
            decimal_text(residue.amount),
            decimal_text(residue.base_amount),
        ),
        purpose="residue_clearing",
        document_date=max(today, document.document_date),
        currency=base if is_base_only else document.currency,
        postings=postings,
        memo=f"Clears what is left of {document.number}",
        client=document.client,
        customer=document.customer,
        vendor=document.vendor,
        settles=(
            Settlement(
                document_id=document.document_id, number=document.number, amount=residue.amount
            ),
        ),
        in_ledger=is_base_only,
    )


def _shown(found: Found, base: str) -> dict[str, Any]:
    document = found.item.document
    return {
        "document": document.number,
        "client": document.client,
        "currency": document.currency,
        "amount": decimal_text(found.residue.amount),
        "base_currency": base,
        "base_amount": decimal_text(found.residue.base_amount),
    }


def _configuration(connection: Connection, book: str) -> BookConfiguration:
    configured = configuration_of(connection, book)
    if configured is None:
        raise NotFound("the book has no configuration", book=book)
    return configured.configuration
