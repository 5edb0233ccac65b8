"""Policies: how time and money of an engagement become the lines of its documents."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hourbridge.common.book.references import Effective, LedgerReference
from hourbridge.common.calendar import Term
from hourbridge.common.messages.fields import CurrencyCode, DecimalText, Identifier, Payload
from hourbridge.common.money import RoundingMode

Percent = Annotated[DecimalText, Field(ge=0, le=100)]
"""A share of a hundred."""


class Workflow(StrEnum):
    """Which template an engagement follows."""

    STANDARD = "standard"
    NON_BILLABLE = "non_billable"
    RETAINER = "retainer"
    SUBCONTRACTOR = "subcontractor"
    PASS_THROUGH = "pass_through"


class RoundingScope(StrEnum):
    """What is added up before a duration is rounded to the billing increment."""

    ENTRY = "entry"
    DAY = "day"
    LINE = "line"


class RoundingPolicy(Payload):
    """How worked time becomes billed quantity and money.

    Order of operations: group by scope, minimum, increment, billable part, quantity decimals,
    times rate, money.
    """

    increment_seconds: int = Field(360, ge=1, le=86_400)
    mode: RoundingMode = RoundingMode.HALF_UP
    scope: RoundingScope = RoundingScope.ENTRY
    day_key: tuple[Literal["staff", "task", "project"], ...] | None = None
    """Scope ``day``: whose work of a day is added up; default staff and task."""
    minimum_seconds: int = Field(0, ge=0, le=86_400)
    minimum_exempt_from_increment: bool = True
    minimum_of: Literal["group", "entry"] | None = None
    """What the minimum applies to: what the scope adds up (default), or each entry before that."""
    billable_percent: Percent | None = None
    """Share of the rounded time that the client pays; the rest is written down. Default: all."""
    quantity_decimals: int | None = Field(None, ge=0, le=10)
    money_mode: Literal[RoundingMode.HALF_UP, RoundingMode.HALF_EVEN] = RoundingMode.HALF_UP


class Grouping(StrEnum):
    """Which charges share a document."""

    ENTRY = "entry"
    PROJECT_MONTH = "project_month"
    PROJECT_ON_DEMAND = "project_on_demand"
    CLIENT_MONTH = "client_month"
    CLIENT_QUARTER = "client_quarter"
    CLIENT_ON_DEMAND = "client_on_demand"


class LineDetail(StrEnum):
    """Which charges of a document share a line (never across rates, items or jobs)."""

    ENTRY = "entry"
    STAFF_TASK = "staff_task"
    TASK = "task"


class DiscountPolicy(Payload):
    """What an invoice costs less than its lines: a share of them, or an amount per document."""

    kind: Literal["percent", "amount"]
    value: Annotated[DecimalText, Field(gt=0)]
    of: Literal["lines", "services"] | None = None
    """Whether expenses are discounted too (``lines``, the default), or only time and fees."""
    reason: str | None = Field(None, max_length=200)


class InvoicingPolicy(Payload):
    """How charges become documents."""

    grouping: Grouping = Grouping.PROJECT_MONTH
    lines: LineDetail = LineDetail.STAFF_TASK
    status: Literal["draft", "final"] = "final"
    automatic: bool = False
    due_days: int = Field(30, ge=0, le=366)
    number_prefix: str = Field("HB", pattern=r"^[A-Z0-9]{1,4}$")
    memo: str | None = Field(None, max_length=1000)
    discount: DiscountPolicy | None = None


class CorrectionPolicy(Payload):
    """What is done when a posted charge changes."""

    mode: Literal["credit_memo", "update_in_place", "credit_and_rebill"] = "credit_memo"


class FlatFee(Payload):
    """A fixed price for each term in which the client had billable work."""

    amount: Annotated[DecimalText, Field(ge=0)]
    term: Term
    item: LedgerReference | None = None


class CapPolicy(Payload):
    """Not to exceed: what a client or project may be billed; more stays unbilled, as ``capped``."""

    amount: Annotated[DecimalText, Field(gt=0)]
    """In the currency that the client is billed in, before tax."""
    already_billed: Annotated[DecimalText, Field(ge=0)] = Decimal(0)
    """What was billed elsewhere before this book began; it counts."""
    term: Term | None = None
    """The cap begins anew with each term (of the work dates); without one it never does."""
    expenses: bool = False
    """Whether expenses count; by default only time does."""


class RetainerPolicy(Payload):
    """Money that a client pays before the work: one sub-ledger per client and engagement."""

    engagement: Identifier
    """The retainer's name within the client; projects may share it."""
    kind: Literal["standard", "trust", "non_refundable"] = "standard"
    """Trust money lies in a bank account of its own and pays only for what was earned; a
    non-refundable advance is not monetary: never revalued, earned at its receipt's rate."""
    automatic: bool = True
    """Apply the balance to each invoice of the engagement as soon as that is posted."""
    top_up_below: Annotated[DecimalText, Field(ge=0)] | None = None
    top_up_to: Annotated[DecimalText, Field(gt=0)] | None = None
    """Evergreen: ask for a top-up to this balance once it falls below the threshold."""

    @model_validator(mode="after")
    def _threshold(self) -> RetainerPolicy:
        if (self.top_up_to is None) != (self.top_up_below is None):
            raise ValueError("top_up_below and top_up_to belong together")
        if self.top_up_to is not None and self.top_up_to < (self.top_up_below or 0):
            raise ValueError("top_up_to lies below top_up_below")
        return self


class SubcontractorPolicy(Payload):
    """A vendor who works for clients: paid for worked hours by bill, rebilled if agreed."""

    staff: Identifier
    """The person's id or name in the source."""
    vendor: LedgerReference
    cost_rate: Annotated[DecimalText, Field(ge=0)]
    currency: CurrencyCode | None = None
    """Of the cost rate and of the vendor's bills; default the book's."""
    account: LedgerReference | None = None
    """The cost account; default ``accounts.subcontractor_cost``."""
    holdback_percent: Percent = Decimal(0)
    rebill: bool = True
    pay_when_paid: bool = False
    """The bill is posted at once but due only when the client has paid."""
    due_days: int = Field(30, ge=0, le=366)


class DatedSubcontractor(Effective, SubcontractorPolicy):
    """A subcontractor's terms while they hold."""


class ExpensePolicy(Payload):
    """How rebilled costs are booked, and when a person must look at them first."""

    treatment: Literal["agent", "principal"] = "agent"
    """Agent: through a clearing account, no revenue. Principal: revenue and cost gross."""
    bill_costs: bool = False
    """Post the cost side too: a bill to the vendor or employee who paid."""
    markup_percent: Annotated[DecimalText, Field(ge=0)] | None = None
    recoverable_tax: bool = True
    """Tax contained in the cost is recovered from the state, so the client pays the net."""
    receipt_required_above: Annotated[DecimalText, Field(ge=0)] | None = None
    description_characters_min: int = Field(0, ge=0, le=200)


class TaxRule(Effective):
    """A tax of invoices by document date. Rates of one code follow each other."""

    code: Identifier
    percent: Annotated[DecimalText, Field(ge=0, le=100)]
    method: Literal["document", "line"] = "document"
    """Where tax is rounded: once per rate over the document (EN 16931 BR-S-09), or per line."""
    mode: Literal[RoundingMode.HALF_UP, RoundingMode.HALF_EVEN, RoundingMode.DOWN] = (
        RoundingMode.HALF_UP
    )
    agency: str | None = None
    ledger_code: LedgerReference | None = None
    """The tax code in the ledger; default: one of the same name."""


class PolicyOverrides(Payload):
    """Policies that a client or project sets for itself; absent ones come from the wider scope."""

    rounding: RoundingPolicy | None = None
    invoicing: InvoicingPolicy | None = None
    corrections: CorrectionPolicy | None = None
    workflow: Workflow | None = None
    flat_fee: FlatFee | None = None
    cap: CapPolicy | None = None
    retainer: RetainerPolicy | None = None
    expense_policy: ExpensePolicy | None = None
    tax_code: str | None = None


class DatedPolicies(Effective):
    """Book-wide policies while they hold, by work date; they replace the book's own."""

    rounding: RoundingPolicy | None = None
    invoicing: InvoicingPolicy | None = None
    corrections: CorrectionPolicy | None = None
