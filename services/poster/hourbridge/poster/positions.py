"""The watermark: up to which sequence number of a book every record has been settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from hourbridge.common.store.rows import statement

_BEGIN = statement(
    """
    INSERT INTO position (book, contiguous)
    SELECT book, 0 FROM unnest(CAST(:books AS text[])) AS book ORDER BY book
    ON CONFLICT DO NOTHING
    """
)
# Two statements in one round trip: the second must not see a snapshot from before the lock.
_LOCK = statement(
    """
    SELECT FROM position WHERE book = ANY(CAST(:books AS text[])) ORDER BY book FOR UPDATE;
    SELECT book, contiguous, EXISTS (
        SELECT FROM position_ahead a WHERE a.book = p.book AND a.sequence > p.contiguous
    ) AS has_ahead
    FROM position p WHERE book = ANY(CAST(:books AS text[])) ORDER BY book
    """
)
_ADD_AHEAD = statement(
    """
    INSERT INTO position_ahead (book, sequence)
    SELECT :book, sequence FROM unnest(CAST(:sequences AS bigint[])) AS sequence
    ON CONFLICT DO NOTHING
    """
)
# Read in order by primary key and walked here: a recursive query was planned as a scan of the whole
# table for each number, because statistics never keep up with a table that fills and empties.
_AHEAD = statement(
    "SELECT sequence FROM position_ahead WHERE book = :book AND sequence > :contiguous "
    "ORDER BY sequence LIMIT :limit"
)
_CLEAR = statement("DELETE FROM position_ahead WHERE book = :book AND sequence <= :contiguous")
_ADVANCE = statement("UPDATE position SET contiguous = :contiguous WHERE book = :book")
_WALK_ROWS = 1000
_READ = statement("SELECT contiguous FROM position WHERE book = :book")
_HAS_GAP = statement("SELECT EXISTS (SELECT 1 FROM position_ahead WHERE book = :book)")


def settle(connection: Connection, covers: Mapping[str, Iterable[int]]) -> None:
    """Record that these sequence numbers of each book are settled, and advance the watermarks."""
    if not covers:
        return
    for book, contiguous, has_ahead in _lock(connection, sorted(covers)):
        numbers = {number for number in covers[book] if number > contiguous}
        if not numbers:
            continue
        reached = contiguous
        while reached + 1 in numbers:
            reached += 1
        ahead = sorted(number for number in numbers if number > reached)
        if ahead:
            connection.execute(_ADD_AHEAD, {"book": book, "sequences": ahead})
        if reached > contiguous:
            if has_ahead:
                reached = _walk(connection, book, reached)
                connection.execute(_CLEAR, {"book": book, "contiguous": reached})
            connection.execute(_ADVANCE, {"book": book, "contiguous": reached})


def _lock(connection: Connection, books: list[str]) -> list[tuple[str, int, bool]]:
    """Lock and return the watermarks, and whether anything is settled ahead of them."""
    where = {"books": books}
    locked = connection.execute(_LOCK, where).all()
    if len(locked) < len(books):  # the first message of a book
        connection.execute(_BEGIN, where)
        locked = connection.execute(_LOCK, where).all()
    return [tuple(row) for row in locked]


def _walk(connection: Connection, book: str, reached: int) -> int:
    """Return the last number that follows ``reached`` without a gap."""
    while True:
        asked = {"book": book, "contiguous": reached, "limit": _WALK_ROWS}
        ahead = list(connection.execute(_AHEAD, asked).scalars())
        for sequence in ahead:
            if sequence != reached + 1:
                return reached
            reached = sequence
        if len(ahead) < _WALK_ROWS:
            return reached


def watermark(connection: Connection, book: str) -> int:
    """Return the number up to which everything of ``book`` is settled."""
    return connection.execute(_READ, {"book": book}).scalar() or 0


def has_gap(connection: Connection, book: str) -> bool:
    """Return whether something later than the watermark has been settled already."""
    return bool(connection.execute(_HAS_GAP, {"book": book}).scalar_one())
