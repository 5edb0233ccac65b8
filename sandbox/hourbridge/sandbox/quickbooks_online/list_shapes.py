"""What each name list keeps of its entries besides name, parent and activity."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    CLASS,
    COMPANY_CURRENCY,
    CUSTOMER,
    DEPARTMENT,
    EMPLOYEE,
    ITEM,
    PAYMENT_METHOD,
    TAX_AGENCY,
    TERM,
    VENDOR,
)
from hourbridge.sandbox.quickbooks_online.list_references import referenced
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    invalid_property,
    missing_parameter,
)
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    number_of,
    reference_of,
    text_of,
)

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_RATE_DECIMALS_MAX = 7
_CONTACT = ("PrimaryPhone", "AlternatePhone", "Mobile", "Fax", "WebAddr", "BillAddr", "ShipAddr")
_CLASSIFICATION = {
    "Bank": "Asset",
    "Accounts Receivable": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Cost of Goods Sold": "Expense",
    "Expense": "Expense",
    "Other Expense": "Expense",
}


def due_day(term: Entity | None, dated: date) -> date:
    """Return when a document of that day is due: after days, or on a day of the month."""
    if term is None:
        return dated
    if term["Type"] == "STANDARD":
        return dated + timedelta(days=term["DueDays"])
    due = _on_day(dated, term["DayOfMonthDue"])
    while due < dated or (due - dated).days < term["DueNextMonthDays"]:
        due = _on_day(due.replace(day=28) + timedelta(days=4), term["DayOfMonthDue"])
    return due


def _on_day(month: date, day: int) -> date:
    last = (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return month.replace(day=min(day, last.day))


def _person(given: Entity) -> Entity:
    """Return what customers, vendors and employees have in common."""
    email = given.get("PrimaryEmailAddr")
    address = email.get("Address") if isinstance(email, dict) else None
    if address and not _EMAIL.fullmatch(str(address)):
        detail = f"Email Address does not conform to RFC 822: {address}"
        raise Refusal("2210", "Invalid email address", detail, element="PrimaryEmailAddr")
    names = ("GivenName", "MiddleName", "FamilyName")
    return {
        **{name: text_of(given, name, 100) for name in names},
        "PrintOnCheckName": text_of(given, "PrintOnCheckName", 110),
        "PrimaryEmailAddr": email if address else None,
        **{name: given.get(name) or None for name in _CONTACT},
    }


def _customer(company: Company, given: Entity) -> Entity:
    return {
        **_person(given),
        "CompanyName": text_of(given, "CompanyName", 100),
        "Notes": text_of(given, "Notes", 2000),
        "ResaleNum": text_of(given, "ResaleNum", 16),
        "BillWithParent": given.get("BillWithParent"),
        "Taxable": given.get("Taxable"),
        "PreferredDeliveryMethod": given.get("PreferredDeliveryMethod") or None,
        "SalesTermRef": _reference(company, given, "SalesTermRef", TERM),
        "PaymentMethodRef": _reference(company, given, "PaymentMethodRef", PAYMENT_METHOD),
        "CurrencyRef": _currency(company, given),
    }


def _vendor(company: Company, given: Entity) -> Entity:
    tax_id = text_of(given, "TaxIdentifier", 20)
    return {
        **_person(given),
        "CompanyName": text_of(given, "CompanyName", 100),
        "AcctNum": text_of(given, "AcctNum", 100),
        # Masked when it is read; whoever sends it back masked loses it.
        "TaxIdentifier": f"XXXXX{tax_id[-4:]}" if tax_id else None,
        "Vendor1099": bool(given.get("Vendor1099", False)),
        "BillRate": number_of(given, "BillRate", decimals_max=_RATE_DECIMALS_MAX),
        "CostRate": number_of(given, "CostRate", decimals_max=_RATE_DECIMALS_MAX),
        "TermRef": _reference(company, given, "TermRef", TERM),
        "CurrencyRef": _currency(company, given),
    }


def _employee(_company: Company, given: Entity) -> Entity:
    return {
        **_person(given),
        "PrimaryAddr": given.get("PrimaryAddr") or None,
        "EmployeeNumber": text_of(given, "EmployeeNumber", 100),
        "HiredDate": text_of(given, "HiredDate", 10),
        "ReleasedDate": text_of(given, "ReleasedDate", 10),
        "BillableTime": bool(given.get("BillableTime", False)),
        "BillRate": number_of(given, "BillRate", decimals_max=_RATE_DECIMALS_MAX),
        "CostRate": number_of(given, "CostRate", decimals_max=_RATE_DECIMALS_MAX),
    }


def _item(company: Company, given: Entity) -> Entity:
    kind = given.get("Type")
    if kind is None:
        raise missing_parameter("Type")
    if kind not in ("Service", "NonInventory", "Inventory", "Category"):
        raise Refusal("2170", "Invalid Enumeration", f"Type: {kind}", element="Type")
    if reference_of(given, "IncomeAccountRef") is None and kind != "Category":
        raise missing_parameter("IncomeAccountRef")
    if kind != "Inventory" and given.get("TrackQtyOnHand") is True:
        raise invalid_property("TrackQtyOnHand")
    return {
        "Type": kind,
        "Description": text_of(given, "Description", 4000),
        "PurchaseDesc": text_of(given, "PurchaseDesc", 1000),
        "Sku": text_of(given, "Sku", 100),
        "UnitPrice": number_of(given, "UnitPrice", decimals_max=7) or Decimal(0),
        "PurchaseCost": number_of(given, "PurchaseCost", decimals_max=7),
        "IncomeAccountRef": _reference(company, given, "IncomeAccountRef", ACCOUNT),
        "ExpenseAccountRef": _reference(company, given, "ExpenseAccountRef", ACCOUNT),
        "Taxable": bool(given.get("Taxable", False)),
    }


def _account(company: Company, given: Entity) -> Entity:
    kind = given.get("AccountType")
    if kind is None:
        raise missing_parameter("AccountType")
    if kind not in _CLASSIFICATION:
        raise Refusal("2170", "Invalid Enumeration", f"AccountType: {kind}", element="AccountType")
    return {
        "AccountType": kind,
        "AccountSubType": text_of(given, "AccountSubType", 100),
        "AcctNum": text_of(given, "AcctNum", 20),
        "Description": text_of(given, "Description", 100),
        "Classification": _CLASSIFICATION[kind],
        "CurrencyRef": _currency(company, given),
        "Header": True if given.get("Header") is True else None,
    }


def _term(_company: Company, given: Entity) -> Entity:
    discount = {
        "DiscountPercent": number_of(given, "DiscountPercent", decimals_max=5),
        "DiscountDays": _whole(given, "DiscountDays", 0, 999),
    }
    days = _whole(given, "DueDays", 0, 999)
    if days is not None:
        return {"DueDays": days, "Type": "STANDARD", **discount}
    day = _whole(given, "DayOfMonthDue", 1, 31)
    if day is None:
        raise missing_parameter("DueDays")
    within = _whole(given, "DueNextMonthDays", 0, 999) or 0
    return {"DayOfMonthDue": day, "DueNextMonthDays": within, "Type": "DATE_DRIVEN", **discount}


def _payment_method(_company: Company, given: Entity) -> Entity:
    kind = given.get("Type") or "NON_CREDIT_CARD"
    if kind not in ("CREDIT_CARD", "NON_CREDIT_CARD"):
        raise Refusal("2170", "Invalid Enumeration", f"Type: {kind}", element="Type")
    return {"Type": kind}


def _company_currency(_company: Company, given: Entity) -> Entity:
    code = text_of(given, "Code", 3)
    if code is None or len(code) != 3:
        raise missing_parameter("Code")
    return {"Code": code.upper()}


def _nothing_more(_company: Company, _given: Entity) -> Entity:
    return {}


def _whole(given: Entity, name: str, least: int, most: int) -> int | None:
    number = number_of(given, name, decimals_max=0)
    if number is None:
        return None
    if not least <= number <= most:
        raise Refusal("2080", "Illegal number format", f"{name}: {number}", element=name)
    return int(number)


def _reference(company: Company, given: Entity, name: str, kind: Any) -> Entity | None:
    identity = reference_of(given, name)
    if identity is None:
        return None
    referenced(company, kind, identity)
    return {"value": identity}


def _currency(company: Company, given: Entity) -> Entity:
    return {"value": reference_of(given, "CurrencyRef") or company.currency}


SHAPES: dict[str, Callable[[Company, Any], Entity]] = {
    CUSTOMER.name: _customer,
    VENDOR.name: _vendor,
    EMPLOYEE.name: _employee,
    ITEM.name: _item,
    ACCOUNT.name: _account,
    TERM.name: _term,
    CLASS.name: _nothing_more,
    DEPARTMENT.name: _nothing_more,
    PAYMENT_METHOD.name: _payment_method,
    COMPANY_CURRENCY.name: _company_currency,
    TAX_AGENCY.name: _nothing_more,
}
