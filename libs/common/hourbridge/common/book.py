"""The configuration of a book: ledger binding, mapping and policies, versioned as a whole.

A book configuration is written as YAML, loaded by check, plan and apply (mapper), and travels in
``book.configured`` so that every service works with the same version.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationError, model_validator

from hourbridge.common.calendar import Term
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.messages.fields import (
    BookName,
    CurrencyCode,
    DecimalText,
    Identifier,
    LocalDate,
    Payload,
    SourceName,
)
from hourbridge.common.money import RoundingMode


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not an IANA time zone") from None
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
"""An IANA time zone name."""


class Effective(Payload):
    """A rule that holds for work dates from ``effective_from`` to ``effective_to``, inclusive."""

    effective_from: LocalDate | None = None
    effective_to: LocalDate | None = None

    def holds_on(self, day: date) -> bool:
        """Return whether the rule applies to work done on ``day``."""
        return (self.effective_from is None or day >= self.effective_from) and (
            self.effective_to is None or day <= self.effective_to
        )

    @model_validator(mode="after")
    def _ordered(self) -> Effective:
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            raise ValueError("effective_to lies before effective_from")
        return self


class LedgerReference(Payload):
    """A thing in the ledger, by its id there or by its unique name; at least one of the two."""

    id: Identifier | None = None
    name: str | None = None

    @model_validator(mode="after")
    def _some(self) -> LedgerReference:
        if self.id is None and self.name is None:
            raise ValueError("needs an id or a name")
        return self

    @property
    def key(self) -> str:
        """Return a text that identifies the target within its kind."""
        return f"id:{self.id}" if self.id is not None else f"name:{self.name}"


class LedgerBinding(Payload):
    """The ledger that a book posts to."""

    kind: Literal["quickbooks_online", "quickbooks_desktop"] = "quickbooks_online"
    connection: Identifier
    company_id: Identifier


class SourceBinding(Payload):
    """A source that feeds the book."""

    name: SourceName
    system: str = "generic"
    zone: ZoneName | None = None


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

    Order of operations: group by scope, minimum, increment, quantity decimals, times rate, money.
    """

    increment_seconds: int = Field(360, ge=1, le=86_400)
    mode: RoundingMode = RoundingMode.HALF_UP
    scope: RoundingScope = RoundingScope.ENTRY
    minimum_seconds: int = Field(0, ge=0, le=86_400)
    minimum_exempt_from_increment: bool = True
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


class InvoicingPolicy(Payload):
    """How charges become documents."""

    grouping: Grouping = Grouping.PROJECT_MONTH
    lines: LineDetail = LineDetail.STAFF_TASK
    status: Literal["draft", "final"] = "final"
    automatic: bool = False
    due_days: int = Field(30, ge=0, le=366)
    number_prefix: str = Field("HB", pattern=r"^[A-Z0-9]{1,4}$")
    memo: str | None = Field(None, max_length=1000)


class CorrectionPolicy(Payload):
    """What is done when a posted charge changes."""

    mode: Literal["credit_memo", "update_in_place"] = "credit_memo"


class FlatFee(Payload):
    """A fixed price for each term in which the client had billable work."""

    amount: Annotated[DecimalText, Field(ge=0)]
    term: Term
    item: LedgerReference | None = None


class PolicyOverrides(Payload):
    """Policies that a client or project sets for itself; absent ones come from the wider scope."""

    rounding: RoundingPolicy | None = None
    invoicing: InvoicingPolicy | None = None
    corrections: CorrectionPolicy | None = None
    workflow: Workflow | None = None
    flat_fee: FlatFee | None = None


class ClientMapping(Effective, PolicyOverrides):
    """A source's client (id or name) to a ledger's customer."""

    client: Identifier
    source: SourceName | None = None
    customer: LedgerReference
    currency: CurrencyCode | None = None
    tax_code: str | None = None
    terms: LedgerReference | None = None
    email: str | None = None


class ProjectMapping(Effective, PolicyOverrides):
    """A source's project (id or name) to a ledger's job; names the client if the source doesn't."""

    project: Identifier
    source: SourceName | None = None
    client: Identifier | None = None
    job: LedgerReference | None = None
    billable: bool | None = None
    class_ref: LedgerReference | None = None


class TaskMapping(Effective):
    """A source's task or labor code (id or name) to a ledger's service item."""

    task: Identifier
    source: SourceName | None = None
    project: Identifier | None = None
    item: LedgerReference
    billable: bool | None = None
    class_ref: LedgerReference | None = None


class ExpenseMapping(Effective):
    """A source's expense category (id or name) to an item or account of the ledger."""

    category: Identifier
    source: SourceName | None = None
    item: LedgerReference | None = None
    account: LedgerReference | None = None
    billable: bool | None = None
    markup_percent: DecimalText = Decimal(0)

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


class BookConfiguration(Payload):
    """Everything that decides how one book's records become documents."""

    book: BookName
    currency: CurrencyCode
    zone: ZoneName
    ledger: LedgerBinding
    sources: tuple[SourceBinding, ...] = Field(min_length=1)
    clients: tuple[ClientMapping, ...] = ()
    projects: tuple[ProjectMapping, ...] = ()
    tasks: tuple[TaskMapping, ...] = ()
    expenses: tuple[ExpenseMapping, ...] = ()
    default_item: LedgerReference | None = None
    rates: RatePolicy = RatePolicy()
    billable: BillablePolicy = BillablePolicy()
    rounding: RoundingPolicy = RoundingPolicy()
    invoicing: InvoicingPolicy = InvoicingPolicy()
    corrections: CorrectionPolicy = CorrectionPolicy()

    @model_validator(mode="after")
    def _consistent(self) -> BookConfiguration:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError("source names must be unique")
        for group in (self.clients, self.projects, self.tasks, self.expenses):
            for rule in group:
                if rule.source is not None and rule.source not in names:
                    raise ValueError(f"rule names the unknown source {rule.source!r}")
        return self


def parse_book_configuration(document: Any) -> BookConfiguration:
    """Return the configuration in a parsed YAML document; unlike message readers, refuse typos.

    Raises ConfigurationInvalid that names every wrong field.
    """
    if not isinstance(document, Mapping):
        raise ConfigurationInvalid("a book configuration is a mapping of named fields")
    try:
        configuration = BookConfiguration.model_validate(document)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise ConfigurationInvalid(problems, book=document.get("book")) from None
    unknown = sorted(_unknown_fields(document, configuration, ""))
    if unknown:
        raise ConfigurationInvalid(f"unknown fields: {', '.join(unknown)}", book=configuration.book)
    return configuration


def _unknown_fields(given: Any, model: Any, path: str) -> set[str]:
    if isinstance(given, Mapping) and isinstance(model, Payload):
        found = {f"{path}{name}" for name in given if name not in type(model).model_fields}
        for name in set(given) & set(type(model).model_fields):
            found |= _unknown_fields(given[name], getattr(model, name), f"{path}{name}.")
        return found
    if isinstance(given, list) and isinstance(model, tuple):
        pairs = enumerate(zip(given, model, strict=False))
        return set().union(*(_unknown_fields(g, m, f"{path}{i}.") for i, (g, m) in pairs))
    return set()
