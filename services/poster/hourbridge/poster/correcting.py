"""Corrections: documents whose charges changed are re-assembled, credited or supplemented."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from hourbridge.billing.corrections import LineDelta
from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import DocumentStatus, Reason
from hourbridge.common.store.engine import Store
from hourbridge.poster import correction_requests, group_store, line_store, operations
from hourbridge.poster.billing import Biller, BillResult
from hourbridge.poster.configurations import configuration_of, correction_policy
from hourbridge.poster.correction_plan import (
    LinePlan,
    corrected_in_place,
    correction_line,
    credit_memo,
    plan_lines,
    without_charges,
)
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.documents import NewDocument
from hourbridge.poster.fault_points import CORRECTION_ASSEMBLED
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.in_place_changes import propose

log = structlog.get_logger(__name__)

DOCUMENTS_PER_RUN_MAX = 200
_LOOK_AGAIN_SECONDS = 1


class Corrector:
    """Looks at documents whose charges changed since they were assembled."""

    def __init__(
        self,
        store: Store,
        documents: DocumentStore,
        biller: Biller,
        clock: Clock,
        announced: Callable[[], None],
    ) -> None:
        self._store = store
        self._documents = documents
        self._biller = biller
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
        elif operation is not None:
            until = self._clock.now() + timedelta(seconds=_LOOK_AGAIN_SECONDS)
            correction_requests.postpone(connection, document_id, until)
        else:
            self._correct(connection, held)
            correction_requests.settle(connection, document_id, newest)

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
        scope = BillingScope(held.book, held.billed_through)
        result = BillResult()
        self._biller.bill_groups(connection, scope, held.engagement_key, [held.group_key], result)

    def _correct(self, connection: Connection, held: HeldDocument) -> None:
        lines = line_store.standing_lines(connection, held.document.document_id)
        plans = plan_lines(lines, line_store.lock_charges(connection, held.document.document_id))
        if self._may_update(connection, held, plans):
            proposal = corrected_in_place(held.document, plans)
            if proposal is not None:
                propose(connection, self._documents, held, proposal, plans, self._clock.now())
                return
        self._credit(connection, held, plans)

    def _may_update(
        self, connection: Connection, held: HeldDocument, plans: list[LinePlan]
    ) -> bool:
        configured = configuration_of(connection, held.book)
        if configured is None or held.in_place_refused:
            return False
        first = held.document.lines[0]
        policy = correction_policy(
            configured.configuration, client=held.document.client, project=first.project
        )
        return (
            policy.mode == "update_in_place"
            and any(plan.delta is not None for plan in plans)
            and not any(plan.standing.is_adjusted for plan in plans)
        )

    def _credit(self, connection: Connection, held: HeldDocument, plans: list[LinePlan]) -> None:
        now = self._clock.now()
        leaving = {charge.charge_id for plan in plans for charge in plan.leaving}
        line_store.take_off(connection, leaving, now)
        line_store.reflect(connection, [c.to_json() for plan in plans for c in plan.staying])
        rows = [
            _supplement(held, plan, plan.delta)
            for plan in plans
            if plan.delta is not None and plan.delta.direction == "supplement"
        ]
        line_store.replace_supplements(connection, held.document.document_id, rows, now)
        if any(plan.delta and plan.delta.direction == "credit" for plan in plans):
            self._issue_credit_memo(connection, held, plans)
        if leaving:
            self._documents.save(
                connection,
                held,
                proposed_date=held.proposed_date,
                lines=without_charges(held.document, leaving),
            )

    def _issue_credit_memo(
        self, connection: Connection, held: HeldDocument, plans: list[LinePlan]
    ) -> None:
        policy = plans[0].newest_charge.invoicing
        (number,) = self._documents.allocate_numbers(
            connection, held.ledger_key, policy.number_prefix, 1
        )
        made = credit_memo(
            held.document,
            plans,
            number=number,
            day=self._today(connection, held.book),
            is_draft=policy.status == "draft",
        )
        if made is None:
            return
        memo, lines = made
        new = NewDocument(memo, lines, held.engagement_key, held.group_key, held.billed_through)
        self._documents.insert(connection, held.book, [new])
        if memo.status is DocumentStatus.POSTING:
            intent = operations.Intent(held.book, memo, "create")
            operations.add_intents(connection, [intent], self._clock.now())

    def _today(self, connection: Connection, book: str) -> date:
        configured = configuration_of(connection, book)
        zone = configured.configuration.zone if configured else "UTC"
        return self._clock.now().astimezone(ZoneInfo(zone)).date()


def _supplement(held: HeldDocument, plan: LinePlan, delta: LineDelta) -> dict[str, object]:
    charge = plan.newest_charge
    (line,) = (line for line in held.document.lines if line.line_id == delta.line_id)
    shown = correction_line(line, delta, held.document, held.document.document_id, 1)
    return {
        "line_id": delta.line_id,
        "book": held.book,
        "engagement_key": held.engagement_key,
        "group_key": held.group_key,
        "grouping": charge.invoicing.grouping,
        "automatic": charge.invoicing.automatic,
        "work_date": charge.work_date,
        "payload": {
            "line": shown.model_dump(mode="json", exclude_none=True),
            "charge": charge.model_dump(mode="json", exclude_none=True),
        },
    }
