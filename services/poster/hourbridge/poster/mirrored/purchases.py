"""Purchases whose charges changed: put right in the ledger where they stand, or deleted there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.currencies.stamping import restamped
from hourbridge.billing.expenses import receipts_of
from hourbridge.billing.payables import bill_date, bill_lines, cost_identity
from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
)
from hourbridge.poster import line_store
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.line_store import BilledCharge
from hourbridge.poster.operations import Intent, OperationKind, add_intents
from hourbridge.poster.payables.bills import mirrored_line, new_line


class PurchaseCorrector:
    """Corrects posted purchases in the caller's transaction, under their account's lock."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    def correct(self, connection: Connection, held: HeldDocument) -> None:
        """Look at a posted purchase whose charges changed."""
        by_line = line_store.lock_charges(connection, held.document.document_id)
        charges = [charge for group in by_line.values() for charge in group]
        staying = [charge for charge in charges if _stays(charge)]
        proposal = self._restated(connection, held, staying)
        if proposal is None:
            self._propose(connection, held, held.document, "delete", {})
            return
        leaving = sorted({c.charge_id for c in charges} - {c.charge_id for c in staying})
        if not leaving and _says(proposal) == _says(held.document):
            line_store.reflect(connection, [charge.to_json() for charge in staying])
            return
        detail = {"staying": [charge.to_json() for charge in staying], "leaving": leaving}
        self._propose(connection, held, proposal, "update", detail)

    def delete(self, connection: Connection, held: HeldDocument) -> None:
        """Take a posted purchase back; what it paid waits until somebody asks for it."""
        self._propose(connection, held, held.document, "delete", {"set_aside": True})

    def _restated(
        self, connection: Connection, held: HeldDocument, staying: Sequence[BilledCharge]
    ) -> Document | None:
        """Return the purchase as its charges state it now, None when it can't be this one."""
        now = [charge.now for charge in staying]
        document = held.document
        if not now:
            return None
        configured = configuration_of(connection, held.book)
        accounts = configured.configuration.accounts if configured else ()
        lines = [
            new_line(line, document.document_id, position, accounts).line
            for position, line in enumerate(bill_lines(now), start=1)
        ]
        if document.kind is DocumentKind.CREDIT_CARD_CREDIT:
            lines = [mirrored_line(line) for line in lines]
        total = sum((line.amount for line in lines), Decimal(0))
        if total <= 0:
            return None  # what was a charge is a credit now, or the other way round
        restated = document.model_copy(
            update={
                "lines": tuple(lines),
                "total": total,
                "document_date": bill_date(now),
                "attachments": receipts_of(now),
            }
        )
        return restamped(restated) if document.exchange is not None else restated

    def _propose(
        self,
        connection: Connection,
        held: HeldDocument,
        proposal: Document,
        kind: OperationKind,
        detail: Mapping[str, Any],
    ) -> None:
        """Store the intent; our own rows change only when the ledger has taken it."""
        self._documents.save(
            connection, held, content_changed=True, status=DocumentStatus.POSTING, reason=None
        )
        version = held.payload_version + 1
        intent = Intent(held.book, proposal, kind, payload_version=version, detail=detail)
        add_intents(connection, [intent], self._clock.now())


def _stays(charge: BilledCharge) -> bool:
    return not charge.is_withdrawn and cost_identity(charge.billed) == cost_identity(charge.now)


def _says(document: Document) -> tuple[Any, ...]:
    return (document.document_date, document.total, tuple(_of_line(x) for x in document.lines))


def _of_line(line: DocumentLine) -> tuple[Any, ...]:
    account, item, class_ref = line.account, line.item, line.class_ref
    named = (reference.key if reference else None for reference in (account, item, class_ref))
    return (line.line_id, line.amount, line.description, *named)
