"""Revaluation runs and what they made: one standing entry and reversal per ledger and month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection

from hourbridge.common.ids import random_id
from hourbridge.common.messages.events import Reason
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.rows import statement

_ASK = statement(
    """
    INSERT INTO revaluation_run
        (run_id, book, last_day, state, available_at, requested_by, requested_at)
    VALUES (:run_id, :book, :last_day, 'waiting', :now, :actor, :now)
    """
)
_OPEN = statement(
    """
    SELECT run_id, book, last_day FROM revaluation_run
    WHERE state = 'waiting' AND available_at <= :now ORDER BY requested_at, run_id
    """
)
_READ = statement("SELECT * FROM revaluation_run WHERE run_id = :run_id")
_ASKED_FOR = statement(
    "SELECT EXISTS (SELECT 1 FROM revaluation_run WHERE book = :book AND last_day = :last_day)"
)
_FINISH = statement(
    """
    UPDATE revaluation_run SET state = 'completed', reason = NULL, finished_at = :now,
        result = CAST(:result AS jsonb)
    WHERE run_id = :run_id AND state = 'waiting'
    """
)
_SUPERSEDE = statement(
    """
    UPDATE revaluation_run r SET state = 'completed', finished_at = :now
    FROM revaluation_run done
    WHERE done.run_id = :run_id AND r.book = done.book AND r.last_day = done.last_day
        AND r.state = 'parked'
    """
)
_WAIT = statement(
    """
    UPDATE revaluation_run SET state = :state, reason = CAST(:reason AS jsonb),
        available_at = :available_at
    WHERE run_id = :run_id AND state = 'waiting'
    """
)
_LOCK_BOOK = statement(
    "SELECT pg_advisory_xact_lock(hashtextextended('revaluation' || chr(31) || :book, 0))"
)
_STANDING = statement(
    """
    SELECT DISTINCT ON (ledger_key) * FROM revaluation
    WHERE book = :book AND last_day = :last_day ORDER BY ledger_key, generation DESC
    """
)
_INSERT = statement(
    """
    INSERT INTO revaluation
        (book, ledger_key, last_day, generation, content_key, entry_id, reversal_id, made_at)
    VALUES (:book, :ledger_key, :last_day, :generation, :content_key, :entry_id, :reversal_id,
        :now)
    """
)
_MADE = statement(
    """
    SELECT r.last_day, r.ledger_key AS ledger, r.generation, e.number AS entry,
        e.status AS entry_status, v.number AS reversal, v.status AS reversal_status, r.made_at
    FROM revaluation r
    LEFT JOIN document e ON e.document_id = r.entry_id
    LEFT JOIN document v ON v.document_id = r.reversal_id
    WHERE r.book = :book ORDER BY r.last_day DESC, r.ledger_key, r.generation DESC LIMIT :limit
    """
)
_PARKED = statement(
    """
    SELECT run_id AS id, book, 'revaluation' AS kind, to_char(last_day, 'YYYY-MM') AS subject,
        reason ->> 'code' AS code, reason ->> 'detail' AS detail,
        reason ->> 'waits_for' AS waits_for, requested_at AS since
    FROM revaluation_run WHERE state = 'parked' AND (CAST(:book AS text) IS NULL OR book = :book)
    ORDER BY requested_at, run_id LIMIT :limit
    """
)


@dataclass(frozen=True)
class Asked:
    """A month that somebody wants revalued."""

    run_id: str
    book: str
    last_day: date


@dataclass(frozen=True)
class Standing:
    """The last revaluation of a month in a ledger."""

    ledger_key: str
    generation: int
    content_key: str
    entry_id: str | None
    reversal_id: str | None


def ask(connection: Connection, book: str, last_day: date, actor: str, now: datetime) -> str:
    """Record the wish for a revaluation and return its id."""
    run_id = random_id()
    parameters = {"run_id": run_id, "book": book, "last_day": last_day, "actor": actor, "now": now}
    connection.execute(_ASK, parameters)
    return run_id


def was_asked_for(connection: Connection, book: str, last_day: date) -> bool:
    """Return whether anybody asked for a month's revaluation already."""
    found = connection.execute(_ASKED_FOR, {"book": book, "last_day": last_day}).scalar_one()
    return bool(found)


def open_runs(connection: Connection, now: datetime) -> list[Asked]:
    """Return the runs that can be performed, in the order in which they were asked for."""
    return [Asked(**row) for row in connection.execute(_OPEN, {"now": now}).mappings()]


def read(connection: Connection, run_id: str) -> dict[str, Any]:
    """Return a run for people, or raise NotFound."""
    row = connection.execute(_READ, {"run_id": run_id}).mappings().first()
    if row is None:
        raise NotFound("there is no such revaluation run", run=run_id)
    return dict(row)


def finish(connection: Connection, run_id: str, result: Mapping[str, Any], now: datetime) -> None:
    """Record what a run came to; parked ones of the same month are settled with it."""
    parameters = {"run_id": run_id, "result": to_json(result).decode(), "now": now}
    connection.execute(_FINISH, parameters)
    connection.execute(_SUPERSEDE, {"run_id": run_id, "now": now})


def wait(
    connection: Connection, run_id: str, reason: Reason, *, state: str, available_at: datetime
) -> None:
    """Let a run wait: parked until somebody acts, or waiting until it is tried again."""
    parameters = {
        "run_id": run_id,
        "reason": reason.model_dump_json(),
        "state": state,
        "available_at": available_at,
    }
    connection.execute(_WAIT, parameters)


def lock_book(connection: Connection, book: str) -> None:
    """Let nobody else revalue the book until the transaction ends."""
    connection.execute(_LOCK_BOOK, {"book": book})


def standing(connection: Connection, book: str, last_day: date) -> dict[str, Standing]:
    """Return the last revaluation of a month, by ledger."""
    rows = connection.execute(_STANDING, {"book": book, "last_day": last_day}).mappings()
    return {
        row["ledger_key"]: Standing(
            row["ledger_key"],
            row["generation"],
            row["content_key"],
            row["entry_id"],
            row["reversal_id"],
        )
        for row in rows
    }


def insert(
    connection: Connection, book: str, last_day: date, made: Standing, now: datetime
) -> None:
    """Record a revaluation."""
    connection.execute(
        _INSERT,
        {
            "book": book,
            "ledger_key": made.ledger_key,
            "last_day": last_day,
            "generation": made.generation,
            "content_key": made.content_key,
            "entry_id": made.entry_id,
            "reversal_id": made.reversal_id,
            "now": now,
        },
    )


def made(connection: Connection, book: str, limit: int) -> list[dict[str, Any]]:
    """Return the revaluations of a book, newest month first."""
    rows = connection.execute(_MADE, {"book": book, "limit": limit}).mappings()
    return [dict(row) for row in rows]


def parked(connection: Connection, book: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the runs that wait for somebody."""
    rows = connection.execute(_PARKED, {"book": book, "limit": limit}).mappings()
    return [dict(row) for row in rows]
