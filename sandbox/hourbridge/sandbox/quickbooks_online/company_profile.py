"""The two objects that a company has one of: CompanyInfo and Preferences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import Kind
from hourbridge.sandbox.quickbooks_online.refusals import missing_parameter, not_found, stale
from hourbridge.sandbox.quickbooks_online.transactions import EXCHANGE_ACCOUNT
from hourbridge.sandbox.quickbooks_online.values import Entity

PREFERENCES = Kind("Preferences", frozenset())
_KEPT = frozenset({"Id", "SyncToken", "MetaData", "domain", "sparse"})
_READ_ONLY_INFO = frozenset({"CompanyStartDate", "NameValue"})
_READ_ONLY_PREFERENCES = {
    "AccountingInfoPrefs": frozenset({"BookCloseDate"}),
    "TimeTrackingPrefs": frozenset({"MarkTimeEntriesBillable", "WorkWeekStartDate"}),
    "CurrencyPrefs": frozenset({"MultiCurrencyEnabled", "HomeCurrency"}),
    "TaxPrefs": frozenset({"UsingSalesTax", "PartnerTaxEnabled", "TaxGroupCodeRef"}),
}


def company_info(company: Company, identity: str | None = None) -> Entity:
    """Return CompanyInfo; its path names the realm, though its Id is 1."""
    if identity not in (None, company.realm, company.info["Id"]):
        raise not_found()
    return company.info


def preferences(company: Company) -> Entity:
    """Return Preferences, with what companies that convert line by line show besides."""
    shown = dict(company.preferences)
    if company.arithmetic.line_base_amounts:
        account = company.account_named(EXCHANGE_ACCOUNT)
        converted: dict[str, Any] = {"LineBaseAmounts": True}
        if account is not None:
            converted["ExchangeAccountRef"] = {"value": account["Id"]}
        shown["CurrencyPrefs"] = {**shown["CurrencyPrefs"], **converted}
    return shown


def write_company_info(company: Company, given: Entity) -> Entity:
    """Change CompanyInfo; ``sparse`` keeps what is not named."""
    current = _checked(company.info, given)
    kept = {n: v for n, v in current.items() if n in _KEPT | _READ_ONLY_INFO}
    changes = {n: v for n, v in given.items() if n not in _KEPT | _READ_ONLY_INFO}
    base = current if given.get("sparse") is True else kept
    company.info = _next(company, {**base, **changes}, current)
    return company.info


def write_preferences(company: Company, given: Entity) -> Entity:
    """Change preferences section by section; read-only values stay as they are."""
    current = _checked(company.preferences, given)
    changed = dict(current)
    for section, values in given.items():
        if section in _KEPT or not isinstance(values, Mapping):
            continue
        fixed = _READ_ONLY_PREFERENCES.get(section, frozenset())
        old = current.get(section, {})
        held = {name: value for name, value in old.items() if name in fixed}
        new = {name: value for name, value in values.items() if name not in fixed}
        changed[section] = {**held, **new}
    company.preferences = _next(company, changed, current)
    company.tell(PREFERENCES, "1", "Update")
    return preferences(company)


def set_by_person(company: Company, given: Mapping[str, Mapping[str, Any]]) -> Entity:
    """Change preferences as somebody in the service does, the closing date included."""
    changed = dict(company.preferences)
    for section, values in given.items():
        changed[section] = {**changed.get(section, {}), **values}
    company.preferences = _next(company, changed, company.preferences)
    company.tell(PREFERENCES, "1", "Update")
    return company.preferences


def _checked(current: Entity, given: Entity) -> Entity:
    if given.get("SyncToken") is None:
        raise missing_parameter("SyncToken")
    if str(given["SyncToken"]) != current["SyncToken"]:
        raise stale()
    return current


def _next(company: Company, changed: Entity, current: Entity) -> Entity:
    meta = {**current["MetaData"], "LastUpdatedTime": company.clock.stamp()}
    token = str(int(current["SyncToken"]) + 1)
    return {**changed, "Id": current["Id"], "SyncToken": token, "MetaData": meta}
