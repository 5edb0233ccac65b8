"""What comes from the bus: charge sets and book configurations; idempotent and commutative."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.bus.consumer import Received
from hourbridge.common.clock import Clock
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import (
    BookConfigured,
    ChargeSetChanged,
    ListChangeRequested,
)
from hourbridge.poster import charge_store, configurations, positions
from hourbridge.poster.charge_sets import decide
from hourbridge.poster.fault_points import CHARGE_SETS_STORED
from hourbridge.poster.lists import requests as list_requests
from hourbridge.poster.lists import write_backs
from hourbridge.poster.lists.requests import Asked
from hourbridge.poster.mirrored import activity_store
from hourbridge.poster.payments import stated as stated_payments
from hourbridge.poster.retainers import store as retainers


class PosterHandler:
    """Keeps the newest charge set of each record and the newest configuration of each book.

    Publishes nothing: what a changed charge means for documents is found by tasks, from rows.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handle(self, received: Sequence[Received], connection: Connection) -> Sequence[Outgoing]:
        """Store the newest of each key in a few statements, rows sorted by key."""
        configured: dict[str, BookConfigured] = {}
        newest: dict[str, tuple[str, ChargeSetChanged]] = {}
        covers: dict[str, set[int]] = {}
        asked: list[Asked] = []
        for item in received:
            book, data = item.event.book, item.event.data
            if isinstance(data, BookConfigured):
                held = configured.get(book)
                if held is None or held.version < data.version:
                    configured[book] = data
            elif isinstance(data, ChargeSetChanged):
                covers.setdefault(book, set()).update(data.covers)
                known = newest.get(data.record_id)
                if known is None or _order(known[1]) < _order(data):
                    newest[data.record_id] = (book, data)
            elif isinstance(data, ListChangeRequested):
                asked.append(Asked(item.event.id, book, data))
        configurations.keep_newest(connection, configured)
        list_requests.keep(connection, asked, self._clock.now())
        retainers.ask_all(connection, sorted(configured))
        if newest:
            write_backs.keep(connection, newest.values())
            self._replace(connection, newest)
        positions.settle(connection, covers)
        fault_point(CHARGE_SETS_STORED)
        return []

    def _replace(
        self, connection: Connection, newest: dict[str, tuple[str, ChargeSetChanged]]
    ) -> None:
        ordered = [newest[record_id] for record_id in sorted(newest)]
        applied = charge_store.replace_sets(connection, ordered)
        if not applied:
            return
        newer = [pair for pair in ordered if pair[1].record_id in applied]
        stated_payments.keep(connection, newer, self._clock.now())
        activity_store.keep(connection, newer, self._clock.now())
        known = sorted(record_id for record_id, is_known in applied.items() if is_known)
        held = charge_store.lock_held(connection, known)
        decisions = [
            (book, changed, decide(changed, held.get(changed.record_id, ())))
            for book, changed in ordered
            if changed.record_id in applied
        ]
        charge_store.apply_decisions(connection, decisions, self._clock.now())


def _order(changed: ChargeSetChanged) -> tuple[int, int]:
    return (changed.record_revision, changed.mapping_version)
