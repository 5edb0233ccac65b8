"""Sales tax as the company computes it: per document or per line, by its own codes and rates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hourbridge.common.money import EXACT
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import TAX_CODE, TAX_RATE
from hourbridge.sandbox.quickbooks_online.refusals import Refusal, invalid_property
from hourbridge.sandbox.quickbooks_online.values import Entity, number_of, reference_of

TAXED, UNTAXED = "TAX", "NON"
_PSEUDO_CODES = (TAXED, UNTAXED)
_HUNDRED = Decimal(100)


def line_code(company: Company, detail: Entity) -> Entity:
    """Return the checked code of a line: in the United States ``TAX`` or ``NON``, nothing else."""
    code = reference_of(detail, "TaxCodeRef") or UNTAXED
    is_domestic = is_american(company)
    if company.get(TAX_CODE, code) is None or (is_domestic and code not in _PSEUDO_CODES):
        raise Refusal("6100", "Invalid tax code", f"Tax code {code} can't be used on a line")
    return {"value": code}


def is_american(company: Company) -> bool:
    """Return whether the rules of the United States hold: one code per document."""
    return bool(company.info["Country"] == "US")


def tax_detail(
    company: Company, given: Entity, taxable: Mapping[str, Sequence[Decimal]], currency: str
) -> Entity:
    """Return TxnTaxDetail for the amounts of the lines by their codes."""
    if not company.preferences["TaxPrefs"]["UsingSalesTax"]:
        return {"TotalTax": Decimal(0)}
    stated = given.get("TxnTaxDetail") or {}
    if not isinstance(stated, dict):
        raise invalid_property("TxnTaxDetail")
    by_code = _by_code(company, stated, taxable)
    lines = [
        line
        for code, amounts in sorted(by_code.items())
        for line in _tax_lines(company, code, amounts, currency)
    ]
    total = sum((line["Amount"] for line in lines), Decimal("0.00"))
    wanted = number_of(stated, "TotalTax", decimals_max=company.arithmetic.decimals_max(currency))
    if company.arithmetic.keeps_given_tax and wanted is not None and not _is_automated(company):
        total, lines = wanted, _overridden(lines, wanted - total)
    detail: Entity = {"TotalTax": total, "TaxLine": lines}
    if is_american(company) and by_code:
        detail["TxnTaxCodeRef"] = {"value": next(iter(by_code))}
    return detail


def _by_code(
    company: Company, stated: Entity, taxable: Mapping[str, Sequence[Decimal]]
) -> dict[str, Sequence[Decimal]]:
    """Return the amounts by the code whose rates apply to them."""
    if not is_american(company):
        return {code: found for code, found in taxable.items() if code not in _PSEUDO_CODES}
    code = reference_of(stated, "TxnTaxCodeRef")
    if _is_automated(company) or code is None:
        default = company.preferences["TaxPrefs"].get("TaxGroupCodeRef")
        code = str(default["value"]) if default and _is_automated(company) else code
    if code is None or TAXED not in taxable:
        return {}
    if code in _PSEUDO_CODES or company.get(TAX_CODE, code) is None:
        raise Refusal("6100", "Invalid tax code", f"Tax code {code} can't be used on a document")
    return {code: taxable[TAXED]}


def _is_automated(company: Company) -> bool:
    return bool(company.preferences["TaxPrefs"].get("PartnerTaxEnabled"))


def _tax_lines(
    company: Company, code: str, amounts: Sequence[Decimal], currency: str
) -> list[Entity]:
    entity = company.get(TAX_CODE, code) or {}
    details = entity.get("SalesTaxRateList", {}).get("TaxRateDetail", [])
    net = sum(amounts, Decimal("0.00"))
    lines = []
    for each in details:
        rate = company.get(TAX_RATE, each["TaxRateRef"]["value"])
        if rate is None:
            continue
        tax = _tax(company, amounts, rate["RateValue"], currency)
        found: Entity = {
            "TaxRateRef": each["TaxRateRef"],
            "PercentBased": True,
            "TaxPercent": rate["RateValue"],
            "NetAmountTaxable": net,
        }
        lines.append({"Amount": tax, "DetailType": "TaxLineDetail", "TaxLineDetail": found})
    return lines


def _tax(company: Company, amounts: Sequence[Decimal], percent: Decimal, currency: str) -> Decimal:
    arithmetic = company.arithmetic

    def of(amount: Decimal) -> Decimal:
        return arithmetic.money(EXACT.divide(EXACT.multiply(amount, percent), _HUNDRED), currency)

    if arithmetic.tax_scope == "line":
        return sum((of(amount) for amount in amounts), Decimal("0.00"))
    return of(sum(amounts, Decimal(0)))


def _overridden(lines: list[Entity], delta: Decimal) -> list[Entity]:
    """Return the lines with what the caller's total adds on the first of them."""
    if not lines or delta == 0:
        return lines
    first = lines[0]
    detail = first["TaxLineDetail"] | {"OverrideDeltaAmount": delta}
    return [first | {"Amount": first["Amount"] + delta, "TaxLineDetail": detail}, *lines[1:]]


def taxable_amounts(lines: Sequence[Any], detail_name: str) -> dict[str, list[Decimal]]:
    """Return the amounts of lines by their tax code."""
    found: dict[str, list[Decimal]] = defaultdict(list)
    for line in lines:
        code = line.get(detail_name, {}).get("TaxCodeRef", {}).get("value")
        if code is not None and code != UNTAXED:
            found[code].append(line["Amount"])
    return dict(found)
