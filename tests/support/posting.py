"""A poster without threads, broker or ledger server: real database, everything else in memory."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hourbridge.billing.grouping import ledger_key
from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
    CorrectionPolicy,
    LedgerBinding,
    LedgerReference,
    SourceBinding,
)
from hourbridge.common.bus.adapter import Delivery, Outgoing
from hourbridge.common.bus.consumer import Received
from hourbridge.common.errors import (
    DocumentMissing,
    DocumentNumberTaken,
    EditTokenStale,
    LedgerAuthorizationExpired,
    LedgerOutcomeUnknown,
    LedgerRejected,
    LedgerThrottled,
    LedgerUnavailable,
    PeriodClosed,
)
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
from hourbridge.connectors.ledger import (
    Capabilities,
    LedgerDocument,
    LedgerEntity,
    LedgerLine,
    LedgerWrite,
    WriteKind,
)
from hourbridge.poster.billing import BillResult
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.settings import PosterSettings
from hourbridge.poster.wiring import Parts, assemble_parts
from tests.support.charges import LEDGER

BOOK = "acme-firm"
MARCH_31 = date(2026, 3, 31)
ACCEPTED_AT = datetime(2026, 3, 31, 9, tzinfo=UTC)


class SteppingClock:
    """A clock that stands still until told to go on; waiting moves it."""

    def __init__(self, now: datetime = datetime(2026, 4, 2, 12, tzinfo=UTC)) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant

    def monotonic_seconds(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.step(seconds=seconds)

    def step(self, **duration: float) -> None:
        self.instant += timedelta(**duration)


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


@dataclass
class Lost:
    """The next answer does not arrive; the write did or did not take effect."""

    took_effect: bool


class MemoryLedger:
    """A ledger in memory with everything that can go wrong, one fault per coming write."""

    def __init__(self, *, remembers_keys: bool = True) -> None:
        self.held: dict[str, LedgerDocument] = {}
        self.faults: list[Lost | Exception | None] = []
        self.closed: date | None = None
        self.remembers_keys = remembers_keys
        self.writes: list[LedgerWrite] = []
        self.finds = 0
        self.total_off = Decimal(0)
        self.usable_again: list[str] = []
        self._answers: dict[str, str] = {}
        self._count = 0

    # --- what people do there ---------------------------------------------------------------

    def edit(self, ledger_id: str, **changes: Any) -> None:
        """Change a document as a person would: its edit token moves on."""
        found = self.held[ledger_id]
        token = str(int(found.edit_token) + 1)
        self.held[ledger_id] = replace(found, edit_token=token, **changes)

    def delete(self, ledger_id: str) -> None:
        """Delete a document as a person would."""
        del self.held[ledger_id]

    def of_kind(self, kind: DocumentKind) -> list[LedgerDocument]:
        """Return all documents of a kind."""
        return [document for document in self.held.values() if document.kind is kind]

    # --- the protocol -----------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities("memory", 50, 21, 86_400, 7, 5, amount_is_quantity_times_price=True)

    def write(self, write: LedgerWrite) -> LedgerDocument:
        self.writes.append(write)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        if isinstance(fault, Lost) and not fault.took_effect:
            raise LedgerOutcomeUnknown("no answer")
        written = self._carry_out(write)
        if isinstance(fault, Lost):
            raise LedgerOutcomeUnknown("no answer")
        return written

    def _carry_out(self, write: LedgerWrite) -> LedgerDocument:
        if self.remembers_keys and write.operation_key in self._answers:
            return self.held[self._answers[write.operation_key]]
        document = write.document
        if self.closed is not None and document.document_date <= self.closed:
            raise PeriodClosed("account period has closed", reason_code="6210")
        if write.kind is WriteKind.CREATE:
            taken = any(d.number == document.number for d in self.of_kind(document.kind))
            if taken:
                raise DocumentNumberTaken("duplicate number", reason_code="6140")
            self._count += 1
            ledger_id, token = str(self._count), "0"
        else:
            current = self.held.get(str(write.ledger_id))
            if current is None:
                raise DocumentMissing("gone", reason_code="610")
            if current.edit_token != write.edit_token:
                raise EditTokenStale("stale", reason_code="5010")
            ledger_id, token = current.ledger_id, str(int(current.edit_token) + 1)
        self.held[ledger_id] = self._stored(document, ledger_id, token)
        self._answers[write.operation_key] = ledger_id
        return self.held[ledger_id]

    def _stored(self, document: Document, ledger_id: str, token: str) -> LedgerDocument:
        total = document.total + self.total_off
        return LedgerDocument(
            ledger_id=ledger_id,
            kind=document.kind,
            number=document.number,
            customer_id="1",
            currency=document.currency,
            document_date=document.document_date,
            total=total,
            open_balance=total,
            edit_token=token,
            email_status="NotSet",
            lines=tuple(
                LedgerLine(x.position, x.description, None, x.quantity, x.unit_price, x.amount)
                for x in document.lines
            ),
            private_note=f"hourbridge:{document.document_id}",
        )

    def find(self, document: Document) -> LedgerDocument | None:
        self.finds += 1
        note = f"hourbridge:{document.document_id}"
        same_kind = self.of_kind(document.kind)
        for found in same_kind:
            if found.private_note == note:
                return replace(found, is_ours=True)
        return next((d for d in same_kind if d.number == document.number), None)

    def read(self, kind: DocumentKind, ledger_id: str) -> LedgerDocument | None:
        found = self.held.get(ledger_id)
        return found if found is not None and found.kind is kind else None

    def documents(self, kind: DocumentKind, first: date, last: date) -> Iterator[LedgerDocument]:
        yield from (d for d in self.of_kind(kind) if first <= d.document_date <= last)

    def closed_through(self) -> date | None:
        return self.closed

    def entities(self, kind: str) -> Iterator[LedgerEntity]:
        yield from ()

    def resolve(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        return LedgerEntity(kind, "1", reference.name or "")

    def check(self) -> Sequence[str]:
        return self.usable_again

    def close(self) -> None:
        return


def unavailable() -> LedgerUnavailable:
    return LedgerUnavailable("maintenance")


def throttled(seconds: int) -> LedgerThrottled:
    return LedgerThrottled("too many requests", retry_after_seconds=seconds)


def disconnected() -> LedgerAuthorizationExpired:
    return LedgerAuthorizationExpired("invalid_grant")


def rejected(code: str) -> LedgerRejected:
    return LedgerRejected("refused", reason_code=code)


class Poster:
    """The poster's parts, driven by hand."""

    def __init__(self, store: Store, ledger: MemoryLedger, **settings: Any) -> None:
        self.store = store
        self.ledger = ledger
        self.ledgers: dict[str, MemoryLedger] = {}
        self.clock = SteppingClock()
        self.bus = RecordingBus()
        self.settings = PosterSettings(**settings)
        self.sequence = 0
        self.parts = self.process()

    def process(self) -> Parts:
        """Return the parts as another process would have them."""
        return assemble_parts(
            self.settings,
            store=self.store,
            bus=self.bus,  # type: ignore[arg-type] - the rest of a bus is not used
            clock=self.clock,
            ledgers=lambda binding: self.ledgers.get(ledger_key(binding), self.ledger),  # type: ignore[arg-type,return-value]
        )

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
        invoices = sum((d.total for d in self.ledger.of_kind(DocumentKind.INVOICE)), Decimal(0))
        credits = sum((d.total for d in self.ledger.of_kind(DocumentKind.CREDIT_MEMO)), Decimal(0))
        return invoices - credits


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
