"""A poster without threads, broker or ledger server: real database, everything else in memory."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from hourbridge.billing.grouping import ledger_key
from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
    CorrectionPolicy,
    LedgerBinding,
    LedgerReference,
    SourceBinding,
)
from hourbridge.common.bus.adapter import Bus, Delivery, Outgoing
from hourbridge.common.bus.consumer import Received
from hourbridge.common.messages.envelope import Event
from hourbridge.common.messages.events import (
    BookConfigured,
    Charge,
    ChargeSetChanged,
    Document,
    DocumentKind,
    MappingOutcome,
    Reason,
)
from hourbridge.common.messages.publishing import new_event
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import (
    BOOK_CONFIGURED,
    CHARGE_SET_CHANGED,
    DOCUMENT_CHANGED,
    REGISTRY,
)
from hourbridge.common.store.engine import Store
from hourbridge.connectors.ledger import Ledger
from hourbridge.poster.billing import BillResult
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.lists.dispatcher import NOWHERE, OpenTargets
from hourbridge.poster.settings import PosterSettings
from hourbridge.poster.wiring import Parts, assemble_parts
from tests.support.charges import LEDGER
from tests.support.clocks import WaitingClock

BOOK = "acme-firm"
MARCH_31 = date(2026, 3, 31)
ACCEPTED_AT = datetime(2026, 3, 31, 9, tzinfo=UTC)


class RecordingBus:
    """A bus that keeps what was published."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []

    def publish(self, messages: Sequence[Outgoing], *, timeout_seconds: float = 10) -> None:
        self.published += messages

    def documents(self) -> list[Document]:
        """Return the documents announced, in order."""
        return [
            REGISTRY.decode(message.type, message.body).data.document
            for message in self.published
            if message.type == DOCUMENT_CHANGED
        ]


class Poster:
    """The poster's parts, driven by hand."""

    def __init__(self, store: Store, ledger: Ledger, **settings: Any) -> None:
        self.store = store
        self.ledger = ledger
        self.ledgers: dict[str, Ledger] = {}
        self.clock = WaitingClock(datetime(2026, 4, 2, 12, tzinfo=UTC))
        self.bus = RecordingBus()
        self.targets: OpenTargets = settings.pop("targets", NOWHERE)
        self.settings = PosterSettings(**settings)
        self.sequence = 0
        self.parts = self.process()

    def process(self) -> Parts:
        """Return the parts as another process would have them."""
        return assemble_parts(
            self.settings,
            store=self.store,
            bus=cast(Bus, self.bus),
            clock=self.clock,
            ledgers=self.open_ledger,
            targets=self.targets,
        )

    def open_ledger(self, binding: LedgerBinding) -> Ledger:
        """Return the ledger of a binding."""
        return self.ledgers.get(ledger_key(binding), self.ledger)

    # --- what arrives -----------------------------------------------------------------------

    def configure(self, version: int = 1, book: str = BOOK, **changes: Any) -> None:
        """Let a configuration version arrive."""
        self.feed(configured(version, book, **changes))

    def charge(self, *charges: Charge, revision: int = 1, mapping: int = 1) -> list[Received]:
        """Let a record of its own arrive for each charge (record id = charge id)."""
        events = [
            self.changed(charge.charge_id, [charge], revision=revision, mapping=mapping)
            for charge in charges
        ]
        self.feed(*events)
        return events

    def withdraw(self, *record_ids: str, revision: int = 2, mapping: int = 1) -> None:
        """Let records lose their charges."""
        self.feed(*(self.changed(r, [], revision=revision, mapping=mapping) for r in record_ids))

    def changed(
        self, record_id: str, charges: Sequence[Charge], *, revision: int = 1, mapping: int = 1
    ) -> Received:
        """Return a charge set that settles the next sequence number."""
        self.sequence += 1
        return charge_set(record_id, charges, revision, mapping, (self.sequence,))

    def feed(self, *received: Received) -> None:
        """Handle one batch."""
        with self.store.transaction() as connection:
            assert self.parts.handler.handle(received, connection) == []

    def feed_shuffled(self, received: Sequence[Received], seed: int, *, times: int = 3) -> None:
        """Handle everything several times, shuffled, in small batches."""
        chance = random.Random(seed)
        order = [item for item in received for _ in range(times)]
        chance.shuffle(order)
        while order:
            size = chance.randint(1, 5)
            self.feed(*order[:size])
            order = order[size:]

    # --- what is done -----------------------------------------------------------------------

    def bill(self, through: date = MARCH_31, **scope: Any) -> BillResult:
        """Bill now."""
        return self.parts.biller.bill(BillingScope(BOOK, through, **scope))

    def post(self, *, rounds: int = 1) -> int:
        """Let every lane send what is due; return the attempts made."""
        return sum(self.parts.dispatcher.run_due() for _ in range(rounds))

    def settle(self) -> None:
        """Correct and post until nothing is left to do, waiting as needed."""
        for _ in range(12):
            self.parts.activities.run_due()
            self.parts.corrector.run_due()
            self.post()
            self.clock.step(seconds=600)

    def flush(self) -> list[Document]:
        """Publish the outbox; return all documents announced so far."""
        self.parts.outbox.flush()
        return self.bus.documents()

    # --- what is there ----------------------------------------------------------------------

    def documents(self, status: str | None = None) -> list[Document]:
        """Return our documents in the order of their numbers."""
        with self.store.transaction() as connection:
            rows = self.parts.documents.newest(connection, BOOK, status=status, limit=1000)
        documents = [Document.model_validate(row) for row in rows]
        return sorted(documents, key=lambda d: int(d.number.rpartition("-")[2]))

    def document(self) -> Document:
        """Return the only document."""
        (document,) = self.documents()
        return document

    def states(self) -> dict[str, str]:
        """Return the state of each charge."""
        return {row.charge_id: row.state for row in self.rows("SELECT * FROM charge")}

    def rows(self, sql: str) -> list[Any]:
        """Return the rows of a query."""
        with self.store.transaction() as connection:
            return list(connection.exec_driver_sql(sql))

    def net_billed(self) -> Decimal:
        """Return what the ledger holds: invoices less credit memos."""
        everything = (date(2020, 1, 1), date(2030, 1, 1))
        invoices = self.ledger.documents(DocumentKind.INVOICE, *everything)
        credits = self.ledger.documents(DocumentKind.CREDIT_MEMO, *everything)
        billed = sum((document.total for document in invoices), Decimal(0))
        return billed - sum((document.total for document in credits), Decimal(0))


def configured(version: int = 1, book: str = BOOK, **changes: Any) -> Received:
    """Return a configuration version of a book as it arrives."""
    configuration = BookConfiguration(
        book=book,
        currency="USD",
        zone="America/New_York",
        ledger=changes.pop("ledger", LEDGER),
        sources=(SourceBinding(name="toggl"),),
        **changes,
    )
    data = BookConfigured(
        version=version, configuration=configuration, applied_at=ACCEPTED_AT, applied_by="test"
    )
    return received(
        new_event(BOOK_CONFIGURED, data, book=book, source="/test", id=f"{book}-{version}")
    )


def in_place_for(client: str) -> ClientMapping:
    """Return a client whose posted documents may be updated in place."""
    return ClientMapping(
        client=client,
        customer=LedgerReference(name=client),
        corrections=CorrectionPolicy(mode="update_in_place"),
    )


def charge_set(
    record_id: str,
    charges: Sequence[Charge],
    revision: int = 1,
    mapping: int = 1,
    covers: tuple[int, ...] = (1,),
    *,
    book: str = BOOK,
) -> Received:
    """Return the complete set of charges of a record as it arrives."""
    data = ChargeSetChanged(
        record_id=record_id,
        record_type=RecordType.TIME_ENTRY,
        source="toggl",
        record_revision=revision,
        mapping_version=mapping,
        covers=covers,
        outcome=MappingOutcome.CHARGED if charges else MappingOutcome.SKIPPED,
        reasons=() if charges else (Reason(code="deleted", detail="deleted"),),
        charges=tuple(charges),
        accepted_at=ACCEPTED_AT,
    )
    identity = f"{record_id}-{revision}-{mapping}-{covers}"
    return received(new_event(CHARGE_SET_CHANGED, data, book=book, source="/test", id=identity))


def received(event: Event[Any]) -> Received:
    """Return an event as a handler gets it."""
    delivery = Delivery(
        queue="poster.work.v1",
        tag=0,
        body=b"",
        exchange="hourbridge.events",
        routing_key="",
        message_id=event.id,
        type=event.type,
        headers={},
        correlation_id=None,
        earlier_holders_lost=0,
    )
    return Received(delivery, event)


def other_ledger(company_id: str) -> LedgerBinding:
    """Return the binding of another company."""
    return LedgerBinding(connection=f"c{company_id}", company_id=company_id)
