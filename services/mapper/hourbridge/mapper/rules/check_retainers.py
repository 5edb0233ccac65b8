"""Retainers: one set of terms per client and engagement, and the accounts that they move."""

from __future__ import annotations

from collections.abc import Iterator

from hourbridge.common.book import (
    AccountRole,
    BookConfiguration,
    ClientMapping,
    ProjectMapping,
    RetainerPolicy,
)
from hourbridge.common.book.accounts import ledger_account
from hourbridge.mapper.rules.findings import Finding, warning
from hourbridge.mapper.rules.names import normal


def check_retainers(book: BookConfiguration) -> Iterator[Finding]:
    """Find retainers whose rules contradict each other, or whose accounts have no name."""
    known: dict[tuple[str, str], tuple[str, RetainerPolicy]] = {}
    for where, owner, policy in _policies(book):
        key = (owner, normal(policy.engagement))
        first = known.setdefault(key, (where, policy))
        if first[1] != policy:
            detail = f"engagement {policy.engagement!r} has other terms at {first[0]}"
            yield Finding("retainer_contradicted", where, detail)
    if known:
        yield from _accounts(book, {policy.kind for _, policy in known.values()})


def _accounts(book: BookConfiguration, kinds: set[str]) -> Iterator[Finding]:
    """The ledger finds receivables by itself; the other accounts it must be told."""
    roles = [AccountRole.CUSTOMER_DEPOSITS, AccountRole.BANK]
    roles += [AccountRole.TRUST_BANK] if "trust" in kinds else []
    for role in roles:
        if ledger_account(book.accounts, role) is None:
            detail = f"retainers move {role.value}, and accounts name none of the ledger for it"
            yield warning("account_unmapped", "accounts", detail)


def _policies(book: BookConfiguration) -> Iterator[tuple[str, str, RetainerPolicy]]:
    """Yield each rule's place, whose it is, and its policy; dated rules succeed each other."""
    for index, client in enumerate(book.clients):
        if client.retainer is not None and _is_last(client, book.clients):
            yield f"clients[{index}].retainer", normal(client.client), client.retainer
    for index, project in enumerate(book.projects):
        if project.retainer is not None and _is_last(project, book.projects):
            owner = normal(project.client) if project.client else ""
            yield f"projects[{index}].retainer", owner, project.retainer


def _is_last(
    rule: ClientMapping | ProjectMapping,
    rules: tuple[ClientMapping, ...] | tuple[ProjectMapping, ...],
) -> bool:
    """Return whether no later rule of the same name takes this one's place."""
    begins = rule.effective_from
    return not any(
        later.effective_from and (begins is None or later.effective_from > begins)
        for later in rules
        if _name(later) == _name(rule) and later.source == rule.source
    )


def _name(rule: ClientMapping | ProjectMapping) -> str:
    return normal(rule.client if isinstance(rule, ClientMapping) else rule.project)
