"""Ledger operations and lanes as rows: taking the next one, and what is known of each ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from hourbridge.common.book import LedgerBinding
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.common.store.rows import statement
from hourbridge.connectors.ledger import LedgerFile, LinkedTime, SettledInLedger
from hourbridge.poster.closes import closed_through
from hourbridge.poster.lanes import time_links
from hourbridge.poster.lanes.receipts import receipts_of
from hourbridge.poster.lanes.settling import settled_in_ledger
from hourbridge.poster.operations import OperationKind

_DUE = statement(
    """
    SELECT DISTINCT o.ledger_key FROM ledger_operation o
    LEFT JOIN lane l ON l.ledger_key = o.ledger_key
    WHERE o.state IN ('pending', 'sending', 'unknown') AND o.available_at <= :now
        AND coalesce(l.available_at <= :now, true)
    """
)
_BATCHED = ("create", "update", "delete")
_OPERATION = """
    SELECT o.*, c.payload #>> '{posted,ledger_id}' AS applies_to,
        d.payload #>> '{posted,ledger_id}' AS ledger_id,
        d.payload #>> '{posted,edit_token}' AS known_token
    FROM ledger_operation o
    JOIN document d ON d.document_id = o.document_id
    LEFT JOIN document c ON c.document_id = d.payload ->> 'credits_document_id'
        AND c.kind = 'invoice'
    WHERE o.ledger_key = :ledger_key AND o.available_at <= :now
"""
_NEXT = statement(
    f"""
    {_OPERATION} AND o.state IN ('pending', 'sending', 'unknown')
    ORDER BY o.id LIMIT 1 FOR UPDATE OF o
    """
)
_ALIKE = statement(
    f"""
    {_OPERATION} AND o.state = 'pending' AND NOT o.uncertain
        AND o.kind IN ('create', 'update', 'delete') AND o.payload ->> 'kind' = ANY(:kinds)
    ORDER BY o.id LIMIT :operations_max FOR UPDATE OF o
    """
)
_MARK_SENDING = statement(
    """
    UPDATE ledger_operation SET state = 'sending', uncertain = true, fencing = :fencing,
        attempts = attempts + 1, first_sent_at = coalesce(first_sent_at, :now), last_sent_at = :now
    WHERE id = :id
    """
)
_LET_SETTLE = statement(
    "UPDATE ledger_operation SET state = 'unknown', available_at = :available_at WHERE id = :id"
)
_POSTPONE = statement("UPDATE ledger_operation SET available_at = :available_at WHERE id = :id")
_TIME_FIRST = timedelta(seconds=1)
"""How long an invoice waits for the time activities that it is to be linked with."""
_FINISH = statement(
    """
    UPDATE ledger_operation SET state = :state, uncertain = :uncertain,
        attempts = attempts - :attempts_back, available_at = :available_at,
        error_code = :code, error_text = :detail,
        done_at = CASE WHEN :state IN ('done', 'cancelled') THEN CAST(:now AS timestamptz) END
    WHERE id = :id AND state = 'sending' AND fencing = :fencing
    """
)
_BINDING = statement(
    "SELECT payload -> 'ledger' FROM ledger_operation WHERE ledger_key = :ledger_key LIMIT 1"
)
_LANE = statement("SELECT state, failures FROM lane WHERE ledger_key = :ledger_key")
_OPEN_LANE = statement("DELETE FROM lane WHERE ledger_key = :ledger_key")
_STOP_LANE = statement(
    """
    INSERT INTO lane (ledger_key, state, available_at, failures, code, detail, since)
    VALUES (:ledger_key, :state, :available_at, :failures, :code, :detail, :now)
    ON CONFLICT (ledger_key) DO UPDATE SET state = excluded.state, code = excluded.code,
        available_at = excluded.available_at, failures = excluded.failures,
        detail = excluded.detail
    """
)


@dataclass(frozen=True)
class Taken:
    """An operation that is ours to send, as it was before it was marked as sending."""

    id: int
    operation_key: str
    book: str
    ledger_key: str
    kind: OperationKind
    document: Document
    detail: Mapping[str, Any]
    was_uncertain: bool
    """An earlier attempt may have taken effect."""
    attempts: int
    fencing: int
    ledger_id: str | None
    known_token: str | None
    applies_to: str | None
    payload_version: int = 1
    settles: tuple[SettledInLedger, ...] = ()
    files: tuple[LedgerFile, ...] = ()
    """Receipts, when they are to be attached."""
    time_links: tuple[LinkedTime, ...] = ()
    """Of invoices: posted time activities that their lines bill."""
    unposted: tuple[str, ...] = ()
    """Numbers of documents to be settled that the ledger doesn't have yet."""
    closed_through: date | None = None
    """The end of the newest month that the book itself has closed."""


@dataclass(frozen=True)
class LaneState:
    """What is known of a ledger that can't be used."""

    state: str
    failures: int


def due_ledgers(connection: Connection, now: datetime) -> list[str]:
    """Return the ledgers that have something to send and are not paused."""
    return sorted(connection.execute(_DUE, {"now": now}).scalars())


def take(
    connection: Connection,
    ledger_key: str,
    *,
    fencing: int,
    now: datetime,
    settled_before: datetime,
) -> Taken | None:
    """Mark the next due operation as sending and return it.

    One that may have been sent after ``settled_before`` is left to settle first: a write that is
    still on its way would not be found in the ledger.
    """
    while True:
        row = connection.execute(_NEXT, {"ledger_key": ledger_key, "now": now}).mappings().first()
        if row is None:
            return None
        uncertain = row["uncertain"] or row["state"] in ("sending", "unknown")
        if not uncertain and time_links.under_way(connection, row["payload"]):
            later = now + _TIME_FIRST
            connection.execute(_POSTPONE, {"id": row["id"], "available_at": later})
            continue
        if not (uncertain and row["last_sent_at"] and row["last_sent_at"] > settled_before):
            break
        available_at = now + (row["last_sent_at"] - settled_before)
        connection.execute(_LET_SETTLE, {"id": row["id"], "available_at": available_at})
    return _taken(connection, row, fencing=fencing, now=now, uncertain=uncertain)


def take_alike(
    connection: Connection,
    ledger_key: str,
    kinds: Collection[DocumentKind],
    *,
    fencing: int,
    now: datetime,
    operations_max: int,
) -> list[Taken]:
    """Mark further due operations as sending that can go in one call, and return them.

    Only what was certainly not sent yet, of these kinds of documents.
    """
    wanted = {"kinds": sorted(kinds), "operations_max": operations_max}
    rows = connection.execute(_ALIKE, {"ledger_key": ledger_key, "now": now, **wanted}).mappings()
    return [
        _taken(connection, row, fencing=fencing, now=now, uncertain=False) for row in rows.all()
    ]


def is_alike(taken: Taken, kinds: Collection[DocumentKind]) -> bool:
    """Return whether an operation can go in one call with others."""
    is_certain = not taken.was_uncertain and taken.kind in _BATCHED
    return is_certain and taken.document.kind in kinds


def _taken(
    connection: Connection, row: RowMapping, *, fencing: int, now: datetime, uncertain: bool
) -> Taken:
    connection.execute(_MARK_SENDING, {"id": row["id"], "fencing": fencing, "now": now})
    document = Document.model_validate(row["payload"])
    closed = closed_through(connection, row["book"])
    settles, unposted = settled_in_ledger(connection, document)
    return Taken(
        id=row["id"],
        operation_key=row["operation_key"],
        book=row["book"],
        ledger_key=row["ledger_key"],
        kind=row["kind"],
        document=document,
        detail=row["detail"],
        was_uncertain=uncertain,
        attempts=row["attempts"] + 1,
        fencing=fencing,
        ledger_id=row["ledger_id"],
        known_token=row["known_token"],
        applies_to=row["applies_to"],
        payload_version=row["payload_version"],
        settles=settles,
        files=receipts_of(connection, document) if row["kind"] == "apply" else (),
        time_links=time_links.posted(connection, document),
        unposted=unposted,
        closed_through=closed,
    )


def finish(
    connection: Connection,
    taken: Taken,
    *,
    state: str,
    now: datetime,
    uncertain: bool = False,
    available_at: datetime | None = None,
    attempts_back: int = 0,
    code: str | None = None,
    detail: str | None = None,
) -> bool:
    """Store what became of an operation; False when another holder has taken it over."""
    written = connection.execute(
        _FINISH,
        {
            "id": taken.id,
            "fencing": taken.fencing,
            "state": state,
            "uncertain": uncertain,
            "attempts_back": attempts_back,
            "available_at": available_at or now,
            "code": code,
            "detail": detail,
            "now": now,
        },
    )
    return written.rowcount == 1


def binding(connection: Connection, ledger_key: str) -> LedgerBinding:
    """Return the binding of a ledger that has operations."""
    row = connection.execute(_BINDING, {"ledger_key": ledger_key}).scalar_one()
    return LedgerBinding.model_validate(row)


def lane_state(connection: Connection, ledger_key: str) -> LaneState | None:
    """Return why a lane is stopped, None when it is open."""
    row = connection.execute(_LANE, {"ledger_key": ledger_key}).first()
    return None if row is None else LaneState(row.state, row.failures)


def open_lane(connection: Connection, ledger_key: str) -> None:
    """Record that the ledger can be used again."""
    connection.execute(_OPEN_LANE, {"ledger_key": ledger_key})


def stop_lane(
    connection: Connection,
    ledger_key: str,
    *,
    state: str,
    failures: int,
    available_at: datetime,
    code: str,
    detail: str,
    now: datetime,
) -> None:
    """Record that nothing is sent to this ledger until ``available_at``."""
    connection.execute(
        _STOP_LANE,
        {
            "ledger_key": ledger_key,
            "state": state,
            "failures": failures,
            "available_at": available_at,
            "code": code,
            "detail": detail[:1000],
            "now": now,
        },
    )
