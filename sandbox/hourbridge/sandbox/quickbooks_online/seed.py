"""Filling a new company: accounts, items, customers and jobs, vendors, tax codes, rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online import operations
from hourbridge.sandbox.quickbooks_online.arithmetic import Arithmetic
from hourbridge.sandbox.quickbooks_online.chart import (
    CHART,
    OTHER_ACCOUNTS,
    ROLE_ITEMS,
    account_name,
)
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    CLASS,
    CUSTOMER,
    EMPLOYEE,
    ITEM,
    TAX_CODE,
    TAX_RATE,
    TERM,
    VENDOR,
)
from hourbridge.sandbox.quickbooks_online.values import Entity
from hourbridge.sandbox.quickbooks_online.world import World

DEFAULT_VENDORS = ("Bravo", "Hotel Ritz")


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
    header_accounts: Sequence[str] = ()
    """Accounts that nothing can be posted to, as other systems' charts have them."""
    closed_accounts: Sequence[str] = ()
    """Of the accounts above: those that were made inactive."""
    customer_currencies: Mapping[str, str] = field(default_factory=dict)
    """Makes the company a multi-currency one when not empty."""
    vendors: Sequence[str] = DEFAULT_VENDORS
    vendor_currencies: Mapping[str, str] = field(default_factory=dict)
    """Makes the company a multi-currency one when not empty."""
    employees: Sequence[str] = ()
    tax_codes: Mapping[str, str] = field(default_factory=dict)
    """Name to percent; turns sales tax on when not empty. The first is the automated tax's."""
    automated_tax: bool = False
    country: str = "US"
    exchange_rates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The company's own rates: currency to day to home units per foreign unit."""
    arithmetic: Mapping[str, Any] = field(default_factory=dict)
    """Switches of ``Arithmetic``: the company then reckons like another system."""

    @property
    def is_multi_currency(self) -> bool:
        """Whether anybody is billed in, or bills in, another currency."""
        return bool(self.customer_currencies or self.vendor_currencies or self.exchange_rates)


def seed_company(world: World, seed: CompanySeed) -> str:
    """Open the company and fill it; returns the refresh token that connects to it."""
    with world.lock:
        company, token = world.open_company(seed.realm, seed.name, seed.currency)
        company.info["Country"] = seed.country
        company.arithmetic = Arithmetic.from_json(seed.arithmetic)
        company.preferences["CurrencyPrefs"]["MultiCurrencyEnabled"] = seed.is_multi_currency
        company.rates = {
            code: {day: Decimal(rate) for day, rate in days.items()}
            for code, days in seed.exchange_rates.items()
        }
        accounts = _add_accounts(company, seed)
        _add_lists(company, seed, accounts)
        _add_taxes(company, seed)
        _add_people(company, seed)
        return token


def seed_from_json(body: Mapping[str, Any]) -> CompanySeed:
    """Return the seed in a JSON object; raises ValueError for unknown or missing names."""
    known = CompanySeed.__dataclass_fields__
    unknown = set(body) - set(known)
    if unknown or not isinstance(body.get("realm"), str):
        raise ValueError(f"needs realm; unknown: {sorted(unknown)}; known: {sorted(known)}")
    return CompanySeed(**body)


def _add_accounts(company: Company, seed: CompanySeed) -> dict[str, str]:
    wanted = dict(CHART.values()) | OTHER_ACCOUNTS | dict(seed.accounts)
    accounts = {
        name: _add(company, ACCOUNT, {"Name": name, "AccountType": kind})
        for name, kind in wanted.items()
    }
    for name in seed.header_accounts:
        body = {"Name": name, "AccountType": "Expense", "Header": True}
        accounts[name] = _add(company, ACCOUNT, body)
    for name in seed.closed_accounts:
        body = {"Id": accounts[name], "SyncToken": "0", "sparse": True, "Active": False}
        operations.save(company, ACCOUNT, body)
    return accounts


def _add_lists(company: Company, seed: CompanySeed, accounts: Mapping[str, str]) -> None:
    def add_item(name: str, role: str) -> None:
        income = {"value": accounts[account_name(role)]}
        cost = {"value": accounts[account_name("expense")]}
        body = {"Type": "Service", "IncomeAccountRef": income, "ExpenseAccountRef": cost}
        _add(company, ITEM, {"Name": name, **body})

    for name in seed.items:
        add_item(name, "revenue")
    for name, role in ROLE_ITEMS.items():
        if name not in seed.items:
            add_item(name, role)
    for name, days in seed.terms.items():
        _add(company, TERM, {"Name": name, "DueDays": days})
    for name in seed.classes:
        _add(company, CLASS, {"Name": name})


def _add_taxes(company: Company, seed: CompanySeed) -> None:
    for name, percent in seed.tax_codes.items():
        rate = company.put(TAX_RATE, {"Name": name, "RateValue": Decimal(percent), "Active": True})
        detail = {
            "TaxRateRef": {"value": rate["Id"], "name": name},
            "TaxTypeApplicable": "TaxOnAmount",
            "TaxOrder": 0,
        }
        code = company.put(
            TAX_CODE,
            {
                "Name": name,
                "Active": True,
                "Taxable": True,
                "TaxGroup": True,
                "SalesTaxRateList": {"TaxRateDetail": [detail]},
            },
        )
        company.preferences["TaxPrefs"].setdefault("TaxGroupCodeRef", {"value": code["Id"]})
    company.preferences["TaxPrefs"]["UsingSalesTax"] = bool(seed.tax_codes)
    company.preferences["TaxPrefs"]["PartnerTaxEnabled"] = seed.automated_tax


def _add_people(company: Company, seed: CompanySeed) -> None:
    for name, jobs in seed.customers.items():
        currency = seed.customer_currencies.get(name, seed.currency)
        _add_customer(company, name, jobs, currency)
    for name in dict.fromkeys([*seed.vendors, *seed.vendor_currencies]):
        if name in seed.customers and name in DEFAULT_VENDORS:
            continue  # one space of names
        currency = seed.vendor_currencies.get(name, seed.currency)
        _add(company, VENDOR, {"DisplayName": name, "CurrencyRef": {"value": currency}})
    for name in seed.employees:
        _add(company, EMPLOYEE, {"DisplayName": name})


def _add_customer(company: Company, name: str, jobs: Sequence[str], currency: str) -> None:
    reference = {"value": currency}
    parent = _add(company, CUSTOMER, {"DisplayName": name, "CurrencyRef": reference})
    for job in jobs:
        body = {"DisplayName": job, "Job": True, "CurrencyRef": reference}
        _add(company, CUSTOMER, {**body, "ParentRef": {"value": parent}})


def _add(company: Company, kind: Any, body: Entity) -> str:
    return str(operations.save(company, kind, body).entity["Id"])
