"""Accepted records in, charge sets out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.bus.consumer import Received
from hourbridge.common.clock import Clock
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.messages.envelope import Event
from hourbridge.common.messages.events import (
    ChargeSetChanged,
    ListChangeDone,
    RecordAccepted,
)
from hourbridge.common.messages.records import RecordType
from hourbridge.mapper import facts, records
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.facts import StatedFact
from hourbridge.mapper.lists.answers import ListAnswers
from hourbridge.mapper.lists.entries import LIST_RECORDS, StatedEntry, learn, take_turn
from hourbridge.mapper.lists.resolution import links_of
from hourbridge.mapper.mapping import MappedRecord, map_accepted
from hourbridge.mapper.metrics import RECORDS
from hourbridge.mapper.publication import charge_set_message
from hourbridge.mapper.records import RecordKey
from hourbridge.mapper.remembered import decided_folds
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.subject import NO_FACTS
from hourbridge.mapper.rules.work_time import NOTHING_REMEMBERED, Remembered

BEFORE_STORE = declare("mapper.before_store", "records mapped, nothing stored yet")
AFTER_STORE = declare("mapper.after_store", "records stored, the transaction still open")

_NO_FACTS = (
    RecordType.TIME_ENTRY,
    RecordType.EXPENSE,
    RecordType.PAYMENT,
    RecordType.COMPOSED_INVOICE,
)
Books = Mapping[str, CompiledBook | None]


@dataclass(slots=True)
class _Incoming:
    """The newest accepted state of a record within a batch, and all sequences it settles."""

    event: Event[Any]
    sequences: list[int] = field(default_factory=list)

    @property
    def accepted(self) -> RecordAccepted[Any]:
        accepted: RecordAccepted[Any] = self.event.data
        return accepted

    @property
    def covers(self) -> tuple[int, ...]:
        """Return the sequences that the record's charge set settles."""
        return tuple(sorted(self.sequences))


class RecordsHandler:
    """Maps a batch of accepted records in one transaction.

    Each received sequence is settled by exactly one published charge set per handling: the stored
    state of its record, whether this message made it, an earlier one or a newer one. Which of them
    is decided by the condition of ``records.upsert`` alone: old messages are so rare that asking
    beforehand what is stored would cost every batch more than it saves.
    """

    def __init__(
        self,
        configurations: Configurations,
        clock: Clock,
        *,
        facts_changed: Callable[[], None] = lambda: None,
        lists_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._configurations = configurations
        self._clock = clock
        self._facts_changed = facts_changed
        self._lists_changed = lists_changed
        self._answers = ListAnswers(configurations, clock)

    def handle(self, received: Sequence[Received], connection: Connection) -> Sequence[Outgoing]:
        """Store each record's newest mapping; return what the store then says of each."""
        events = [item.event for item in received]
        answers = [event for event in events if isinstance(event.data, ListChangeDone)]
        batch = _newest(each for each in events if not isinstance(each.data, ListChangeDone))
        named = {*(book for book, _ in batch), *(event.book for event in answers)}
        books = self._configurations.hold(connection, named)
        self._learn(connection, batch, answers)
        mapped = _map(connection, books, batch)
        fault_point(BEFORE_STORE)
        stored = self._store(connection, mapped)
        fault_point(AFTER_STORE)
        others = records.charge_sets(connection, [key for key in batch if key not in stored])
        return [
            _message(key[0], batch[key], mapped[key].change, mapped[key].change_json)
            if key in stored
            else _message(key[0], batch[key], _covering(others[key], batch[key]))
            for key in batch  # as they came, in sequence: readers of `covers` see few gaps
        ]

    def _learn(
        self,
        connection: Connection,
        batch: Mapping[RecordKey, _Incoming],
        answers: Sequence[Event[ListChangeDone]],
    ) -> None:
        self._learn_lists(connection, batch, answers)
        stated = [
            StatedFact(
                book,
                item.accepted.source,
                record_id,
                item.accepted.revision,
                item.accepted.state,
            )
            for (book, record_id), item in batch.items()
            if item.accepted.record_type not in _NO_FACTS
        ]
        if facts.learn(connection, stated):
            self._facts_changed()

    def _learn_lists(
        self,
        connection: Connection,
        batch: Mapping[RecordKey, _Incoming],
        answers: Sequence[Event[ListChangeDone]],
    ) -> None:
        stated = [
            StatedEntry(
                book, item.accepted.source, record_id, item.accepted.revision, item.accepted.state
            )
            for (book, record_id), item in batch.items()
            if item.accepted.record_type in LIST_RECORDS
        ]
        if not stated and not answers:
            return
        take_turn(connection, {*(each.book for each in stated), *(each.book for each in answers)})
        changed = self._answers.handle(connection, answers)
        changed |= learn(connection, stated, self._clock.now())
        if changed:
            self._lists_changed()

    def _store(
        self, connection: Connection, mapped: Mapping[RecordKey, MappedRecord]
    ) -> set[RecordKey]:
        stored = records.upsert(connection, list(mapped.values()), self._clock.now())
        for key in stored:
            RECORDS.labels(mapped[key].change.outcome.value).inc()
        return stored


def _newest(events: Iterable[Event[Any]]) -> dict[RecordKey, _Incoming]:
    batch: dict[RecordKey, _Incoming] = {}
    for event in events:
        key = (event.book, event.data.record_id)
        item = batch.get(key)
        if item is None:
            item = batch[key] = _Incoming(event)
        elif event.data.revision > item.accepted.revision:
            item.event = event
        if event.data.sequence not in item.sequences:
            item.sequences.append(event.data.sequence)
    return batch


def _map(
    connection: Connection, books: Books, batch: Mapping[RecordKey, _Incoming]
) -> dict[RecordKey, MappedRecord]:
    known = facts.known_facts(
        connection,
        (((book, item.accepted.source), item.accepted.state) for (book, _), item in batch.items()),
    )
    decided = decided_folds(connection, ((key, item.accepted.state) for key, item in batch.items()))
    named = [
        (books[book], book, item.accepted.source, item.accepted.state)
        for (book, _), item in batch.items()
    ]
    links = dict(zip(batch, links_of(connection, named, known), strict=True))
    return {
        key: map_accepted(
            key[0],
            books[key[0]],
            item.accepted,
            known.get((key[0], item.accepted.source), NO_FACTS),
            covers=item.covers,
            links=links[key],
            remembered=Remembered(decided[key]) if key in decided else NOTHING_REMEMBERED,
        )
        for key, item in batch.items()
    }


def _covering(change: ChargeSetChanged, item: _Incoming) -> ChargeSetChanged:
    return change.model_copy(update={"covers": item.covers})


def _message(
    book: str, item: _Incoming, change: ChargeSetChanged, change_json: str | None = None
) -> Outgoing:
    return charge_set_message(
        book,
        change,
        change_json=change_json,
        correlation_id=item.event.correlationid or item.event.id,
        causation_id=item.event.id,
    )
