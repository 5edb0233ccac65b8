"""Resources that are no entities with ids: company, preferences, exchange rates, tax service."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online import company_profile, exchange_rates
from hourbridge.sandbox.quickbooks_online.calls import Call, json_object
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import TAX_AGENCY, TAX_CODE, TAX_RATE
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    duplicate_name,
    missing_parameter,
    unsupported,
)
from hourbridge.sandbox.quickbooks_online.values import Entity, number_of, text_of


def singular(call: Call, company: Company) -> dict[str, Any]:
    """Return the answer to a call of such a resource."""
    read, write = _WAYS[call.resource]
    return read(company, call) if call.method == "GET" else write(company, call)


def _read_company(company: Company, call: Call) -> dict[str, Any]:
    identity = call.path[1] if len(call.path) > 1 else None
    return {"CompanyInfo": company_profile.company_info(company, identity)}


def _write_company(company: Company, call: Call) -> dict[str, Any]:
    return {"CompanyInfo": company_profile.write_company_info(company, json_object(call))}


def _read_preferences(company: Company, _call: Call) -> dict[str, Any]:
    return {"Preferences": company_profile.preferences(company)}


def _write_preferences(company: Company, call: Call) -> dict[str, Any]:
    return {"Preferences": company_profile.write_preferences(company, json_object(call))}


def _read_rate(company: Company, call: Call) -> dict[str, Any]:
    names = {name.lower(): value for name, value in call.parameters.items()}
    code, day = names.get("sourcecurrencycode"), names.get("asofdate")
    return {"ExchangeRate": exchange_rates.read(company, code, day)}


def _write_rate(company: Company, call: Call) -> dict[str, Any]:
    return {"ExchangeRate": exchange_rates.write(company, json_object(call))}


def _no_reading(_company: Company, call: Call) -> dict[str, Any]:
    raise unsupported("/".join(call.path))


def _tax_service(company: Company, call: Call) -> dict[str, Any]:
    if call.path != ("taxservice", "taxcode"):
        raise unsupported("/".join(call.path))
    return create_tax_code(company, json_object(call))


_Way = Callable[[Company, Call], dict[str, Any]]
_WAYS: dict[str, tuple[_Way, _Way]] = {
    "companyinfo": (_read_company, _write_company),
    "preferences": (_read_preferences, _write_preferences),
    "exchangerate": (_read_rate, _write_rate),
    "taxservice": (_no_reading, _tax_service),
}
SINGULAR = frozenset(_WAYS)


def create_tax_code(company: Company, given: Entity) -> dict[str, Any]:
    """Add a tax code with its rates; the answer has no envelope of an entity."""
    name = text_of(given, "TaxCode", 100)
    details = given.get("TaxRateDetails")
    if name is None or not isinstance(details, list) or not details:
        raise missing_parameter("TaxCode" if name is None else "TaxRateDetails")
    if any(code["Name"].casefold() == name.casefold() for code in company.all(TAX_CODE)):
        raise duplicate_name("tax code", "")
    rates = [_rate(company, detail) for detail in details]
    shown = [
        {
            "TaxRateRef": {"value": rate["Id"], "name": rate["Name"]},
            "TaxTypeApplicable": "TaxOnAmount",
            "TaxOrder": 0,
        }
        for rate in rates
    ]
    body = {"Name": name, "Active": True, "Taxable": True, "TaxGroup": True}
    code = company.put(TAX_CODE, {**body, "SalesTaxRateList": {"TaxRateDetail": shown}})
    answered = [
        {
            "TaxRateName": rate["Name"],
            "TaxRateId": rate["Id"],
            "RateValue": rate["RateValue"],
            "TaxAgencyId": rate.get("AgencyRef", {}).get("value"),
            "TaxApplicableOn": "Sales",
        }
        for rate in rates
    ]
    return {"TaxCode": name, "TaxCodeId": code["Id"], "TaxRateDetails": answered}


def _rate(company: Company, detail: Entity) -> Entity:
    known = detail.get("TaxRateId")
    if known is not None:
        found = company.get(TAX_RATE, str(known))
        if found is None:
            raise Refusal("2030", "Invalid ID", f"TaxRateId {known} is unknown")
        return found
    name = text_of(detail, "TaxRateName", 100)
    percent = number_of(detail, "RateValue", decimals_max=5)
    agency = detail.get("TaxAgencyId")
    if name is None or percent is None or agency is None:
        raise missing_parameter("TaxRateDetails")
    if company.get(TAX_AGENCY, str(agency)) is None:
        raise Refusal("2030", "Invalid ID", f"TaxAgencyId {agency} is unknown")
    if any(rate["Name"].casefold() == name.casefold() for rate in company.all(TAX_RATE)):
        raise duplicate_name("tax rate", "")
    since = {"RateValue": Decimal(percent), "EffectiveDate": company.clock.stamp()}
    body = {"Name": name, "RateValue": percent, "Active": True, "EffectiveTaxRate": [since]}
    return company.put(TAX_RATE, {**body, "AgencyRef": {"value": str(agency)}})
