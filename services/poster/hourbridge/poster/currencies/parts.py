"""The parts of the poster that deal with currencies and payments, joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.ids import random_id
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.poster.currencies.balances import deposit_balances, open_balances
from hourbridge.poster.currencies.exchange_report import ExchangeReport
from hourbridge.poster.currencies.months import MonthEnds
from hourbridge.poster.currencies.opening_items import OpeningItems
from hourbridge.poster.currencies.residues import Residues
from hourbridge.poster.currencies.revaluing import Revaluer
from hourbridge.poster.currencies.routes import CurrencyApi
from hourbridge.poster.currencies.waiting import RateWaiters
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.lanes.sending import OpenLedger
from hourbridge.poster.payments.settling import DocumentPayments
from hourbridge.poster.payments.worker import PaymentPosting, PaymentWorker
from hourbridge.poster.retainers.payments import RetainerPayments

MONTH_ENDS_SECONDS = 600.0


@dataclass(frozen=True)
class CurrencyParts:
    """Payments, rates and revaluation; tests use them without threads."""

    payments: PaymentWorker
    waiters: RateWaiters
    revaluer: Revaluer
    month_ends: MonthEnds
    residues: Residues
    opening_items: OpeningItems
    api: CurrencyApi

    def routes(self) -> list[Route]:
        """Return the routes about currencies and payments."""
        return self.api.routes()

    def tasks(self, tick_seconds: float) -> list[PeriodicTask]:
        """Return what is done by itself."""
        return [
            PeriodicTask("payments", tick_seconds, lambda: _discard(self.payments.run_due())),
            PeriodicTask("rates-arrived", tick_seconds, lambda: _discard(self.waiters.run_due())),
            PeriodicTask(
                "revaluations", tick_seconds, lambda: _discard(self.revaluer.perform_open())
            ),
            PeriodicTask(
                "month-ends", MONTH_ENDS_SECONDS, lambda: _discard(self.month_ends.ask_due())
            ),
        ]


def currency_parts(
    store: Store,
    documents: DocumentStore,
    clock: Clock,
    *,
    ledgers: OpenLedger,
    announced: Callable[[], None],
) -> CurrencyParts:
    """Return the parts, joined."""
    settling = DocumentPayments(documents, clock)
    retainers = RetainerPayments(documents, clock)
    postings: dict[str, PaymentPosting] = {
        "invoice": settling,
        "vendor_bill": settling,
        "retainer": retainers,
        "retainer_refund": retainers,
    }
    residues = Residues(store, documents, clock, announced)
    opening_items = OpeningItems(store, documents, clock, announced)
    return CurrencyParts(
        payments=PaymentWorker(store, postings, clock, announced),
        waiters=RateWaiters(store, documents, clock, announced),
        revaluer=Revaluer(
            store,
            documents,
            clock,
            leases=Leases(store, random_id()),
            ledgers=ledgers,
            announced=announced,
            balances=(open_balances, deposit_balances),
        ),
        month_ends=MonthEnds(store, clock),
        residues=residues,
        opening_items=opening_items,
        api=CurrencyApi(store, clock, residues, opening_items, ExchangeReport(store)),
    )


def _discard(_count: int) -> None:
    """Tasks return nothing."""
