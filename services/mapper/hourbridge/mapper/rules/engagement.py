"""What holds for a client's work: customer, job, currency and policies.

The client's own setting wins over the project's, which wins over the book's. A policy counts as
a whole: one that sets only an increment takes the other fields' defaults, not the wider scope's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
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
    invoicing: InvoicingPolicy
    flat_fee: FlatFee | None
    flat_fee_scope: Literal["client", "project"]
    tax_code: str | None
    terms: LedgerReference | None
    email: str | None
    class_ref: LedgerReference | None


def engagement(
    book: BookConfiguration, client: ClientMapping, project: ProjectMapping | None
) -> Engagement:
    """Resolve the policies of a client and, if the project has a rule, its project."""
    return Engagement(
        customer=client.customer,
        job=project.job if project else None,
        currency=client.currency or book.currency,
        workflow=client.workflow or (project and project.workflow) or Workflow.STANDARD,
        rounding=client.rounding or (project and project.rounding) or book.rounding,
        invoicing=client.invoicing or (project and project.invoicing) or book.invoicing,
        flat_fee=client.flat_fee or (project.flat_fee if project else None),
        flat_fee_scope="client" if client.flat_fee or project is None else "project",
        tax_code=client.tax_code,
        terms=client.terms,
        email=client.email,
        class_ref=project.class_ref if project else None,
    )
