"""The poster's copy of each book's configuration, newest version only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sqlalchemy import Connection

from hourbridge.billing.ownership import client_rule, project_rule
from hourbridge.common.book import BookConfiguration, CorrectionPolicy
from hourbridge.common.errors import TransientFailure
from hourbridge.common.messages.events import BookConfigured, Charge
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


def known_configuration(connection: Connection, book: str, version: int) -> Configured:
    """Return the newest configuration, ``version`` at least: that of the charges to be billed.

    Raises TransientFailure while it has not arrived.
    """
    configured = configuration_of(connection, book)
    if configured is None or configured.version < version:
        raise TransientFailure(
            "the configuration that charges were made with has not arrived yet",
            book=book,
            version=version,
        )
    return configured


@lru_cache(maxsize=_PARSED_MAX)
def _parsed(configuration: str) -> BookConfiguration:
    """Return a stored configuration; parsing hundreds of rules for every group adds up."""
    return BookConfiguration.model_validate_json(configuration)


def correction_policy(configuration: BookConfiguration, charge: Charge) -> CorrectionPolicy:
    """Return what happens when a posted charge changes.

    The client's policy, else the project's, else the book's on the day of the work.
    """
    client = client_rule(configuration, charge)
    if client is not None and client.corrections is not None:
        return client.corrections
    project = project_rule(configuration, charge)
    if project is not None and project.corrections is not None:
        return project.corrections
    dated = [
        policies
        for policies in configuration.policies
        if policies.corrections is not None and policies.holds_on(charge.work_date)
    ]
    newest = max(dated, key=lambda policies: policies.effective_from or date.min, default=None)
    if newest is not None and newest.corrections is not None:
        return newest.corrections
    return configuration.corrections
