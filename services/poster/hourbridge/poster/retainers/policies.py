"""Which policy a retainer follows now: the client's or the project's that names the engagement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
    LedgerReference,
    ProjectMapping,
    RetainerPolicy,
)


def policy_of(
    configuration: BookConfiguration, customer: LedgerReference, engagement: str
) -> RetainerPolicy | None:
    """Return the newest policy that names this engagement of a customer, None for none."""
    found = [
        (rule.effective_from or date.min, rule.retainer)
        for rule in _rules(configuration, customer)
        if rule.retainer is not None and rule.retainer.engagement.strip() == engagement
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _rules(
    configuration: BookConfiguration, customer: LedgerReference
) -> Iterator[ClientMapping | ProjectMapping]:
    """Yield what concerns a customer; clients are known by the customer that they are mapped to."""
    names = set()
    for client in configuration.clients:
        if client.customer.key == customer.key:
            names.add(client.client.strip())
            yield client
    for project in configuration.projects:
        if project.client is None or project.client.strip() in names:
            yield project


def customer_of(configuration: BookConfiguration, client: str) -> ClientMapping | None:
    """Return the newest rule of a client that is named as in the configuration."""
    rules = [rule for rule in configuration.clients if rule.client.strip() == client.strip()]
    return max(rules, key=lambda rule: rule.effective_from or date.min, default=None)
