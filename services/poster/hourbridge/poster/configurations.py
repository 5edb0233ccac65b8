"""The poster's copy of each book's configuration, newest version only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection

from hourbridge.common.book import BookConfiguration, CorrectionPolicy
from hourbridge.common.messages.events import BookConfigured
from hourbridge.common.store.rows import bulk, statement

_UPSERT = statement(
    """
    INSERT INTO book_configuration AS b (book, version, configuration)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, version integer, configuration text)
    ON CONFLICT (book) DO UPDATE SET
        version = excluded.version, configuration = excluded.configuration
    WHERE b.version < excluded.version
    """
)
_PARSED_MAX = 64
_READ = statement("SELECT version, configuration FROM book_configuration WHERE book = :book")


@dataclass(frozen=True)
class Configured:
    """A version of a book's configuration."""

    version: int
    configuration: BookConfiguration


def keep_newest(connection: Connection, configured: Mapping[str, BookConfigured]) -> None:
    """Store the versions that are newer than what is held."""
    rows = [
        {
            "book": book,
            "version": configured[book].version,
            "configuration": configured[book].configuration.model_dump_json(),
        }
        for book in sorted(configured)
    ]
    if rows:
        bulk(connection, _UPSERT, rows)


def configuration_of(connection: Connection, book: str) -> Configured | None:
    """Return the newest configuration of ``book`` that has arrived."""
    row = connection.execute(_READ, {"book": book}).first()
    if row is None:
        return None
    return Configured(row.version, _parsed(row.configuration))


@lru_cache(maxsize=_PARSED_MAX)
def _parsed(configuration: str) -> BookConfiguration:
    """Return a stored configuration; parsing hundreds of rules for every group adds up."""
    return BookConfiguration.model_validate_json(configuration)


def correction_policy(
    configuration: BookConfiguration, *, client: str, project: str | None
) -> CorrectionPolicy:
    """Return the policy of a project, else of its client, else of the book."""
    for rule in configuration.projects:
        if rule.project == project and rule.corrections is not None:
            return rule.corrections
    for mapping in configuration.clients:
        if mapping.client == client and mapping.corrections is not None:
            return mapping.corrections
    return configuration.corrections
