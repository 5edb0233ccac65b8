"""One reconciliation: check every level, suspicions twice, settle discrepancies, fix totals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from pydantic_core import to_json
from sqlalchemy import Connection, text

from hourbridge.common.clock import Clock
from hourbridge.common.errors import (
    ConfigurationInvalid,
    HourbridgeError,
    LedgerError,
)
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Lease, ensure_held
from hourbridge.reconciler import metrics
from hourbridge.reconciler.causes import Checked
from hourbridge.reconciler.checks.corrections import check_corrections
from hourbridge.reconciler.checks.documents import check_documents
from hourbridge.reconciler.checks.flow import check_flow
from hourbridge.reconciler.checks.ledger import LedgerCheck
from hourbridge.reconciler.checks.periods import check_periods
from hourbridge.reconciler.checks.residues import check_residues
from hourbridge.reconciler.checks.retainers import check_retainers
from hourbridge.reconciler.checks.scope import Scope
from hourbridge.reconciler.checks.sources import check_sources
from hourbridge.reconciler.discrepancies import Outcome, open_by_cause, open_ids, settle
from hourbridge.reconciler.read_back import Ledgers, Target, targets
from hourbridge.reconciler.run_lease import run_lease
from hourbridge.reconciler.sequence import progress
from hourbridge.reconciler.settings import ReconcilerSettings
from hourbridge.reconciler.totals import control_totals, totals_hash
from hourbridge.reconciler.whole_book import whole_book

log = structlog.get_logger(__name__)

BEFORE_SETTLE = declare("reconciler.before_settle", "everything was compared, nothing settled yet")

_CHECKS: tuple[Callable[[Connection, Scope], Checked], ...] = (
    check_sources,
    check_flow,
    check_documents,
    check_corrections,
    check_residues,
    check_retainers,
    check_periods,
)
_BEGIN = text(
    "INSERT INTO reconciliation_run (book, asked_by, started_at) "
    "VALUES (:book, :asked_by, :started_at) RETURNING id"
)
_FINISH = text(
    """
    UPDATE reconciliation_run SET finished_at = :finished_at,
        positions = CAST(:positions AS jsonb), totals = CAST(:totals AS jsonb),
        totals_hash = :totals_hash, ledgers = CAST(:ledgers AS jsonb),
        found = :found, opened = :opened, resolved = :resolved
    WHERE id = :id
    """
)


@dataclass(frozen=True)
class LedgerSummary:
    """How reading back one ledger went."""

    connection: str
    company_id: str
    documents_read: int = 0
    closed_through: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Summary:
    """What one run concluded."""

    book: str
    run_id: int
    started_at: datetime
    finished_at: datetime
    totals_hash: str
    found: int
    opened: int
    resolved: int
    open: dict[str, int]
    ledgers: tuple[LedgerSummary, ...]


class Reconciler:
    """Reconciles books, one run per book at a time across replicas."""

    def __init__(
        self,
        settings: ReconcilerSettings,
        *,
        store: Store,
        clock: Clock,
        ledgers: Ledgers,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._ledgers = ledgers

    def reconcile(self, book: str, *, asked_by: str, wait_seconds: float = 0) -> Summary:
        """Compare everything of ``book`` and settle its discrepancies.

        A ledger that can't be read is reported and judged another time. Raises
        ReconciliationRunning while another run works on the book, StoreUnavailable.
        """
        try:
            with (
                run_lease(self._store, self._clock, book, wait_seconds=wait_seconds) as lease,
                metrics.RECONCILIATION_DURATION.labels(book).time(),
            ):
                summary = self._run(book, asked_by, lease)
        except HourbridgeError as error:
            metrics.RECONCILIATION_ERRORS.labels(book, error.code).inc()
            raise
        metrics.RECONCILIATION_LAST.labels(book).set(summary.finished_at.timestamp())
        return summary

    def _run(self, book: str, asked_by: str, lease: Lease) -> Summary:
        started_at = self._clock.now()
        scope = Scope(book, started_at, self._settings)
        with self._store.transaction() as connection:
            parameters = {"book": book, "asked_by": asked_by, "started_at": started_at}
            run_id: int = connection.execute(_BEGIN, parameters).scalar_one()
            already_open = open_ids(connection, book)
            to_read = targets(connection, book, run_id)
        checks = self._check_flow(scope, already_open)
        summaries = []
        for target in to_read:
            checked, summary = self._check_ledger(scope, target, already_open)
            summaries.append(summary)
            checks += [checked] if checked else []
        fault_point(BEFORE_SETTLE)
        return self._settle(scope, run_id, lease=lease, checks=checks, ledgers=tuple(summaries))

    def _check_flow(self, scope: Scope, already_open: set[str]) -> list[Checked]:
        """Run the checks on what was seen; what is new must be there a second time as well."""
        first = self._look(scope)
        suspected = {
            finding.discrepancy_id for checked in first for finding in checked.findings
        } - already_open
        if not suspected:
            return first
        self._clock.sleep(self._settings.recheck_seconds)
        confirmed = suspected | already_open
        return [
            Checked(
                checked.scope,
                checked.causes,
                tuple(each for each in checked.findings if each.discrepancy_id in confirmed),
                checked.undecided,
            )
            for checked in self._look(scope)
        ]

    def _look(self, scope: Scope) -> list[Checked]:
        with whole_book(self._store) as connection:
            return [check(connection, scope) for check in _CHECKS]

    def _check_ledger(
        self, scope: Scope, target: Target, already_open: set[str]
    ) -> tuple[Checked | None, LedgerSummary]:
        binding = target.binding
        try:
            ledger = self._ledgers(binding)
            try:
                outcome = LedgerCheck(
                    self._store, ledger, scope=scope, target=target, clock=self._clock
                ).run(already_open)
            finally:
                ledger.close()
        except (LedgerError, ConfigurationInvalid) as error:
            metrics.RECONCILIATION_ERRORS.labels(scope.book, error.code).inc()
            log.warning("ledger_not_read", book=scope.book, error=str(error))
            return None, LedgerSummary(binding.connection, binding.company_id, error=str(error))
        closed = outcome.closed_through
        summary = LedgerSummary(
            binding.connection,
            binding.company_id,
            outcome.documents_read,
            closed.isoformat() if closed else None,
        )
        return outcome.checked, summary

    def _settle(
        self,
        scope: Scope,
        run_id: int,
        *,
        lease: Lease,
        checks: Sequence[Checked],
        ledgers: tuple[LedgerSummary, ...],
    ) -> Summary:
        finished_at = self._clock.now()
        with whole_book(self._store) as connection:
            ensure_held(connection, lease)
            outcome = settle(connection, scope.book, checks, finished_at)
            totals = control_totals(connection, scope.book)
            summary = Summary(
                book=scope.book,
                run_id=run_id,
                started_at=scope.now,
                finished_at=finished_at,
                totals_hash=totals_hash(totals),
                **asdict(outcome),
                open=open_by_cause(connection, scope.book),
                ledgers=ledgers,
            )
            _finish(connection, summary, totals, outcome)
        log.info("reconciled", book=scope.book, run_id=run_id, **asdict(outcome))
        return summary


def _finish(
    connection: Connection, summary: Summary, totals: dict[str, Any], outcome: Outcome
) -> None:
    positions = {
        stream: asdict(each) for stream, each in progress(connection, summary.book).items()
    }
    connection.execute(
        _FINISH,
        {
            "id": summary.run_id,
            "finished_at": summary.finished_at,
            "positions": to_json(positions).decode(),
            "totals": to_json(totals).decode(),
            "totals_hash": summary.totals_hash,
            "ledgers": to_json(summary.ledgers).decode(),
            **asdict(outcome),
        },
    )
