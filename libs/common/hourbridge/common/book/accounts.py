"""The accounts of a book's double entry, by the part that they play."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from hourbridge.common.book.references import LedgerReference
from hourbridge.common.messages.fields import Payload


class AccountRole(StrEnum):
    """The part that an account plays in our postings."""

    RECEIVABLE = "receivable"
    PAYABLE = "payable"
    BANK = "bank"
    CREDIT_CARD = "credit_card"
    REVENUE = "revenue"
    REIMBURSABLE = "reimbursable"
    MARKUP_REVENUE = "markup_revenue"
    EXPENSE = "expense"
    TAX_PAYABLE = "tax_payable"
    INPUT_TAX = "input_tax"
    CUSTOMER_DEPOSITS = "customer_deposits"
    TRUST_BANK = "trust_bank"
    FORFEITED_REVENUE = "forfeited_revenue"
    SUBCONTRACTOR_COST = "subcontractor_cost"
    RETAINAGE_PAYABLE = "retainage_payable"
    FX_REALIZED = "fx_realized"
    FX_UNREALIZED = "fx_unrealized"
    RECEIVABLE_REVALUATION = "receivable_revaluation"
    PAYABLE_REVALUATION = "payable_revaluation"
    DEPOSITS_REVALUATION = "deposits_revaluation"
    WRITE_DOWN = "write_down"
    UNBILLED = "unbilled"
    DEFERRED_REVENUE = "deferred_revenue"
    ROUNDING = "rounding"
    OPENING_BALANCES = "opening_balances"


_NAMES = {
    AccountRole.RECEIVABLE: "Assets:Receivable",
    AccountRole.PAYABLE: "Liabilities:Payable",
    AccountRole.BANK: "Assets:Bank",
    AccountRole.CREDIT_CARD: "Liabilities:Credit-Card",
    AccountRole.REVENUE: "Income:Services",
    AccountRole.REIMBURSABLE: "Assets:Reimbursable",
    AccountRole.MARKUP_REVENUE: "Income:Markup",
    AccountRole.EXPENSE: "Expenses:Project-Costs",
    AccountRole.TAX_PAYABLE: "Liabilities:Tax-Payable",
    AccountRole.INPUT_TAX: "Assets:Input-Tax",
    AccountRole.CUSTOMER_DEPOSITS: "Liabilities:Customer-Deposits",
    AccountRole.TRUST_BANK: "Assets:Trust-Bank",
    AccountRole.FORFEITED_REVENUE: "Income:Forfeited-Retainers",
    AccountRole.SUBCONTRACTOR_COST: "Expenses:Subcontractors",
    AccountRole.RETAINAGE_PAYABLE: "Liabilities:Retainage",
    AccountRole.FX_REALIZED: "Income:FX-Realized",
    AccountRole.FX_UNREALIZED: "Income:FX-Unrealized",
    AccountRole.RECEIVABLE_REVALUATION: "Assets:Receivable-Revaluation",
    AccountRole.PAYABLE_REVALUATION: "Liabilities:Payable-Revaluation",
    AccountRole.DEPOSITS_REVALUATION: "Liabilities:Deposits-Revaluation",
    AccountRole.WRITE_DOWN: "Income:Write-Down",
    AccountRole.UNBILLED: "Assets:Unbilled",
    AccountRole.DEFERRED_REVENUE: "Liabilities:Deferred-Revenue",
    AccountRole.ROUNDING: "Expenses:Rounding",
    AccountRole.OPENING_BALANCES: "Equity:Opening-Balances",
}


_NAME = r"^(Assets|Liabilities|Equity|Income|Expenses)(:[A-Z0-9][A-Za-z0-9-]*)+$"
"""What both hledger and beancount take for the name of an account."""


class Account(Payload):
    """One account: the part it plays, its name in exported journals and the ledger's own one."""

    role: AccountRole
    name: str | None = Field(None, pattern=_NAME)
    ledger: LedgerReference | None = None


def name_of(accounts: Iterable[Account], role: AccountRole) -> str:
    """Return an account's name in exported journals; every role has a default."""
    named = (account.name for account in accounts if account.role is role and account.name)
    return next(named, _NAMES[role])


def ledger_account(accounts: Iterable[Account], role: AccountRole) -> LedgerReference | None:
    """Return the ledger's account of a role, None where the book names none."""
    return next((account.ledger for account in accounts if account.role is role), None)
