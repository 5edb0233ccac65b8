"""Creating tax codes: a service of their own, whose answer has no envelope."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from hourbridge.common.errors import LedgerOutcomeUnknown, LedgerRejected
from hourbridge.connectors.quickbooks_online.transport import Transport

_PATH = "taxservice/taxcode"
_SIDES = ("Sales", "Purchase")


def create_tax_code(
    transport: Transport, stated: Mapping[str, Any], parameters: Mapping[str, str]
) -> str:
    """Create a code with one rate and return its id; ``stated`` names RateValue and TaxAgencyId."""
    rate = {
        "TaxRateName": str(stated.get("TaxRateName", stated["Name"]))[:100],
        "RateValue": _percent(stated["RateValue"]),
        "TaxAgencyId": str(stated["TaxAgencyId"]),
        "TaxApplicableOn": _side(stated.get("TaxApplicableOn", _SIDES[0])),
    }
    body = {"TaxCode": stated["Name"], "TaxRateDetails": [rate]}
    answer = transport.write(_PATH, body, parameters)
    identity = answer.get("TaxCodeId")
    if identity is None:
        raise LedgerOutcomeUnknown("the answer names no tax code", path=_PATH)
    return str(identity)


def has_rate(transport: Transport, row: Mapping[str, Any], stated: Mapping[str, Any]) -> bool:
    """Return whether a code has the one rate that is stated; the code itself doesn't show it."""
    details = [
        detail
        for name in ("SalesTaxRateList", "PurchaseTaxRateList")
        for detail in row.get(name, {}).get("TaxRateDetail", [])
    ]
    rates = {str(detail.get("TaxRateRef", {}).get("value")) for detail in details}
    if len(rates) != 1:
        return False
    rate = transport.get(f"taxrate/{rates.pop()}")["TaxRate"]
    return Decimal(str(rate.get("RateValue"))) == Decimal(_percent(stated["RateValue"]))


def _percent(text: Any) -> str:
    try:
        return format(Decimal(str(text)), "f")
    except InvalidOperation:
        what = f"RateValue is a percentage, not {str(text)[:40]!r}"
        raise LedgerRejected(what, reason_code="value_unusable", property="RateValue") from None


def _side(value: Any) -> str:
    if value not in _SIDES:
        what = f"TaxApplicableOn is one of {', '.join(_SIDES)}"
        raise LedgerRejected(what, reason_code="value_unusable", property="TaxApplicableOn")
    return str(value)
