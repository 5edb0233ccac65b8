"""Carrying a retainer to the ledger that its book is bound to now, once.

The former company's books stay as they are: its documents are never posted again elsewhere. The
new one takes the balance as an opening balance. Our journal holds both sides: the deposit leaves
the one ledger (an entry that is kept, never sent) and opens in the other, so it counts once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from hourbridge.billing.grouping import ledger_key
from hourbridge.billing.retainers.lots import LotPart, base_balance
from hourbridge.billing.retainers.postings import Books, mirrored
from hourbridge.common.book import BookConfiguration
from hourbridge.common.clock import Clock
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry
from hourbridge.poster.retainers import store
from hourbridge.poster.retainers.store import Retainer, SubLedger
from hourbridge.poster.retainers.valuation import carrying_rate

PURPOSE = "retainer_carried"


def is_elsewhere(retainer: Retainer, configuration: BookConfiguration) -> bool:
    """Return whether a retainer is bound to another ledger than its book is now."""
    return ledger_key(retainer.ledger) != ledger_key(configuration.ledger)


def carry(
    connection: Connection,
    documents: DocumentStore,
    clock: Clock,
    configuration: BookConfiguration,
    sub: SubLedger,
    day: date,
) -> int:
    """Bind a locked retainer to the book's present ledger; return how many entries that made.

    Nothing where it is bound to it already, and while a movement is on its way to the former one.
    """
    is_underway = any(not movement.is_posted for movement in sub.movements)
    if not is_elsewhere(sub.retainer, configuration) or is_underway:
        return 0
    made = 0
    for entry in _entries(connection, configuration, sub, day) if sub.balance else ():
        made += add_entry(connection, documents, clock, entry) is not None
    store.rebind(connection, sub.retainer.retainer_id, configuration.ledger)
    store.ask(connection, sub.retainer.book, sub.retainer.client, sub.retainer.engagement)
    return made


def _entries(
    connection: Connection, configuration: BookConfiguration, sub: SubLedger, day: date
) -> tuple[Entry, Entry]:
    """Return what leaves the former ledger, and what opens in the new one."""
    retainer, target = sub.retainer, configuration.ledger
    books = Books(
        retainer.kind, configuration.currency, client=retainer.client, customer=retainer.customer
    )
    postings = books.opening(sub.balance, base_balance(sub.lots)).own
    parts = [
        LotPart(
            lot_id=lot.lot_id,
            received_on=lot.received_on,
            amount=lot.amount,
            base_amount=lot.base_amount,
        )
        for lot in sub.lots
    ]
    source = configuration.currencies.source
    opening = Entry(
        book=retainer.book,
        ledger=target,
        key=("retainer", retainer.retainer_id, "carried", ledger_key(retainer.ledger), str(day)),
        purpose=PURPOSE,
        document_date=day,
        currency=retainer.currency,
        postings=postings,
        memo=f"Retainer {retainer.engagement}: opening balance from the former ledger",
        client=retainer.client,
        customer=retainer.customer,
        engagement=retainer.engagement,
        exchange=carrying_rate(connection, parts, configuration.currency, source),
    )
    leaving = replace(
        opening,
        ledger=retainer.ledger,
        key=(*opening.key, "left"),
        postings=mirrored(postings),
        memo=f"Retainer {retainer.engagement}: carried to the new ledger",
        in_ledger=True,
    )
    return leaving, opening
