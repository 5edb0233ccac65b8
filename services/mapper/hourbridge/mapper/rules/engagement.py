"""What holds for a client's work: customer, job, currency and policies.

The client's own setting wins over the project's, which wins over the book's of the day. A policy
counts as a whole: one that sets only an increment takes the other fields' defaults, not the wider
scope's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
    DatedPolicies,
    FlatFee,
    InvoicingPolicy,
    LedgerReference,
    ProjectMapping,
    RoundingPolicy,
    Workflow,
)


@dataclass(frozen=True, slots=True)
class Engagement:
    """The resolved terms of a client's project."""

    customer: LedgerReference
    job: LedgerReference | None
    currency: str
    workflow: Workflow
    rounding: RoundingPolicy
    rounding_origin: str | None
    """Whose policy it is; None for the book's own."""
    invoicing: InvoicingPolicy
    invoicing_origin: str | None
    flat_fee: FlatFee | None
    flat_fee_scope: Literal["client", "project"]
    tax_code: str | None
    terms: LedgerReference | None
    email: str | None
    class_ref: LedgerReference | None
    department: LedgerReference | None
    email_invoice: bool
    retainer: str | None
    """The engagement whose retainer pays for the work."""


@dataclass(frozen=True, slots=True)
class BookPolicies:
    """The book's own policies on a day, with their origins."""

    rounding: RoundingPolicy
    invoicing: InvoicingPolicy
    rounding_origin: str | None = None
    invoicing_origin: str | None = None


def book_policies(book: BookConfiguration, day: date | None = None) -> BookPolicies:
    """Return the book's policies; for work of ``day`` those that are dated come first."""
    holding = [] if day is None else [dated for dated in book.policies if dated.holds_on(day)]
    rounding = newest_setting(holding, "rounding")
    invoicing = newest_setting(holding, "invoicing")
    return BookPolicies(
        rounding=(rounding and rounding.rounding) or book.rounding,
        invoicing=(invoicing and invoicing.invoicing) or book.invoicing,
        rounding_origin=_dated_origin(rounding),
        invoicing_origin=_dated_origin(invoicing),
    )


def newest_setting(
    dated: Sequence[DatedPolicies], name: Literal["rounding", "invoicing", "corrections"]
) -> DatedPolicies | None:
    """Return which of ``dated`` sets a policy; of several the one that began last."""
    setting = [policies for policies in dated if getattr(policies, name) is not None]
    return max(setting, key=lambda p: p.effective_from or date.min, default=None)


def _dated_origin(dated: DatedPolicies | None) -> str | None:
    if dated is None:
        return None
    return f"book from {dated.effective_from}" if dated.effective_from else "book"


def engagement(
    book: BookConfiguration,
    client: ClientMapping,
    project: ProjectMapping | None,
    own: BookPolicies | None = None,
) -> Engagement:
    """Resolve the policies of a client and, if the project has a rule, its project.

    ``own`` are the book's policies on the day of the work; by default those without a date.
    """
    own = own or book_policies(book)
    rounding, rounding_origin = _rounding(client, project, own)
    invoicing, invoicing_origin = _invoicing(client, project, own)
    return Engagement(
        customer=client.customer,
        job=project.job if project else None,
        currency=client.currency or book.currency,
        workflow=client.workflow or (project and project.workflow) or Workflow.STANDARD,
        rounding=rounding,
        rounding_origin=rounding_origin,
        invoicing=invoicing,
        invoicing_origin=invoicing_origin,
        flat_fee=client.flat_fee or (project.flat_fee if project else None),
        flat_fee_scope="client" if client.flat_fee or project is None else "project",
        tax_code=client.tax_code or (project and project.tax_code) or book.tax_code,
        terms=client.terms,
        email=client.email,
        class_ref=project.class_ref if project else None,
        department=(project and project.department) or client.department,
        email_invoice=client.email_invoices,
        retainer=retainer_of(client, project),
    )


def retainer_of(client: ClientMapping, project: ProjectMapping | None) -> str | None:
    """Return the name of the retainer that pays for a client's project, None for none."""
    policy = client.retainer or (project and project.retainer)
    return policy.engagement.strip() if policy else None


def _rounding(
    client: ClientMapping, project: ProjectMapping | None, own: BookPolicies
) -> tuple[RoundingPolicy, str | None]:
    if client.rounding is not None:
        return client.rounding, f"client:{client.client}"
    if project is not None and project.rounding is not None:
        return project.rounding, f"project:{project.project}"
    return own.rounding, own.rounding_origin


def _invoicing(
    client: ClientMapping, project: ProjectMapping | None, own: BookPolicies
) -> tuple[InvoicingPolicy, str | None]:
    if client.invoicing is not None:
        return client.invoicing, f"client:{client.client}"
    if project is not None and project.invoicing is not None:
        return project.invoicing, f"project:{project.project}"
    return own.invoicing, own.invoicing_origin
