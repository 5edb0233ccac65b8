"""Billing runs: asked for once, begun when the flow is complete up to the number named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, RowMapping

from hourbridge.billing.assembly import Leakage
from hourbridge.common.clock import Clock
from hourbridge.common.ids import random_id
from hourbridge.common.messages.events import Document
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster import group_store, positions
from hourbridge.poster.billing import Biller, BillResult
from hourbridge.poster.charge_reports import warned
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.payables.biller import BillMaker
from hourbridge.poster.payables.bills import is_bill

_INSERT = statement(
    """
    INSERT INTO billing_run
        (run_id, book, through, sequence, client, project, state, requested_by, requested_at)
    VALUES (:run_id, :book, :through, :sequence, :client, :project, 'waiting', :actor, :now)
    """
)
_OPEN = statement("SELECT run_id FROM billing_run WHERE state = 'waiting' ORDER BY requested_at")
# The row stays locked while the run is performed: another process passes it by, and a process
# that dies leaves it free at once.
_CLAIM = statement(
    "SELECT * FROM billing_run WHERE run_id = :run_id AND state = 'waiting' FOR UPDATE SKIP LOCKED"
)
_MADE = statement("SELECT payload FROM document WHERE run_id = :run_id ORDER BY created_at, number")
_READ = statement("SELECT * FROM billing_run WHERE run_id = :run_id")
_OF_BOOK = statement(
    """
    SELECT run_id, through, client, project, state, waits_for, requested_by, requested_at,
        finished_at, result -> 'documents' AS documents, result -> 'totals' AS totals
    FROM billing_run WHERE book = :book ORDER BY requested_at DESC, run_id LIMIT :limit
    """
)
_WAIT = statement("UPDATE billing_run SET waits_for = :waits_for WHERE run_id = :run_id")
_FINISH = statement(
    """
    UPDATE billing_run SET state = :state, waits_for = NULL, finished_at = :now,
        result = CAST(:result AS jsonb)
    WHERE run_id = :run_id
    """
)


@dataclass(frozen=True)
class BillRequest:
    """What somebody asks to be billed."""

    book: str
    through: date
    sequence: int = 0
    """The ingestor's sequence number at the time of asking: hours up to it can't be missed."""
    client: str | None = None
    project: str | None = None

    @property
    def scope(self) -> BillingScope:
        """Return what is billed."""
        return BillingScope(self.book, self.through, self.client, self.project)


class BillingRuns:
    """Accepts, performs and shows billing runs."""

    def __init__(
        self,
        store: Store,
        biller: Biller,
        bills: BillMaker,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._biller = biller
        self._bills = bills
        self._clock = clock
        self._wake = wake

    def ask(self, request: BillRequest, actor: str) -> str:
        """Record a run and return its id; a task performs it."""
        run_id = random_id()
        with self._store.transaction() as connection:
            connection.execute(
                _INSERT,
                {
                    "run_id": run_id,
                    "book": request.book,
                    "through": request.through,
                    "sequence": request.sequence,
                    "client": request.client,
                    "project": request.project,
                    "actor": actor,
                    "now": self._clock.now(),
                },
            )
            audit.write(
                connection,
                actor=actor,
                action="billing.asked",
                subject=run_id,
                book=request.book,
                detail={"through": request.through, "sequence": request.sequence},
            )
        self._wake()
        return run_id

    def perform_open(self) -> int:
        """Perform the runs that need not wait any longer; return how many."""
        with self._store.transaction() as connection:
            open_runs = list(connection.execute(_OPEN).scalars())
        return sum(self._claim(run_id) for run_id in open_runs)

    def waits_for(self, request: BillRequest) -> str | None:
        """Return what a run has to wait for, None when it can begin."""
        with self._store.transaction() as connection:
            return _waits_for(connection, request)

    def preview(self, request: BillRequest) -> dict[str, Any]:
        """Return what a run would bill now; changes nothing."""
        waits_for = self.waits_for(request)
        if waits_for is not None and waits_for.startswith("configuration"):
            result = BillResult()
        else:
            result = self._biller.preview(request.scope)
            result.documents += self._bills.preview(request.scope)
        answer = summary(result)
        return {
            "state": "dry_run",
            "waits_for": waits_for,
            **answer,
            "would_bill": [_shown(document) for document in result.documents],
            "warnings": self._warnings(request),
        }

    def _warnings(self, request: BillRequest) -> list[dict[str, Any]]:
        """Return what a person should look at before this is billed."""
        with self._store.transaction() as connection:
            return warned(
                connection,
                request.book,
                through=request.through,
                client=request.client,
                project=request.project,
            )

    def show(self, run_id: str) -> dict[str, Any]:
        """Return a run's state and result, or raise NotFound."""
        with self._store.transaction() as connection:
            row = connection.execute(_READ, {"run_id": run_id}).mappings().first()
        if row is None:
            raise NotFound("there is no such billing run", run=run_id)
        shown = {name: row[name] for name in ("run_id", "book", "through", "sequence", "state")}
        return {**shown, "waits_for": row["waits_for"], **row["result"]}

    def of_book(self, book: str, limit: int) -> list[dict[str, Any]]:
        """Return the runs of a book, the newest first."""
        with self._store.transaction() as connection:
            rows = connection.execute(_OF_BOOK, {"book": book, "limit": limit}).mappings()
            return [dict(row) for row in rows]

    def _claim(self, run_id: str) -> int:
        with self._store.transaction() as claim:
            row = claim.execute(_CLAIM, {"run_id": run_id}).mappings().first()
            return 0 if row is None else self._perform(claim, row)

    def _perform(self, claim: Connection, row: RowMapping) -> int:
        """Bill in transactions of their own, then finish the claimed run.

        A crash before the end leaves the run open; billing again adds what is still unbilled.
        """
        run_id = row["run_id"]
        request = _request(row)
        waits_for = _waits_for(claim, request)
        if waits_for is not None:
            if waits_for != row["waits_for"]:
                claim.execute(_WAIT, {"run_id": run_id, "waits_for": waits_for})
            return 0
        scope = replace(request.scope, run_id=run_id)
        billed = self._biller.bill(scope)
        self._bills.bill(scope)
        made = claim.execute(_MADE, {"run_id": run_id}).scalars()
        result = BillResult([Document.model_validate(payload) for payload in made], billed.leakage)
        claim.execute(
            _FINISH,
            {
                "run_id": run_id,
                "state": "completed" if result.documents else "nothing_to_bill",
                "result": to_json(summary(result)).decode(),
                "now": self._clock.now(),
            },
        )
        return 1


def _request(row: RowMapping) -> BillRequest:
    return BillRequest(row["book"], row["through"], row["sequence"], row["client"], row["project"])


def _waits_for(connection: Connection, request: BillRequest) -> str | None:
    if positions.watermark(connection, request.book) < request.sequence:
        return f"sequence:{request.sequence}"
    needed = group_store.newest_mapping(connection, request.scope)
    configured = configuration_of(connection, request.book)
    held = configured.version if configured else 0
    return f"configuration:{needed}" if held < needed else None


def summary(result: BillResult) -> dict[str, Any]:
    """Return counts and sums of a result: what clients are billed, and what vendors are owed."""
    bills = [document for document in result.documents if is_bill(document)]
    invoices = [document for document in result.documents if not is_bill(document)]
    return {
        "documents": len(invoices),
        "totals": _totals(invoices),
        "vendor_bills": len(bills),
        "vendor_totals": _totals(bills),
        "leaked_seconds": sum(leaked.seconds for leaked in result.leakage),
        "leakage": _leakage(result.leakage),
    }


def _totals(documents: Sequence[Document]) -> list[dict[str, str]]:
    """Return sums by currency; credits count against them."""
    totals: dict[str, Decimal] = {}
    for document in documents:
        sign = -1 if document.kind in ("credit_memo", "vendor_credit") else 1
        total = totals.get(document.currency, Decimal(0)) + sign * document.total
        totals[document.currency] = total
    return [{"currency": name, "total": str(totals[name])} for name in sorted(totals)]


def _leakage(leakage: Sequence[Leakage]) -> list[Mapping[str, Any]]:
    return [
        {
            "cause": leaked.cause,
            "charges": len(leaked.charge_ids),
            "seconds": leaked.seconds,
            "amount": str(leaked.amount),
            "currency": leaked.currency,
        }
        for leaked in leakage
    ]


def _shown(document: Document) -> Mapping[str, Any]:
    return {
        "kind": document.kind,
        "client": document.client,
        "period": document.period,
        "document_date": document.document_date,
        "lines": len(document.lines),
        "total": str(document.total),
        "currency": document.currency,
    }
