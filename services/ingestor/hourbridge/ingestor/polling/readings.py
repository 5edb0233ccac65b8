"""Rows of readings: what one pass over a feed covered, counted, deleted and withheld."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from pydantic_core import to_json
from sqlalchemy import Connection

from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import ControlTotal
from hourbridge.common.messages.records import RecordType
from hourbridge.common.store.rows import statement
from hourbridge.connectors.source import Reading
from hourbridge.ingestor.polling.turns import Turn

State = Literal["reading", "deleting", "done", "abandoned"]
Counts = dict[str, dict[str, int]]
"""Record type -> outcome -> statements."""

_SAVE = statement(
    """
    INSERT INTO poll_reading
        (reading_id, book, source, feed, is_history, record_type, as_of, is_snapshot,
         window_first, window_last, state, pages, counts, filtered, totals, unidentified, deleted,
         rekeyed, deletions_withheld, started_at, finished_at)
    VALUES (:reading_id, :book, :source, :feed, :is_history, :record_type, :as_of, :is_snapshot,
            :window_first, :window_last, :state, :pages, CAST(:counts AS jsonb),
            CAST(:filtered AS jsonb), CAST(:totals AS jsonb), :unidentified, :deleted, :rekeyed,
            :deletions_withheld, :started_at, :finished_at)
    ON CONFLICT (reading_id) DO UPDATE SET
        as_of = excluded.as_of, is_snapshot = excluded.is_snapshot,
        window_first = excluded.window_first, window_last = excluded.window_last,
        state = excluded.state, pages = excluded.pages, counts = excluded.counts,
        filtered = excluded.filtered, totals = excluded.totals,
        unidentified = excluded.unidentified, deleted = excluded.deleted,
        rekeyed = excluded.rekeyed, deletions_withheld = excluded.deletions_withheld,
        started_at = excluded.started_at, finished_at = excluded.finished_at
    """
)
_GET = statement("SELECT * FROM poll_reading WHERE reading_id = :reading_id")
_ABANDON = statement(
    "UPDATE poll_reading SET state = 'abandoned', finished_at = :now "
    "WHERE reading_id = :reading_id AND state IN ('reading', 'deleting')"
)
_LIST = statement(
    """
    SELECT * FROM poll_reading WHERE book = :book AND source = :source
      AND (CAST(:feed AS text) IS NULL OR feed = :feed)
    ORDER BY started_at DESC LIMIT :limit
    """
)
_FORGET_QUIET = statement(
    # Readings that brought nothing are told by their feed's row; the newest stay for a look.
    """
    DELETE FROM poll_reading WHERE state IN ('done', 'abandoned') AND finished_at < :before
      AND deleted = 0 AND NOT counts @? '$.*.accepted'
    """
)
_FORGET = statement("DELETE FROM poll_reading WHERE finished_at < :before")


@dataclass
class Progress:
    """One reading on its way."""

    reading_id: str
    book: str
    source: str
    feed: str
    is_history: bool
    record_type: RecordType
    as_of: datetime
    started_at: datetime
    is_snapshot: bool = False
    window_first: date | None = None
    window_last: date | None = None
    state: State = "reading"
    pages: int = 0
    counts: Counts = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)
    """Rows that the connection's own filters left out, by reason."""
    totals: tuple[ControlTotal, ...] = ()
    unidentified: int = 0
    """Statements that can't be used and don't say whom they concern."""
    deleted: int = 0
    rekeyed: int = 0
    deletions_withheld: str | None = None
    finished_at: datetime | None = None

    @property
    def outcomes(self) -> dict[str, int]:
        """Return statements by outcome, over all record types."""
        total: dict[str, int] = {}
        for of_type in self.counts.values():
            for outcome, count in of_type.items():
                total[outcome] = total.get(outcome, 0) + count
        return total

    @property
    def brought_change(self) -> bool:
        """Return whether anything is known now that wasn't before."""
        return bool(self.outcomes.get("accepted") or self.deleted or self.rekeyed)

    def count(self, record_type: str, outcome: str, number: int = 1) -> None:
        """Count statements of one type and outcome."""
        of_type = self.counts.setdefault(record_type, {})
        of_type[outcome] = of_type.get(outcome, 0) + number

    def cover(self, reading: Reading) -> None:
        """Take over what a page says of its whole reading; the last page says it all."""
        self.as_of = reading.as_of
        self.is_snapshot = reading.is_snapshot
        self.window_first, self.window_last = reading.window_first, reading.window_last
        self.totals = reading.totals or self.totals

    def leave_out(self, filtered: Mapping[str, int]) -> None:
        """Count what the connection's own filters left out."""
        for reason, number in filtered.items():
            self.filtered[reason] = self.filtered.get(reason, 0) + number
        left_out = sum(filtered.values())
        if left_out:
            self.count(self.record_type.value, "skipped", left_out)


def reading_id_of(turn: Turn, reading: Reading) -> str:
    """Return the id of a reading within this installation: two sources may count alike."""
    return derive_id("polled", turn.book, turn.source, turn.feed, reading.reading_id)


def begin(turn: Turn, reading: Reading, started_at: datetime) -> Progress:
    """Return a reading of which nothing is stored yet."""
    return Progress(
        reading_id=reading_id_of(turn, reading),
        book=turn.book,
        source=turn.source,
        feed=turn.feed,
        is_history=turn.span is not None,
        record_type=reading.record_type,
        as_of=reading.as_of,
        started_at=started_at,
    )


def get(connection: Connection, reading_id: str) -> Progress | None:
    """Return a stored reading."""
    row = connection.execute(_GET, {"reading_id": reading_id}).mappings().first()
    if row is None:
        return None
    totals = tuple(ControlTotal.model_validate(total) for total in row["totals"])
    return Progress(**{**row, "totals": totals, "record_type": RecordType(row["record_type"])})


def save(connection: Connection, progress: Progress) -> None:
    """Write a reading as it stands."""
    values: dict[str, Any] = {
        **vars(progress),
        "counts": to_json(progress.counts).decode(),
        "filtered": to_json(progress.filtered).decode(),
        "totals": to_json([total.model_dump(mode="json") for total in progress.totals]).decode(),
    }
    connection.execute(_SAVE, values)


def abandon(connection: Connection, reading_id: str, now: datetime) -> None:
    """Note that a reading was begun anew before it ended."""
    connection.execute(_ABANDON, {"reading_id": reading_id, "now": now})


def recent(
    connection: Connection, book: str, source: str, feed: str | None, limit: int
) -> Sequence[dict[str, Any]]:
    """Return the newest readings first."""
    parameters = {"book": book, "source": source, "feed": feed, "limit": limit}
    return [dict(row) for row in connection.execute(_LIST, parameters).mappings()]


def forget(connection: Connection, *, quiet_before: datetime, before: datetime) -> None:
    """Drop old readings, those that brought nothing earlier."""
    connection.execute(_FORGET_QUIET, {"before": quiet_before})
    connection.execute(_FORGET, {"before": before})
