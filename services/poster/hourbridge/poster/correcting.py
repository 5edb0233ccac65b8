"""Corrections: documents whose charges changed are re-assembled, credited or supplemented."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from hourbridge.billing.caps import CapRules
from hourbridge.billing.tax_credits import StandingTax
from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import Document, DocumentStatus, Reason
from hourbridge.common.store.engine import Store
from hourbridge.poster import (
    charge_store,
    correction_requests,
    group_store,
    line_store,
    operations,
    supplements,
)
from hourbridge.poster.billing import Biller, BillResult
from hourbridge.poster.configurations import configuration_of, correction_policy
from hourbridge.poster.correction_plan import (
    LinePlan,
    corrected_in_place,
    credit_memo,
    may_update,
    plan_lines,
    was_adjusted,
    without_charges,
)
from hourbridge.poster.currencies.costs import as_billed
from hourbridge.poster.currencies.rates import BookRates
from hourbridge.poster.currencies.stamping import stamp
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.documents import NewDocument
from hourbridge.poster.fault_points import CORRECTION_ASSEMBLED
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.in_place_changes import propose
from hourbridge.poster.mirrored.purchases import PurchaseCorrector
from hourbridge.poster.mirrored.recording import is_mirrored
from hourbridge.poster.payables.bill_corrections import BillCorrector
from hourbridge.poster.payables.bills import is_bill
from hourbridge.poster.review.full_credit import plans_in_full, redirected
from hourbridge.poster.review.gate import gated

log = structlog.get_logger(__name__)

CorrectionMode = Literal["credit_memo", "update_in_place", "credit_and_rebill"]
DOCUMENTS_PER_RUN_MAX = 200
_LOOK_AGAIN_SECONDS = 1


class Corrector:
    """Looks at documents whose charges changed since they were assembled."""

    def __init__(
        self,
        store: Store,
        documents: DocumentStore,
        biller: Biller,
        bills: BillCorrector,
        clock: Clock,
        announced: Callable[[], None],
    ) -> None:
        self._store = store
        self._documents = documents
        self._biller = biller
        self._bills = bills
        self._purchases = PurchaseCorrector(documents, clock)
        self._clock = clock
        self._announced = announced

    def run_due(self) -> int:
        """Look at what is due, a transaction each; return how many documents were looked at."""
        with self._store.transaction() as connection:
            due = correction_requests.due(
                connection, self._clock.now(), documents_max=DOCUMENTS_PER_RUN_MAX
            )
        for document_id in due:
            try:
                with self._store.transaction() as connection:
                    self._look(connection, document_id)
                    fault_point(CORRECTION_ASSEMBLED)
            except HourbridgeError as error:
                log.warning("correction_failed", document=document_id, error=str(error))
        if due:
            self._announced()
        return len(due)

    def _look(self, connection: Connection, document_id: str) -> None:
        held = self._lock(connection, document_id)
        newest = correction_requests.newest(connection, document_id)
        operation = operations.lock_open(connection, document_id)
        if held.document.status is DocumentStatus.WITHDRAWN:
            correction_requests.settle(connection, document_id, newest)
        elif held.document.posted is None and not (operation and operation.may_be_in_ledger):
            self.withdraw(connection, held, operation)
            correction_requests.settle(connection, document_id, newest)
            self._bill_again(connection, held)
        elif operation is not None and self._may_restate(held, operation):
            operations.cancel(connection, operation, self._clock.now())
            self._correct(connection, held)
            correction_requests.settle(connection, document_id, newest)
        elif operation is not None:
            until = self._clock.now() + timedelta(seconds=_LOOK_AGAIN_SECONDS)
            correction_requests.postpone(connection, document_id, until)
        else:
            self._correct(connection, held)
            correction_requests.settle(connection, document_id, newest)

    def _may_restate(self, held: HeldDocument, operation: operations.OpenOperation) -> bool:
        """Return whether a refused change of a purchase may be replaced by what holds now."""
        is_refused = operation.state == "parked" and not operation.may_be_in_ledger
        return is_refused and is_mirrored(held.document)

    def credit_in_full(self, connection: Connection, held: HeldDocument) -> str | None:
        """Credit all that stands of a posted document; its charges are unbilled again.

        Returns the credit memo's id, None when nothing stood any more. Documents that this one
        supplemented are looked at again: they lack what it billed of theirs.
        """
        if is_bill(held.document):
            return self._bills.credit_in_full(connection, held)
        if is_mirrored(held.document):
            self._purchases.delete(connection, held)
            return None
        document_id = held.document.document_id
        continued = line_store.supplement_lines(connection, document_id)
        standing = line_store.standing_lines(connection, document_id)
        plans = plans_in_full(
            [*standing, *(each.standing for each in continued)],
            line_store.lock_charges(connection, document_id),
        )
        originals = {each.standing.posted.line_id: each.original_line_id for each in continued}
        memo_id = self._credit(connection, held, plans, originals)
        line_store.forget_carries(connection, document_id)
        adjusted = sorted({each.original_document_id for each in continued})
        correction_requests.request(connection, adjusted, self._clock.now())
        return memo_id

    def _lock(self, connection: Connection, document_id: str) -> HeldDocument:
        """Lock the engagement first, then the document: the order in which billing does it."""
        seen = self._documents.read(connection, document_id)
        group_store.lock_engagement(connection, seen.book, seen.engagement_key)
        return self._documents.lock(connection, document_id)

    def withdraw(
        self,
        connection: Connection,
        held: HeldDocument,
        operation: operations.OpenOperation | None,
        reason: Reason | None = None,
    ) -> None:
        """End a document that never reached the ledger; its charges are unbilled again."""
        now = self._clock.now()
        if operation is not None:
            operations.cancel(connection, operation, now)
        adjusted = line_store.end_document(connection, held, now)
        correction_requests.request(connection, adjusted, now)
        self._documents.save(
            connection,
            held,
            status=DocumentStatus.WITHDRAWN,
            reason=reason or Reason(code="charges_changed", detail="assembled again"),
        )

    def _bill_again(self, connection: Connection, held: HeldDocument) -> None:
        if is_bill(held.document) or is_mirrored(held.document):
            self._bills.bill_again(connection, held)
            return
        scope = BillingScope(held.book, held.billed_through)
        result = BillResult()
        self._biller.bill_groups(connection, scope, held.engagement_key, [held.group_key], result)
        for document in result.documents if was_adjusted(held.document) else ():
            self._ask_again(connection, held.document, document.document_id)

    def _ask_again(self, connection: Connection, adjusted: Document, document_id: str) -> None:
        """Say on a new draft that the one before it had been adjusted: that was decided of it."""
        fresh = self._documents.lock(connection, document_id)
        if fresh.document.status is DocumentStatus.DRAFT:
            detail = f"{adjusted.number} came to {adjusted.total} by adjustment; its work changed"
            reason = Reason(code="adjustment_dropped", detail=detail)
            self._documents.save(connection, fresh, reason=reason)

    def _correct(self, connection: Connection, held: HeldDocument) -> None:
        if is_bill(held.document):
            self._bills.correct(connection, held)
            return
        if is_mirrored(held.document):
            self._purchases.correct(connection, held)
            return
        lines = line_store.standing_lines(connection, held.document.document_id)
        plans = plan_lines(lines, self._charges(connection, held))
        mode = self._mode(connection, held, plans)
        if mode == "credit_and_rebill" and any(plan.delta or plan.leaving for plan in plans):
            self.credit_in_full(connection, held)
            self._bill_again(connection, held)
            return
        if mode == "update_in_place" and may_update(held, plans):
            proposal = corrected_in_place(held.document, plans)
            if proposal is not None:
                propose(connection, self._documents, held, proposal, plans, self._clock.now())
                return
        self._credit(connection, held, plans)

    def _mode(
        self, connection: Connection, held: HeldDocument, plans: Sequence[LinePlan]
    ) -> CorrectionMode:
        """Return what is to be done; a cap decides what more work may cost, so never in place."""
        configured = configuration_of(connection, held.book)
        if configured is None or not plans:
            return "credit_memo"
        charge = plans[0].newest_charge
        mode = correction_policy(configured.configuration, charge).mode
        caps = CapRules(configured.configuration, configured.version)
        if mode == "update_in_place" and caps.caps_of(charge):
            return "credit_memo"
        return mode

    def _charges(
        self, connection: Connection, held: HeldDocument
    ) -> Mapping[str, Sequence[line_store.BilledCharge]]:
        """Lock and return a document's charges by line, in its currency."""
        charges = line_store.lock_charges(connection, held.document.document_id)
        configured = configuration_of(connection, held.book)
        if configured is None:
            return charges
        rates = BookRates(connection, configured.configuration)
        return as_billed(held.document, charges, rates)

    def _credit(
        self,
        connection: Connection,
        held: HeldDocument,
        plans: list[LinePlan],
        originals: Mapping[str, str] | None = None,
    ) -> str | None:
        """Carry out plans; return the credit memo's id if one was needed.

        ``originals`` lead from lines that supplement earlier ones to those.
        """
        now = self._clock.now()
        leaving = {charge.charge_id for plan in plans for charge in plan.leaving}
        standing_taxes = line_store.standing_taxes(connection, held.document.document_id)
        line_store.take_off(connection, leaving, now)
        charge_store.take_up_waiting(connection, sorted(leaving), now)
        line_store.reflect(connection, [c.to_json() for plan in plans for c in plan.staying])
        rows = [
            supplements.lacking(held.document, plan.delta, plan.newest_charge, held.keys)
            for plan in plans
            if plan.delta is not None and plan.delta.direction == "supplement"
        ]
        supplements.replace_all(connection, held.document.document_id, rows, now)
        memo_id = None
        if any(plan.delta and plan.delta.direction == "credit" for plan in plans):
            memo_id = self._issue_credit_memo(
                connection, held, plans, originals or {}, standing_taxes
            )
        if leaving:
            self._documents.save(
                connection,
                held,
                proposed_date=held.proposed_date,
                lines=without_charges(held.document, leaving),
            )
        return memo_id

    def _issue_credit_memo(
        self,
        connection: Connection,
        held: HeldDocument,
        plans: list[LinePlan],
        originals: Mapping[str, str],
        standing_taxes: Mapping[str, StandingTax],
    ) -> str | None:
        charge = next((p.newest_charge for p in plans if p.staying or p.leaving), None)
        prefix = held.document.number.rpartition("-")[0]
        if charge is not None:
            prefix = charge.invoicing.number_prefix
        (number,) = self._documents.allocate_numbers(connection, held.ledger_key, prefix, 1)
        made = credit_memo(
            held.document,
            plans,
            number=number,
            day=self._today(connection, held.book),
            is_draft=charge is not None and charge.invoicing.status == "draft",
            standing_taxes=standing_taxes,
        )
        if made is None:
            return None
        memo, lines = redirected(*made, originals)
        made_of = NewDocument(memo, lines, held.engagement_key, held.group_key, held.billed_through)
        (new,) = stamp(connection, held.book, gated(connection, held.book, [made_of]))
        self._documents.insert(connection, held.book, [new])
        if new.document.status is DocumentStatus.POSTING:
            intent = operations.Intent(held.book, new.document, "create")
            operations.add_intents(connection, [intent], self._clock.now())
        return memo.document_id

    def _today(self, connection: Connection, book: str) -> date:
        configured = configuration_of(connection, book)
        zone = configured.configuration.zone if configured else "UTC"
        return self._clock.now().astimezone(ZoneInfo(zone)).date()
