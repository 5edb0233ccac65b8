"""What the mapper remembers of entries' local times: decisions of people, and days once made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hourbridge.common.messages.records import Record, TimeEntry
from hourbridge.common.store.rows import bulk, statement
from hourbridge.mapper.rules.moments import Folds, states_wall_times

_LOAD = statement(
    """
    SELECT d.book, d.record_id, d.start_fold, d.end_fold
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(book text, record_id text, start_text text, end_text text)
    JOIN local_time_decision d USING (book, record_id, start_text, end_text)
    """
)
_DECIDE = statement(
    """
    INSERT INTO local_time_decision (book, record_id, start_text, end_text, start_fold, end_fold,
                                     decided_at, decided_by, note)
    SELECT book, record_id, start_text, end_text, start_fold, end_fold, :now, decided_by, note
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, record_id text, start_text text, end_text text, start_fold text,
        end_fold text, decided_by text, note text)
    ON CONFLICT (book, record_id, start_text, end_text) DO UPDATE SET
        start_fold = excluded.start_fold, end_fold = excluded.end_fold,
        decided_at = excluded.decided_at, decided_by = excluded.decided_by, note = excluded.note
    """
)

RecordKey = tuple[str, str]
"""A book and a record_id."""


class Decision(NamedTuple):
    """What a person said an entry's wall times mean."""

    folds: Folds
    actor: str
    note: str | None


def decided_folds(
    connection: Connection, records: Iterable[tuple[RecordKey, Record]]
) -> Mapping[RecordKey, Folds]:
    """Return what was decided of the wall times that ``records`` state.

    Records that state instants, or no times at all, cost no query.
    """
    rows = [
        _texts(key, record)
        for key, record in records
        if isinstance(record, TimeEntry) and states_wall_times(record)
    ]
    if not rows:
        return {}
    return {
        (row.book, row.record_id): Folds(row.start_fold, row.end_fold)
        for row in bulk(connection, _LOAD, rows)
    }


def decide_folds(
    connection: Connection, key: RecordKey, entry: TimeEntry, decision: Decision, now: datetime
) -> None:
    """Remember a decision; a later one about the same texts replaces it."""
    row = {
        **_texts(key, entry),
        "start_fold": decision.folds.start,
        "end_fold": decision.folds.end,
        "decided_by": decision.actor,
        "note": decision.note,
    }
    bulk(connection, _DECIDE, [row], now=now)


def _texts(key: RecordKey, entry: TimeEntry) -> dict[str, str]:
    return {
        "book": key[0],
        "record_id": key[1],
        "start_text": entry.original_start_text or "",
        "end_text": entry.original_end_text or "",
    }
