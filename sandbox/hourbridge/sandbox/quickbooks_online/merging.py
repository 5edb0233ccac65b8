"""Merging two entries of a list, which only a person in the service can do."""

from __future__ import annotations

from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    BILL,
    BILL_PAYMENT,
    CREDIT_MEMO,
    CUSTOMER,
    INVOICE,
    KINDS,
    PAYMENT,
    VENDOR,
    VENDOR_CREDIT,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.lists import as_reference
from hourbridge.sandbox.quickbooks_online.refusals import business, unsupported
from hourbridge.sandbox.quickbooks_online.values import Entity

_WITH_PARTY = (INVOICE, CREDIT_MEMO, PAYMENT, BILL, VENDOR_CREDIT, BILL_PAYMENT)


def merge(company: Company, kind: Kind, loser: Entity, survivor: Entity) -> Entity:
    """Let ``survivor`` take over everything that names ``loser``, which then is gone.

    Later references to the old id are answered like those to any unknown one.
    """
    if kind not in (CUSTOMER, VENDOR):
        raise unsupported(f"merge {kind.name}")
    if loser["Id"] == survivor["Id"] or not survivor["Active"]:
        raise business("These two can't be merged.")
    if loser.get("CurrencyRef") != survivor.get("CurrencyRef"):
        raise business("You can't merge names of different currencies.")
    reference = as_reference(kind, survivor)
    for each in KINDS:
        for entity in list(company.all(each)):
            changed = _pointed(entity, kind, loser["Id"], reference)
            if changed is not None:
                company.put(each, changed, identity=entity["Id"])
    company.remove(kind, loser["Id"], silently=True)
    company.put(kind, survivor, identity=survivor["Id"], operation="Update")
    company.tell(kind, survivor["Id"], "Merge", loser["Id"])
    return company.get(kind, survivor["Id"]) or survivor


def _pointed(entity: Entity, kind: Kind, loser: str, reference: Entity) -> Entity | None:
    """Return the entity with every reference turned to the survivor, None if it has none."""
    names = {f"{kind.name}Ref"} | ({"ParentRef"} if "ParentRef" in entity else set())
    if "ParentRef" in entity and f"{kind.name}Ref" not in entity and "Job" not in entity:
        names.discard("ParentRef")
    changed = _turned(entity, names, loser, reference)
    return changed if changed != entity else None


def _turned(value: Any, names: set[str], loser: str, reference: Entity) -> Any:
    if isinstance(value, list):
        return [_turned(each, names, loser, reference) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: reference
        if name in names and isinstance(inner, dict) and inner.get("value") == loser
        else _turned(inner, names, loser, reference)
        for name, inner in value.items()
    }
