"""The rates of a book: chosen by its policy from what was published, once per transaction."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Connection

from hourbridge.billing.currencies.choosing import RateTable, choose
from hourbridge.common.book import BookConfiguration
from hourbridge.common.messages.events import ExchangeRateUsed
from hourbridge.poster.currencies import rate_store


class BookRates:
    """Answers what the rate between two currencies is on a day, under a book's policy."""

    def __init__(self, connection: Connection, configuration: BookConfiguration) -> None:
        self._connection = connection
        self._policy = configuration.currencies
        self._base = configuration.currency
        self._chosen: dict[tuple[str, str, date], ExchangeRateUsed] = {}

    @property
    def base(self) -> str:
        """The book's currency."""
        return self._base

    def on(self, currency: str, day: date, *, into: str | None = None) -> ExchangeRateUsed:
        """Return the rate from ``currency`` to the book's, or to another one.

        Raises RateMissing when none was published on the day or shortly before.
        """
        target = into or self._base
        key = (currency, target, day)
        if key not in self._chosen:
            self._chosen[key] = choose(
                self._table(currency, target, day), currency, target, day, self._policy
            )
        return self._chosen[key]

    def _table(self, currency: str, target: str, day: date) -> RateTable:
        policy = self._policy
        records = rate_store.between(
            self._connection,
            policy.source,
            policy.pivot,
            sorted({currency, target} - {policy.pivot}),
            first=day - timedelta(days=policy.days_back_max),
            last=day,
        )
        return RateTable(records)
