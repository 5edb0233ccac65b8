"""Revaluation that nobody asks for: each month once, when it is over and its rates are known."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hourbridge.common.book import BookConfiguration
from hourbridge.common.clock import Clock
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster import positions
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.currencies import rate_store, revaluation_store

ACTOR = "service:poster"
_BOOKS = statement("SELECT book FROM book_configuration ORDER BY book")


class MonthEnds:
    """Asks for the revaluation of the last month in every book whose policy wants it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def ask_due(self) -> int:
        """Ask for what is due; return how many books that is."""
        with self._store.transaction() as connection:
            books = list(connection.execute(_BOOKS).scalars())
            return sum(self._ask(connection, book) for book in books)

    def _ask(self, connection: Connection, book: str) -> bool:
        configured = configuration_of(connection, book)
        if configured is None or configured.configuration.currencies.revaluation == "off":
            return False
        last_day = self._last_month(configured.configuration)
        revaluation_store.lock_book(connection, book)
        if revaluation_store.was_asked_for(connection, book, last_day):
            return False
        if positions.has_gap(connection, book):
            return False  # what is in flight may belong to the month
        if not _rates_are_final(connection, configured.configuration, last_day):
            return False
        revaluation_store.ask(connection, book, last_day, ACTOR, self._clock.now())
        return True

    def _last_month(self, configuration: BookConfiguration) -> date:
        today = self._clock.now().astimezone(ZoneInfo(configuration.zone)).date()
        return today.replace(day=1) - timedelta(days=1)


def _rates_are_final(
    connection: Connection, configuration: BookConfiguration, last_day: date
) -> bool:
    """Return whether the source has published for the day, or for a later one."""
    policy = configuration.currencies
    newest = rate_store.newest_day(connection, policy.source, policy.pivot)
    return newest is not None and newest >= last_day
