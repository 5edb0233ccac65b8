"""What we owe by a record and may not post before a person has looked: stored questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic_core import to_json
from sqlalchemy import Connection

from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Charge
from hourbridge.common.store.rows import statement

NUMBER_TAKEN = "vendor_bill_number_taken"
BILL_CHANGED = "vendor_bill_changed"
SUSPECTED = "suspected_duplicate"
Choice = Literal["kept", "new", "distinct", "duplicate"]
CHOICES: dict[str, tuple[Choice, ...]] = {
    NUMBER_TAKEN: ("kept", "duplicate"),
    BILL_CHANGED: ("kept", "new"),
    SUSPECTED: ("distinct", "duplicate"),
}
"""What a person can decide. A number that is taken is put right at its source."""

_READ = statement("SELECT * FROM payable_hold WHERE record_id = ANY(:records) FOR UPDATE")
_RAISE = statement(
    """
    INSERT INTO payable_hold AS h (record_id, book, code, subject, detail, facts, matched, state,
        since)
    VALUES (:record_id, :book, :code, :subject, :detail, :facts, CAST(:matched AS jsonb), 'open',
        :now)
    ON CONFLICT (record_id) DO UPDATE SET code = excluded.code, subject = excluded.subject,
        detail = excluded.detail, facts = excluded.facts, matched = excluded.matched,
        state = 'open', decided_by = NULL, decided_at = NULL,
        since = CASE WHEN h.state = 'open' THEN h.since ELSE excluded.since END
    WHERE h.facts <> excluded.facts OR h.code <> excluded.code OR h.detail <> excluded.detail
    """
)
_DROP = statement("DELETE FROM payable_hold WHERE record_id = :record_id AND state = 'open'")
_FORGET = statement("DELETE FROM payable_hold WHERE record_id = ANY(:records)")
_LOCK = statement("SELECT * FROM payable_hold WHERE record_id = :record_id FOR UPDATE")
_DECIDE = statement(
    """
    UPDATE payable_hold SET state = :choice, decided_by = :actor, decided_at = :now
    WHERE record_id = :record_id
    """
)
_LIST = statement(
    """
    SELECT record_id AS id, book, 'payable' AS kind, subject, code, detail,
        'decision:' || record_id AS waits_for, since, matched
    FROM payable_hold
    WHERE state = 'open' AND (CAST(:book AS text) IS NULL OR book = :book)
    ORDER BY since, record_id LIMIT :limit
    """
)


@dataclass(frozen=True)
class Hold:
    """One question about a record: what it is about, and what was decided."""

    record_id: str
    book: str
    code: str
    detail: str
    facts: str
    state: str


@dataclass(frozen=True)
class Question:
    """A question to be raised."""

    code: str
    subject: str
    detail: str
    matched: dict[str, Any]


def facts_of(charges: Sequence[Charge]) -> str:
    """Return a text that changes when what a record makes us owe does: whom, when, how much."""
    parts = []
    for charge in sorted(charges, key=lambda charge: charge.charge_id):
        owed, cost = charge.payable, charge.cost
        if owed is not None:
            parts += [owed.vendor.key, owed.bill_number or "", str(charge.work_date)]
        parts += [charge.currency, str(charge.amount), str(charge.worked_seconds)]
        parts.append(str(cost.tax) if cost else "")
    return derive_key("owed", *parts)


def known(connection: Connection, records: Sequence[str]) -> dict[str, Hold]:
    """Return and lock the questions about records, open or decided."""
    if not records:
        return {}
    rows = connection.execute(_READ, {"records": sorted(set(records))})
    return {row.record_id: _hold(row) for row in rows}


def ask(
    connection: Connection,
    book: str,
    record_id: str,
    question: Question,
    *,
    facts: str,
    now: datetime,
) -> None:
    """Raise a question; the same one again changes nothing."""
    connection.execute(
        _RAISE,
        {
            "record_id": record_id,
            "book": book,
            "code": question.code,
            "subject": question.subject,
            "detail": question.detail,
            "facts": facts,
            "matched": to_json(question.matched).decode(),
            "now": now,
        },
    )


def settle(connection: Connection, record_id: str) -> None:
    """Drop an open question that has answered itself."""
    connection.execute(_DROP, {"record_id": record_id})


def forget(connection: Connection, records: Sequence[str]) -> None:
    """Drop all that was asked and decided about records: what it was about is taken back."""
    if records:
        connection.execute(_FORGET, {"records": list(records)})


def lock(connection: Connection, record_id: str) -> Hold | None:
    """Return and lock the question about a record."""
    row = connection.execute(_LOCK, {"record_id": record_id}).first()
    return None if row is None else _hold(row)


def decide(
    connection: Connection, record_id: str, choice: Choice, *, actor: str, now: datetime
) -> None:
    """Record what a person decided."""
    parameters = {"record_id": record_id, "choice": choice, "actor": actor, "now": now}
    connection.execute(_DECIDE, parameters)


def open_holds(connection: Connection, book: str | None, limit: int) -> list[dict[str, Any]]:
    """Return open questions, the longest waiting first."""
    rows = connection.execute(_LIST, {"book": book, "limit": limit}).mappings()
    return [dict(row) for row in rows]


def _hold(row: Any) -> Hold:
    return Hold(row.record_id, row.book, row.code, row.detail, row.facts, row.state)
