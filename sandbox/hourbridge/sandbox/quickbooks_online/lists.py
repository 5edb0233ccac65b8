"""Rules of the name lists: Customer, Vendor, Employee, Item, Account, Term, Class."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    CLASS,
    CUSTOMER,
    EMPLOYEE,
    ITEM,
    PEOPLE,
    TERM,
    VENDOR,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    business,
    duplicate_name,
    invalid_property,
    invalid_reference,
    missing_parameter,
    not_found,
)
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    number_of,
    reference_of,
    text_of,
    without_empty,
)

DELETED_SUFFIX = " (deleted)"
_LEVELS_MAX = 5
_FORBIDDEN = {
    **dict.fromkeys((k.name for k in PEOPLE), ":\t\n"),
    ITEM.name: ':\t\n"',
    ACCOUNT.name: ':"',
    CLASS.name: ":",
}
_NAME_LIMIT = {**dict.fromkeys((k.name for k in PEOPLE), 500), TERM.name: 31}
_REFERENCE_WORD = {
    **dict.fromkeys((k.name for k in PEOPLE), "Names"),
    ITEM.name: "Items",
    ACCOUNT.name: "Accounts",
    CLASS.name: "Klasses",
    TERM.name: "Terms",
}
_FAMILY = "customer, vendor or employee"


def name_property(kind: Kind) -> str:
    """Return which property names an entry of the list."""
    return "DisplayName" if kind in PEOPLE else "Name"


def referenced(company: Company, kind: Kind, identity: str) -> Entity:
    """Return the active entry that a document refers to; 2500 when unknown, 610 when inactive."""
    entity = company.get(kind, identity)
    if entity is None:
        raise invalid_reference(_REFERENCE_WORD[kind.name], identity)
    if not entity["Active"]:
        raise not_found()
    return entity


def posting_account(company: Company, identity: str) -> Entity:
    """Return the account that a line names; headers take no postings.

    The service itself has no header accounts: they stand for those of other systems' charts.
    """
    account = referenced(company, ACCOUNT, identity)
    if account.get("Header"):
        raise business(f"The account {account['Name']} is a header; nothing can be posted to it.")
    return account


def as_reference(kind: Kind, entity: Entity) -> Entity:
    """Return how documents show a reference to the entry."""
    shown = entity.get("FullyQualifiedName") or entity[name_property(kind)]
    return {"value": entity["Id"], "name": shown}


def shape(company: Company, kind: Kind, given: Entity, current: Entity | None) -> Entity:
    """Return the entry to store for ``given``; raises the refusal of the first broken rule."""
    own_id = current["Id"] if current else None
    name = _checked_name(kind, given)
    parent = _parent(company, kind, given, own_id)
    active = given.get("Active", True) is not False
    if not active and not name.endswith(DELETED_SUFFIX):
        _check_may_go(company, kind, own_id)
        name += DELETED_SUFFIX
    full_name = f"{parent['FullyQualifiedName']}:{name}" if parent else name
    _check_unique(company, kind, name if kind in PEOPLE else full_name, own_id)
    if current is not None and "CurrencyRef" in current:
        given = {**given, "CurrencyRef": current["CurrencyRef"]}  # fixed for good when created
    entity = {
        name_property(kind): name,
        "FullyQualifiedName": full_name,
        "Active": active,
        "Level": parent["Level"] + 1 if parent else 0,
        "ParentRef": {"value": parent["Id"]} if parent else None,
        **_SHAPES[kind.name](company, given),
    }
    if kind is CUSTOMER:
        entity["Job"] = parent is not None and given.get("Job") is True
    if kind in PEOPLE:
        entity.setdefault("PrintOnCheckName", name[:110])
    if kind in (ITEM, ACCOUNT, CLASS):
        entity[{ITEM: "SubItem", ACCOUNT: "SubAccount", CLASS: "SubClass"}[kind]] = bool(parent)
    return without_empty(entity)


def rename_descendants(company: Company, kind: Kind, parent: Entity) -> None:
    """Carry a changed full name down the tree."""
    for child in list(company.all(kind)):
        if child.get("ParentRef", {}).get("value") == parent["Id"]:
            child["FullyQualifiedName"] = (
                f"{parent['FullyQualifiedName']}:{child[name_property(kind)]}"
            )
            rename_descendants(company, kind, child)


def _checked_name(kind: Kind, given: Entity) -> str:
    limit = _NAME_LIMIT.get(kind.name, 100)
    name = text_of(given, name_property(kind), limit)
    if name is None and kind in PEOPLE:
        parts = [text_of(given, part, 100) for part in ("GivenName", "MiddleName", "FamilyName")]
        name = " ".join(filter(None, parts)) or None
        if name is None:
            raise Refusal("6080", "Name is missing", "One of the name parts is required")
    if name is None:
        raise missing_parameter(name_property(kind))
    if any(character in name for character in _FORBIDDEN.get(kind.name, "")):
        raise invalid_property(name_property(kind), "contains a character that is not allowed")
    return name


def _parent(company: Company, kind: Kind, given: Entity, own_id: str | None) -> Entity | None:
    identity = reference_of(given, "ParentRef")
    if identity is None:
        if given.get("Job") is True:
            raise missing_parameter("ParentRef")
        return None
    parent = company.get(kind, identity)
    if parent is None or identity == own_id:
        raise Refusal("700", "Invalid parent", f"ParentRef {identity} is invalid")
    if parent["Level"] + 1 >= _LEVELS_MAX:
        raise business("You can only have five levels of sub-entries.")
    return parent


def _check_may_go(company: Company, kind: Kind, own_id: str | None) -> None:
    if kind in (CUSTOMER, VENDOR) and own_id and company.balance_of(kind, own_id) != 0:
        raise business("Delete List Has Balance Error")


def _check_unique(company: Company, kind: Kind, name: str, own_id: str | None) -> None:
    """Refuse a name that is taken; people of all three lists share one space of names."""
    wanted = name.casefold()
    compared = "DisplayName" if kind in PEOPLE else "FullyQualifiedName"
    for family in PEOPLE if kind in PEOPLE else (kind,):
        for other in company.all(family):
            is_self = family is kind and other["Id"] == own_id
            if not is_self and other[compared].casefold() == wanted:
                shown = _FAMILY if kind in PEOPLE else kind.name.lower()
                raise duplicate_name(shown, other["Id"])


def _customer(company: Company, given: Entity) -> Entity:
    term = reference_of(given, "SalesTermRef")
    if term is not None:
        referenced(company, TERM, term)
    return {
        "CompanyName": text_of(given, "CompanyName", 100),
        "GivenName": text_of(given, "GivenName", 100),
        "FamilyName": text_of(given, "FamilyName", 100),
        "Notes": text_of(given, "Notes", 2000),
        "PrimaryEmailAddr": given.get("PrimaryEmailAddr"),
        "BillAddr": given.get("BillAddr"),
        "BillWithParent": given.get("BillWithParent"),
        "SalesTermRef": {"value": term} if term else None,
        "CurrencyRef": given.get("CurrencyRef") or {"value": company.currency},
    }


def _vendor(company: Company, given: Entity) -> Entity:
    term = reference_of(given, "TermRef")
    if term is not None:
        referenced(company, TERM, term)
    return {
        "CompanyName": text_of(given, "CompanyName", 100),
        "GivenName": text_of(given, "GivenName", 100),
        "FamilyName": text_of(given, "FamilyName", 100),
        "AcctNum": text_of(given, "AcctNum", 100),
        "PrimaryEmailAddr": given.get("PrimaryEmailAddr"),
        "BillAddr": given.get("BillAddr"),
        "Vendor1099": bool(given.get("Vendor1099", False)),
        "TermRef": {"value": term} if term else None,
        "CurrencyRef": given.get("CurrencyRef") or {"value": company.currency},
    }


def _employee(_company: Company, given: Entity) -> Entity:
    return {
        "GivenName": text_of(given, "GivenName", 100),
        "FamilyName": text_of(given, "FamilyName", 100),
        "PrimaryEmailAddr": given.get("PrimaryEmailAddr"),
        "BillableTime": bool(given.get("BillableTime", False)),
    }


def _item(company: Company, given: Entity) -> Entity:
    kind = given.get("Type")
    if kind is None:
        raise missing_parameter("Type")
    if kind not in ("Service", "NonInventory", "Inventory", "Category"):
        raise Refusal("2170", "Invalid Enumeration", f"Type: {kind}", element="Type")
    income, cost = reference_of(given, "IncomeAccountRef"), reference_of(given, "ExpenseAccountRef")
    if income is None and kind != "Category":
        raise missing_parameter("IncomeAccountRef")
    for account in filter(None, (income, cost)):
        referenced(company, ACCOUNT, account)
    return {
        "Type": kind,
        "Description": text_of(given, "Description", 4000),
        "UnitPrice": number_of(given, "UnitPrice", decimals_max=7) or Decimal(0),
        "IncomeAccountRef": {"value": income} if income else None,
        "ExpenseAccountRef": {"value": cost} if cost else None,
        "Taxable": bool(given.get("Taxable", False)),
    }


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
        "Classification": _CLASSIFICATION[kind],
        "CurrencyRef": given.get("CurrencyRef") or {"value": company.currency},
        "Header": True if given.get("Header") is True else None,
    }


def _term(_company: Company, given: Entity) -> Entity:
    days = given.get("DueDays")
    if type(days) is not int or not 0 <= days <= 999:
        raise missing_parameter("DueDays")
    return {"DueDays": days, "Type": "STANDARD"}


def _nothing_more(_company: Company, _given: Entity) -> Entity:
    return {}


_SHAPES: dict[str, Callable[[Company, Any], Entity]] = {
    CUSTOMER.name: _customer,
    VENDOR.name: _vendor,
    EMPLOYEE.name: _employee,
    ITEM.name: _item,
    ACCOUNT.name: _account,
    TERM.name: _term,
    CLASS.name: _nothing_more,
}
