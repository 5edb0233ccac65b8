"""Payloads, version 1, of what the poster tells: documents, their lines and their double entry."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field

from hourbridge.common.book import AccountRole, DiscountPolicy, LedgerBinding, LedgerReference
from hourbridge.common.messages.charges import ChargedCost, Reason
from hourbridge.common.messages.exchange import ExchangeRateUsed
from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    Instant,
    LocalDate,
    Payload,
)
from hourbridge.common.messages.posting_kinds import Activity, FormField
from hourbridge.common.messages.records import Attachment
from hourbridge.common.money import RoundingMode


class DocumentKind(StrEnum):
    """What can be posted."""

    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"
    VENDOR_BILL = "vendor_bill"
    VENDOR_CREDIT = "vendor_credit"
    PAYMENT = "payment"
    BILL_PAYMENT = "bill_payment"
    JOURNAL_ENTRY = "journal_entry"
    CHECK = "check"
    CREDIT_CARD_CHARGE = "credit_card_charge"
    CREDIT_CARD_CREDIT = "credit_card_credit"
    CASH_PURCHASE = "cash_purchase"
    TIME_ACTIVITY = "time_activity"


class DocumentStatus(StrEnum):
    """Where a document stands."""

    DRAFT = "draft"  # assembled, waits for a person's release
    POSTING = "posting"  # intent committed; on its way
    POSTED = "posted"  # the ledger has it, and we read its answer
    PARKED = "parked"  # the ledger refused it; waits for a decision
    WITHDRAWN = "withdrawn"  # never posted, its charges are free again


class RoundingStep(Payload):
    """One rounding that happened, kept so that every cent can be explained."""

    step: Literal[
        "minimum",
        "increment",
        "billable_part",
        "quantity",
        "money",
        "discount",
        "adjustment",
        "cap",
        "tax",
        "exchange",
        "allocation",
    ]
    of: str
    mode: str
    unit: str
    before: DecimalText
    after: DecimalText
    policy: str | None = None
    """Whose policy, at which configuration version; absent on lines of before that was kept."""

    @property
    def residue(self) -> Decimal:
        """Return what the rounding took away (positive) or added (negative)."""
        return self.before - self.after


class LineAdjustment(Payload):
    """A write-up (positive) or write-down (negative) that a person decided before posting."""

    amount: DecimalText
    reason: str
    by: str


class TaxAmount(Payload):
    """Tax of one code and rate on a document."""

    code: str
    percent: DecimalText
    taxable: DecimalText
    amount: DecimalText
    method: Literal["document", "line"]
    mode: RoundingMode | None = None
    """How it was rounded; absent: half up."""
    ledger_code: LedgerReference | None = None


class Posting(Payload):
    """One line of double entry: debits positive, credits negative; sums to zero per currency."""

    role: AccountRole
    account: LedgerReference | None = None
    """The ledger's account, where the book names one."""
    amount: DecimalText
    base_amount: DecimalText
    """In the book's currency; equals ``amount`` where currencies agree."""
    client: str | None = None
    customer: LedgerReference | None = None
    vendor: LedgerReference | None = None
    memo: str | None = None


class Settlement(Payload):
    """Which document a payment, credit or retainer application settles, and by how much."""

    document_id: Identifier
    number: str
    amount: DecimalText


class DocumentLine(Payload):
    """One line, with the charges it bills."""

    line_id: Identifier
    position: int = Field(ge=1)
    description: str
    item: LedgerReference | None = None
    account: LedgerReference | None = None
    class_ref: LedgerReference | None = None
    tax_code: str | None = None
    service_date: LocalDate | None = None
    quantity: DecimalText
    unit_price: DecimalText
    amount: DecimalText
    billed_seconds: int = 0
    worked_seconds: int = 0
    client: str | None = None
    project: str | None = None
    charge_ids: tuple[Identifier, ...] = ()
    credits_line_id: Identifier | None = None
    """On credit memos: the invoice line that this line takes back (in part)."""
    supplements_line_id: Identifier | None = None
    """On invoices: the earlier line whose charges grew after posting; bills the difference."""
    roundings: tuple[RoundingStep, ...] = ()
    role: AccountRole | None = None
    """Which account the line posts to where it isn't revenue."""
    discount: DecimalText | None = None
    """This line's part of the document's discount; ``amount`` is after it."""
    adjustment: LineAdjustment | None = None
    capped_seconds: int = 0
    capped_amount: DecimalText | None = None
    """What a cap left unbilled of these charges."""
    tax_amount: DecimalText | None = None
    """The line's own tax (method ``line``), or its part of the document's."""
    base_amount: DecimalText | None = None
    """In the book's currency, by the document's rate, or by ``exchange`` where that differs."""
    exchange: ExchangeRateUsed | None = None
    """Transaction-date lock: the rate of this line's own date."""
    cost: ChargedCost | None = None


class LedgerPosition(Payload):
    """Where a posted document is found in its ledger, and what the ledger said of it."""

    ledger_id: Identifier
    edit_token: str | None = None
    total: DecimalText
    currency: CurrencyCode | None = None
    posted_at: Instant
    generation: int = 1


class Document(Payload):
    """The full state of a document: what is posted, to whom, why."""

    document_id: Identifier
    version: int = Field(ge=1)
    kind: DocumentKind
    status: DocumentStatus
    number: str
    """Our document number, allocated before sending; the marker by which the ledger is searched."""
    generation: int = Field(1, ge=1)
    ledger: LedgerBinding
    customer: LedgerReference | None = None
    """Absent on vendor bills and on entries that concern no one client."""
    vendor: LedgerReference | None = None
    vendor_bill_number: str | None = None
    job: LedgerReference | None = None
    client: str
    """Empty where no one client is concerned."""
    currency: CurrencyCode
    document_date: LocalDate
    due_date: LocalDate | None = None
    period: str | None = None
    terms: LedgerReference | None = None
    email: str | None = None
    memo: str | None = None
    lines: tuple[DocumentLine, ...]
    total: DecimalText
    """Lines plus tax."""
    taxes: tuple[TaxAmount, ...] = ()
    discount: DiscountPolicy | None = None
    exchange: ExchangeRateUsed | None = None
    base_total: DecimalText | None = None
    """In the book's currency; absent where the document is in it."""
    postings: tuple[Posting, ...] = ()
    """Of journal entries and payments; those of other kinds follow from their lines."""
    purpose: str | None = None
    """Why an entry exists: ``retainer_application``, ``revaluation``, ``revaluation_reversal``."""
    engagement: str | None = None
    """The retainer that the document moves, or pays from."""
    settles: tuple[Settlement, ...] = ()
    reverses_document_id: Identifier | None = None
    attachments: tuple[Attachment, ...] = ()
    in_ledger: bool = False
    """The ledger had it first: never sent, only kept in our journal."""
    run_id: str | None = None
    credits_document_id: Identifier | None = None
    configuration_version: int
    cut_off_at: Instant | None = None
    """The billing cut-off, for time-to-invoice."""
    posted: LedgerPosition | None = None
    reason: Reason | None = None
    activity: Activity | None = None
    """Of time activities: the work."""
    employee: LedgerReference | None = None
    """Whom a purchase paid, where that is an employee."""
    paid_from: LedgerReference | None = None
    """Of purchases: the ledger's bank or card account."""
    department: LedgerReference | None = None
    custom_fields: tuple[FormField, ...] = ()
    email_wanted: bool = False
    """The ledger sends it to ``email``."""


class DocumentChanged(Payload):
    """A document reached a new state; consumers keep the highest version."""

    document: Document
