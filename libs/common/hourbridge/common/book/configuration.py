"""The configuration of a book: ledger binding, mapping and policies, versioned as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from hourbridge.common.book.accounts import Account
from hourbridge.common.book.currencies import CurrencyPolicy
from hourbridge.common.book.lists import ListPolicy
from hourbridge.common.book.local_time import TimePolicy
from hourbridge.common.book.mapping import (
    BillablePolicy,
    ClientMapping,
    ExpenseMapping,
    ProjectMapping,
    RatePolicy,
    StaffMapping,
    TaskMapping,
)
from hourbridge.common.book.policies import (
    CorrectionPolicy,
    DatedPolicies,
    DatedSubcontractor,
    ExpensePolicy,
    InvoicingPolicy,
    RoundingPolicy,
    TaxRule,
)
from hourbridge.common.book.posting import PostingPolicy
from hourbridge.common.book.references import Effective, LedgerReference, ZoneName
from hourbridge.common.book.write_back import WriteBackRule
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.messages.fields import (
    BookName,
    CurrencyCode,
    Identifier,
    LocalDate,
    Payload,
    SourceName,
)


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
    connection: Identifier | None = None
    """The source connection that is written back to; absent: the one of the source's name."""
    invoices: Literal["ours", "composed"] = "ours"
    """Who makes invoices of its work: we, from hours and expenses, or people in the tracker, whose
    invoices are mirrored line by line."""
    invoices_from: LocalDate | None = None
    """Composed invoices dated before are not taken over: another link has posted them."""


class ReviewPolicy(Payload):
    """What waits for a person: documents of these kinds are drafts until somebody releases them."""

    kinds: tuple[
        Literal["invoice", "credit_memo", "vendor_bill", "journal_entry", "payment"], ...
    ] = ()


class DeferralRule(Effective):
    """Revenue that is invoiced at once and earned over months, in equal parts."""

    client: Identifier | None = None
    project: Identifier | None = None
    item: LedgerReference | None = None
    months: int = Field(ge=2, le=120)
    begins: Literal["invoice_month", "next_month"] = "invoice_month"


class RecognitionPolicy(Payload):
    """When revenue counts, where that isn't when it is invoiced."""

    unbilled: bool = False
    """Recognize work when it is charged (a contract asset); the invoice then bills the asset."""
    deferrals: tuple[DeferralRule, ...] = ()


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
    staff: tuple[StaffMapping, ...] = ()
    subcontractors: tuple[DatedSubcontractor, ...] = ()
    billable: BillablePolicy = BillablePolicy()
    time: TimePolicy = TimePolicy()
    rounding: RoundingPolicy = RoundingPolicy()
    invoicing: InvoicingPolicy = InvoicingPolicy()
    corrections: CorrectionPolicy = CorrectionPolicy()
    expense_policy: ExpensePolicy = ExpensePolicy()
    policies: tuple[DatedPolicies, ...] = ()
    taxes: tuple[TaxRule, ...] = ()
    tax_code: str | None = None
    """Of clients and projects that name none."""
    currencies: CurrencyPolicy = CurrencyPolicy()
    accounts: tuple[Account, ...] = ()
    review: ReviewPolicy = ReviewPolicy()
    recognition: RecognitionPolicy = RecognitionPolicy()
    lists: ListPolicy = ListPolicy()
    posting: PostingPolicy = PostingPolicy()
    write_back: tuple[WriteBackRule, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> BookConfiguration:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError("source names must be unique")
        roles = [account.role for account in self.accounts]
        if len(set(roles)) != len(roles):
            raise ValueError("each account role may be given once")
        for group in (self.clients, self.projects, self.tasks, self.expenses, self.staff):
            for rule in group:
                if rule.source is not None and rule.source not in names:
                    raise ValueError(f"rule names the unknown source {rule.source!r}")
        for told in self.write_back:
            if told.source not in names:
                raise ValueError(f"write_back names the unknown source {told.source!r}")
        for listed in self.lists.rules:
            if listed.source is not None and listed.source not in names:
                raise ValueError(f"the rule of a list names the unknown source {listed.source!r}")
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
