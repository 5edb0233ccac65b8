"""Periodic work: reconcile every book, refresh gauges, time documents, clean up replaced rows."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.reconciler import metrics
from hourbridge.reconciler.causes import Cause
from hourbridge.reconciler.discrepancies import open_by_cause
from hourbridge.reconciler.figures import HOUR_SECONDS, summed
from hourbridge.reconciler.reconcile import Reconciler
from hourbridge.reconciler.run_lease import ReconciliationRunning
from hourbridge.reconciler.seen_documents import drop_replaced_lines
from hourbridge.reconciler.seen_sources import configuration_of, known_books
from hourbridge.reconciler.sequence import merge_ranges
from hourbridge.reconciler.settings import ReconcilerSettings
from hourbridge.reconciler.time_to_invoice import observe_new
from hourbridge.reconciler.unbilled import AGES, unbilled_work
from hourbridge.reconciler.whole_book import whole_book

log = structlog.get_logger(__name__)

PERIODIC = "periodic"


class Upkeep:
    """The reconciler's periodic tasks; replicas take turns under leases."""

    def __init__(
        self,
        settings: ReconcilerSettings,
        *,
        store: Store,
        clock: Clock,
        leases: Leases,
        reconciler: Reconciler,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._leases = leases
        self._reconciler = reconciler

    def tasks(self) -> Sequence[PeriodicTask]:
        """Return the tasks for the service runner."""
        return (
            PeriodicTask("reconcile", self._settings.reconcile_interval_seconds, self.reconcile),
            PeriodicTask("measure", self._settings.measure_interval_seconds, self.measure),
            PeriodicTask("compact", self._settings.compact_interval_seconds, self.compact),
            PeriodicTask("time-documents", 5, self.time_documents),
        )

    def reconcile(self) -> None:
        """Reconcile every book unless another replica did within the interval."""
        interval = float(self._settings.reconcile_interval_seconds)
        # The lease is kept on purpose: it is what spaces the runs of all replicas.
        if self._leases.acquire("reconcile-all", ttl_seconds=interval * 0.9) is None:
            return
        for book in self._books():
            try:
                self._reconciler.reconcile(book, asked_by=PERIODIC)
            except ReconciliationRunning:
                log.info("reconciliation_under_way", book=book)

    def measure(self) -> None:
        """Refresh the gauges of every book."""
        for book in self._books():
            with whole_book(self._store) as connection:
                _measure(connection, book, self._settings, self._clock)

    def compact(self) -> None:
        """Merge positions and delete rows that no longer count."""
        lease = self._leases.acquire("compact", ttl_seconds=600)
        if lease is None:
            return
        try:
            with self._store.transaction() as connection:
                merge_ranges(connection)
            with self._store.transaction() as connection:
                drop_replaced_lines(connection)
        finally:
            self._leases.release(lease)

    def time_documents(self) -> None:
        """Put newly posted documents into the time-to-invoice histogram."""
        observe_new(self._store, self._clock.now())

    def _books(self) -> list[str]:
        with self._store.transaction() as connection:
            return known_books(connection)


def _measure(connection: Connection, book: str, settings: ReconcilerSettings, clock: Clock) -> None:
    configuration = configuration_of(connection, book)
    zone = ZoneInfo(configuration.zone) if configuration else ZoneInfo("UTC")
    work = unbilled_work(
        connection,
        book,
        today=clock.now().astimezone(zone).date(),
        leakage_after_days=settings.leakage_after_days,
    )
    rows = [row for row in work if row["state"] == "unbilled"]
    by_age = {row["age"]: row["seconds"] for row in summed(rows, by=("age",), of=("seconds",))}
    for age in AGES:
        metrics.UNBILLED_HOURS.labels(book, age).set(by_age.get(age, 0) / HOUR_SECONDS)
    amounts = summed(rows, by=("currency", "age"), of=("value",))
    known = {(row["currency"], row["age"]): row["value"] for row in amounts}
    for currency in {row["currency"] for row in work}:
        for age in AGES:
            value = known.get((currency, age), 0)
            metrics.UNBILLED_AMOUNT.labels(book, currency, age).set(value)
    counts = open_by_cause(connection, book)
    for cause in Cause:
        metrics.DISCREPANCIES_OPEN.labels(book, cause).set(counts.get(cause, 0))
