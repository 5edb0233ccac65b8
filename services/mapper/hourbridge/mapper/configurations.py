"""Versions of book configurations: which one is active, compiled once and kept.

Whoever maps holds a shared lock on the book until its transaction ends; whoever adds a version
holds it exclusively. So no record can be stored under a version that was replaced meanwhile and
be missed by the re-mapping that follows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, text

from hourbridge.common.book import BookConfiguration
from hourbridge.mapper.rules.index import CompiledBook

_LOCK_KEY = "hashtextextended('hourbridge.mapper/' || {book}, 0)"
# Two statements in one round trip: the second must not see a snapshot from before the lock.
_LOCK_SHARED_AND_READ = text(
    f"""
    SELECT pg_advisory_xact_lock_shared(key) FROM (
        SELECT {_LOCK_KEY.format(book="book")} AS key
        FROM unnest(CAST(:books AS text[])) AS book ORDER BY 1) AS keys;
    SELECT book, max(version) AS version FROM book_configuration
    WHERE book = ANY(CAST(:books AS text[])) GROUP BY book
    """
)
_LOCK_EXCLUSIVE = text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY.format(book=':book')})")
_ACTIVE = text(
    "SELECT book, max(version) AS version FROM book_configuration "
    "WHERE book = ANY(CAST(:books AS text[])) GROUP BY book"
)
_DOCUMENT = text(
    "SELECT document::text FROM book_configuration WHERE book = :book AND version = :version"
)
_VERSION = text("SELECT * FROM book_configuration WHERE book = :book AND version = :version")
_HISTORY = text(
    "SELECT version, applied_at, applied_by, note, cause FROM book_configuration "
    "WHERE book = :book ORDER BY version DESC LIMIT :limit"
)
_INSERT = text(
    "INSERT INTO book_configuration "
    "(book, version, document, applied_at, applied_by, note, cause) VALUES "
    "(:book, :version, CAST(:document AS jsonb), :applied_at, :applied_by, :note, :cause)"
)
COMPILED_MAX = 256


@dataclass(frozen=True)
class NewVersion:
    """A version to add to a book's history."""

    configuration: BookConfiguration
    version: int
    applied_at: datetime
    applied_by: str
    note: str | None
    cause: Literal["applied", "facts"] = "applied"


class Configurations:
    """The configurations of all books. Thread-safe; runs in the caller's transaction."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[tuple[str, int], CompiledBook] = OrderedDict()
        self._guard = threading.Lock()

    def hold(
        self, connection: Connection, books: Iterable[str]
    ) -> Mapping[str, CompiledBook | None]:
        """Return each book's active version, which stays active until the transaction ends."""
        return self._read(connection, _LOCK_SHARED_AND_READ, sorted(set(books)))

    def active(self, connection: Connection, book: str) -> CompiledBook | None:
        """Return a book's active version as of now, without holding it."""
        return self._read(connection, _ACTIVE, [book])[book]

    def lock(self, connection: Connection, book: str) -> CompiledBook | None:
        """Wait until nobody maps records of ``book``; return its active version.

        Until the transaction ends, nobody else maps them or adds a version.
        """
        connection.execute(_LOCK_EXCLUSIVE, {"book": book})
        return self.active(connection, book)

    def add(self, connection: Connection, new: NewVersion) -> None:
        """Store a version; the caller holds the exclusive lock."""
        connection.execute(
            _INSERT,
            {
                "book": new.configuration.book,
                "version": new.version,
                "document": new.configuration.model_dump_json(exclude_none=True),
                "applied_at": new.applied_at,
                "applied_by": new.applied_by,
                "note": new.note,
                "cause": new.cause,
            },
        )

    def history(self, connection: Connection, book: str, limit: int) -> list[dict[str, Any]]:
        """Return a book's versions without their documents, newest first."""
        rows = connection.execute(_HISTORY, {"book": book, "limit": limit})
        return [dict(row) for row in rows.mappings()]

    def version(self, connection: Connection, book: str, version: int) -> dict[str, Any] | None:
        """Return one version with its document, None if there is none."""
        row = connection.execute(_VERSION, {"book": book, "version": version}).mappings().first()
        return None if row is None else dict(row)

    def compiled(self, connection: Connection, book: str, version: int) -> CompiledBook | None:
        """Return one version compiled, None if the book has no such version."""
        if version < 1 or self.version(connection, book, version) is None:
            return None
        return self._compile(connection, book, version)

    def _read(
        self, connection: Connection, statement: Any, books: list[str]
    ) -> dict[str, CompiledBook | None]:
        found: dict[str, CompiledBook | None] = dict.fromkeys(books)
        for row in connection.execute(statement, {"books": books}).all():
            found[row.book] = self._compile(connection, row.book, row.version)
        return found

    def _compile(self, connection: Connection, book: str, version: int) -> CompiledBook:
        with self._guard:
            compiled = self._compiled.get((book, version))
            if compiled is not None:
                self._compiled.move_to_end((book, version))
                return compiled
        document = connection.execute(_DOCUMENT, {"book": book, "version": version}).scalar_one()
        compiled = CompiledBook(BookConfiguration.model_validate_json(document), version)
        with self._guard:
            self._compiled[book, version] = compiled
            if len(self._compiled) > COMPILED_MAX:
                self._compiled.popitem(last=False)
        return compiled
