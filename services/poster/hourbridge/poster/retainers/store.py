"""Retainers, their movements and what asks for a look at them, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping

from hourbridge.billing.retainers.lots import Lot, LotPart, Movement, MovementKind, lots_of, root_of
from hourbridge.common.book import LedgerBinding, LedgerReference
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import Document, DocumentKind, DocumentStatus
from hourbridge.common.store.rows import bulk, statement

RetainerKind = Literal["standard", "trust", "non_refundable"]

_INSERT = statement(
    """
    INSERT INTO retainer (retainer_id, book, client, engagement, kind, currency, customer, ledger,
        created_at)
    VALUES (:retainer_id, :book, :client, :engagement, :kind, :currency,
        CAST(:customer AS jsonb), CAST(:ledger AS jsonb), :now)
    ON CONFLICT DO NOTHING
    """
)
_LOCK = statement("SELECT * FROM retainer WHERE retainer_id = :retainer_id FOR UPDATE")
_READ = statement("SELECT * FROM retainer WHERE retainer_id = :retainer_id")
_REBIND = statement(
    "UPDATE retainer SET ledger = CAST(:ledger AS jsonb) WHERE retainer_id = :retainer_id"
)
_LIST = statement(
    """
    SELECT * FROM retainer
    WHERE book = :book AND (CAST(:client AS text) IS NULL OR client = :client)
    ORDER BY client, engagement
    """
)
# A document that was withdrawn never moved anything. One that was posted once is in the ledger,
# whatever is being done to it now.
_MOVEMENTS = statement(
    """
    SELECT m.*, d.number, d.status, CAST(d.payload ->> 'document_date' AS date) AS day,
        d.status = 'posted' OR d.payload ? 'posted' AS is_posted
    FROM retainer_movement m JOIN document d ON d.document_id = m.movement_id
    WHERE m.retainer_id = :retainer_id AND d.status <> 'withdrawn'
    ORDER BY m.position
    """
)
_COUNT = statement("SELECT count(*) FROM retainer_movement WHERE retainer_id = :retainer_id")
_BEFORE = statement(
    "SELECT 1 FROM retainer_movement WHERE retainer_id = :retainer_id AND invoice_id = :invoice_id"
)
_INSERT_MOVEMENT = statement(
    """
    INSERT INTO retainer_movement (movement_id, retainer_id, kind, amount, base_amount,
        counter_base, parts, reverses, invoice_id, origin, stated_date, by)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(movement_id text,
        retainer_id text, kind text, amount numeric, base_amount numeric, counter_base numeric,
        parts jsonb, reverses text, invoice_id text, origin text, stated_date date, by text)
    """
)
_ORIGIN = statement(
    "SELECT DISTINCT retainer_id FROM retainer_movement WHERE origin = :origin ORDER BY retainer_id"
)
_ASK = statement(
    "INSERT INTO retainer_due (book, client, engagement) VALUES (:book, :client, :engagement)"
)
_ASK_ALL = statement(
    """
    INSERT INTO retainer_due (book, client, engagement)
    SELECT book, client, engagement FROM retainer WHERE book = ANY(CAST(:books AS text[]))
    """
)
_ENGAGEMENT_OF = statement(
    """
    SELECT payload ->> 'client' AS client, payload ->> 'engagement' AS engagement FROM document
    WHERE document_id = :document_id AND payload ? 'engagement'
    """
)
_DUE = statement(
    "SELECT book, client, engagement, max(id) AS id FROM retainer_due GROUP BY 1, 2, 3"
)
_LOOKED_AT = statement(
    """
    DELETE FROM retainer_due WHERE book = :book AND client = :client AND engagement = :engagement
        AND id <= :id
    """
)
_WAITING = statement(
    "SELECT count(DISTINCT (client, engagement)) FROM retainer_due "
    "WHERE CAST(:book AS text) IS NULL OR book = :book"
)


@dataclass(frozen=True)
class Retainer:
    """Whose money it is, and for what."""

    retainer_id: str
    book: str
    client: str
    engagement: str
    kind: RetainerKind
    currency: str
    customer: LedgerReference
    ledger: LedgerBinding


@dataclass(frozen=True)
class Booked:
    """A movement with the document that carried it out."""

    movement: Movement
    number: str
    status: str
    invoice_id: str | None
    origin: str | None
    stated_date: date
    by: str


@dataclass(frozen=True)
class SubLedger:
    """A retainer with all of its movements, in the order in which they were made."""

    retainer: Retainer
    booked: tuple[Booked, ...]

    @property
    def movements(self) -> list[Movement]:
        """Return the movements alone."""
        return [booked.movement for booked in self.booked]

    @property
    def lots(self) -> tuple[Lot, ...]:
        """Return the money that is there to be used, oldest first."""
        return lots_of(self.movements)

    def lots_from(self, receipts: Collection[str]) -> list[Lot]:
        """Return what is left of some receipts, whether the ledger has them yet or not."""
        lots = lots_of(self.movements, announced=True)
        return [lot for lot in lots if root_of(lot.lot_id) in receipts]

    @property
    def balance(self) -> Decimal:
        """Return the balance with everything that is under way."""
        return sum((movement.effect for movement in self.movements), Decimal(0))

    def of_invoice(self, invoice_id: str) -> list[Movement]:
        """Return the applications to an invoice and what came back, in their order."""
        return [b.movement for b in self.booked if b.invoice_id == invoice_id]


@dataclass(frozen=True)
class Due:
    """A retainer to look at, whether it has received money or not."""

    book: str
    client: str
    engagement: str
    upto: int


def retainer_id(book: str, client: str, engagement: str) -> str:
    """Return the id of a client's retainer."""
    return derive_id("retainer", book, client, engagement)


def create(connection: Connection, retainer: Retainer, now: datetime) -> None:
    """Store a retainer unless it exists."""
    connection.execute(
        _INSERT,
        {
            "retainer_id": retainer.retainer_id,
            "book": retainer.book,
            "client": retainer.client,
            "engagement": retainer.engagement,
            "kind": retainer.kind,
            "currency": retainer.currency,
            "customer": retainer.customer.model_dump_json(),
            "ledger": retainer.ledger.model_dump_json(),
            "now": now,
        },
    )


def rebind(connection: Connection, key: str, ledger: LedgerBinding) -> None:
    """Let a (locked) retainer's further movements go to another ledger."""
    connection.execute(_REBIND, {"retainer_id": key, "ledger": ledger.model_dump_json()})


def lock(connection: Connection, key: str) -> SubLedger | None:
    """Lock a retainer and return it with its movements: from here on nobody else moves it."""
    row = connection.execute(_LOCK, {"retainer_id": key}).mappings().first()
    return None if row is None else _sub_ledger(connection, row)


def read(connection: Connection, key: str) -> SubLedger | None:
    """Return a retainer with its movements."""
    row = connection.execute(_READ, {"retainer_id": key}).mappings().first()
    return None if row is None else _sub_ledger(connection, row)


def of_book(connection: Connection, book: str, client: str | None = None) -> list[SubLedger]:
    """Return the retainers of a book, or of one of its clients."""
    rows = connection.execute(_LIST, {"book": book, "client": client}).mappings().all()
    return [_sub_ledger(connection, row) for row in rows]


def movements_made(connection: Connection, key: str) -> int:
    """Return how many movements a retainer ever had, withdrawn ones too."""
    return int(connection.execute(_COUNT, {"retainer_id": key}).scalar_one())


def was_applied(connection: Connection, key: str, invoice_id: str) -> bool:
    """Return whether something was ever applied to an invoice, even if it was withdrawn."""
    asked = {"retainer_id": key, "invoice_id": invoice_id}
    return connection.execute(_BEFORE, asked).first() is not None


def add_movement(connection: Connection, sub: SubLedger, booked: Booked) -> None:
    """Store one movement; its document is stored already."""
    movement = booked.movement
    row: dict[str, Any] = {
        "movement_id": movement.movement_id,
        "retainer_id": sub.retainer.retainer_id,
        "kind": movement.kind,
        "amount": str(movement.amount),
        "base_amount": str(movement.base_amount),
        "counter_base": str(movement.counter_base),
        "parts": [part.model_dump(mode="json", exclude_none=True) for part in movement.parts],
        "reverses": movement.reverses,
        "invoice_id": booked.invoice_id,
        "origin": booked.origin,
        "stated_date": booked.stated_date.isoformat(),
        "by": booked.by,
    }
    bulk(connection, _INSERT_MOVEMENT, [row])


def moved_by(connection: Connection, origin: str) -> list[str]:
    """Return the retainers that a payment ever moved."""
    return list(connection.execute(_ORIGIN, {"origin": origin}).scalars())


def ask(connection: Connection, book: str, client: str, engagement: str) -> None:
    """Ask for a look at a retainer."""
    connection.execute(_ASK, {"book": book, "client": client, "engagement": engagement})


def ask_all(connection: Connection, books: Sequence[str]) -> None:
    """Ask for a look at every retainer of some books: their policies may have changed."""
    if books:
        connection.execute(_ASK_ALL, {"books": list(books)})


def note_posted(connection: Connection, book: str, document: Document) -> None:
    """Ask for a look at the retainer that a posted document concerns, if any does."""
    client, engagement = document.client, document.engagement
    if document.kind is DocumentKind.CREDIT_MEMO and engagement is None:
        asked = {"document_id": document.credits_document_id}
        row = connection.execute(_ENGAGEMENT_OF, asked).first()
        client, engagement = (row.client, row.engagement) if row else (client, None)
    if engagement is not None and document.status is DocumentStatus.POSTED:
        ask(connection, book, client, engagement)


def due(connection: Connection) -> list[Due]:
    """Return what asks for a look."""
    return [Due(row.book, row.client, row.engagement, row.id) for row in connection.execute(_DUE)]


def looked_at(connection: Connection, asked: Due) -> None:
    """Forget what asked for this look; what asked since stays."""
    connection.execute(
        _LOOKED_AT,
        {
            "book": asked.book,
            "client": asked.client,
            "engagement": asked.engagement,
            "id": asked.upto,
        },
    )


def waiting(connection: Connection, book: str | None = None) -> int:
    """Return how many retainers, of one book or of all, are still to be looked at."""
    return int(connection.execute(_WAITING, {"book": book}).scalar_one())


def _sub_ledger(connection: Connection, row: RowMapping) -> SubLedger:
    retainer = Retainer(
        retainer_id=row["retainer_id"],
        book=row["book"],
        client=row["client"],
        engagement=row["engagement"],
        kind=row["kind"],
        currency=row["currency"],
        customer=LedgerReference.model_validate(row["customer"]),
        ledger=LedgerBinding.model_validate(row["ledger"]),
    )
    rows = connection.execute(_MOVEMENTS, {"retainer_id": retainer.retainer_id}).mappings()
    return SubLedger(retainer, tuple(_booked(moved) for moved in rows))


def _booked(row: RowMapping) -> Booked:
    movement = Movement(
        movement_id=row["movement_id"],
        kind=MovementKind(row["kind"]),
        day=row["day"],
        parts=tuple(LotPart.model_validate(part) for part in row["parts"]),
        counter_base=row["counter_base"],
        reverses=row["reverses"],
        is_posted=row["is_posted"],
    )
    return Booked(
        movement=movement,
        number=row["number"],
        status=row["status"],
        invoice_id=row["invoice_id"],
        origin=row["origin"],
        stated_date=row["stated_date"],
        by=row["by"],
    )
