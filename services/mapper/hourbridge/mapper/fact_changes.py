"""From changed facts to re-mapping: a new version of the book, for what depends on them.

A charge set is ordered by (record revision, mapping version). When a source's facts change what a
record maps to, neither its revision nor the book's document moved; so the book gets a version
of its own for it, with the same document, and the order holds everywhere.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import BookConfigured
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.mapper import remap, stored
from hourbridge.mapper.configurations import Configurations, NewVersion
from hourbridge.mapper.metrics import CONFIGURATIONS_APPLIED
from hourbridge.mapper.publication import book_configured_message
from hourbridge.mapper.rules.index import CompiledBook

APPLIED_BY = "mapper"
CHANGES_MAX = 1000
NAMED_MAX = 5

_BOOKS = text("SELECT DISTINCT book FROM fact_change ORDER BY book")
_TAKE = text(
    "DELETE FROM fact_change WHERE id IN (SELECT id FROM fact_change WHERE book = :book "
    "ORDER BY id LIMIT :limit) RETURNING dependency"
)


class FactChanges:
    """Turns noted fact changes into re-mapping tasks."""

    def __init__(
        self, store: Store, configurations: Configurations, *, outbox: Outbox, clock: Clock
    ) -> None:
        self._store = store
        self._configurations = configurations
        self._outbox = outbox
        self._clock = clock

    def run(self) -> None:
        """Handle all changes noted so far."""
        with self._store.transaction() as connection:
            books = list(connection.execute(_BOOKS).scalars())
        for book in books:
            while self._take(book):
                pass
        if books:
            self._outbox.try_flush()

    def _take(self, book: str) -> bool:
        """Handle a batch of one book's changes; return whether there may be more.

        The exclusive lock waits for batches in flight that did not see the changed facts yet;
        whoever maps after it sees them.
        """
        with self._store.transaction() as connection:
            active = self._configurations.lock(connection, book)
            taken = connection.execute(_TAKE, {"book": book, "limit": CHANGES_MAX})
            dependencies = sorted(set(taken.scalars()))
            if not dependencies:
                return False
            if active is not None and stored.has_dependents(connection, book, dependencies):
                self._new_version(connection, active, dependencies)
        return True

    def _new_version(
        self, connection: Connection, active: CompiledBook, dependencies: list[str]
    ) -> None:
        configuration = active.configuration
        named = ", ".join(dependencies[:NAMED_MAX])
        more = len(dependencies) - NAMED_MAX
        new = NewVersion(
            configuration,
            active.version + 1,
            applied_at=self._clock.now(),
            applied_by=APPLIED_BY,
            note=f"facts arrived: {named}" + (f" and {more} more" if more > 0 else ""),
            cause="facts",
        )
        announce(connection, self._configurations, self._outbox, new)
        remap.start_for_facts(connection, configuration.book, new.version, dependencies)


def announce(
    connection: Connection, configurations: Configurations, outbox: Outbox, new: NewVersion
) -> None:
    """Store a version and put its announcement into the outbox."""
    configurations.add(connection, new)
    configured = BookConfigured(
        version=new.version,
        configuration=new.configuration,
        applied_at=new.applied_at,
        applied_by=new.applied_by,
        note=new.note,
    )
    outbox.add(connection, [book_configured_message(configured)])
    CONFIGURATIONS_APPLIED.labels(new.cause).inc()
