"""Billable costs: each billable line makes a ReimburseCharge, waiting for an invoice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.expense_lines import ACCOUNT_DETAIL, ITEM_DETAIL
from hourbridge.sandbox.quickbooks_online.kinds import PURCHASES, REIMBURSE_CHARGE, Kind
from hourbridge.sandbox.quickbooks_online.values import Entity, without_empty

_LINK = REIMBURSE_CHARGE.name


def keep(company: Company, kind: Kind, entity: Entity) -> Entity:
    """Return the stored cost with its charges, linked from the header and from each line.

    A line that was there keeps its charge; lines that are billable no more lose theirs.
    """
    if kind not in PURCHASES:
        return entity
    before = {charge["LineId"]: charge for charge in _charges(company, entity)}
    billable = {line["Id"]: line for line in entity["Line"] if _is_billable(line)}
    if not before and not billable:
        return entity
    for line_id, charge in before.items():
        if line_id not in billable:
            company.remove(REIMBURSE_CHARGE, charge["Id"])
    links = {}
    for line_id, line in billable.items():
        known = before.get(line_id)
        made = _charge(entity, kind, line, known)
        stored = company.put(REIMBURSE_CHARGE, made, identity=known["Id"] if known else None)
        links[line_id] = {"TxnId": stored["Id"], "TxnType": _LINK}
    # Linked within the same write: no SyncToken of its own.
    entity["Line"] = [_linked(line, links.get(line["Id"])) for line in entity["Line"]]
    kept = without_charges(entity.get("LinkedTxn", []))
    entity["LinkedTxn"] = [*kept, *links.values()]
    return entity


def forget(company: Company, entity: Entity) -> None:
    """Drop the charges of a cost that is gone."""
    for charge in list(_charges(company, entity)):
        company.remove(REIMBURSE_CHARGE, charge["Id"])


def without_charges(links: Iterable[Entity]) -> list[Entity]:
    """Return the links to anything but charges."""
    return [link for link in links if link.get("TxnType") != _LINK]


def _charges(company: Company, entity: Entity) -> Sequence[Entity]:
    ids = [x["TxnId"] for x in entity.get("LinkedTxn", []) if x.get("TxnType") == _LINK]
    return [charge for each in ids if (charge := company.get(REIMBURSE_CHARGE, each)) is not None]


def _is_billable(line: Entity) -> bool:
    return _detail(line).get("BillableStatus") == "Billable"


def _detail(line: Entity) -> Entity:
    found: Entity = line.get(ACCOUNT_DETAIL) or line.get(ITEM_DETAIL) or {}
    return found


def _charge(entity: Entity, kind: Kind, line: Entity, known: Entity | None) -> Entity:
    detail = _detail(line)
    item = {"ItemRef": detail.get("ItemRef"), "ItemAccountRef": detail.get("AccountRef")}
    shown = without_empty({**item, "Qty": detail.get("Qty"), "UnitPrice": detail.get("UnitPrice")})
    return {
        "Amount": line["Amount"],
        "CustomerRef": detail["CustomerRef"],
        "CurrencyRef": entity["CurrencyRef"],
        "HasBeenInvoiced": bool(known and known["HasBeenInvoiced"]),
        "LinkedTxn": [{"TxnId": entity["Id"], "TxnType": kind.name}],
        "TxnDate": entity["TxnDate"],
        "TotalAmt": line["Amount"],
        "HomeTotalAmt": Decimal(line["Amount"]),
        "LineId": line["Id"],
        "Line": [
            {
                "Id": "1",
                "Amount": line["Amount"],
                "DetailType": "ReimburseLineDetail",
                "ReimburseLineDetail": shown,
            }
        ],
    }


def _linked(line: Entity, link: Entity | None) -> Entity:
    bare = {name: value for name, value in line.items() if name != "LinkedTxn"}
    return {**bare, "LinkedTxn": [link]} if link else bare
