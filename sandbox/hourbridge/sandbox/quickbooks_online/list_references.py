"""References to entries of lists, as documents make and show them."""

from __future__ import annotations

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    CLASS,
    COMPANY_CURRENCY,
    DEPARTMENT,
    ITEM,
    PAYMENT_METHOD,
    PEOPLE,
    TAX_AGENCY,
    TAX_CODE,
    TERM,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.refusals import business, invalid_reference, not_found
from hourbridge.sandbox.quickbooks_online.values import Entity

_WORD = {
    **dict.fromkeys((k.name for k in PEOPLE), "Names"),
    ITEM.name: "Items",
    ACCOUNT.name: "Accounts",
    CLASS.name: "Klasses",
    DEPARTMENT.name: "Depts",
    TERM.name: "Terms",
    PAYMENT_METHOD.name: "PaymentMethods",
    TAX_CODE.name: "TaxCodes",
    COMPANY_CURRENCY.name: "Currencies",
}


def name_property(kind: Kind) -> str:
    """Return which property names an entry of the list."""
    return "DisplayName" if kind in (*PEOPLE, TAX_AGENCY) else "Name"


def referenced(company: Company, kind: Kind, identity: str) -> Entity:
    """Return the active entry that a document refers to; 2500 when unknown, 610 when inactive."""
    entity = company.get(kind, identity)
    if entity is None:
        raise invalid_reference(_WORD[kind.name], identity)
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
