"""What comes from the bus: every state that the other services announce, kept newest first."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.bus.consumer import Received
from hourbridge.common.clock import Clock
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.messages.events import (
    BookConfigured,
    ChargeSetChanged,
    DocumentChanged,
    RecordAccepted,
    SourceTotalsRecorded,
)
from hourbridge.common.store.rows import write_all
from hourbridge.reconciler.seen_charges import Changed, keep_charge_sets
from hourbridge.reconciler.seen_documents import Stated, keep_documents
from hourbridge.reconciler.seen_records import Accepted, keep_records
from hourbridge.reconciler.seen_sources import Reading, keep_configurations, keep_readings
from hourbridge.reconciler.sequence import Stream, keep_sequences

BEFORE_COMMIT = declare("reconciler.before_commit", "a batch was written, not yet committed")


class SeenHandler:
    """Keeps what a batch states; publishes nothing. Idempotent and commutative."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handle(self, received: Sequence[Received], connection: Connection) -> Sequence[Outgoing]:
        """Store the newest of each state with one statement per kind of state.

        What every record brings goes in one round trip.
        """
        batch = _Batch(received)
        now = self._clock.now()
        keep_configurations(connection, batch.configured)
        keep_readings(connection, batch.readings, now)
        keep_documents(connection, batch.documents, now)
        writes = [
            *keep_records(batch.accepted),
            *keep_charge_sets(batch.changed),
            *keep_sequences(batch.sequences),
        ]
        write_all(connection, writes, seen_at=now)
        fault_point(BEFORE_COMMIT)
        return []


class _Batch:
    """The payloads of a batch, by kind."""

    def __init__(self, received: Sequence[Received]) -> None:
        self.accepted: list[Accepted] = []
        self.changed: list[Changed] = []
        self.documents: list[Stated] = []
        self.readings: list[Reading] = []
        self.configured: list[tuple[str, BookConfigured]] = []
        self.sequences: list[tuple[str, Stream, int]] = []
        for item in received:
            self._sort_in(item)

    def _sort_in(self, item: Received) -> None:
        book, data = item.event.book, item.event.data
        if isinstance(data, RecordAccepted):
            self.accepted.append((book, data))
            self.sequences.append((book, Stream.ACCEPTED, data.sequence))
        elif isinstance(data, ChargeSetChanged):
            self.changed.append((book, data))
            self.sequences += [(book, Stream.COVERED, number) for number in data.covers]
        elif isinstance(data, DocumentChanged):
            self.documents.append((book, data.document))
        elif isinstance(data, SourceTotalsRecorded):
            self.readings.append((book, item.event.time or data.as_of, data))
        elif isinstance(data, BookConfigured):
            self.configured.append((book, data))
