"""Configurations and records for the mapper's tests, and a mapper without a bus."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from hourbridge.common.book import BookConfiguration, parse_book_configuration
from hourbridge.common.bus.adapter import Delivery, Outgoing
from hourbridge.common.bus.consumer import Received
from hourbridge.common.clock import Clock
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    BookConfigured,
    Charge,
    ChargeSetChanged,
    MappingOutcome,
)
from hourbridge.common.messages.publishing import new_event
from hourbridge.common.messages.records import Client, Expense, Project, Record, TimeEntry
from hourbridge.common.messages.registry import (
    BOOK_CONFIGURED,
    CHARGE_SET_CHANGED,
    REGISTRY,
    accepted_type,
)
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.common.store.outbox import Outbox
from hourbridge.mapper.applying import Applier
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.fact_changes import FactChanges
from hourbridge.mapper.handlers import RecordsHandler
from hourbridge.mapper.ledger_check import LedgerOpener, no_ledger
from hourbridge.mapper.parked import ParkedRecords
from hourbridge.mapper.planning import Planner
from hourbridge.mapper.remap import Remapper
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.outcome import Mapped
from hourbridge.mapper.rules.record import map_record
from hourbridge.mapper.rules.subject import Facts

BOOK = "acme-books"
SOURCE = "toggl"
DAY = date(2026, 3, 2)


def document(**changes: Any) -> dict[str, Any]:
    """Return a configuration document: Acme at 150.00 USD an hour, tasks Design and Build."""
    return {
        "book": BOOK,
        "currency": "USD",
        "zone": "America/New_York",
        "ledger": {"connection": "main", "company_id": "9130350000000001"},
        "sources": [{"name": SOURCE}, {"name": "harvest"}],
        "clients": [{"client": "Acme", "customer": {"id": "17", "name": "Acme Corp."}}],
        "tasks": [
            {"task": "Design", "item": {"id": "5"}},
            {"task": "Build", "item": {"id": "6"}},
        ],
        "rates": {"rules": [{"client": "Acme", "amount": "150.00"}]},
        **changes,
    }


def configuration(**changes: Any) -> BookConfiguration:
    """Return the configuration in ``document``."""
    return parse_book_configuration(document(**changes))


def time_entry(external_id: str = "1", **changes: Any) -> TimeEntry:
    """Return an approved hour of Ann's design for Acme's website."""
    values: dict[str, Any] = {
        "external_id": external_id,
        "staff_id": "Ann",
        "staff_name": "Ann",
        "client_name": "Acme",
        "project_name": "Website",
        "task_name": "Design",
        "work_date": DAY,
        "input": {"seconds": 3600},
        "billable_state": "billable",
        "approval": {"state": "approved"},
    }
    return TimeEntry.model_validate({**values, **changes})


def expense(external_id: str = "e1", **changes: Any) -> Expense:
    """Return an approved hotel night of 123.45 USD for Acme."""
    values: dict[str, Any] = {
        "external_id": external_id,
        "staff_id": "Ann",
        "staff_name": "Ann",
        "client_name": "Acme",
        "category_name": "Hotel",
        "expense_date": DAY,
        "amount_in": "123.45",
        "currency": "USD",
        "billable_state": "billable",
        "approval": {"state": "approved"},
    }
    return Expense.model_validate({**values, **changes})


def project(external_id: str, name: str, **changes: Any) -> Project:
    """Return a project's master data."""
    return Project.model_validate({"external_id": external_id, "name": name, **changes})


def client(external_id: str, name: str, **changes: Any) -> Client:
    """Return a client's master data."""
    return Client.model_validate({"external_id": external_id, "name": name, **changes})


def mapped(
    record: Record,
    *,
    source: str = SOURCE,
    facts: Facts | None = None,
    configured: bool = True,
    **changes: Any,
) -> Mapped:
    """Return what a record becomes under ``configuration(**changes)``."""
    book = CompiledBook(configuration(**changes), 7) if configured else None
    return map_record(
        book, book_name=BOOK, source=source, record_id="r1", record=record, facts=facts or {}
    )


def charge_of(record: Record, **options: Any) -> Charge:
    """Return the one charge of a record that must have one."""
    result = mapped(record, **options)
    assert result.outcome is MappingOutcome.CHARGED, result.reasons
    [charge] = result.charges
    return Charge.model_validate(charge.model_dump())


def codes(result: Mapped) -> list[str]:
    """Return the codes of a result's reasons."""
    return [reason.code for reason in result.reasons]


class MemoryBus:
    """Keeps what is published; can be told to be away."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.failure: Exception | None = None

    def publish(self, messages: Sequence[Outgoing], *, timeout_seconds: float = 10) -> None:
        if self.failure is not None:
            raise self.failure
        self.published += messages

    def take(self) -> list[Outgoing]:
        taken, self.published = self.published, []
        return taken


def charge_sets(messages: Sequence[Outgoing]) -> list[ChargeSetChanged]:
    """Return the charge sets among ``messages``."""
    return [
        REGISTRY.decode(message.type, message.body).data
        for message in messages
        if message.type == CHARGE_SET_CHANGED
    ]


def configured(messages: Sequence[Outgoing]) -> list[BookConfigured]:
    """Return the announced configurations among ``messages``."""
    return [
        REGISTRY.decode(message.type, message.body).data
        for message in messages
        if message.type == BOOK_CONFIGURED
    ]


class MapperBench:
    """The mapper's parts on a real database, with a bus in memory."""

    def __init__(self, store: Store, clock: Clock, opener: LedgerOpener = no_ledger) -> None:
        self.store = store
        self.clock = clock
        self.bus = MemoryBus()
        self.configurations = Configurations()
        self.outbox = Outbox(store, self.bus)  # type: ignore[arg-type]
        self.planner = Planner(store, self.configurations, opener=opener)
        parts: Any = {"outbox": self.outbox, "clock": clock}
        self.applier = Applier(store, self.configurations, planner=self.planner, **parts)
        self.parked = ParkedRecords(store, self.configurations, **parts)
        self.handler = RecordsHandler(self.configurations, clock)
        self.fact_changes = FactChanges(store, self.configurations, **parts)
        self._sequence = itertools.count(1)

    def remapper(self, holder: str = "bench", batch_records_max: int = 3) -> Remapper:
        """Return a worker of re-mappings, as one replica has it."""
        return Remapper(
            self.store,
            self.configurations,
            outbox=self.outbox,
            leases=Leases(self.store, holder),
            clock=self.clock,
            batch_records_max=batch_records_max,
        )

    def accept(
        self, record: Record, revision: int = 1, *, source: str = SOURCE, book: str = BOOK
    ) -> Received:
        """Return a record as the ingestor announces it, with the next sequence number."""
        record_id = derive_id(book, source, record.record_type, record.external_id)
        message_type = accepted_type(record.record_type)
        accepted = REGISTRY.get(message_type).payload(
            record_id=record_id,
            record_type=record.record_type,
            source=source,
            revision=revision,
            sequence=next(self._sequence),
            content_hash=derive_id(record.model_dump_json()),
            raw_ref="sha256:00",
            accepted_at=datetime(2026, 3, 3, 8, tzinfo=UTC),
            state=record,
        )
        return received(message_type, accepted, book)

    def feed(self, *batch: Received) -> list[ChargeSetChanged]:
        """Handle one batch; return the charge sets that it publishes."""
        return charge_sets(self.feed_raw(*batch))

    def feed_raw(self, *batch: Received) -> list[Outgoing]:
        """Handle one batch; return the messages that it publishes."""
        with self.store.transaction() as connection:
            return list(self.handler.handle(batch, connection))

    def feed_shuffled(
        self, messages: Sequence[Received], seed: int, batch: int = 4
    ) -> list[ChargeSetChanged]:
        """Handle all messages in an order that ``seed`` decides."""
        order = list(messages)
        random.Random(seed).shuffle(order)
        found = []
        for start in range(0, len(order), batch):
            found += self.feed(*order[start : start + batch])
        return found

    def apply(self, **changes: Any) -> dict[str, Any]:
        """Apply a configuration and finish the re-mapping that follows."""
        answer = self.applier.apply(configuration(**changes), actor="ann")
        self.work()
        return answer

    def work(self) -> None:
        """Do what the periodic task does until nothing is left."""
        self.fact_changes.run()
        while self.remapper().run():
            pass

    def rows(self, columns: str, order: str = "record_id") -> list[tuple[Any, ...]]:
        """Return columns of all mapped records."""
        with self.store.transaction() as connection:
            found = connection.execute(
                text(f"SELECT {columns} FROM mapped_record ORDER BY {order}")
            )
            return [tuple(row) for row in found]


def received(message_type: str, data: Any, book: str = BOOK) -> Received:
    """Return an event as a consumer hands it over."""
    id = derive_id(message_type, data.record_id, str(data.revision), str(data.sequence))
    event = new_event(message_type, data, book=book, source="/hourbridge/ingestor", id=id)
    delivery = Delivery(
        queue="mapper.work.v1",
        tag=1,
        body=b"",
        exchange="hourbridge.events",
        routing_key=event.routing_key,
        message_id=id,
        type=message_type,
        headers={},
        correlation_id=None,
        earlier_holders_lost=0,
    )
    return Received(delivery, event)


def by_record(changes: Sequence[ChargeSetChanged]) -> dict[str, ChargeSetChanged]:
    """Return the newest charge set per record, as every consumer keeps it."""
    newest: dict[str, ChargeSetChanged] = {}
    for change in changes:
        held = newest.get(change.record_id)
        order = (change.record_revision, change.mapping_version)
        if held is None or (held.record_revision, held.mapping_version) < order:
            newest[change.record_id] = change
    return newest
