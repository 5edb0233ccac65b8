"""What sources say they hold, and the configurations of books, as the reconciler keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, text

from hourbridge.common.book import BookConfiguration
from hourbridge.common.clock import to_text
from hourbridge.common.messages.events import BookConfigured, SourceTotalsRecorded
from hourbridge.common.store.rows import bulk, statement

_UPSERT_READINGS = statement(
    """
    INSERT INTO source_reading
    SELECT book, reading_id, source, record_type, as_of, recorded_at, window_first, window_last,
           is_snapshot, rows, seconds, totals, outcomes, :seen_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, reading_id text, source text, record_type text, as_of timestamptz,
        recorded_at timestamptz, window_first date, window_last date, is_snapshot boolean,
        rows bigint, seconds bigint, totals jsonb, outcomes jsonb)
    ON CONFLICT (book, reading_id) DO UPDATE SET
        source = excluded.source, record_type = excluded.record_type, as_of = excluded.as_of,
        recorded_at = excluded.recorded_at, window_first = excluded.window_first,
        window_last = excluded.window_last, is_snapshot = excluded.is_snapshot,
        rows = excluded.rows, seconds = excluded.seconds, totals = excluded.totals,
        outcomes = excluded.outcomes, seen_at = excluded.seen_at
    WHERE (source_reading.recorded_at, source_reading.outcomes)
        < (excluded.recorded_at, excluded.outcomes)
    """
)
_UPSERT_CONFIGURATION = text(
    """
    INSERT INTO book_configuration
    VALUES (:book, :version, CAST(:configuration AS jsonb), :applied_at)
    ON CONFLICT (book) DO UPDATE SET
        version = excluded.version, configuration = excluded.configuration,
        applied_at = excluded.applied_at
    WHERE book_configuration.version < excluded.version
    """
)
_CONFIGURATION = text("SELECT configuration FROM book_configuration WHERE book = :book")
_BOOKS = text(
    "SELECT book FROM book_configuration UNION SELECT DISTINCT book FROM sequence_range "
    "UNION SELECT DISTINCT book FROM seen_document ORDER BY book"
)
Reading = tuple[str, datetime, SourceTotalsRecorded]


def keep_readings(connection: Connection, readings: Iterable[Reading], seen_at: datetime) -> None:
    """Keep the control totals of each reading; one told again with later outcomes replaces it."""
    newest: dict[tuple[str, str], Reading] = {}
    for reading in readings:
        key = (reading[0], reading[2].reading_id)
        if key not in newest or newest[key][1] < reading[1]:
            newest[key] = reading
    if newest:
        rows = [_reading_row(*newest[key]) for key in sorted(newest)]
        bulk(connection, _UPSERT_READINGS, rows, seen_at=seen_at)


def keep_configurations(
    connection: Connection, configured: Iterable[tuple[str, BookConfigured]]
) -> None:
    """Keep the highest version of each book's configuration."""
    newest: dict[str, BookConfigured] = {}
    for book, change in configured:
        if book not in newest or newest[book].version < change.version:
            newest[book] = change
    for book in sorted(newest):
        change = newest[book]
        connection.execute(
            _UPSERT_CONFIGURATION,
            {
                "book": book,
                "version": change.version,
                "configuration": change.configuration.model_dump_json(),
                "applied_at": change.applied_at,
            },
        )


def configuration_of(connection: Connection, book: str) -> BookConfiguration | None:
    """Return the newest configuration of a book that was announced."""
    found = connection.execute(_CONFIGURATION, {"book": book}).scalar()
    return None if found is None else BookConfiguration.model_validate_json(to_json(found))


def known_books(connection: Connection) -> list[str]:
    """Return every book that anything was heard of."""
    return list(connection.execute(_BOOKS).scalars())


def _reading_row(book: str, recorded_at: datetime, reading: SourceTotalsRecorded) -> dict[str, Any]:
    stated = [total.seconds for total in reading.totals]
    seconds = None if None in stated else sum(each for each in stated if each is not None)
    return {
        "book": book,
        "reading_id": reading.reading_id,
        "source": reading.source,
        "record_type": reading.record_type,
        "as_of": to_text(reading.as_of),
        "recorded_at": to_text(recorded_at),
        "window_first": reading.window_first,
        "window_last": reading.window_last,
        "is_snapshot": reading.is_snapshot,
        "rows": sum(total.rows for total in reading.totals),
        "seconds": seconds if reading.totals else None,
        "totals": [total.model_dump(mode="json") for total in reading.totals],
        "outcomes": reading.outcomes,
    }
