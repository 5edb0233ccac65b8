"""What the reconciler's tests speak with: events of the other services, and a ledger in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hourbridge.common.book import LedgerBinding, LedgerReference
from hourbridge.common.bus.adapter import Delivery
from hourbridge.common.bus.consumer import Received
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    Charge,
    ChargeSetChanged,
    ControlTotal,
    Document,
    DocumentChanged,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
    LedgerPosition,
    MappingOutcome,
    Reason,
    RecordAccepted,
    SourceTotalsRecorded,
)
from hourbridge.common.messages.fields import Payload
from hourbridge.common.messages.publishing import new_event
from hourbridge.common.messages.records import Deletion, RecordType, TimeEntry, WorkedTime
from hourbridge.common.messages.registry import (
    CHARGE_SET_CHANGED,
    DOCUMENT_CHANGED,
    SOURCE_TOTALS_RECORDED,
    accepted_type,
)
from hourbridge.connectors.ledger import (
    Capabilities,
    LedgerDocument,
    LedgerEntity,
    LedgerLine,
    LedgerWrite,
)
from tests.support.charges import DAY, LEDGER, make_charge

BOOK = "acme-books"
ACCEPTED_AT = datetime(2026, 3, 31, 9, tzinfo=UTC)
POSTED_AT = datetime(2026, 4, 1, 10, tzinfo=UTC)


def received(message_type: str, data: Payload, *, book: str = BOOK, **more: Any) -> Received:
    """Return ``data`` as a handler receives it."""
    event = new_event(
        message_type, data, book=book, source="test", id=derive_id(data.model_dump_json()), **more
    )
    delivery = Delivery(
        queue="reconciler.work.v1",
        tag=1,
        body=b"",
        exchange="",
        routing_key=event.routing_key,
        message_id=event.id,
        type=event.type,
        headers={},
        correlation_id=None,
        earlier_holders_lost=0,
    )
    return Received(delivery, event)


def accepted(
    record_id: str, sequence: int, seconds: int = 3600, *, book: str = BOOK, **changes: Any
) -> Received:
    """Return an accepted time entry of Acme's project P1."""
    is_deleted = changes.pop("deleted", False)
    entry = TimeEntry(
        external_id=record_id,
        staff_id="anna",
        client_name=changes.pop("client", "Acme"),
        project_name=changes.pop("project", "P1"),
        work_date=changes.pop("day", DAY),
        input=WorkedTime(seconds=seconds),
        deleted=Deletion() if is_deleted else None,
    )
    values: dict[str, Any] = {
        "record_id": record_id,
        "record_type": RecordType.TIME_ENTRY,
        "source": "tracker",
        "revision": 1,
        "sequence": sequence,
        "content_hash": f"{record_id}-{seconds}",
        "raw_ref": "sha256:0",
        "accepted_at": ACCEPTED_AT,
        "state": entry,
        **changes,
    }
    data = RecordAccepted[TimeEntry].model_validate(values)
    return received(accepted_type(RecordType.TIME_ENTRY), data, book=book)


def charge_set(
    record_id: str, covers: Sequence[int], charges: Sequence[Charge] = (), **changes: Any
) -> Received:
    """Return a record's charges: one like its defaults unless others or an outcome are given."""
    outcome = changes.pop("outcome", MappingOutcome.CHARGED)
    code = changes.pop("code", None)
    seconds = changes.pop("seconds", sum(charge.worked_seconds for charge in charges))
    first = charges[0] if charges else None
    values: dict[str, Any] = {
        "record_id": record_id,
        "record_type": RecordType.TIME_ENTRY,
        "source": "tracker",
        "record_revision": 1,
        "mapping_version": 1,
        "covers": tuple(covers),
        "outcome": outcome,
        "reasons": (Reason(code=code, detail=code),) if code else (),
        "charges": tuple(charges),
        "accepted_at": ACCEPTED_AT,
        "work_date": first.work_date if first else DAY,
        "client": first.client if first else "Acme",
        "project": first.project if first else "P1",
        "worked_seconds": seconds,
        "billable_seconds": sum(charge.billable_seconds for charge in charges),
        **changes,
    }
    return received(CHARGE_SET_CHANGED, ChargeSetChanged.model_validate(values))


def charged(record_id: str, sequence: int, seconds: int = 3600, **changes: Any) -> list[Received]:
    """Return an accepted record and its one charge, which bears the record's id."""
    charge = make_charge(record_id, seconds, **changes)
    record = accepted(
        record_id,
        sequence,
        seconds,
        client=charge.client,
        project=charge.project,
        day=charge.work_date,
    )
    return [record, charge_set(record_id, [sequence], [charge])]


def line(number: int, charge_ids: Sequence[str], quantity: str, **changes: Any) -> DocumentLine:
    """Return a line of ``quantity`` hours at 150.00."""
    hours = Decimal(quantity)
    price = Decimal(changes.pop("unit_price", "150.00"))
    values: dict[str, Any] = {
        "line_id": f"line-{number}-{'-'.join(charge_ids)}",
        "position": number,
        "description": "Audit",
        "item": LedgerReference(name="Consulting"),
        "quantity": hours,
        "unit_price": price,
        "amount": (hours * price).quantize(Decimal("0.01")),
        "billed_seconds": int(hours * 3600),
        "worked_seconds": int(hours * 3600),
        "client": "Acme",
        "project": "P1",
        "charge_ids": tuple(charge_ids),
        **changes,
    }
    return DocumentLine.model_validate(values)


def document(document_id: str, lines: Sequence[DocumentLine], **changes: Any) -> Document:
    """Return an invoice to Acme on its way to the ledger."""
    values: dict[str, Any] = {
        "document_id": document_id,
        "version": 1,
        "kind": DocumentKind.INVOICE,
        "status": DocumentStatus.POSTING,
        "number": f"HB-{document_id.rpartition('-')[2]}",
        "ledger": LEDGER,
        "customer": LedgerReference(name="Acme"),
        "client": "Acme",
        "currency": "USD",
        "document_date": date(2026, 3, 31),
        "period": "2026-03",
        "lines": tuple(lines),
        "total": sum((each.amount for each in lines), Decimal(0)),
        "configuration_version": 1,
        **changes,
    }
    return Document.model_validate(values)


def changed(stated: Document) -> Received:
    """Return the message that announces a document."""
    return received(DOCUMENT_CHANGED, DocumentChanged(document=stated))


def totals(reading_id: str, rows: int, outcomes: dict[str, int], **changes: Any) -> Received:
    """Return the control totals of one reading."""
    recorded_at = changes.pop("recorded_at", ACCEPTED_AT)
    values: dict[str, Any] = {
        "source": "tracker",
        "record_type": RecordType.TIME_ENTRY,
        "reading_id": reading_id,
        "as_of": ACCEPTED_AT,
        "totals": (ControlTotal(group="file", rows=rows, seconds=changes.pop("seconds", None)),),
        "outcomes": outcomes,
        **changes,
    }
    data = SourceTotalsRecorded.model_validate(values)
    return received(SOURCE_TOTALS_RECORDED, data, time=recorded_at)


class MemoryLedger:
    """A ledger that keeps its documents in a dictionary, for people to edit and delete in."""

    def __init__(self) -> None:
        self.held: dict[tuple[DocumentKind, str], LedgerDocument] = {}
        self.customers = {"Acme": "C-Acme", "Beta": "C-Beta"}
        self.closed: date | None = None
        self.opened: list[LedgerBinding] = []

    def open(self, binding: LedgerBinding) -> MemoryLedger:
        """Return itself: the factory that services are given."""
        self.opened.append(binding)
        return self

    def post(self, stated: Document) -> Document:
        """Hold a document of ours, and return it as its poster would then state it."""
        ledger_id = f"L-{stated.document_id}-{stated.generation}"
        named = stated.customer
        assert named is not None
        customer = named.id or self.customers[str(named.name)]
        self.held[stated.kind, ledger_id] = LedgerDocument(
            ledger_id=ledger_id,
            kind=stated.kind,
            number=stated.number,
            customer_id=customer,
            currency=stated.currency,
            document_date=stated.document_date,
            total=stated.total,
            open_balance=stated.total,
            edit_token="0",
            email_status=None,
            lines=tuple(_ledger_line(each) for each in stated.lines),
            is_ours=True,
            marked_document_id=stated.document_id,
        )
        position = LedgerPosition(
            ledger_id=ledger_id,
            edit_token="0",
            total=stated.total,
            posted_at=POSTED_AT,
            generation=stated.generation,
        )
        return stated.model_copy(
            update={
                "status": DocumentStatus.POSTED,
                "version": stated.version + 1,
                "posted": position,
            }
        )

    def edit(self, posted: Document, **changes: Any) -> None:
        """Change a document as a person in the ledger would."""
        key = self._key(posted)
        token = str(int(self.held[key].edit_token) + 1)
        self.held[key] = replace(self.held[key], edit_token=token, **changes)

    def delete(self, posted: Document) -> None:
        """Delete a document as a person in the ledger would."""
        del self.held[self._key(posted)]

    def enter(self, ledger_id: str, **values: Any) -> None:
        """Enter an invoice by hand."""
        defaults: dict[str, Any] = {
            "ledger_id": ledger_id,
            "kind": DocumentKind.INVOICE,
            "number": "1001",
            "customer_id": "C-Acme",
            "currency": "USD",
            "document_date": date(2026, 3, 31),
            "total": Decimal("750.00"),
            "open_balance": Decimal("750.00"),
            "edit_token": "0",
            "email_status": None,
            "lines": (LedgerLine(1, None, None, Decimal(5), Decimal(150), Decimal("750.00")),),
        }
        entered = LedgerDocument(**{**defaults, **values})
        self.held[entered.kind, ledger_id] = entered

    @property
    def capabilities(self) -> Capabilities:
        """Invoices and credit memos, as the protocol's defaults say."""
        return Capabilities("memory", 50, 21, 0, 7, 5, amount_is_quantity_times_price=True)

    def write(self, write: LedgerWrite) -> LedgerDocument:
        """The reconciler never writes."""
        raise AssertionError(f"the reconciler wrote to a ledger: {write}")

    def find(self, document: Document) -> LedgerDocument | None:
        """Return the document with our marker."""
        held = self.held.values()
        return next((e for e in held if e.marked_document_id == document.document_id), None)

    def read(self, kind: DocumentKind, ledger_id: str) -> LedgerDocument | None:
        """Return one document."""
        return self.held.get((kind, ledger_id))

    def documents(self, kind: DocumentKind, first: date, last: date) -> Iterator[LedgerDocument]:
        """Yield the documents of a window."""
        for (held_kind, _), each in sorted(self.held.items()):
            if held_kind is kind and first <= each.document_date <= last:
                yield each

    def closed_through(self) -> date | None:
        """Return the closing date."""
        return self.closed

    def entities(self, kind: str) -> Iterator[LedgerEntity]:
        """Yield the customers."""
        if kind == "customer":
            for name, ledger_id in self.customers.items():
                yield LedgerEntity(kind, ledger_id, name)

    def resolve(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        """Return a customer by name; items are known by their name's text."""
        if kind == "item":
            return LedgerEntity(kind, f"I-{reference.name}", str(reference.name))
        known = self.customers.get(str(reference.name))
        return None if known is None else LedgerEntity(kind, known, str(reference.name))

    def check(self) -> Sequence[str]:
        """Return no problems."""
        return []

    def close(self) -> None:
        """Keep everything: one ledger serves many openings."""

    @staticmethod
    def _key(posted: Document) -> tuple[DocumentKind, str]:
        if posted.posted is None:
            raise AssertionError("not posted")
        return posted.kind, posted.posted.ledger_id


def _ledger_line(each: DocumentLine) -> LedgerLine:
    return LedgerLine(
        position=each.position,
        description=each.description,
        item_id=f"I-{each.item.name}" if each.item else None,
        quantity=each.quantity,
        unit_price=each.unit_price,
        amount=each.amount,
    )
