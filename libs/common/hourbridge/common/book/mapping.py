"""The mapping: from the terms of the sources to those of the ledger, and what an hour costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hourbridge.common.book.policies import PolicyOverrides
from hourbridge.common.book.posting import TimeActivities
from hourbridge.common.book.references import Effective, LedgerReference, ZoneName
from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    Payload,
    SourceName,
)


class SharedPart(Payload):
    """One client's weight in what several clients share."""

    client: Identifier
    weight: Annotated[DecimalText, Field(gt=0)] = Decimal(1)


class StaffMapping(Effective):
    """A source's person (id or name): whom the ledger owes their expenses, and what they cost."""

    staff: Identifier
    source: SourceName | None = None
    vendor: LedgerReference | None = None
    employee: LedgerReference | None = None
    time_activities: TimeActivities | None = None
    cost_rate: Annotated[DecimalText, Field(ge=0)] | None = None
    currency: CurrencyCode | None = None


class ClientMapping(Effective, PolicyOverrides):
    """A source's client (id or name) to a ledger's customer."""

    client: Identifier
    source: SourceName | None = None
    customer: LedgerReference
    currency: CurrencyCode | None = None
    zone: ZoneName | None = None
    terms: LedgerReference | None = None
    email: str | None = None
    department: LedgerReference | None = None
    email_invoices: bool = False
    """The ledger sends posted invoices to ``email`` by itself."""


class ProjectMapping(Effective, PolicyOverrides):
    """A source's project (id or name) to a ledger's job; names the client if the source doesn't."""

    project: Identifier
    source: SourceName | None = None
    client: Identifier | None = None
    job: LedgerReference | None = None
    billable: bool | None = None
    class_ref: LedgerReference | None = None
    department: LedgerReference | None = None
    time_activities: TimeActivities | None = None
    zone: ZoneName | None = None
    shared_over: tuple[SharedPart, ...] = ()
    """Clients that share this project's expenses; their parts sum to the whole, to the cent."""


class TaskMapping(Effective):
    """A source's task or labor code (id or name) to a ledger's service item."""

    task: Identifier
    source: SourceName | None = None
    project: Identifier | None = None
    item: LedgerReference
    billable: bool | None = None
    class_ref: LedgerReference | None = None
    tax_code: str | None = None


class ExpenseMapping(Effective):
    """A source's expense category (id or name) to an item or account of the ledger."""

    category: Identifier
    source: SourceName | None = None
    item: LedgerReference | None = None
    account: LedgerReference | None = None
    billable: bool | None = None
    markup_percent: DecimalText = Decimal(0)
    tax_code: str | None = None
    vendor: LedgerReference | None = None
    """Who is paid where the expense names nobody."""

    @model_validator(mode="after")
    def _one_target(self) -> ExpenseMapping:
        if (self.item is None) == (self.account is None):
            raise ValueError("needs exactly one of item and account")
        return self


class RateRule(Effective):
    """An hourly price within a scope; absent scope parts mean any."""

    client: Identifier | None = None
    project: Identifier | None = None
    task: Identifier | None = None
    staff: Identifier | None = None
    amount: Annotated[DecimalText, Field(ge=0)]
    currency: CurrencyCode | None = None


RateScope = Literal["client", "project", "task", "staff"]


class RatePolicy(Payload):
    """Where a rate comes from: the entry's own rate first if asked, then rules by scope order."""

    use_source_rate: bool = True
    order: tuple[tuple[RateScope, ...], ...] = (
        ("staff", "task", "project"),
        ("staff", "project"),
        ("task", "project"),
        ("project",),
        ("staff", "client"),
        ("task", "client"),
        ("client",),
        ("staff", "task"),
        ("task",),
        ("staff",),
        (),
    )
    rules: tuple[RateRule, ...] = ()


class BillablePolicy(Payload):
    """Which time is charged."""

    approved_only: bool = True
    hours: Literal["billable", "input"] = "billable"
    unknown_state: Literal["billable", "non_billable", "park"] = "billable"
