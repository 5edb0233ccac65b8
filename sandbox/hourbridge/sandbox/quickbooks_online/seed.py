"""Filling a new company with customers, jobs, items, accounts and terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hourbridge.sandbox.quickbooks_online import operations
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import ACCOUNT, CLASS, CUSTOMER, ITEM, TERM
from hourbridge.sandbox.quickbooks_online.values import Entity
from hourbridge.sandbox.quickbooks_online.world import World

_INCOME = "Services"
_ACCOUNTS = {
    "Accounts Receivable (A/R)": "Accounts Receivable",
    "Checking": "Bank",
    _INCOME: "Income",
    "Billable Expense Income": "Income",
    "Reimbursable Expenses": "Expense",
}


@dataclass(frozen=True)
class CompanySeed:
    """What a company starts with; ``customers`` maps each name to the names of its jobs."""

    realm: str
    name: str = "Sandbox Company"
    currency: str = "USD"
    customers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    items: Sequence[str] = ()
    accounts: Mapping[str, str] = field(default_factory=dict)
    """Further accounts: name to account type."""
    classes: Sequence[str] = ()
    terms: Mapping[str, int] = field(default_factory=lambda: {"Net 30": 30, "Net 15": 15})
    customer_currencies: Mapping[str, str] = field(default_factory=dict)
    """Makes the company a multi-currency one when not empty."""


def seed_company(world: World, seed: CompanySeed) -> str:
    """Open the company and fill it; returns the refresh token that connects to it."""
    with world.lock:
        company, token = world.open_company(seed.realm, seed.name, seed.currency)
        if seed.customer_currencies:
            company.preferences["CurrencyPrefs"]["MultiCurrencyEnabled"] = True
        accounts = {
            name: _add(company, ACCOUNT, {"Name": name, "AccountType": kind})
            for name, kind in {**_ACCOUNTS, **seed.accounts}.items()
        }
        for name in seed.items:
            income = {"value": accounts[_INCOME]}
            _add(company, ITEM, {"Name": name, "Type": "Service", "IncomeAccountRef": income})
        for name, days in seed.terms.items():
            _add(company, TERM, {"Name": name, "DueDays": days})
        for name in seed.classes:
            _add(company, CLASS, {"Name": name})
        for name, jobs in seed.customers.items():
            currency = seed.customer_currencies.get(name, seed.currency)
            _add_customer(company, name, jobs, currency)
        return token


def seed_from_json(body: Mapping[str, Any]) -> CompanySeed:
    """Return the seed in a JSON object; raises ValueError for unknown or missing names."""
    known = CompanySeed.__dataclass_fields__
    unknown = set(body) - set(known)
    if unknown or not isinstance(body.get("realm"), str):
        raise ValueError(f"needs realm; unknown: {sorted(unknown)}; known: {sorted(known)}")
    return CompanySeed(**body)


def _add_customer(company: Company, name: str, jobs: Sequence[str], currency: str) -> None:
    reference = {"value": currency}
    parent = _add(company, CUSTOMER, {"DisplayName": name, "CurrencyRef": reference})
    for job in jobs:
        body = {"DisplayName": job, "Job": True, "CurrencyRef": reference}
        _add(company, CUSTOMER, {**body, "ParentRef": {"value": parent}})


def _add(company: Company, kind: Any, body: Entity) -> str:
    return str(operations.save(company, kind, body).entity["Id"])
