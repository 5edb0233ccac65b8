"""Rows of import runs: how far each got, what it rejected, which windows newer snapshots cover."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, RowMapping

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import RecordType
from hourbridge.common.store.rows import bulk, statement
from hourbridge.ingestor.payloads import storable

_START = statement(
    """
    INSERT INTO import_run
        (reading_id, book, source, profile, mode, file_name, file_sha256, as_of, window_first,
         window_last, options, header, state, rows, started_at, started_by)
    VALUES (:reading_id, :book, :source, :profile, :mode, :file_name, :file_sha256, :as_of,
            :window_first, :window_last, CAST(:options AS jsonb), CAST(:header AS jsonb),
            'running', :rows, :now, :actor)
    ON CONFLICT (reading_id) DO NOTHING
    """
)
_GET = statement("SELECT * FROM import_run WHERE reading_id = :reading_id")
_ADVANCE = statement(
    """
    UPDATE import_run SET batches_done = :batches_done, counts = CAST(:counts AS jsonb)
    WHERE reading_id = :reading_id AND state = 'running' AND batches_done = :batches_done - 1
    """
)
_FINISH = statement(
    """
    UPDATE import_run SET state = 'done', finished_at = :now, deleted = :deleted,
        deletions_withheld = :withheld, window_first = :window_first, window_last = :window_last
    WHERE reading_id = :reading_id AND state = 'running'
    """
)
_REJECT = statement(
    """
    INSERT INTO import_rejected (reading_id, row_number, cells, reasons)
    SELECT :reading_id, row_number, cells, reasons
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(row_number int, cells jsonb, reasons jsonb)
    ON CONFLICT DO NOTHING
    """
)
_REJECTED = statement(
    "SELECT row_number, cells, reasons FROM import_rejected WHERE reading_id = :reading_id "
    "ORDER BY row_number"
)
_NEWER_SNAPSHOTS = statement(
    """
    SELECT window_first, window_last, counts FROM import_run
    WHERE book = :book AND source = :source AND mode = 'snapshot' AND state = 'done'
      AND as_of > :as_of AND window_first IS NOT NULL
    """
)


class ImportInProgress(HourbridgeError):
    """Another process is importing the same file just now."""

    code = "import_in_progress"
    advice = "Let it finish; importing the file again afterwards is harmless."


Counts = dict[str, dict[str, int]]
"""Record type -> outcome -> rows."""


@dataclass(frozen=True)
class RejectedRow:
    """A row that was refused, as it was."""

    number: int
    cells: Sequence[str]
    reasons: Sequence[FieldReason]


@dataclass
class Run:
    """How far an import got."""

    reading_id: str
    is_open: bool
    """False for dry runs and for files imported before: nothing is noted of those."""
    batches_done: int = 0
    counts: Counts = field(default_factory=dict)
    deleted: int = 0


@dataclass(frozen=True)
class Window:
    """What a newer snapshot has said the last word on."""

    first: date
    last: date
    record_types: frozenset[RecordType]

    def covers(self, record_type: RecordType, day: date | None) -> bool:
        """Return whether a record of ``day`` lies in the window."""
        if record_type not in self.record_types:
            return False
        return day is not None and self.first <= day <= self.last


def start(connection: Connection, row: Mapping[str, Any]) -> Run:
    """Begin a run, or find the one that an earlier attempt has left."""
    connection.execute(_START, {**row, "header": to_json(row["header"]).decode()})
    found = connection.execute(_GET, {"reading_id": row["reading_id"]}).mappings().one()
    return Run(
        reading_id=found["reading_id"],
        is_open=found["state"] == "running",
        batches_done=found["batches_done"],
        counts=found["counts"],
    )


def advance(connection: Connection, run: Run, counts: Counts) -> None:
    """Record one more finished batch; raise ImportInProgress if somebody else did already."""
    result = connection.execute(
        _ADVANCE,
        {
            "reading_id": run.reading_id,
            "batches_done": run.batches_done,
            "counts": json.dumps(counts),
        },
    )
    if result.rowcount != 1:
        raise ImportInProgress("another process imports this file", reading_id=run.reading_id)


def finish(
    connection: Connection,
    run: Run,
    *,
    window: tuple[date | None, date | None],
    withheld: str | None,
    now: datetime,
) -> None:
    """Close a run."""
    connection.execute(
        _FINISH,
        {
            "reading_id": run.reading_id,
            "deleted": run.deleted,
            "withheld": withheld,
            "window_first": window[0],
            "window_last": window[1],
            "now": now,
        },
    )


def reject(connection: Connection, reading_id: str, rows: Sequence[RejectedRow]) -> None:
    """Keep rejected rows with their reasons."""
    if rows:
        content = [
            {
                "row_number": row.number,
                "cells": [storable(cell) for cell in row.cells],
                "reasons": [_reason(reason) for reason in row.reasons],
            }
            for row in rows
        ]
        bulk(connection, _REJECT, content, reading_id=reading_id)


def _reason(reason: FieldReason) -> dict[str, str | None]:
    return {name: storable(text) for name, text in reason.model_dump().items()}


def rejected(connection: Connection, reading_id: str) -> list[RowMapping]:
    """Return rejected rows in the file's order."""
    return list(connection.execute(_REJECTED, {"reading_id": reading_id}).mappings())


def get(connection: Connection, reading_id: str) -> dict[str, Any] | None:
    """Return one run as it stands."""
    row = connection.execute(_GET, {"reading_id": reading_id}).mappings().first()
    return dict(row) if row else None


def newer_snapshots(
    connection: Connection, book: str, source: str, as_of: datetime
) -> list[Window]:
    """Return the windows that newer full readings of the same source cover."""
    rows = connection.execute(_NEWER_SNAPSHOTS, {"book": book, "source": source, "as_of": as_of})
    return [
        Window(
            row.window_first, row.window_last, frozenset(RecordType(name) for name in row.counts)
        )
        for row in rows
    ]
