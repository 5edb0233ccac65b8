"""Vendor bills: what is owed becomes documents, under a lock per vendor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby

import structlog
from sqlalchemy import Connection

from hourbridge.billing.grouping import ledger_key
from hourbridge.billing.payables import bill_lines, bill_period, payable_keys
from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import Charge, Document, DocumentStatus
from hourbridge.common.store.engine import Store
from hourbridge.poster import group_store
from hourbridge.poster.configurations import Configured, known_configuration
from hourbridge.poster.currencies.stamping import stamp
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.documents import NewDocument
from hourbridge.poster.fault_points import DOCUMENTS_ASSEMBLED, DOCUMENTS_COMMITTED
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.operations import Intent, add_intents
from hourbridge.poster.payables import bill_store, screening
from hourbridge.poster.payables.bill_store import WaitingCharge
from hourbridge.poster.payables.bills import BillGroup, build_bill
from hourbridge.poster.payables.duplicates import Examined, LedgerLook, owed_by_record
from hourbridge.poster.review.gate import gated

log = structlog.get_logger(__name__)

_DRY_RUN_NUMBER = "DRY-RUN"


class BillMaker:
    """Turns what is owed into vendor bills. Safe to run twice, and side by side."""

    def __init__(
        self,
        store: Store,
        documents: DocumentStore,
        look: LedgerLook,
        clock: Clock,
        announced: Callable[[], None],
    ) -> None:
        self._store = store
        self._documents = documents
        self._look = look
        self._clock = clock
        self._announced = announced

    def bill(self, scope: BillingScope) -> list[Document]:
        """Bill everything owed in ``scope``, a vendor per transaction.

        The ledger is asked before, outside of it, for expenses that it may have already. When it
        can't be read, the vendor's expenses wait for the next time.
        """
        made: list[Document] = []
        for engagement_key, groups in self._pairs(scope):
            examined = self._examine(scope, engagement_key, groups)
            with self._store.transaction() as connection:
                made += self.bill_groups(connection, scope, engagement_key, groups, examined)
            fault_point(DOCUMENTS_COMMITTED)
            self._announced()
        return made

    def preview(self, scope: BillingScope) -> list[Document]:
        """Return the bills that would be made now; changes nothing and asks no ledger."""
        made: list[Document] = []
        for engagement_key, groups in self._pairs(scope):
            with self._store.transaction() as connection:
                waiting = bill_store.waiting(connection, scope, engagement_key, groups, lock=False)
                debts = screening.previewed(connection, owed_by_record(waiting), None)
                charges = [charge for debt in debts for charge in debt.charges]
                configured = _configured(connection, scope.book, waiting)
                made += [
                    build_bill(group, _DRY_RUN_NUMBER).document
                    for group in _groups(scope, engagement_key, charges, configured)
                ]
        return made

    def bill_groups(
        self,
        connection: Connection,
        scope: BillingScope,
        engagement_key: str,
        groups: Sequence[str],
        examined: Mapping[str, Examined] | None,
        *,
        only: Collection[str] | None = None,
    ) -> list[Document]:
        """Make the bills of one vendor in the caller's transaction; None asks no ledger.

        ``only`` names the records to be billed; the others wait for the next run.
        """
        group_store.lock_engagement(connection, scope.book, engagement_key)
        waiting = bill_store.waiting(connection, scope, engagement_key, groups, lock=True)
        if only is not None:
            waiting = [each for each in waiting if each.record_id in only]
        configured = _configured(connection, scope.book, waiting)
        debts = screening.cleared(
            connection, scope.book, owed_by_record(waiting), examined, self._clock.now()
        )
        charges = [charge for debt in debts for charge in debt.charges]
        return self.add(
            connection,
            scope.book,
            [
                build_bill(group, self._number(connection, group))
                for group in _groups(scope, engagement_key, charges, configured)
            ],
        )

    def add(self, connection: Connection, book: str, new: Sequence[NewDocument]) -> list[Document]:
        """Store bills and credits with the intents to post them."""
        stamped = stamp(connection, book, gated(connection, book, new))
        self._documents.insert(connection, book, stamped)
        bill_store.keep(connection, book, stamped)
        documents = [each.document for each in stamped]
        final = [each for each in documents if each.status is DocumentStatus.POSTING]
        add_intents(connection, [Intent(book, each, "create") for each in final], self._clock.now())
        fault_point(DOCUMENTS_ASSEMBLED)
        return documents

    def _pairs(self, scope: BillingScope) -> list[tuple[str, list[str]]]:
        with self._store.transaction() as connection:
            pairs = bill_store.open_groups(connection, scope)
        return [
            (engagement_key, [group for _, group in members])
            for engagement_key, members in groupby(pairs, key=lambda pair: pair[0])
        ]

    def _examine(
        self, scope: BillingScope, engagement_key: str, groups: Sequence[str]
    ) -> dict[str, Examined]:
        with self._store.transaction() as connection:
            waiting = bill_store.waiting(connection, scope, engagement_key, groups, lock=False)
        debts = owed_by_record(waiting)
        try:
            return self._look.examine(debts)
        except HourbridgeError as error:
            log.warning("ledger_not_examined", book=scope.book, code=error.code, error=str(error))
            return self._look.examine([debt for debt in debts if not debt.is_expense])

    def _number(self, connection: Connection, group: BillGroup) -> str:
        key = ledger_key(group.charges[0].ledger)
        prefix = group.number_prefix
        (number,) = self._documents.allocate_numbers(connection, key, prefix, 1)
        return number


def _configured(connection: Connection, book: str, waiting: Sequence[WaitingCharge]) -> Configured:
    version = max((each.mapping_version for each in waiting), default=0)
    return known_configuration(connection, book, version)


def _groups(
    scope: BillingScope, engagement_key: str, charges: Sequence[Charge], configured: Configured
) -> list[BillGroup]:
    """Return the bills-to-be in order; what comes to nothing at all makes none."""
    gathered: dict[tuple[str, str], list[Charge]] = {}
    for charge in charges:
        period = bill_period(charge)
        start = str(period.first) if period else ""
        gathered.setdefault((start, payable_keys(charge).group), []).append(charge)
    return [
        BillGroup(
            book=scope.book,
            engagement_key=engagement_key,
            group_key=key[1],
            charges=tuple(sorted(gathered[key], key=lambda c: (c.work_date, c.charge_id))),
            through=scope.through,
            configuration_version=configured.version,
            accounts=configured.configuration.accounts,
            custom_fields=configured.configuration.posting.custom_fields,
            run_id=scope.run_id,
        )
        for key in sorted(gathered)
        if any(line.price.amount for line in bill_lines(gathered[key]))
    ]
