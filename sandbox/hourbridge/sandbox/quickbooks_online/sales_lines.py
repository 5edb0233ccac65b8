"""Rules of the lines of invoices and credit memos."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import CLASS, ITEM, TAX_CODE
from hourbridge.sandbox.quickbooks_online.lists import as_reference, referenced
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    amount_mismatch,
    business,
    invalid_property,
    missing_parameter,
)
from hourbridge.sandbox.quickbooks_online.values import (
    CENT_DIGITS,
    Entity,
    date_of,
    number_of,
    reference_of,
    rounded_product,
    text_of,
    without_empty,
)

QUANTITY_DECIMALS_MAX = 5
UNIT_PRICE_DECIMALS_MAX = 7
_LINES_MAX = 10_000
_SALES = "SalesItemLineDetail"
_DISCOUNT = "DiscountLineDetail"
_DESCRIPTION = "DescriptionOnly"
_SUBTOTAL = "SubTotalLineDetail"


def shape_lines(company: Company, given: Any, current: Sequence[Entity]) -> list[Entity]:
    """Return the lines to store: checked and numbered, plus the service's subtotal."""
    if not isinstance(given, list) or not given:
        raise missing_parameter("Line")
    if len(given) > _LINES_MAX:
        raise business(f"A transaction has at most {_LINES_MAX} lines.")
    known = {line["Id"] for line in current if "Id" in line}
    next_id = max((int(identity) for identity in known), default=0) + 1
    shaped: list[Entity] = []
    for line in given:
        if not isinstance(line, dict):
            raise invalid_property("Line")
        if line.get("DetailType") == _SUBTOTAL:
            continue
        identity = str(line.get("Id", ""))
        if identity in known:
            known.discard(identity)
        else:
            identity, next_id = str(next_id), next_id + 1
        body = _shape_line(company, line)
        shaped.append({"Id": identity, "LineNum": len(shaped) + 1, **body})
    if not shaped:
        raise missing_parameter("Line")
    subtotal = sum((line["Amount"] for line in shaped if line["DetailType"] == _SALES), Decimal(0))
    shaped.append({"Amount": subtotal, "DetailType": _SUBTOTAL, _SUBTOTAL: {}})
    return shaped


def total_of(lines: Sequence[Entity]) -> Decimal:
    """Return the sum of the lines, discounts taken off; never what a caller claims."""
    total = Decimal("0.00")
    for line in lines:
        if line["DetailType"] == _SALES:
            total += line["Amount"]
        elif line["DetailType"] == _DISCOUNT:
            total -= line["Amount"]
    return total


def voided(lines: Sequence[Entity]) -> list[Entity]:
    """Return the lines of a voided document: everything zero."""
    zero = Decimal("0.00")
    emptied = []
    for line in lines:
        empty = {**line, "Amount": zero}
        if _SALES in line:
            zeroed = {name: Decimal(0) for name in ("Qty", "UnitPrice") if name in line[_SALES]}
            empty[_SALES] = line[_SALES] | zeroed
        emptied.append(empty)
    return emptied


def _shape_line(company: Company, line: Entity) -> Entity:
    kind = line.get("DetailType")
    amount = number_of(line, "Amount", decimals_max=CENT_DIGITS)
    common = {
        "Description": text_of(line, "Description", 4000),
        "DetailType": kind,
        "Amount": amount,
    }
    if kind == _SALES:
        detail = line.get(_SALES)
        if not isinstance(detail, dict):
            raise missing_parameter(_SALES)
        return without_empty({**common, **_sales(company, detail, amount)})
    if kind == _DISCOUNT:
        if amount is None or amount < 0:
            raise Refusal("6090", "Discount information", "Discount amount must be positive")
        return without_empty({**common, _DISCOUNT: line.get(_DISCOUNT) or {}})
    if kind == _DESCRIPTION:
        return without_empty({**common, "Amount": Decimal("0.00")})
    raise Refusal("2170", "Invalid Enumeration", f"DetailType: {kind}", element="DetailType")


def _sales(company: Company, detail: Entity, amount: Decimal | None) -> Entity:
    if amount is None:
        raise missing_parameter("Amount")
    quantity = number_of(detail, "Qty", decimals_max=QUANTITY_DECIMALS_MAX)
    price = number_of(detail, "UnitPrice", decimals_max=UNIT_PRICE_DECIMALS_MAX)
    if quantity is not None and price is not None and rounded_product(quantity, price) != amount:
        raise amount_mismatch(f"{amount:,}")
    served = date_of(detail, "ServiceDate")
    shaped = {
        "ItemRef": _item(company, detail),
        "Qty": quantity,
        "UnitPrice": price,
        "ServiceDate": served.isoformat() if served else None,
        "ClassRef": _class(company, detail),
        "TaxCodeRef": _tax_code(company, detail),
    }
    return {_SALES: without_empty(shaped)}


def _item(company: Company, detail: Entity) -> Entity | None:
    identity = reference_of(detail, "ItemRef")
    if identity is None:
        return None
    item = referenced(company, ITEM, identity)
    if item["Type"] == "Category":
        raise business("A category can't be used on a transaction.")
    return as_reference(ITEM, item)


def _class(company: Company, detail: Entity) -> Entity | None:
    identity = reference_of(detail, "ClassRef")
    return as_reference(CLASS, referenced(company, CLASS, identity)) if identity else None


def _tax_code(company: Company, detail: Entity) -> Entity:
    code = reference_of(detail, "TaxCodeRef") or "NON"
    if company.get(TAX_CODE, code) is None:
        raise Refusal("6100", "Invalid tax code", f"Tax code {code} can't be used on a line")
    return {"value": code}
