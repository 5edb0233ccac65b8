"""Rules of journal entries: balance, accounts, and whom receivables and payables concern."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    BY_NAME,
    CUSTOMER,
    JOURNAL_ENTRY,
    PEOPLE,
    VENDOR,
)
from hourbridge.sandbox.quickbooks_online.lists import as_reference, posting_account, referenced
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    business,
    invalid_property,
    missing_parameter,
)
from hourbridge.sandbox.quickbooks_online.sales_lines import class_of, numbered
from hourbridge.sandbox.quickbooks_online.transactions import (
    PAYABLE,
    RECEIVABLE,
    check_period_open,
    currency,
    exchange,
    home_fields,
    money_of,
    number,
)
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    date_of,
    required_reference,
    text_of,
    without_empty,
)

DETAIL = "JournalEntryLineDetail"
_PARTY_OF = {RECEIVABLE: CUSTOMER, PAYABLE: VENDOR}


def shape(
    company: Company, given: Entity, current: Entity | None, options: Sequence[str] = ()
) -> Entity:
    """Return the entry to store for ``given``; raises the refusal of the first broken rule."""
    dated = date_of(given, "TxnDate") or company.clock.today()
    check_period_open(company, dated)
    code = currency(company, given, None, is_new=current is None)
    lines = numbered(
        given.get("Line"),
        current["Line"] if current else (),
        lambda line: _shape_line(company, line, code),
    )
    _check_balance(lines)
    return without_empty(
        {
            "DocNumber": number(company, JOURNAL_ENTRY, given, current, options),
            "TxnDate": dated.isoformat(),
            "CurrencyRef": {"value": code},
            "PrivateNote": text_of(given, "PrivateNote", 4000),
            "Adjustment": bool(given.get("Adjustment", False)),
            "Line": lines,
            "TotalAmt": Decimal(0),
            "LinkedTxn": current.get("LinkedTxn", []) if current else [],
            "OpenItems": _open_items(company, lines),
            **home_fields(company, code, exchange(company, given, code, dated), {}),
        }
    )


def signed(line: Entity) -> Decimal:
    """Return a line's amount, credits negative."""
    amount: Decimal = line["Amount"]
    return amount if line[DETAIL]["PostingType"] == "Debit" else -amount


def open_item(entry: Entity, party_type: str, party_id: str) -> Entity | None:
    """Return what an entry owes or is owed by a customer or vendor and nothing has settled yet."""
    wanted = (party_type, party_id)
    found = (i for i in entry["OpenItems"] if (i["Type"], i["EntityId"]) == wanted)
    return next(found, None)


def _shape_line(company: Company, line: Entity, code: str) -> Entity:
    detail = line.get(DETAIL)
    if line.get("DetailType") != DETAIL or not isinstance(detail, dict):
        raise Refusal("2170", "Invalid Enumeration", f"DetailType: {line.get('DetailType')}")
    amount = money_of(company, line, "Amount", code)
    if amount is None:
        raise missing_parameter("Amount")
    if amount < 0:
        raise invalid_property("Amount", "must not be negative")
    if detail.get("PostingType") not in ("Debit", "Credit"):
        raise Refusal("2170", "Invalid Enumeration", f"PostingType: {detail.get('PostingType')}")
    account = posting_account(company, required_reference(detail, "AccountRef"))
    _check_currency(company, account, code)
    shown = {
        "PostingType": detail["PostingType"],
        "AccountRef": as_reference(ACCOUNT, account),
        "Entity": _entity(company, account, detail, code),
        "ClassRef": class_of(company, detail),
    }
    return without_empty(
        {
            "Description": text_of(line, "Description", 4000),
            "Amount": amount,
            "DetailType": DETAIL,
            DETAIL: without_empty(shown),
        }
    )


def _check_currency(company: Company, account: Entity, code: str) -> None:
    kept_in = account["CurrencyRef"]["value"]
    if account["AccountType"] in _PARTY_OF and kept_in != code:
        raise business(f"The account {account['Name']} is kept in {kept_in}, the entry in {code}.")
    if kept_in not in (code, company.currency):
        raise business(f"The account {account['Name']} is kept in {kept_in}.")


def _entity(company: Company, account: Entity, detail: Entity, code: str) -> Entity | None:
    given = detail.get("Entity")
    needed = _PARTY_OF.get(account["AccountType"])
    if given is None:
        if needed is not None:
            raise business(f"When you use {account['AccountType']}, choose a {needed.resource}.")
        return None
    family = BY_NAME.get(str(given.get("Type")))
    if family not in PEOPLE or not isinstance(given.get("EntityRef"), dict):
        raise invalid_property("Entity")
    if needed is not None and family is not needed:
        raise business(f"When you use {account['AccountType']}, choose a {needed.resource}.")
    party = referenced(company, family, required_reference(given, "EntityRef"))
    if needed is not None and party["CurrencyRef"]["value"] != code:
        raise business("The currency of the transaction is not the customer's currency.")
    return {"Type": family.name, "EntityRef": as_reference(family, party)}


def _check_balance(lines: Sequence[Entity]) -> None:
    kinds = {line[DETAIL]["PostingType"] for line in lines}
    if len(kinds) != 2 or sum((signed(line) for line in lines), Decimal(0)) != 0:
        raise business("The sum of debits and credits must be equal.")


def _open_items(company: Company, lines: Sequence[Entity]) -> list[Entity]:
    """Return what the entry adds to what customers owe (positive) and vendors are owed."""
    found: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        detail = line[DETAIL]
        account: Any = company.get(ACCOUNT, detail["AccountRef"]["value"])
        needed = _PARTY_OF.get(account["AccountType"])
        if needed is None:
            continue
        key = (needed.name, detail["Entity"]["EntityRef"]["value"])
        sign = 1 if needed is CUSTOMER else -1
        found[key] = found.get(key, Decimal("0.00")) + sign * signed(line)
    return [
        {"Type": kind, "EntityId": identity, "Amount": amount}
        for (kind, identity), amount in found.items()
    ]
