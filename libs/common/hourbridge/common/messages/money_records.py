"""Canonical records, version 1, of money that changed hands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    LocalDate,
    Payload,
)
from hourbridge.common.messages.record_parts import Record, RecordType


class PaymentApplication(Payload):
    """Which part of a payment settles which invoice or bill."""

    document_number: Identifier
    amount: Annotated[DecimalText, Field(gt=0)]


class Payment(Record):
    """Money that a client paid or got back, or that a vendor was paid.

    A retainer is money received before the work; its refund goes back unearned.
    """

    record_type = RecordType.PAYMENT

    purpose: Literal["invoice", "retainer", "retainer_refund", "vendor_bill"] = "invoice"
    client_id: Identifier | None = None
    client_name: str | None = None
    project_id: Identifier | None = None
    project_name: str | None = None
    vendor_id: Identifier | None = None
    vendor_name: str | None = None
    engagement: Identifier | None = None
    """Retainers: which of the client's; default the only one."""
    payment_date: LocalDate
    amount: Annotated[DecimalText, Field(gt=0)]
    currency: CurrencyCode
    applications: tuple[PaymentApplication, ...] = ()
    """Absent: the oldest open documents of the client or vendor first."""
    method: str | None = None
    reference: str | None = None
    """Of the bank or the payer: a cheque number, a transfer's text."""
    in_ledger: bool = False
    """The accounting system has this payment already; it must not be entered again."""
    notes: str | None = None
