"""The watermark: up to which sequence number of a book every record has been settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from hourbridge.common.store.rows import statement

_LOCK = statement(
    """
    INSERT INTO position (book, contiguous)
    SELECT book, 0 FROM unnest(CAST(:books AS text[])) AS book ORDER BY book
    ON CONFLICT (book) DO UPDATE SET contiguous = position.contiguous
    RETURNING book, contiguous
    """
)
_ADD_AHEAD = statement(
    """
    INSERT INTO position_ahead (book, sequence)
    SELECT :book, sequence FROM unnest(CAST(:sequences AS bigint[])) AS sequence
    ON CONFLICT DO NOTHING
    """
)
# Steps from one number to the next by primary key: each number is walked over once in its life,
# however far ahead others are.
_CATCH_UP = statement(
    """
    WITH RECURSIVE walked(sequence) AS (
        SELECT CAST(:contiguous AS bigint)
        UNION ALL
        SELECT a.sequence FROM walked w
        JOIN position_ahead a ON a.book = :book AND a.sequence = w.sequence + 1
    ), reached AS (SELECT max(sequence) AS sequence FROM walked),
    cleared AS (
        DELETE FROM position_ahead a USING reached r
        WHERE a.book = :book AND a.sequence <= r.sequence
    )
    UPDATE position SET contiguous = reached.sequence FROM reached WHERE position.book = :book
    """
)
_READ = statement("SELECT contiguous FROM position WHERE book = :book")
_HAS_GAP = statement("SELECT EXISTS (SELECT 1 FROM position_ahead WHERE book = :book)")


def settle(connection: Connection, covers: Mapping[str, Iterable[int]]) -> None:
    """Record that these sequence numbers of each book are settled, and advance the watermarks."""
    if not covers:
        return
    locked = connection.execute(_LOCK, {"books": sorted(covers)})
    for book, contiguous in sorted(tuple(row) for row in locked):
        numbers = {number for number in covers[book] if number > contiguous}
        if not numbers:
            continue
        reached = contiguous
        while reached + 1 in numbers:
            reached += 1
        ahead = sorted(number for number in numbers if number > reached)
        if ahead:
            connection.execute(_ADD_AHEAD, {"book": book, "sequences": ahead})
        connection.execute(_CATCH_UP, {"book": book, "contiguous": reached})


def watermark(connection: Connection, book: str) -> int:
    """Return the number up to which everything of ``book`` is settled."""
    return connection.execute(_READ, {"book": book}).scalar() or 0


def has_gap(connection: Connection, book: str) -> bool:
    """Return whether something later than the watermark has been settled already."""
    return bool(connection.execute(_HAS_GAP, {"book": book}).scalar_one())
