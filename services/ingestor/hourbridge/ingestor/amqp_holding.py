"""Holding back, on a delay rung, the AMQP events of a book that floods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hourbridge.common.bus.adapter import Delivery, Outgoing
from hourbridge.common.bus.recoverability import held_back
from hourbridge.common.bus.topology import Rung
from hourbridge.ingestor import metrics
from hourbridge.ingestor.cloudevents import EnvelopeUnreadable, parse_json
from hourbridge.ingestor.flood_gate import FloodGate

_BINARY_BOOK = "cloudEvents:book"
_BINARY_MARK = "cloudEvents:specversion"


@dataclass(frozen=True)
class Holding:
    """Splits batches by what the gate lets through."""

    gate: FloodGate
    rungs: Sequence[Rung]

    def split(
        self, received: Sequence[Delivery], *, bytes_max: int
    ) -> tuple[Sequence[Delivery], list[Outgoing]]:
        """Return what may be taken now, and the copies of the rest, which wait on a rung.

        What names no book, or is larger than ``bytes_max``, passes: it will be refused.
        """
        if self.gate.is_open or not self.rungs:
            return received, []
        taken: list[Delivery] = []
        held: list[Outgoing] = []
        for delivery in received:
            book = _book_of(delivery) if len(delivery.body) <= bytes_max else None
            if book is not None and self.gate.wait_seconds(book):
                held.append(held_back(delivery, self.rungs))
                continue
            if book is not None:
                self.gate.charge(book)
            taken.append(delivery)
        metrics.HELD_BACK.labels("amqp").inc(len(held))
        return taken, held


def _book_of(delivery: Delivery) -> str | None:
    """Return the book that an event names, without reading the rest of it."""
    if _BINARY_MARK in delivery.headers:
        return str(delivery.headers.get(_BINARY_BOOK, "")) or None
    try:
        document = parse_json(delivery.body)
    except EnvelopeUnreadable:
        return None
    book = document.get("book") if isinstance(document, dict) else None
    return book if isinstance(book, str) else None
