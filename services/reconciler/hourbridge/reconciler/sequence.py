"""Positions: which sequence numbers of a book were accepted and which the mapper covered.

Numbers are kept as ranges: a batch adds one or two rows however many messages it holds, without a
lock that batches would wait for; a periodic task merges ranges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.store.rows import Write, statement


class Stream(StrEnum):
    """Who spoke of a sequence number."""

    ACCEPTED = "accepted"
    COVERED = "covered"


_INSERT = statement(
    """
    INSERT INTO sequence_range
    SELECT book, stream, first, last, :seen_at, :seen_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(book text, stream text, first bigint, last bigint)
    ON CONFLICT DO NOTHING
    """
)
_MERGE = text(
    """
    WITH taken AS (DELETE FROM sequence_range WHERE book = :book AND stream = :stream RETURNING *),
    island AS (
        SELECT unnest(range_agg(int8range(first, last, '[]'))) AS span FROM taken
    )
    INSERT INTO sequence_range
    SELECT :book, :stream, lower(span), upper(span) - 1, min(seen_at), max(last_seen_at)
    FROM island JOIN taken ON taken.first <@ span GROUP BY span
    """
)
_FRAGMENTED = text(
    "SELECT book, stream FROM sequence_range GROUP BY book, stream HAVING count(*) > 1 "
    "ORDER BY book, stream"
)
_PROGRESS = text(
    """
    SELECT stream, max(last) AS highest, max(last_seen_at) AS last_seen_at,
           coalesce((SELECT lower(gap) - 1 FROM unnest(
               int8multirange(int8range(1, max(last) + 1)) - range_agg(int8range(first, last, '[]'))
           ) AS gap ORDER BY lower(gap) LIMIT 1), max(last)) AS contiguous
    FROM sequence_range WHERE book = :book GROUP BY stream
    """
)
_GAPS = text(
    """
    WITH held AS (
        SELECT range_agg(int8range(first, last, '[]')) AS spans
        FROM sequence_range WHERE book = :book AND stream = :stream
    ),
    wanted AS (
        SELECT CASE WHEN CAST(:stream AS text) = 'covered'
            THEN (SELECT range_agg(int8range(first, last, '[]')) FROM sequence_range
                  WHERE book = :book AND stream = 'accepted')
            ELSE int8multirange(int8range(1, coalesce(upper(spans), 1))) END AS spans FROM held
    )
    SELECT lower(gap) AS first, upper(gap) - 1 AS last,
           (SELECT min(later.seen_at) FROM sequence_range later
            WHERE later.book = :book AND later.stream = :stream
              AND later.first >= upper(gap)) AS overtaken_at
    FROM wanted, held,
         unnest(coalesce(wanted.spans, '{}') - coalesce(held.spans, '{}')) AS gap
    ORDER BY 1 LIMIT :gaps_max
    """
)


@dataclass(frozen=True)
class Progress:
    """How far one stream of a book has come."""

    contiguous: int = 0
    """Every number up to this one was seen."""
    highest: int = 0
    last_seen_at: datetime | None = None


@dataclass(frozen=True)
class Gap:
    """Numbers that were not seen, and since when later ones were."""

    first: int
    last: int
    overtaken_at: datetime | None


def keep_sequences(seen: Iterable[tuple[str, Stream, int]]) -> list[Write]:
    """Keep the numbers of a batch; those already known change nothing.

    The statement's ``:seen_at`` is the present time.
    """
    numbers: defaultdict[tuple[str, Stream], set[int]] = defaultdict(set)
    for book, stream, number in seen:
        numbers[book, stream].add(number)
    rows: list[dict[str, Any]] = [
        {"book": book, "stream": stream, "first": first, "last": last}
        for (book, stream) in sorted(numbers)
        for first, last in spans(sorted(numbers[book, stream]))
    ]
    return [(_INSERT, rows)]


def spans(ascending: Sequence[int]) -> list[tuple[int, int]]:
    """Return runs of consecutive numbers as (first, last)."""
    found: list[tuple[int, int]] = []
    for number in ascending:
        if found and found[-1][1] + 1 >= number:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def merge_ranges(connection: Connection) -> None:
    """Join adjoining ranges so that each stream holds as few rows as it has islands."""
    for row in connection.execute(_FRAGMENTED).all():
        connection.execute(_MERGE, {"book": row.book, "stream": row.stream})


def progress(connection: Connection, book: str) -> dict[Stream, Progress]:
    """Return how far both streams of a book have come."""
    rows = connection.execute(_PROGRESS, {"book": book})
    known = {
        Stream(row.stream): Progress(row.contiguous, row.highest, row.last_seen_at) for row in rows
    }
    return {stream: known.get(stream, Progress()) for stream in Stream}


def gaps(connection: Connection, book: str, stream: Stream, *, gaps_max: int = 50) -> list[Gap]:
    """Return missing numbers: of accepted ones below the highest, of covered ones all accepted."""
    rows = connection.execute(_GAPS, {"book": book, "stream": stream, "gaps_max": gaps_max})
    return [Gap(row.first, row.last, row.overtaken_at) for row in rows]
