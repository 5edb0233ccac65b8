"""Billing that nobody asks for: entries at once, periods when they are over."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hourbridge.common.book import Grouping
from hourbridge.common.calendar import Term, period_of
from hourbridge.common.clock import Clock
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster import group_store, positions
from hourbridge.poster.billing import Biller
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.payables.biller import BillMaker

_BOOKS = statement(
    """
    SELECT book FROM charge WHERE state = 'unbilled' AND automatic
        AND (leakage IS NULL OR leakage ->> 'cause' IN ('capped', 'no_rate'))
    UNION SELECT book FROM supplement WHERE automatic ORDER BY book
    """
)
_MONTHLY = (Grouping.PROJECT_MONTH, Grouping.CLIENT_MONTH)
_QUARTERLY = (Grouping.CLIENT_QUARTER,)


class AutomaticBilling:
    """Bills what its policy says is to be billed without being asked."""

    def __init__(
        self,
        store: Store,
        biller: Biller,
        bills: BillMaker,
        clock: Clock,
        *,
        quiet_seconds: float,
    ) -> None:
        self._store = store
        self._biller = biller
        self._bills = bills
        self._clock = clock
        self._quiet = timedelta(seconds=quiet_seconds)

    def run(self) -> int:
        """Bill what is due in every book; return how many documents were made."""
        with self._store.transaction() as connection:
            books = list(connection.execute(_BOOKS).scalars())
            scopes = [scope for book in books for scope in self._scopes(connection, book)]
        made = sum(len(self._biller.bill(scope).documents) for scope in scopes)
        months = [scope for scope in scopes if scope.groupings == _MONTHLY]
        return made + sum(len(self._bills.bill(scope)) for scope in months)

    def _scopes(self, connection: Connection, book: str) -> list[BillingScope]:
        configured = configuration_of(connection, book)
        everything = BillingScope(book, date.max)
        if configured is None or (
            configured.version < group_store.newest_mapping(connection, everything)
        ):
            return []
        scopes = [BillingScope(book, date.max, automatic=True, groupings=(Grouping.ENTRY,))]
        if positions.has_gap(connection, book):
            return scopes  # hours in flight must not miss their period's invoice
        now = self._clock.now()
        today = now.astimezone(ZoneInfo(configured.configuration.zone)).date()
        for term, groupings in ((Term.MONTH, _MONTHLY), (Term.QUARTER, _QUARTERLY)):
            ended = period_of(today, term).first - timedelta(days=1)
            scopes.append(
                BillingScope(
                    book,
                    ended,
                    automatic=True,
                    groupings=groupings,
                    quiet_before=now - self._quiet,
                )
            )
        return scopes
