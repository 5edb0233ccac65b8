"""Payments as the mapper states them: the newest state of each record, and how far it is posted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from hourbridge.common.messages.events import ChargeSetChanged, MappedPayment, Reason
from hourbridge.common.messages.records import RecordType
from hourbridge.common.store.rows import bulk, statement

# A payment that is posted stays as it is under a new mapping of the same record.
_UPSERT = statement(
    """
    INSERT INTO stated_payment AS p (record_id, book, revision, mapping_version, client,
        payment_date, payload, state, changed_at)
    SELECT r.*, CASE WHEN r.payload IS NULL THEN 'done' ELSE 'due' END, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        record_id text, book text, revision bigint, mapping_version integer, client text,
        payment_date date, payload text)
    ON CONFLICT (record_id) DO UPDATE SET
        revision = excluded.revision, mapping_version = excluded.mapping_version,
        client = excluded.client, payment_date = excluded.payment_date,
        payload = excluded.payload, changed_at = :now, reason = NULL,
        state = CASE WHEN excluded.payload IS NOT DISTINCT FROM p.posted THEN 'done' ELSE 'due' END
    WHERE (p.revision, p.mapping_version) < (excluded.revision, excluded.mapping_version)
        AND (p.posted IS NULL OR p.revision < excluded.revision)
    """
)
_DUE = statement(
    """
    SELECT record_id FROM stated_payment WHERE state = 'due'
    ORDER BY book, payment_date, record_id LIMIT :limit
    """
)
_BOOK = statement("SELECT book FROM stated_payment WHERE record_id = :record_id")
_LOCK_BOOK = statement(
    "SELECT pg_advisory_xact_lock(hashtextextended('payments' || chr(31) || :book, 0))"
)
_LOCK = statement(
    "SELECT * FROM stated_payment WHERE record_id = :record_id AND state = 'due' FOR UPDATE"
)
_PARK = statement(
    """
    UPDATE stated_payment SET state = 'parked', reason = CAST(:reason AS jsonb), changed_at = :now
    WHERE record_id = :record_id
    """
)
_DONE = statement(
    """
    UPDATE stated_payment SET state = :state, reason = NULL, posted = :posted,
        generation = :generation, changed_at = :now
    WHERE record_id = :record_id
    """
)
_WAKE = "UPDATE stated_payment SET state = 'due' WHERE state = 'parked' AND "
_WAKE_BOOK = statement(_WAKE + "book = :book")
_WAKE_ALL = statement(_WAKE + "reason ->> 'code' = :code")
_WAKE_ONE = statement(_WAKE + "record_id = :record_id")
_PARKED = statement(
    """
    SELECT record_id AS id, book, 'payment' AS kind, record_id AS subject,
        reason ->> 'code' AS code, reason ->> 'detail' AS detail,
        reason ->> 'waits_for' AS waits_for, changed_at AS since
    FROM stated_payment WHERE state = 'parked' AND (CAST(:book AS text) IS NULL OR book = :book)
    ORDER BY changed_at, record_id LIMIT :limit
    """
)


@dataclass(frozen=True)
class StatedPayment:
    """A payment to be posted, or to be taken back and posted anew."""

    record_id: str
    book: str
    payment: MappedPayment | None
    """None: the source took it back."""
    posted: MappedPayment | None
    """What stands in the books for it now."""
    generation: int
    """How often it was posted; part of every key that is made for it."""

    @property
    def key(self) -> tuple[str, ...]:
        """Return what names the next posting of this payment, and no other one."""
        return ("payment", self.record_id, str(self.generation + 1))

    @property
    def posted_key(self) -> tuple[str, ...]:
        """Return what names the posting that stands."""
        return ("payment", self.record_id, str(self.generation))


def keep(
    connection: Connection, changed: Iterable[tuple[str, ChargeSetChanged]], now: datetime
) -> None:
    """Keep the newest state of every payment; what is posted already and unchanged stays."""
    rows = [
        _row(book, change) for book, change in changed if change.record_type is RecordType.PAYMENT
    ]
    if rows:
        bulk(connection, _UPSERT, rows, now=now)


def due(connection: Connection, *, limit: int) -> list[str]:
    """Return the payments to look at, in the order of their dates."""
    return list(connection.execute(_DUE, {"limit": limit}).scalars())


def lock(connection: Connection, record_id: str) -> StatedPayment | None:
    """Lock a book's payments and return this one if it is still due.

    One book's payments are settled one after the other: which document a payment pays must not
    depend on who was faster.
    """
    row = connection.execute(_BOOK, {"record_id": record_id}).first()
    if row is None:
        return None
    connection.execute(_LOCK_BOOK, {"book": row.book})
    held = connection.execute(_LOCK, {"record_id": record_id}).mappings().first()
    return None if held is None else _stated(held)


def park(connection: Connection, record_id: str, reason: Reason, now: datetime) -> None:
    """Let a payment wait for what ``reason`` names."""
    parameters = {"record_id": record_id, "reason": reason.model_dump_json(), "now": now}
    connection.execute(_PARK, parameters)


def note_posted(connection: Connection, stated: StatedPayment, now: datetime) -> None:
    """Record that a payment stands in the books as it is stated now."""
    _note(connection, stated, stated.payment, stated.generation + 1, now)


def note_taken_back(connection: Connection, stated: StatedPayment, now: datetime) -> StatedPayment:
    """Record that nothing stands in the books for a payment; return it as it is then."""
    _note(connection, stated, None, stated.generation, now)
    return StatedPayment(stated.record_id, stated.book, stated.payment, None, stated.generation)


def wake_book(connection: Connection, book: str) -> None:
    """Look again at what waits in a book: a document reached the ledger."""
    connection.execute(_WAKE_BOOK, {"book": book})


def wake_all(connection: Connection, code: str) -> None:
    """Look again at everything that waits for a reason."""
    connection.execute(_WAKE_ALL, {"code": code})


def wake_one(connection: Connection, record_id: str) -> bool:
    """Look again at one payment; return whether it was parked."""
    return connection.execute(_WAKE_ONE, {"record_id": record_id}).rowcount == 1


def parked(connection: Connection, book: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the payments that wait, the longest waiting first."""
    rows = connection.execute(_PARKED, {"book": book, "limit": limit}).mappings()
    return [dict(row) for row in rows]


def _note(
    connection: Connection,
    stated: StatedPayment,
    posted: MappedPayment | None,
    generation: int,
    now: datetime,
) -> None:
    connection.execute(
        _DONE,
        {
            "record_id": stated.record_id,
            "posted": None if posted is None else _payload(posted),
            "generation": generation,
            "state": "done" if posted == stated.payment else "due",
            "now": now,
        },
    )


def _row(book: str, change: ChargeSetChanged) -> dict[str, Any]:
    payment = change.payment
    return {
        "record_id": change.record_id,
        "book": book,
        "revision": change.record_revision,
        "mapping_version": change.mapping_version,
        "client": change.client or "",
        "payment_date": change.work_date,
        "payload": None if payment is None else _payload(payment),
    }


def _payload(payment: MappedPayment) -> str:
    return payment.model_dump_json(exclude_none=True)


def _stated(row: RowMapping | Mapping[str, Any]) -> StatedPayment:
    return StatedPayment(
        row["record_id"],
        row["book"],
        _parsed(row["payload"]),
        _parsed(row["posted"]),
        row["generation"],
    )


def _parsed(payload: str | None) -> MappedPayment | None:
    return None if payload is None else MappedPayment.model_validate_json(payload)
