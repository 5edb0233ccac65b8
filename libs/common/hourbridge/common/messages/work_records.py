"""Canonical records, version 1, of time worked and money spent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    Instant,
    LocalDate,
    Payload,
)
from hourbridge.common.messages.record_parts import (
    Approval,
    Attachment,
    BillableState,
    Display,
    Lock,
    Record,
    RecordType,
    RoundedTime,
    StatedRate,
    WorkedTime,
    Zone,
)


class TimeEntry(Record):
    """One statement of work: who, for whom, when, how long, and whether the client pays."""

    record_type = RecordType.TIME_ENTRY

    staff_id: Identifier
    staff_name: str | None = None
    staff_email: str | None = None
    vendor_id: Identifier | None = None
    client_id: Identifier | None = None
    client_name: str | None = None
    project_id: Identifier | None = None
    project_name: str | None = None
    task_id: Identifier | None = None
    task_name: str | None = None
    labor_code_id: Identifier | None = None

    work_date: LocalDate
    start_at: Instant | None = None
    end_at: Instant | None = None
    zone: Zone | None = None
    original_start_text: str | None = None
    original_end_text: str | None = None
    crosses_midnight: bool = False
    running: bool = False

    input: WorkedTime
    billable: WorkedTime | None = None
    rounded: RoundedTime | None = None
    break_seconds: int = Field(0, ge=0)
    entry_mode: Literal["timer", "manual", "duration_only"] = "manual"
    rounding_applied_by: Literal["source", "us", "none"] = "none"

    entry_type: Literal["work", "break", "holiday", "time_off", "travel", "other"] = "work"
    payroll_item_id: Identifier | None = None
    payroll_category: Literal["regular", "overtime", "doubletime", "pto"] | None = None

    billable_state: BillableState = BillableState.UNKNOWN
    billable_reason: Literal["entry", "task", "project", "code", "category"] | None = None
    bill_rate: StatedRate | None = None
    bill_amount: DecimalText | None = None
    cost_rate: StatedRate | None = None
    cost_amount: DecimalText | None = None
    write_up: bool = False

    currency: CurrencyCode | None = None
    base_currency: CurrencyCode | None = None
    fx_rate: DecimalText | None = None
    fx_date: LocalDate | None = None
    fx_source: str | None = None
    base_amount: DecimalText | None = None

    class_id: Identifier | None = None
    service_item_hint: str | None = None
    department_id: Identifier | None = None
    location_id: Identifier | None = None
    cost_centers: tuple[str, ...] = ()

    approval: Approval = Approval()
    lock: Lock | None = None

    invoice_ref: str | None = None
    invoiced: bool = False
    exported: bool = False
    post_status: Literal["none", "queued", "posted", "failed", "void"] = "none"
    post_documents: tuple[str, ...] = ()

    notes: str | None = None
    revision_note: str | None = None
    display: Display | None = None
    attachments: tuple[Attachment, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> TimeEntry:
        if self.start_at and self.end_at and self.end_at < self.start_at:
            raise ValueError("end_at lies before start_at")
        if self.bill_rate is not None and self.bill_rate.amount < 0:
            raise ValueError("bill_rate.amount must not be negative")
        billable = self.billable.seconds if self.billable else None
        unpaid = self.billable_state in (BillableState.NON_BILLABLE, BillableState.NO_CHARGE)
        if unpaid and billable:
            raise ValueError(f"billable.seconds must be 0 or absent when {self.billable_state}")
        if self.billable_state is BillableState.PARTIALLY_BILLABLE and not (
            billable is not None and 0 < billable < self.input.seconds
        ):
            raise ValueError("partially_billable needs 0 < billable.seconds < input.seconds")
        return self


class ExpenseUnit(Payload):
    """A quantity of units (kilometres, nights) with cost and sell rate per unit."""

    quantity: DecimalText
    unit_of_measure: str | None = None
    cost_rate: DecimalText | None = None
    sell_rate: DecimalText | None = None


class ExpenseReport(Payload):
    """The report that an expense belongs to."""

    id: Identifier
    name: str | None = None
    status: str | None = None
    submitted_at: Instant | None = None


class Expense(Record):
    """One statement of money spent, and what of it the client pays."""

    record_type = RecordType.EXPENSE

    staff_id: Identifier | None = None
    staff_name: str | None = None
    vendor_id: Identifier | None = None
    vendor_name: str | None = None
    merchant_text: str | None = None
    client_id: Identifier | None = None
    client_name: str | None = None
    project_id: Identifier | None = None
    project_name: str | None = None
    task_id: Identifier | None = None
    category_id: Identifier | None = None
    category_name: str | None = None
    category_target: Literal["item", "account"] | None = None

    expense_date: LocalDate
    bill_number: str | None = None
    due_date: LocalDate | None = None

    amount_in: DecimalText
    amount_payable: DecimalText | None = None
    amount_billable: DecimalText | None = None
    tax_amount: DecimalText | None = None
    tax_code_id: Identifier | None = None
    tax_included: bool = False
    markup_percent: DecimalText | None = None
    unit: ExpenseUnit | None = None

    currency: CurrencyCode
    base_currency: CurrencyCode | None = None
    fx_rate: DecimalText | None = None
    fx_date: LocalDate | None = None
    fx_source: str | None = None
    base_amount: DecimalText | None = None
    original_amount: DecimalText | None = None
    original_currency: CurrencyCode | None = None

    reimbursable: bool = False
    payment_source: Literal[
        "employee", "company_card", "company_cash", "vendor_bill", "service_fee", "unknown"
    ] = "unknown"
    card_account_id: Identifier | None = None
    card_mask: str | None = None
    bank_transaction_id: Identifier | None = None
    split_group_id: Identifier | None = None
    is_refund: bool = False
    report: ExpenseReport | None = None

    approval: Approval = Approval()
    lock: Lock | None = None
    invoiced: bool = False
    receipts: tuple[Attachment, ...] = ()
    billable_state: BillableState = BillableState.UNKNOWN
    billable_reason: Literal["entry", "task", "project", "code", "category"] | None = None
    posting_intent: (
        Literal["bill", "check", "credit_card_charge", "credit_card_credit", "journal", "none"]
        | None
    ) = None
    posting_intent_decided_by: str | None = None
    class_id: Identifier | None = None
    department_id: Identifier | None = None
    location_id: Identifier | None = None
    notes: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Expense:
        paid_by_company = self.payment_source in ("company_card", "vendor_bill")
        if paid_by_company and self.amount_payable not in (None, 0):
            raise ValueError(f"amount_payable must be 0 when paid by {self.payment_source}")
        if paid_by_company and self.reimbursable:
            raise ValueError("an expense is either reimbursable or paid by the company")
        if (self.amount_in < 0) != self.is_refund and self.amount_in != 0:
            raise ValueError("a negative amount_in is a refund and needs is_refund, and only then")
        return self
