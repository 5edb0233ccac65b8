"""List operations as rows: which lanes have something due, taking the next, storing outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, RowMapping

from hourbridge.common.messages.events import ListChangeRequested
from hourbridge.common.messages.records import ListEntry
from hourbridge.common.store.rows import statement

_DUE = statement(
    """
    SELECT DISTINCT o.lane_key FROM list_operation o
    LEFT JOIN lane l ON l.ledger_key = o.lane_key
    WHERE o.state IN ('pending', 'sending', 'unknown') AND o.available_at <= :now
        AND coalesce(l.available_at <= :now, true)
    """
)
_NEXT = statement(
    # Two changes that stand for the same thing on the other side are never made side by side.
    """
    SELECT o.* FROM list_operation o
    WHERE o.lane_key = :lane_key AND o.state IN ('pending', 'sending', 'unknown')
        AND o.available_at <= :now
        AND NOT EXISTS (
            SELECT 1 FROM list_operation e
            WHERE e.lane_key = o.lane_key AND e.list_name = o.list_name AND e.origin = o.origin
                AND e.id < o.id AND e.state IN ('pending', 'sending', 'unknown'))
    ORDER BY o.id LIMIT 1 FOR UPDATE OF o
    """
)
_MADE = statement(
    """
    SELECT entry FROM list_operation
    WHERE lane_key = :lane_key AND list_name = :list_name AND origin = :origin
        AND kind = 'create' AND state = 'done' AND entry IS NOT NULL
    ORDER BY id DESC LIMIT 1
    """
)
_MARK_SENDING = statement(
    """
    UPDATE list_operation SET state = 'sending', uncertain = true, fencing = :fencing,
        attempts = attempts + 1, first_sent_at = coalesce(first_sent_at, :now), last_sent_at = :now
    WHERE id = :id
    """
)
_LET_SETTLE = statement(
    "UPDATE list_operation SET state = 'unknown', available_at = :available_at WHERE id = :id"
)
_FINISH = statement(
    """
    UPDATE list_operation SET state = :state, uncertain = :uncertain,
        attempts = attempts - :attempts_back, available_at = :available_at,
        error_code = :code, error_text = :detail, told = :told,
        entry = coalesce(CAST(:entry AS jsonb), entry),
        done_at = CASE WHEN :state IN ('done', 'refused') THEN CAST(:now AS timestamptz) END
    WHERE id = :id AND state = 'sending' AND fencing = :fencing
    """
)
_ANY = statement("SELECT request FROM list_operation WHERE lane_key = :lane_key LIMIT 1")


@dataclass(frozen=True)
class TakenChange:
    """A change that is ours to send, as it was before it was marked as sending."""

    id: int
    operation_key: str
    change_id: str
    generation: int
    book: str
    lane_key: str
    kind: str
    list_name: str
    origin: str | None
    request: Mapping[str, Any]
    was_uncertain: bool
    """An earlier attempt may have taken effect."""
    attempts: int
    fencing: int
    told: str | None
    """The outcome that was told last."""
    made_entry: ListEntry | None
    """What an earlier create for the same origin made: it is changed, not made again."""

    @property
    def change(self) -> ListChangeRequested:
        """The requested change; marks have none."""
        return ListChangeRequested.model_validate(self.request)


def due_lanes(connection: Connection, now: datetime) -> list[str]:
    """Return the lanes that have something to send and are not paused."""
    return sorted(connection.execute(_DUE, {"now": now}).scalars())


def any_request(connection: Connection, lane_key: str) -> Mapping[str, Any]:
    """Return one request of a lane: all of them name the same system."""
    request: Mapping[str, Any] = connection.execute(_ANY, {"lane_key": lane_key}).scalar_one()
    return request


def take(
    connection: Connection,
    lane_key: str,
    *,
    fencing: int,
    now: datetime,
    settled_before: datetime,
) -> TakenChange | None:
    """Mark the next due change as sending and return it.

    One that may have been sent after ``settled_before`` is left to settle first: a write that is
    still on its way would not be found.
    """
    while True:
        row = connection.execute(_NEXT, {"lane_key": lane_key, "now": now}).mappings().first()
        if row is None:
            return None
        uncertain = row["uncertain"] or row["state"] in ("sending", "unknown")
        if not (uncertain and row["last_sent_at"] and row["last_sent_at"] > settled_before):
            break
        available_at = now + (row["last_sent_at"] - settled_before)
        connection.execute(_LET_SETTLE, {"id": row["id"], "available_at": available_at})
    connection.execute(_MARK_SENDING, {"id": row["id"], "fencing": fencing, "now": now})
    return TakenChange(
        id=row["id"],
        operation_key=row["operation_key"],
        change_id=row["change_id"],
        generation=row["generation"],
        book=row["book"],
        lane_key=row["lane_key"],
        kind=row["kind"],
        list_name=row["list_name"],
        origin=row["origin"],
        request=row["request"],
        was_uncertain=uncertain,
        attempts=row["attempts"] + 1,
        fencing=fencing,
        told=row["told"],
        made_entry=_made(connection, row) if row["kind"] == "create" else None,
    )


def finish(
    connection: Connection,
    taken: TakenChange,
    *,
    state: str,
    now: datetime,
    told: str | None,
    uncertain: bool = False,
    available_at: datetime | None = None,
    attempts_back: int = 0,
    code: str | None = None,
    detail: str | None = None,
    entry: ListEntry | None = None,
) -> bool:
    """Store what became of a change; False when another holder has taken it over."""
    stored = None if entry is None else entry.model_dump_json(exclude_none=True)
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
            "told": told,
            "entry": stored,
            "now": now,
        },
    )
    return written.rowcount == 1


def _made(connection: Connection, row: RowMapping) -> ListEntry | None:
    if row["origin"] is None:
        return None
    same = {name: row[name] for name in ("lane_key", "list_name", "origin")}
    entry = connection.execute(_MADE, same).scalar()
    return None if entry is None else ListEntry.model_validate_json(to_json(entry))
