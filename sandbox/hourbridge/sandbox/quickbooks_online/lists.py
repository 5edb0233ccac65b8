"""Rules that all name lists share: names, trees, activity; what each adds is in list_shapes."""

from __future__ import annotations

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    CLASS,
    COMPANY_CURRENCY,
    CUSTOMER,
    DEPARTMENT,
    ITEM,
    PAYMENT_METHOD,
    PEOPLE,
    TAX_AGENCY,
    TERM,
    VENDOR,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.list_references import (
    as_reference,
    name_property,
    posting_account,
    referenced,
)
from hourbridge.sandbox.quickbooks_online.list_shapes import SHAPES
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    business,
    duplicate_name,
    invalid_property,
    missing_parameter,
)
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    reference_of,
    text_of,
    without_empty,
)

__all__ = [
    "as_reference",
    "name_property",
    "posting_account",
    "referenced",
    "rename_descendants",
    "shape",
]

DELETED_SUFFIX = " (deleted)"
_LEVELS_MAX = 5
_FORBIDDEN = {
    **dict.fromkeys((k.name for k in PEOPLE), ":\t\n"),
    ITEM.name: ':\t\n"',
    ACCOUNT.name: ':"',
    CLASS.name: ":",
    DEPARTMENT.name: ":",
}
_SHORT = (TERM, PAYMENT_METHOD)
_NAME_LIMIT = {
    **dict.fromkeys((k.name for k in PEOPLE), 500),
    **dict.fromkeys((k.name for k in _SHORT), 31),
}
_SUB_NAMES = {
    ITEM: "SubItem",
    ACCOUNT: "SubAccount",
    CLASS: "SubClass",
    DEPARTMENT: "SubDepartment",
}
_FLAT = (PAYMENT_METHOD, COMPANY_CURRENCY, TAX_AGENCY)
_FAMILY = "customer, vendor or employee"


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
        **SHAPES[kind.name](company, given),
    }
    if kind is CUSTOMER:
        entity["Job"] = parent is not None and given.get("Job") is True
        # Projects are made in the service itself only, never through the API.
        entity["IsProject"] = bool(current and current.get("IsProject"))
    if kind in PEOPLE:
        entity["PrintOnCheckName"] = entity["PrintOnCheckName"] or name[:110]
    if kind in _SUB_NAMES:
        entity[_SUB_NAMES[kind]] = bool(parent)
    if kind in _FLAT:
        del entity["FullyQualifiedName"], entity["Level"]
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
        # The one fault that comes without a code.
        raise Refusal("", "Delete List Has Balance Error", "Delete List Has Balance Error")


def _check_unique(company: Company, kind: Kind, name: str, own_id: str | None) -> None:
    """Refuse a name that is taken; people of all three lists share one space of names."""
    wanted = name.casefold()
    compared = name_property(kind) if kind in (*PEOPLE, *_FLAT) else "FullyQualifiedName"
    for family in PEOPLE if kind in PEOPLE else (kind,):
        for other in company.all(family):
            is_self = family is kind and other["Id"] == own_id
            if not is_self and other[compared].casefold() == wanted:
                shown = _FAMILY if kind in PEOPLE else kind.name.lower()
                raise duplicate_name(shown, other["Id"])
