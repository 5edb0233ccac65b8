"""Canonical records, version 1, of invoices that people composed in the tracker."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    Instant,
    LocalDate,
    Payload,
)
from hourbridge.common.messages.record_parts import Record, RecordType


class ComposedLine(Payload):
    """One line as the tracker's invoice has it."""

    position: int = Field(ge=0)
    kind: Literal["time", "expense", "fixed", "discount", "retainer", "tax", "text", "other"]
    name: str | None = None
    notes: str | None = None
    quantity: DecimalText | None = None
    unit_price: DecimalText | None = None
    amount: DecimalText
    is_credit: bool = False
    taxable: bool | None = None
    tax_code_id: Identifier | None = None
    tax_amount: DecimalText | None = None
    project_id: Identifier | None = None
    task_id: Identifier | None = None
    account_id: Identifier | None = None
    class_id: Identifier | None = None
    entry_ids: tuple[Identifier, ...] = ()
    """External ids of the time entries and expenses that the line bills, where stated."""


class ComposedInvoice(Record):
    """An invoice that the tracker made; its hours must not be billed by us a second time."""

    record_type = RecordType.COMPOSED_INVOICE

    number: str | None = None
    status: Literal["draft", "final", "sent", "posted", "void", "unknown"] = "unknown"
    status_text: str | None = None
    client_id: Identifier | None = None
    client_name: str | None = None
    project_id: Identifier | None = None
    project_name: str | None = None
    invoice_date: LocalDate
    due_date: LocalDate | None = None
    sent_at: Instant | None = None
    period_first: LocalDate | None = None
    period_last: LocalDate | None = None
    currency: CurrencyCode | None = None
    subtotal: DecimalText | None = None
    tax_total: DecimalText | None = None
    total: DecimalText
    paid: DecimalText | None = None
    terms_id: Identifier | None = None
    purchase_order: str | None = None
    notes: str | None = None
    lines: tuple[ComposedLine, ...] = ()
