"""Rules of the lines of invoices and credit memos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import CLASS, ITEM
from hourbridge.sandbox.quickbooks_online.lists import as_reference, referenced
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    amount_mismatch,
    business,
    invalid_property,
    missing_parameter,
)
from hourbridge.sandbox.quickbooks_online.taxes import line_code
from hourbridge.sandbox.quickbooks_online.time_activities import line_links
from hourbridge.sandbox.quickbooks_online.transactions import money_of
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    date_of,
    number_of,
    reference_of,
    text_of,
    without_empty,
)

_LINES_MAX = 10_000
SALES = "SalesItemLineDetail"
_SALES = SALES
_DISCOUNT = "DiscountLineDetail"
_DESCRIPTION = "DescriptionOnly"
_SUBTOTAL = "SubTotalLineDetail"


def shape_lines(
    company: Company, given: Any, current: Sequence[Entity], currency: str
) -> list[Entity]:
    """Return the lines to store: checked and numbered, plus the service's subtotal."""
    shaped = numbered(given, current, lambda line: _shape_line(company, line, currency))
    subtotal = sum((line["Amount"] for line in shaped if line["DetailType"] == _SALES), Decimal(0))
    shaped.append({"Amount": subtotal, "DetailType": _SUBTOTAL, _SUBTOTAL: {}})
    return shaped


def numbered(
    given: Any, current: Sequence[Entity], shape_line: Callable[[Entity], Entity]
) -> list[Entity]:
    """Return the lines shaped one by one, with their ids and numbers; subtotals are left out."""
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
        body = shape_line(line)
        shaped.append({"Id": identity, "LineNum": len(shaped) + 1, **body})
    if not shaped:
        raise missing_parameter("Line")
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


def _shape_line(company: Company, line: Entity, currency: str) -> Entity:
    kind = line.get("DetailType")
    amount = money_of(company, line, "Amount", currency)
    common = {
        "Description": text_of(line, "Description", 4000),
        "DetailType": kind,
        "Amount": amount,
        "LinkedTxn": line_links(line),
    }
    if kind == _SALES:
        detail = line.get(_SALES)
        if not isinstance(detail, dict):
            raise missing_parameter(_SALES)
        return without_empty({**common, **_sales(company, detail, amount, currency)})
    if kind == _DISCOUNT:
        if amount is None or amount < 0:
            raise Refusal("6090", "Discount information", "Discount amount must be positive")
        return without_empty({**common, _DISCOUNT: line.get(_DISCOUNT) or {}})
    if kind == _DESCRIPTION:
        return without_empty({**common, "Amount": Decimal("0.00")})
    raise Refusal("2170", "Invalid Enumeration", f"DetailType: {kind}", element="DetailType")


def priced(company: Company, detail: Entity, amount: Decimal | None, currency: str) -> Entity:
    """Return quantity, price and amount of an item's line; the amount has to be the product."""
    if amount is None:
        raise missing_parameter("Amount")
    arithmetic = company.arithmetic
    quantity = number_of(detail, "Qty", decimals_max=arithmetic.quantity_decimals_max)
    price = number_of(detail, "UnitPrice", decimals_max=arithmetic.unit_price_decimals_max)
    if amount and not quantity and not price:
        # A client that fills unset numbers with zeros (python-quickbooks) means the amount alone.
        return {"Qty": None, "UnitPrice": None, "Amount": amount}
    if quantity is not None and price is not None:
        product = arithmetic.product(quantity, price, currency)
        if arithmetic.computes_amounts:
            amount = product
        elif product != amount:
            raise amount_mismatch(f"{amount:,}")
    return {"Qty": quantity, "UnitPrice": price, "Amount": amount}


def _sales(company: Company, detail: Entity, amount: Decimal | None, currency: str) -> Entity:
    price = priced(company, detail, amount, currency)
    served = date_of(detail, "ServiceDate")
    shaped = {
        "ItemRef": item_of(company, detail),
        "Qty": price["Qty"],
        "UnitPrice": price["UnitPrice"],
        "ServiceDate": served.isoformat() if served else None,
        "ClassRef": class_of(company, detail),
        "TaxCodeRef": line_code(company, detail),
    }
    return {"Amount": price["Amount"], _SALES: without_empty(shaped)}


def item_of(company: Company, detail: Entity) -> Entity | None:
    """Return the reference to a line's item; categories can't be sold."""
    identity = reference_of(detail, "ItemRef")
    if identity is None:
        return None
    item = referenced(company, ITEM, identity)
    if item["Type"] == "Category":
        raise business("A category can't be used on a transaction.")
    return as_reference(ITEM, item)


def class_of(company: Company, detail: Entity) -> Entity | None:
    """Return the reference to a line's class."""
    identity = reference_of(detail, "ClassRef")
    return as_reference(CLASS, referenced(company, CLASS, identity)) if identity else None
