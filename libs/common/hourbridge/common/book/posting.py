"""What is posted besides invoices: worked time, and expenses by who paid them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hourbridge.common.book.policies import Workflow
from hourbridge.common.book.references import LedgerReference
from hourbridge.common.messages.fields import Identifier, Payload

TimeActivities = Literal["none", "worked"]
"""Whether worked time is posted as time activities of the ledger, one per approved entry."""
SalesKind = Literal["invoice", "credit_memo", "vendor_bill", "vendor_credit"]


class WorkflowTime(Payload):
    """Whether the time of one kind of engagement is posted."""

    workflow: Workflow
    time_activities: TimeActivities


class TimePosting(Payload):
    """Worked time in the ledger: for payroll and costing, never for what clients are billed."""

    time_activities: TimeActivities = "none"
    by_workflow: tuple[WorkflowTime, ...] = ()
    """The staff rule's word wins over the project's, which wins over the workflow's."""
    billable_link: bool = False
    """Post billable time as billable and link the invoice's lines with it, so that the ledger
    counts it as billed. By default the ledger never sees it as billable: nobody bills it twice."""

    @model_validator(mode="after")
    def _once(self) -> TimePosting:
        named = [rule.workflow for rule in self.by_workflow]
        if len(set(named)) != len(named):
            raise ValueError("each workflow may be given once")
        return self


class CardAccount(Payload):
    """The ledger's account of a company card, by the card's id or the last digits on it."""

    card: Identifier
    account: LedgerReference


class ExpensePosting(Payload):
    """What becomes of an expense's cost by who paid it; only where ``bill_costs`` is on."""

    employees: Literal["by_link", "bill", "check"] = "by_link"
    """What employees are paid back by: by what the staff rule links them to."""
    linked_to_both: Literal["bill", "check"] = "bill"
    """``by_link``: of people who are an employee and a vendor of the ledger."""
    company_card: Literal["feed", "purchase"] = "feed"
    """Feed: the bank's own feed brings it. Purchase: one card transaction for each charge."""
    company_cash: Literal["feed", "purchase"] = "feed"
    bank_account: LedgerReference | None = None
    """Where checks and cash come from; default the account of the role ``bank``."""
    card_account: LedgerReference | None = None
    """Of cards that aren't listed; default the account of the role ``credit_card``."""
    cards: tuple[CardAccount, ...] = ()


class CustomFieldRule(Payload):
    """A field of the ledger's own forms, filled from the source or with a constant."""

    field: Annotated[str, Field(min_length=1, max_length=100)]
    """What the ledger calls it."""
    source_field: str | None = None
    """The source's custom field, by id or name. What a document's work states differently, it
    states together, separated by commas."""
    value: str | None = None
    """The same for every document."""
    definition_id: Identifier | None = None
    """Of the ledger's newer fields: the id of the definition. Absent: an old one, by its name."""
    kinds: tuple[SalesKind, ...] = ("invoice", "credit_memo")
    too_long: Literal["refuse", "cut"] = "refuse"
    """What becomes of a text that doesn't fit into the ledger's field."""

    @model_validator(mode="after")
    def _one_origin(self) -> CustomFieldRule:
        if (self.source_field is None) == (self.value is None):
            raise ValueError("needs exactly one of source_field and value")
        return self


class PostingPolicy(Payload):
    """Which further kinds of documents a book posts, and how."""

    time: TimePosting = TimePosting()
    expenses: ExpensePosting = ExpensePosting()
    custom_fields: tuple[CustomFieldRule, ...] = ()
