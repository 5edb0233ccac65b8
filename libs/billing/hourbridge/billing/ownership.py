"""Which rules of a configuration a charge falls under, by what the charge remembers of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from hourbridge.common.book import BookConfiguration, ClientMapping, Effective, ProjectMapping
from hourbridge.common.messages.events import Charge

RuleT = TypeVar("RuleT", bound=Effective)


def client_rule(configuration: BookConfiguration, charge: Charge) -> ClientMapping | None:
    """Return the rule of a charge's client that holds on its day."""
    return _newest([r for r in configuration.clients if _is_of_client(r, charge)], charge)


def project_rule(configuration: BookConfiguration, charge: Charge) -> ProjectMapping | None:
    """Return the rule of a charge's project that holds on its day; a client's own comes first."""
    named = charge.project_rule or charge.project
    if named is None:
        return None
    rules = [rule for rule in configuration.projects if same_name(rule.project, named)]
    clients = {charge.client} | {
        rule.client for rule in configuration.clients if _is_of_client(rule, charge)
    }
    own = [
        rule
        for rule in rules
        if rule.client is not None and any(same_name(rule.client, name) for name in clients)
    ]
    return _newest(own, charge) or _newest([r for r in rules if r.client is None], charge)


def same_name(one: str, other: str) -> bool:
    """Return whether two names are the same, as the mapping compares them."""
    return _normal(one) == _normal(other)


def _is_of_client(rule: ClientMapping, charge: Charge) -> bool:
    return rule.customer.key == charge.customer.key and (
        same_name(rule.client, charge.client) or rule.customer.name == charge.client
    )


def _newest(rules: Sequence[RuleT], charge: Charge) -> RuleT | None:
    held = [rule for rule in rules if rule.holds_on(charge.work_date)]
    return max(held, key=lambda rule: rule.effective_from or date.min, default=None)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())
