"""Whether what is said of subcontractors, costs and shared expenses can be carried out."""

from __future__ import annotations

from collections.abc import Iterator

from hourbridge.common.book import (
    AccountRole,
    BookConfiguration,
    ExpensePolicy,
    ledger_account,
)
from hourbridge.mapper.rules.findings import Finding, warning
from hourbridge.mapper.rules.names import normal


def check_payables(book: BookConfiguration) -> Iterator[Finding]:
    """Find shared expenses without their clients, and bills without an account to go to."""
    yield from _shared(book)
    yield from _subcontractors(book)
    yield from _costs(book)


def _shared(book: BookConfiguration) -> Iterator[Finding]:
    """Expenses are shared over clients that are mapped, each once, of no one client's project."""
    clients = {normal(rule.client) for rule in book.clients}
    for index, project in enumerate(book.projects):
        where = f"projects[{index}].shared_over"
        names = [normal(part.client) for part in project.shared_over]
        for number, name in enumerate(names):
            if name not in clients:
                detail = f"project {project.project!r}: client {name!r} has no rule"
                yield Finding("unknown_client", f"{where}[{number}]", detail)
            if name in names[:number]:
                detail = f"project {project.project!r}: client {name!r} has two parts"
                yield Finding("shared_twice", f"{where}[{number}]", detail)
        if names and project.client is not None and normal(project.client) not in names:
            detail = (
                f"client {project.client!r} is billed for the time of project "
                f"{project.project!r}, and has no part in its expenses"
            )
            yield warning("shared_without_owner", where, detail)


def _subcontractors(book: BookConfiguration) -> Iterator[Finding]:
    has_cost = ledger_account(book.accounts, AccountRole.SUBCONTRACTOR_COST) is not None
    has_held = ledger_account(book.accounts, AccountRole.RETAINAGE_PAYABLE) is not None
    for index, terms in enumerate(book.subcontractors):
        where = f"subcontractors[{index}]"
        if terms.account is None and not has_cost:
            detail = (
                f"{terms.staff!r} has no cost account, and accounts names none: a ledger without "
                "a default will park the bills"
            )
            yield warning("account_missing", f"{where}.account", detail)
        if terms.holdback_percent and not has_held:
            detail = (
                "holding back needs the ledger's account of the role retainage_payable: a ledger "
                "without a default will park the bills"
            )
            yield warning("account_missing", f"{where}.holdback_percent", detail)


def _costs(book: BookConfiguration) -> Iterator[Finding]:
    """An agent's costs are cleared by an account of their own: expense accounts never would be."""
    has_clearing = ledger_account(book.accounts, AccountRole.REIMBURSABLE) is not None
    for where, policy in _policies(book):
        if policy.bill_costs and policy.treatment == "agent" and not has_clearing:
            detail = (
                "costs of an agent are cleared by the account of the role reimbursable; without "
                "one they go to the category's own account or item"
            )
            yield warning("account_missing", where, detail)
        if policy.bill_costs and policy.recoverable_tax and not _has_tax(book):
            detail = "recoverable tax on costs goes to the role input_tax, which has no account"
            yield warning("account_missing", where, detail)


def _has_tax(book: BookConfiguration) -> bool:
    return ledger_account(book.accounts, AccountRole.INPUT_TAX) is not None


def _policies(book: BookConfiguration) -> Iterator[tuple[str, ExpensePolicy]]:
    yield "expense_policy", book.expense_policy
    for index, client in enumerate(book.clients):
        if client.expense_policy is not None:
            yield f"clients[{index}].expense_policy", client.expense_policy
    for index, project in enumerate(book.projects):
        if project.expense_policy is not None:
            yield f"projects[{index}].expense_policy", project.expense_policy
