"""What somebody does in the ledger by hand: edit, delete, void, pay, send, close the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online import merging, operations, payments
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    BILL,
    BILL_PAYMENT,
    BY_RESOURCE,
    CUSTOMER,
    INVOICE,
    PAYMENT,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.refusals import malformed, not_found, unsupported
from hourbridge.sandbox.quickbooks_online.service import send
from hourbridge.sandbox.quickbooks_online.values import Entity, rounded_product

_SALES = "SalesItemLineDetail"


def act(company: Company, resource: str, body: Mapping[str, Any]) -> Entity:
    """Do ``body["action"]`` to the document named by ``id`` or ``number``; returns it after.

    ``edit`` merges ``changes`` into the document; ``edit_line`` changes one line (``line`` counts
    from 1) to another quantity, unit price, amount or description and keeps the product right.
    """
    kind = BY_RESOURCE.get(resource)
    if kind is None:
        raise unsupported(resource)
    action = body.get("action")
    if action == "add":
        return _add(company, kind, dict(body["changes"]))
    if action not in _ACTIONS:
        raise malformed(f"unknown action {action!r}")
    return _ACTIONS[action](company, kind, find(company, kind, body), body)


def find(company: Company, kind: Kind, body: Mapping[str, Any]) -> Entity:
    """Return the stored document that ``id`` or ``number`` names; 610 when there is none."""
    identity = body.get("id")
    entity = company.get(kind, str(identity)) if identity else None
    if identity is None:
        numbered = (e for e in company.all(kind) if e.get("DocNumber") == body.get("number"))
        entity = next(numbered, None)
    if entity is None:
        raise not_found()
    return entity


def _edit(company: Company, kind: Kind, document: Entity, body: Mapping[str, Any]) -> Entity:
    return _change(company, kind, document, body.get("changes", {}))


def _edit_line(company: Company, kind: Kind, document: Entity, body: Mapping[str, Any]) -> Entity:
    return _change(company, kind, document, {"Line": _edited_lines(document, body)})


def _delete(company: Company, kind: Kind, document: Entity, body: Mapping[str, Any]) -> Entity:
    if body.get("unapply"):
        payments.unapply(company, document)
    return operations.delete(company, kind, _token(find(company, kind, body))).entity


def _void(company: Company, kind: Kind, document: Entity, _body: Mapping[str, Any]) -> Entity:
    effect = operations.void(company, kind, _token(document), paid_too=True, by_person=True)
    return effect.entity


def _send(company: Company, kind: Kind, document: Entity, _body: Mapping[str, Any]) -> Entity:
    return send(company, document["Id"], kind).entity


def _pay(company: Company, kind: Kind, document: Entity, body: Mapping[str, Any]) -> Entity:
    """Pay an invoice or a bill, whole or in part; ``date`` and ``exchange_rate`` are optional."""
    if kind not in (INVOICE, BILL):
        raise unsupported("pay")
    amount = body.get("amount") or document["Balance"]
    link = {"TxnId": document["Id"], "TxnType": kind.name}
    given: Entity = {
        "TotalAmt": amount,
        "TxnDate": body.get("date"),
        "ExchangeRate": body.get("exchange_rate"),
        "Line": [{"Amount": amount, "LinkedTxn": [link]}],
    }
    if company.is_multi_currency:
        given["CurrencyRef"] = document["CurrencyRef"]
    if kind is INVOICE:
        given["CustomerRef"] = document["CustomerRef"]
        return operations.save(company, PAYMENT, given).entity
    bank = company.account_named("Checking") or {}
    check = {"PayType": "Check", "CheckPayment": {"BankAccountRef": {"value": bank.get("Id")}}}
    given |= {"VendorRef": document["VendorRef"], **check}
    return operations.save(company, BILL_PAYMENT, given).entity


def _add(company: Company, kind: Kind, given: Entity) -> Entity:
    """Add anything, projects too, which the API can't make."""
    entity = operations.save(company, kind, given).entity
    if kind is CUSTOMER and given.get("IsProject") is True:
        stored = company.get(kind, entity["Id"]) or entity
        return company.put(kind, {**stored, "IsProject": True}, identity=entity["Id"])
    return entity


def _merge(company: Company, kind: Kind, document: Entity, body: Mapping[str, Any]) -> Entity:
    """Merge the entry into another one, which ``into`` names by its id; it is gone then."""
    return merging.merge(company, kind, document, find(company, kind, {"id": body["into"]}))


_Act = Callable[[Company, Kind, Entity, Mapping[str, Any]], Entity]
_ACTIONS: dict[str, _Act] = {
    "edit": _edit,
    "edit_line": _edit_line,
    "delete": _delete,
    "void": _void,
    "send": _send,
    "pay": _pay,
    "merge": _merge,
}


def _token(document: Entity) -> Entity:
    return {"Id": document["Id"], "SyncToken": document["SyncToken"]}


def _change(company: Company, kind: Kind, document: Entity, changes: Mapping[str, Any]) -> Entity:
    given = {**changes, **_token(document), "sparse": True}
    return operations.save(company, kind, given).entity


def _edited_lines(document: Entity, body: Mapping[str, Any]) -> list[Entity]:
    lines = [dict(line) for line in document["Line"]]
    line = lines[int(body.get("line", 1)) - 1]
    changes = body.get("changes", {})
    if "Description" in changes:
        line["Description"] = changes["Description"]
    detail = {**line.get(_SALES, {})}
    detail.update({name: changes[name] for name in ("Qty", "UnitPrice") if name in changes})
    if "Amount" in changes:
        detail.update({"Qty": 1, "UnitPrice": changes["Amount"]})
        line["Amount"] = changes["Amount"]
    elif "Qty" in detail and "UnitPrice" in detail:
        line["Amount"] = rounded_product(Decimal(detail["Qty"]), Decimal(detail["UnitPrice"]))
    line[_SALES] = detail
    return lines
