"""The kinds of documents that the ledger holds: entity, number, how each is written and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerDocument, LedgerWrite
from hourbridge.connectors.quickbooks_online import (
    activity_payload,
    journal_reading,
    payments_reading,
    purchases_reading,
    sales_reading,
)
from hourbridge.connectors.quickbooks_online.activity_payload import ActivityPayload
from hourbridge.connectors.quickbooks_online.journal_payload import JournalPayload
from hourbridge.connectors.quickbooks_online.marker import marked_id
from hourbridge.connectors.quickbooks_online.payments_payload import PaymentsPayload
from hourbridge.connectors.quickbooks_online.purchases_payload import (
    PAYMENT_TYPES,
    PurchasesPayload,
)
from hourbridge.connectors.quickbooks_online.references import References
from hourbridge.connectors.quickbooks_online.sales_payload import SalesPayload


class Payload(Protocol):
    """Makes the JSON of one kind of document."""

    def for_create(self, write: LedgerWrite) -> dict[str, Any]:
        """Return the body of a create."""
        ...

    def for_update(self, write: LedgerWrite, current: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body of a full update."""
        ...


def _any(_row: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True)
class Form:
    """How one kind of document stands in the ledger."""

    entity: str
    payload: Callable[[References], Payload]
    read: Callable[[DocumentKind, Mapping[str, Any]], LedgerDocument]
    statement: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    number_property: str | None = "DocNumber"
    """Where our number stands; None: nowhere that a query could ask for."""
    condition: str | None = None
    """What else a query says, where one entity holds several kinds."""
    holds: Callable[[Mapping[str, Any]], bool] = _any
    """Whether a row is of this kind, where a query can't tell."""
    note_property: str = "PrivateNote"
    """Where our marker stands."""

    def says_the_same(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Return whether two bodies say the same in everything that we own."""
        return self._statement(one) == self._statement(other)

    def _statement(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return (
            row.get(self.number_property) if self.number_property else None,
            row.get("TxnDate"),
            marked_id(row.get(self.note_property)),
            self.statement(row),
        )


def _sale(entity: str) -> Form:
    return Form(entity, SalesPayload, sales_reading.to_ledger_document, sales_reading.statement_of)


def _purchase(entity: str) -> Form:
    return Form(
        entity,
        PurchasesPayload,
        purchases_reading.to_ledger_document,
        purchases_reading.statement_of,
    )


def _paid_at_once(kind: DocumentKind) -> Form:
    """Card charges and credits share a payment type, and whether it's a credit can't be asked."""
    return replace(
        _purchase("Purchase"),
        condition=f"PaymentType = '{PAYMENT_TYPES[kind]}'",
        holds=lambda row: purchases_reading.kind_of(row) is kind,
    )


def _payment(entity: str, number_property: str = "DocNumber") -> Form:
    return Form(
        entity,
        PaymentsPayload,
        payments_reading.to_ledger_document,
        payments_reading.statement_of,
        number_property,
    )


FORMS: dict[DocumentKind, Form] = {
    DocumentKind.INVOICE: _sale("Invoice"),
    DocumentKind.CREDIT_MEMO: _sale("CreditMemo"),
    DocumentKind.VENDOR_BILL: _purchase("Bill"),
    DocumentKind.VENDOR_CREDIT: _purchase("VendorCredit"),
    DocumentKind.PAYMENT: _payment("Payment", "PaymentRefNum"),
    DocumentKind.BILL_PAYMENT: _payment("BillPayment"),
    DocumentKind.JOURNAL_ENTRY: Form(
        "JournalEntry",
        JournalPayload,
        journal_reading.to_ledger_document,
        journal_reading.statement_of,
    ),
    **{kind: _paid_at_once(kind) for kind in PAYMENT_TYPES},
    DocumentKind.TIME_ACTIVITY: Form(
        "TimeActivity",
        ActivityPayload,
        activity_payload.to_ledger_document,
        activity_payload.statement_of,
        number_property=None,
        note_property="Description",
    ),
}
"""What we write, and read back."""


def form_of(kind: DocumentKind) -> Form:
    """Return how a kind is written; raises LedgerRejected for one that the ledger doesn't take."""
    if kind not in FORMS:
        what = f"documents of kind {kind} are not posted to QuickBooks Online"
        raise LedgerRejected(what, reason_code="kind_unsupported", kind=kind)
    return FORMS[kind]
