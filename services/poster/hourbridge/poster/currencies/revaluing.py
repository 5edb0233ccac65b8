"""Month-end revaluation: asked for, checked against the ledger's closed books, entered once.

Entry and reversal are written in one transaction, so that neither is ever without the other. Asking
again changes nothing while balances and rates are the same; where they changed, the former pair is
taken back and a new one made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from hourbridge.billing.currencies.revaluation import content_key, revalue, reversal_day
from hourbridge.billing.grouping import ledger_key
from hourbridge.common.book import BookConfiguration
from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError, LedgerError, PeriodClosed, TransientFailure
from hourbridge.common.exchange_rates import RateMissing
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import Document, ExchangeRateUsed, Reason
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.currencies import revaluation_store
from hourbridge.poster.currencies.balances import LedgerBalance, open_balances
from hourbridge.poster.currencies.rates import BookRates
from hourbridge.poster.currencies.revaluation_entries import (
    PURPOSE,
    REVERSAL,
    LedgerRevaluation,
    revaluation_entry,
    reversal_entry,
    says_the_same,
    shown,
)
from hourbridge.poster.currencies.revaluation_store import Asked, Standing
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry
from hourbridge.poster.entry_reversal import Undoing, take_back
from hourbridge.poster.fault_points import REVALUATION_COMMITTED, REVALUATION_ENTERED
from hourbridge.poster.lanes.sending import OpenLedger

log = structlog.get_logger(__name__)

_LEASE_SECONDS = 120.0
_LOOK_AGAIN_SECONDS = 3.0
Balances = Callable[[Connection, str, str, date], list[LedgerBalance]]
"""Returns the open balances of a book, outside its currency, at the end of a day."""


class Revaluer:
    """Performs the revaluations that were asked for, one book at a time under its lease."""

    def __init__(
        self,
        store: Store,
        documents: DocumentStore,
        clock: Clock,
        *,
        leases: Leases,
        ledgers: OpenLedger,
        announced: Callable[[], None],
        balances: Sequence[Balances] = (open_balances,),
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._leases = leases
        self._ledgers = ledgers
        self._announced = announced
        self._balances = balances

    def perform_open(self) -> int:
        """Perform what waits; return how many runs were looked at."""
        with self._store.transaction() as connection:
            asked = revaluation_store.open_runs(connection, self._clock.now())
        for run in asked:
            lease = self._leases.acquire(f"revaluation:{run.book}", ttl_seconds=_LEASE_SECONDS)
            if lease is None:
                continue
            try:
                self._perform(run)
            finally:
                self._leases.release(lease)
        if asked:
            self._announced()
        return len(asked)

    def _perform(self, run: Asked) -> None:
        try:
            self._require_open_books(run)
            with self._store.transaction() as connection:
                self._enter(connection, run)
            fault_point(REVALUATION_COMMITTED)
        except (RateMissing, PeriodClosed) as error:
            self._park(run, error)
        except (LedgerError, TransientFailure) as error:
            self._try_again(run, error)

    def _require_open_books(self, run: Asked) -> None:
        """Ask each ledger that would get entries; no transaction is open meanwhile.

        Raises PeriodClosed when the entry's or the reversal's day is in closed books: nothing is
        sent of a pair that can't be sent as a whole.
        """
        with self._store.transaction() as connection:
            changing = self._changing(connection, run)
        for found in changing:
            ledger = self._ledgers(found.ledger)
            try:
                closed = ledger.closed_through()
            finally:
                ledger.close()
            if closed is not None and closed >= run.last_day:
                raise PeriodClosed(
                    f"a revaluation at {run.last_day} and its reversal at "
                    f"{reversal_day(run.last_day)} can't be entered: the books are closed "
                    f"through {closed}",
                    reason_code="period_closed",
                )

    def _changing(self, connection: Connection, run: Asked) -> list[LedgerRevaluation]:
        """Return the ledgers whose standing revaluation isn't what it should be."""
        standing = revaluation_store.standing(connection, run.book, run.last_day)
        return [
            found
            for found in self._revalued(connection, run, standing)
            if not says_the_same(found, standing.get(found.key))
        ]

    def _revalued(
        self, connection: Connection, run: Asked, standing: Mapping[str, Standing]
    ) -> list[LedgerRevaluation]:
        configuration = _configuration(connection, run.book)
        base = configuration.currency
        found = [
            each
            for balances in self._balances
            for each in balances(connection, run.book, base, run.last_day)
        ]
        rates = _rates(connection, configuration, found, run.last_day)
        ledgers = {ledger_key(each.ledger): each.ledger for each in found}
        for key, former in standing.items():
            if key not in ledgers and former.entry_id is not None:
                ledgers[key] = self._documents.read(connection, former.entry_id).document.ledger
        return [
            LedgerRevaluation(
                ledgers[key],
                tuple(
                    revalue(
                        [each.balance for each in found if ledger_key(each.ledger) == key], rates
                    )
                ),
            )
            for key in sorted(ledgers)
        ]

    def _enter(self, connection: Connection, run: Asked) -> None:
        revaluation_store.lock_book(connection, run.book)
        standing = revaluation_store.standing(connection, run.book, run.last_day)
        configuration = _configuration(connection, run.book)
        rows = []
        for found in self._revalued(connection, run, standing):
            former = standing.get(found.key)
            made = former
            if not says_the_same(found, former):
                made = self._replace(connection, run, configuration, found, former)
            rows.append(self._shown(connection, found, made))
        result = {"month": run.last_day.strftime("%Y-%m"), "ledgers": rows}
        revaluation_store.finish(connection, run.run_id, result, self._clock.now())

    def _replace(
        self,
        connection: Connection,
        run: Asked,
        configuration: BookConfiguration,
        found: LedgerRevaluation,
        former: Standing | None,
    ) -> Standing:
        generation = 1 if former is None else former.generation + 1
        if former is not None:
            self._take_back(connection, run, former)
        entry = revaluation_entry(run, configuration, found, generation)
        documents = None
        if entry is not None:
            documents = self._add_pair(connection, run, entry)
        made = Standing(
            found.key,
            generation,
            content_key(found.revalued),
            documents[0].document_id if documents else None,
            documents[1].document_id if documents else None,
        )
        revaluation_store.insert(connection, run.book, run.last_day, made, self._clock.now())
        return made

    def _add_pair(
        self, connection: Connection, run: Asked, entry: Entry
    ) -> tuple[Document, Document]:
        added = add_entry(connection, self._documents, self._clock, entry)
        fault_point(REVALUATION_ENTERED)
        reversal = reversal_entry(run, entry)
        reversed_one = add_entry(connection, self._documents, self._clock, reversal)
        if added is None or reversed_one is None:
            raise TransientFailure("another process entered this revaluation", book=run.book)
        return added, reversed_one

    def _take_back(self, connection: Connection, run: Asked, former: Standing) -> None:
        """Undo a former pair, on the same two days: what stands must never be counted twice.

        Raises TransientFailure while it is on its way to the ledger.
        """
        pairs = (
            (former.entry_id, REVERSAL),
            (former.reversal_id, PURPOSE),
        )
        for document_id, purpose in pairs:
            if document_id is None:
                continue
            document = self._documents.read(connection, document_id).document
            key = ("revaluation", document_id, "taken back")
            undoing = Undoing(run.book, document_id, key, document.document_date, purpose)
            reason = take_back(connection, self._documents, self._clock, undoing)
            if reason is not None:
                raise TransientFailure(reason.detail, book=run.book, document=document_id)

    def _park(self, run: Asked, error: HourbridgeError) -> None:
        month = run.last_day.strftime("%Y-%m")
        reason = Reason(code=error.code, detail=error.what, waits_for=f"{error.code}:{month}")
        log.warning("revaluation_parked", book=run.book, month=month, error=str(error))
        with self._store.transaction() as connection:
            revaluation_store.wait(
                connection, run.run_id, reason, state="parked", available_at=self._clock.now()
            )

    def _try_again(self, run: Asked, error: HourbridgeError) -> None:
        available_at = self._clock.now() + timedelta(seconds=_LOOK_AGAIN_SECONDS)
        reason = Reason(code=error.code, detail=error.what)
        with self._store.transaction() as connection:
            revaluation_store.wait(
                connection, run.run_id, reason, state="waiting", available_at=available_at
            )

    def _shown(
        self, connection: Connection, found: LedgerRevaluation, made: Standing | None
    ) -> dict[str, Any]:
        numbers = {
            name: self._documents.read(connection, document_id).document.number
            for name, document_id in (
                ("entry", made.entry_id if made else None),
                ("reversal", made.reversal_id if made else None),
            )
            if document_id is not None
        }
        return shown(found, numbers, made.generation if made else 0)


def _rates(
    connection: Connection,
    configuration: BookConfiguration,
    balances: Sequence[LedgerBalance],
    day: date,
) -> dict[str, ExchangeRateUsed]:
    rates = BookRates(connection, configuration)
    return {
        currency: rates.on(currency, day)
        for currency in sorted({each.balance.currency for each in balances})
    }


def _configuration(connection: Connection, book: str) -> BookConfiguration:
    configured = configuration_of(connection, book)
    if configured is None:
        raise TransientFailure("the book's configuration has not arrived yet", book=book)
    return configured.configuration
